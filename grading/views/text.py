"""Text of several views; what others wrote is harmless in it, and no longer than somebody reads."""

from grading.pages.told import changes, earned
from grading.records import Record
from grading.terminal import harmless

LINE, TEXT = 400, 8000  # characters


def cut(text: str, most: int = TEXT) -> str:
    """Return the beginning of a text, in which no sign is one that a terminal would obey or that XML has not."""
    kept = harmless(text[:most])
    return kept if len(text) <= most else f"{kept} …"


def one_line(text: str, most: int = LINE) -> str:
    """Return the beginning of a text as one line."""
    return cut(" ".join(harmless(text[: 4 * most]).split()), most)


def figure(value: float | str | None) -> str:
    """Return a figure with six digits, or a word as it is."""
    return value if isinstance(value, str) else "" if value is None else f"{value:.6g}"


def accounted(record: Record) -> list[str]:
    """Return how the points of a record come about, in lines: all of them, then what they are made of."""
    lines = [f"{record.points:g} of {record.possible:g} points"]
    for line in (*earned(record), *changes(record)):
        possible = "" if line.possible is None else f" of {line.possible:g}"
        note = f" ({line.note})" if line.note else ""
        lines.append(one_line(f"{line.label}: {line.points:g}{possible}{note}"))
    return lines
