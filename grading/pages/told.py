"""What a student is told of a record, whichever way it is written: where points come from, and what does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grading.records import (
    AnswerRecord,
    PartRecord,
    PropertyRecord,
    QuestionRecord,
    Record,
    Settlement,
    points_of_runs,
)
from grading.terminal import facts
from grading.wording import TO_DO, Failure


@dataclass(frozen=True)
class Line:
    """One line of how the points come about. possible: None where it is not told. note: what it comes from."""

    label: str
    points: float
    possible: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Properties of a part that do not hold, of which the same is told. failure: None where nothing may be told."""

    failure: Failure | None
    secret: tuple[PropertyRecord, ...]
    named: tuple[PropertyRecord, ...]


def selected(record: Record) -> dict[str, Any]:
    """Choose what of a record a student is told, whichever way it is written."""
    unwritten = [part for part in record.parts if _is_unwritten(part)]
    return {
        "record": record,
        "earned": earned(record),
        "changes": changes(record),
        "unwritten": unwritten,
        "parts": [(p, failed) for p in record.parts if p not in unwritten and (failed := _failed(p))],
        "helped": [helped for part in record.parts if (helped := _helped(part))],
    }


def earned(record: Record) -> list[Line]:
    """Tell where the points come from; what neither gave nor could give any is left out, but for the parts."""
    waiting = record.settlement.waiting if record.settlement else sum(q.points is None for q in record.questions)
    parts = Line("the parts", *_sums(record.parts))
    others = [
        Line("finished runs", points_of_runs(record.runs), _runs_possible(record)),
        Line("the answers that a machine reads", *_sums(record.answers)),
        Line("the words that a person reads", *_sums(record.questions), _waiting(waiting)),
    ]
    return [parts, *(line for line in others if line.points or line.possible)]


def changes(record: Record) -> list[Line]:
    """Tell what the policy makes of the points that were earned."""
    settled, lines = record.settlement, []
    if settled is None:
        return []
    if settled.dropped:
        dropped = sum(part.points for part in record.parts if part.part in settled.dropped)
        lines.append(Line("left out, as the lowest", -dropped, None, ", ".join(settled.dropped)))
    if settled.extra:
        lines.append(Line("of these, beyond what is possible", 0.0, None, ", ".join(settled.extra)))
    if settled.late_days:
        lines.append(Line("late", -settled.penalty, None, _late(settled)))
    return lines


def _sums(entries: Sequence[PartRecord | AnswerRecord | QuestionRecord]) -> tuple[float, float]:
    return sum(entry.points or 0.0 for entry in entries), sum(entry.possible for entry in entries)


def _waiting(count: int) -> str:
    return f"{count} {'question waits' if count == 1 else 'questions wait'} for a person" if count else ""


def _late(settled: Settlement) -> str:
    days = f"{settled.late_days} {'day' if settled.late_days == 1 else 'days'}"
    return f"{days} after the due time, {settled.charged_days or 'none'} of which cost points"


def _runs_possible(record: Record) -> float | None:
    """Return what runs could have given, which is what all else could not: of an absent run no record tells."""
    settled = record.settlement or Settlement(0, 0, 0)
    if settled.extra:
        return None  # what it counts is not in `possible`
    left_out = sum(part.possible for part in record.parts if part.part in settled.dropped)
    others = sum(_sums(entries)[1] for entries in (record.parts, record.answers, record.questions))
    return round(record.possible + left_out - others, 6)


def _is_unwritten(part: PartRecord) -> bool:
    messages = {value.failure.message if value.failure else "" for value in part.properties}
    return messages == {TO_DO}


def _helped(part: PartRecord) -> tuple[PartRecord, int, float] | None:
    """Return how many properties of a part hold with right helpers alone, and what they are worth."""
    values = [value for value in part.properties if value.helpers == "reference"]
    return (part, len(values), sum(value.points for value in values)) if values else None


def _failed(part: PartRecord) -> list[Group]:
    """Group the properties of a part that do not hold by what is told of them."""
    groups: dict[str, list[PropertyRecord]] = {}
    for value in part.properties:
        if value.outcome != "right":
            groups.setdefault(_reason(value), []).append(value)
    return [
        Group(
            None if group[0].instructor_only else group[0].failure,
            tuple(value for value in group if value.instructor_only),
            tuple(value for value in group if not value.instructor_only),
        )
        for group in groups.values()
    ]


def _reason(value: PropertyRecord) -> str:
    """Return what makes two failures one: the same error at the same place, or all that is told of them."""
    if value.instructor_only or value.failure is None:
        return ""
    if value.failure.where:
        return f"{value.failure.message} {value.failure.where}"
    return str(facts(value.failure))
