"""The page about a class: points, submissions, items, mistakes and what was alike; for instructors alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from exercises.experiments.runs import write_whole
from grading import rubric
from grading.pages import analysis
from grading.pages.class_rows import row
from grading.pages.layout import render
from grading.records import Record, percent

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
class Noted:
    """What was odd about a submission and what to look at in its code, the first of each. left_out: how many more."""

    name: str
    notes: list[str]
    look_at: list[str]
    left_out: int


@dataclass(frozen=True)
class Distribution:
    """How points are spread: as they are where all could have the same, else in percent of what each could have."""

    unit: str
    bound: float
    spread: analysis.Spread | None
    histogram: list[analysis.Bin]


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
        "rows": [row(record, wanted) for record in records],
        "refused": [record for record in records if record.outcome == "refused"],
        "noted": [_noted(record) for record in records if record.notes or record.look_at],
        "circumstances": records[0].circumstances if records else None,
        "graded": len(done),
        "distribution": _distribution(done),
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


def _distribution(done: Sequence[Record]) -> Distribution:
    possible = {round(record.possible, 6) for record in done}
    shares = [share for record in done if (share := percent(record.points, record.possible)) is not None]
    if len(possible) > 1:
        return _distributed(shares, 100.0, "percent")
    return _distributed([record.points for record in done], max(possible, default=0.0), "points")


def _distributed(values: Sequence[float], bound: float, unit: str) -> Distribution:
    top = max([bound, *values])
    return Distribution(unit, bound, analysis.spread(values), analysis.bins(values, top, BINS) if top > 0 else [])
