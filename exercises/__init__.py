"""What a student opens: stubs to fill in, and the given experiments."""
