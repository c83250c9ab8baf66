"""Judging: rubric, properties replayed against an implementation, views of the outcome."""
