"""The class as a table, class.csv: a row for each submission."""

from collections.abc import Iterable, Iterator

from grading import sheets
from grading.records import Circumstances, Record, percent, points_of_runs
from grading.sheets import plain

BETWEEN = " | "  # sentences in a cell, which may hold commas and semicolons


def encode(records: Iterable[Record]) -> bytes:
    """Write the points of records, and those of every part, of the runs and of what was written; nothing of nobody."""
    return sheets.encode(_rows(records))


def _rows(records: Iterable[Record]) -> Iterator[list[str]]:
    for number, record in enumerate(records):
        if number == 0:
            yield _head(record.circumstances)
        yield _row(record)


def _head(circumstances: Circumstances) -> list[str]:
    first = ["submission", "file", "outcome", "points", "possible", "percent"]
    counted = ["runs", "answers", "words", "waiting", "late_days", "penalty"]
    return [*first, *circumstances.parts, *counted, "student", "reason", "notes", "look_at", "hash"]


def _row(record: Record) -> list[str]:
    points = {part.part: part.points for part in record.parts}
    settled = record.settlement
    answers = sum(answer.points for answer in record.answers)
    words = sum(question.points or 0.0 for question in record.questions)
    counted: tuple[float, ...] = (points_of_runs(record.runs), answers, words)
    counted += (settled.waiting, settled.late_days, settled.penalty) if settled else (0, 0, 0)
    texts = (record.student, record.reason, BETWEEN.join(record.notes), BETWEEN.join(record.look_at))
    share = percent(record.points, record.possible)
    return [
        plain(record.submission),
        plain(record.file),
        record.outcome,
        *(f"{value:g}" for value in (record.points, record.possible)),
        "" if share is None else f"{share:.1f}",
        *(f"{points[part]:g}" if part in points else "" for part in record.circumstances.parts),
        *(f"{value:g}" for value in counted),
        *(plain(text) for text in texts),
        record.hash[:16],
    ]
