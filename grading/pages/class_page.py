"""The page about a class: points, submissions, items, mistakes and what was alike; for instructors alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from exercises.experiments.runs import write_whole
from grading import rubric
from grading.engine.implementation import TOPICS
from grading.pages import analysis
from grading.pages.layout import number, render
from grading.records import Record, points_of_runs

BINS = 10
MOST_MISTAKES = 50
MOST_NOTES, LONGEST_NOTE = 10, 300  # of a submission; signs


class Pair(Protocol):
    """Two submissions whose code is alike, and which share of each is."""

    @property
    def first(self) -> str: ...  # noqa: D102
    @property
    def second(self) -> str: ...  # noqa: D102
    @property
    def share_first(self) -> float: ...  # noqa: D102
    @property
    def share_second(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Cell:
    """One value of a row. value: what the table is sorted by, "" for none. text: how it is told."""

    column: str
    value: float | str
    text: str
    kind: str = "number"


@dataclass(frozen=True)
class Row:
    """A submission. kinds: what the rows can be chosen by."""

    name: str
    student: str
    kinds: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Noted:
    """What was odd about a submission and what to look at in its code, the first of each. left_out: how many more."""

    name: str
    notes: list[str]
    look_at: list[str]
    left_out: int


def write(out: Path, records: Sequence[Record], pairs: Sequence[Pair] = ()) -> Path:
    """Write the page as index.html into the directory of a grading, and return where it is.

    Raises:
        OSError: it cannot be written.
    """
    path = out / "index.html"
    write_whole(path, page(records, pairs).encode(errors="replace"))
    return path


def page(records: Sequence[Record], pairs: Sequence[Pair] = ()) -> str:
    """Return the page as HTML."""
    wanted = rubric.load().grading.isolation
    done = analysis.graded(records)
    values = {
        "rows": [_row(record, wanted) for record in records],
        "refused": [record for record in records if record.outcome == "refused"],
        "noted": [_noted(record) for record in records if record.notes or record.look_at],
        "circumstances": records[0].circumstances if records else None,
        "histogram": _histogram(done),
        "spread": analysis.spread([record.points for record in done]),
        "possible": max((record.possible for record in done), default=0.0),
        "parts": analysis.items(records),
        "properties": analysis.items(records, properties=True),
        "named": analysis.named(records)[:MOST_MISTAKES],
        "mistakes": analysis.mistakes(records)[:MOST_MISTAKES],
        "seconds": analysis.spread([record.budget.used for record in done if record.budget]),
        "exhausted": [record.submission for record in done if record.budget and record.budget.exhausted],
        "layers": _layers(done, wanted),
        "pairs": pairs,
    }
    return render("class.html.j2", values, script="class.js")


def _noted(record: Record) -> Noted:
    notes, look_at = ([_cut(note) for note in told[:MOST_NOTES]] for told in (record.notes, record.look_at))
    left_out = len(record.notes) + len(record.look_at) - len(notes) - len(look_at)
    return Noted(record.submission, notes, look_at, left_out)


def _cut(note: str) -> str:
    return note if len(note) <= LONGEST_NOTE else f"{note[:LONGEST_NOTE]} …"


def _layers(done: Sequence[Record], wanted: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Tell for each layer of isolation around which submissions it did not hold."""
    return [(layer, [r.submission for r in done if layer not in r.isolation]) for layer in wanted]


def _row(record: Record, wanted: Sequence[str]) -> Row:
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
    return Row(record.submission, record.student, tuple(kind for kind, holds in kinds.items() if holds), told)


COLUMNS = (
    *(("outcome", "text"), ("points", "number"), ("possible", "number"), *((topic, "number") for topic in TOPICS)),
    *(("runs", "number"), ("answers", "number"), ("words", "number"), ("waiting", "number"), ("late", "number")),
    *(("notes", "number"), ("look_at", "number"), ("seconds", "number"), ("isolation", "text")),
)


def _graded(record: Record, missing: Sequence[str]) -> tuple[Cell, ...]:
    settled, topics = record.settlement, dict.fromkeys(TOPICS, 0.0)
    for part in record.parts:
        topics[part.part.split(".")[0]] += part.points
    values: dict[str, Any] = {
        "outcome": record.outcome,
        "points": record.points,
        "possible": record.possible,
        **topics,
        "runs": points_of_runs(record.runs),
        "answers": sum(answer.points for answer in record.answers),
        "words": sum(question.points or 0.0 for question in record.questions),
        "waiting": settled.waiting if settled else sum(question.points is None for question in record.questions),
        "late": settled.late_days if settled else "",
        "notes": len(record.notes),
        "look_at": len(record.look_at),
        "seconds": round(record.budget.used, 1) if record.budget else "",
        "isolation": f"without {', '.join(missing)}" if missing else "complete",
    }
    return tuple(_cell(name, kind, values[name]) for name, kind in COLUMNS)


def _refused(record: Record) -> tuple[Cell, ...]:
    values: dict[str, Any] = {"outcome": record.outcome, "notes": len(record.notes), "look_at": len(record.look_at)}
    return tuple(_cell(name, kind, values.get(name, "")) for name, kind in COLUMNS)


def _cell(name: str, kind: str, value: float | str) -> Cell:
    return Cell(name, value, (value or "–") if isinstance(value, str) else number(value), kind)


def _histogram(done: Sequence[Record]) -> list[analysis.Bin]:
    top = max((max(record.points, record.possible) for record in done), default=0.0)
    return analysis.bins([record.points for record in done], top, BINS) if top > 0 else []
