"""Properties of Problem 1, one file for one stub file."""
