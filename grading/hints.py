"""Hints, one more at each time of asking; how many were given is noted beside the data caches."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from grading.diagnosis import Diagnosis
from grading.engine.implementation import ROOT
from grading.rubric import Rubric

NOTES = ROOT / "data" / "cache" / "hints.json"


def next_hint(
    rubric: Rubric, part: str, diagnosis: Callable[[], Diagnosis | None], notes: Path = NOTES
) -> tuple[int, str]:
    """Return the number, from 1, and the text of the next hint; after the last one, the last one again.

    diagnosis: asked for where the last one is due, whose place is taken by where to think again, if that is known.
    """
    given = _given(notes)
    hints = rubric.parts[part].hints
    number = min(given.get(part, 0) + 1, len(hints))
    given[part] = number
    with contextlib.suppress(OSError):  # where nothing can be noted, the first hint is given every time
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text(json.dumps(given), encoding="utf-8")
    named = diagnosis() if number == len(hints) else None
    if named and named.reasoning:
        return number, f"It {named.told}.\n{named.reasoning}"
    return number, hints[number - 1]


def _given(notes: Path) -> dict[str, int]:
    """Read the counts; a note that is damaged only costs a hint told twice."""
    try:
        given = json.loads(notes.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return given if isinstance(given, dict) and all(isinstance(n, int) for n in given.values()) else {}
