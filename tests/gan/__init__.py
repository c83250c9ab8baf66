"""Properties of Problem 2, one file for each stub file."""
