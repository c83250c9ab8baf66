"""What a student is told of a record, whichever way it is written: where points come from, and what does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from grading import rubric
from grading.diagnosis import Diagnosis
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
        "answers": told_answers(record.answers),
        "unwritten": unwritten,
        "parts": [
            (p, told_diagnosis(p), failed) for p in record.parts if p not in unwritten and (failed := _failed(p))
        ],
        "helped": [helped for part in record.parts if (helped := _helped(part))],
    }


def told_diagnosis(part: PartRecord) -> Diagnosis | None:
    """Return the mistake that a part looks like, unless it would tell of nothing but the instructor's properties."""
    wrong = [value for value in part.properties if value.outcome == "wrong"]
    return None if all(value.instructor_only for value in wrong) else part.diagnosis


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


def told_answers(answers: Sequence[AnswerRecord]) -> list[AnswerRecord]:
    """Return answers as a student is told them: what was measured of their own runs, but of a cost no right answer.

    That of a cost would be handed in again. So only what the rubric says is about a run is told where it is not right.
    """
    about_runs = {
        (name, key) for name, each in rubric.load().questions.items() for key, own in each.answers.items() if own.claim
    }
    return [
        answer if answer.outcome == "right" or (answer.question, answer.answer) in about_runs else _without_it(answer)
        for answer in answers
    ]


def _without_it(answer: AnswerRecord) -> AnswerRecord:
    """Return an answer without what was measured, which the message of an older record tells too."""
    tells = answer.measured is not None and str(answer.measured) in answer.message
    return replace(answer, measured=None, message="" if tells else answer.message)


def changes(record: Record) -> list[Line]:
    """Tell what the policy makes of the points that were earned."""
    settled, lines = record.settlement, []
    if settled is None:
        return []
    if settled.dropped:
        earned, possible = _sums([part for part in record.parts if part.part in settled.dropped])
        lines.append(Line("left out, as the lowest", -earned, -possible, ", ".join(settled.dropped)))
    if settled.extra:
        lines.append(Line("beyond what is possible", 0.0, _beyond(record, settled.extra), ", ".join(settled.extra)))
    if settled.late_days:
        lines.append(Line("late", -settled.penalty, None, _late(settled)))
    return lines


def _beyond(record: Record, extra: Sequence[str]) -> float | None:
    """Return what is possible less for extra credit; of a claim no record tells it."""
    others = _all_possible(record)
    if set(extra) - {name for name, _ in others}:
        return None
    return -sum(possible for name, possible in others if name in extra)


def _all_possible(record: Record) -> list[tuple[str, float]]:
    """Return what each part, answer and question could have given, by its name."""
    others = [(part.part, part.possible) for part in record.parts]
    others += [(answer.question, answer.possible) for answer in record.answers]
    return others + [(question.question, question.possible) for question in record.questions]


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
    others = _all_possible(record)
    if set(settled.extra) - {name for name, _ in others}:
        return None  # extra credit for a claim is not in `possible`
    uncounted = {*settled.extra, *settled.dropped}
    return round(record.possible - sum(possible for name, possible in others if name not in uncounted), 6)


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
