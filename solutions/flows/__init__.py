"""Problem 3: planar normalizing flows."""
