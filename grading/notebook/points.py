"""Points as a notebook's cells and its gradebook count them, and when they count."""

import os


def are_counted() -> bool:
    """Tell whether nbgrader grades here and now; until then a cell tells no more than a student may know."""
    return os.environ.get("NBGRADER_EXECUTION") == "autograde"


def points_of(total: float) -> float:
    """Round a sum of points, so that all of them are never a little more than what a cell is worth.

    >>> points_of(0.1 + 0.2)
    0.3
    """
    return round(float(total), 6)
