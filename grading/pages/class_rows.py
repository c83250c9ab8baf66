"""The rows of the class page's table: a submission, what it is sorted by, and how that is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grading.engine.implementation import TOPICS
from grading.pages.layout import number
from grading.records import Record, percent, points_of_runs

DIGITS = {"percent": 1, "seconds": 1}
COLUMNS = (
    *(("outcome", "text"), ("points", "number"), ("possible", "number"), ("percent", "number")),
    *((topic, "number") for topic in TOPICS),
    *(("runs", "number"), ("answers", "number"), ("words", "number"), ("waiting", "number"), ("late", "number")),
    *(("notes", "number"), ("look_at", "number"), ("seconds", "number"), ("isolation", "text")),
)


@dataclass(frozen=True)
class Cell:
    """One value of a row. value: what the table is sorted by, "" for none. text: how it is told."""

    column: str
    value: float | str
    text: str
    kind: str = "number"


@dataclass(frozen=True)
class Row:
    """A submission. file: its name, where that is another one. kinds: what the rows can be chosen by."""

    name: str
    student: str
    file: str
    kinds: tuple[str, ...]
    cells: tuple[Cell, ...]


def row(record: Record, wanted: Sequence[str]) -> Row:
    """Tell of a submission. wanted: the layers of isolation."""
    missing = [layer for layer in wanted if layer not in record.isolation]
    told = _refused(record) if record.outcome == "refused" else _graded(record, missing)
    settled = record.settlement
    kinds = {
        record.outcome: True,
        "waiting": bool(settled and settled.waiting),
        "late": bool(settled and settled.late_days),
        "notes": bool(record.notes),
        "look": bool(record.look_at),
        "isolation": record.outcome == "graded" and bool(missing),
    }
    file = record.file if record.file != record.submission else ""
    chosen = tuple(kind for kind, holds in kinds.items() if holds)
    return Row(record.submission, record.student, file, chosen, told)


def _graded(record: Record, missing: Sequence[str]) -> tuple[Cell, ...]:
    settled, topics = record.settlement, dict.fromkeys(TOPICS, 0.0)
    for part in record.parts:
        topics[part.part.split(".")[0]] += part.points
    share = percent(record.points, record.possible)
    values: dict[str, Any] = {
        "outcome": record.outcome,
        "points": record.points,
        "possible": record.possible,
        "percent": "" if share is None else share,
        **topics,
        "runs": points_of_runs(record.runs),
        "answers": sum(answer.points for answer in record.answers),
        "words": sum(question.points or 0.0 for question in record.questions),
        "waiting": settled.waiting if settled else sum(question.points is None for question in record.questions),
        "late": settled.late_days if settled else "",
        "notes": len(record.notes),
        "look_at": len(record.look_at),
        "seconds": record.budget.used if record.budget else "",
        "isolation": f"without {', '.join(missing)}" if missing else "complete",
    }
    return tuple(_cell(name, kind, values[name]) for name, kind in COLUMNS)


def _refused(record: Record) -> tuple[Cell, ...]:
    values: dict[str, Any] = {"outcome": record.outcome, "notes": len(record.notes), "look_at": len(record.look_at)}
    return tuple(_cell(name, kind, values.get(name, "")) for name, kind in COLUMNS)


def _cell(name: str, kind: str, value: float | str) -> Cell:
    return Cell(name, value, (value or "–") if isinstance(value, str) else number(value, DIGITS.get(name)), kind)
