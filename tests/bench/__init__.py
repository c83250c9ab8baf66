"""Measurements against the original assignment's kind of code."""
