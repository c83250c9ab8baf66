"""Sentences on what was odd, of which a record has no more than a person reads."""

from collections.abc import Sequence

MOST = 30  # of a hand-in, and as many of its report
OF_SECTION = 5  # of the report


def bounded(notes: Sequence[str], most: int = MOST) -> list[str]:
    """Return the first notes, and in the place of the others how many they are.

    >>> bounded(["a", "b", "c"], most=1)
    ['a', 'and 2 more']
    """
    return list(notes) if len(notes) <= most else [*notes[:most], f"and {len(notes) - most:,} more"]
