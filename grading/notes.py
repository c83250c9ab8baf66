"""Sentences on what was odd, of which a record has no more than a person reads."""

import re
from collections.abc import Sequence

MOST = 30  # of a hand-in, and as many of its report
OF_SECTION = 5  # of the report
FILES = 4  # of one kind that are named after the first
PATH = re.compile(r"(?<![^\s])(?:[^\s,;:/]+/)*[^\s,;:/]+\.\w{1,8}(?=[\s.;:]|$)")


def bounded(notes: Sequence[str], most: int = MOST) -> list[str]:
    """Return the first notes, one of each kind, and in the place of the others how many they are.

    >>> bounded(["a", "b", "c"], most=1)
    ['a', 'and 2 more']
    """
    kinds = alike(notes)
    return kinds if len(kinds) <= most else [*kinds[:most], f"and {len(kinds) - most:,} more"]


def alike(notes: Sequence[str]) -> list[str]:
    """Tell once what is said of several files, in the place of the first.

    >>> alike(["a.py was not read.", "It is old.", "b.py was not read."])
    ['a.py was not read. The same of b.py.', 'It is old.']
    """
    kinds: dict[str, list[str]] = {}
    for note in notes:
        kinds.setdefault(_kind(note), []).append(note)
    return [_told(same) for same in kinds.values()]


def _kind(note: str) -> str:
    """Return what two notes have in common that are said of two files: all but the names of files."""
    return PATH.sub("\0", note) if PATH.match(note) else note


def _told(same: Sequence[str]) -> str:
    first, *others = same
    files = list(dict.fromkeys(found[0] for note in others if (found := PATH.match(note))))
    if not files:
        return first
    more = f" and {len(files) - FILES:,} more" if len(files) > FILES else ""
    return f"{first.rstrip('.')}. The same of {', '.join(files[:FILES])}{more}."
