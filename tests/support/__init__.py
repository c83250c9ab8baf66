"""What properties are written with: strategies, closeness, statistics, given objects, oracles."""
