"""The properties of Problem 3."""
