"""The view of a class for the gradebooks of learning platforms: one CSV that both Moodle and Canvas take.

Canvas reads it by the names and the order of its columns: Student, ID, SIS User ID, SIS Login ID and Section, then a
column with the name of an assignment; what is called a Final Score or Final Grade it leaves alone. Moodle asks which
column says who the student is, and which is a grade or a comment.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from grading import sheets
from grading.records import Record

from .text import accounted

ASSIGNMENT = "deep-generative-models"
# The ID of Canvas stays empty, as it would take "12a" for 12, and so for somebody else. A row of points possible, which
# Canvas allows, would be a student to Moodle.
HEAD = (
    "Student",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Section",
    ASSIGNMENT,
    "Final Score (percent)",
    "Final Grade (comment)",
)
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")  # of a student, or a login or an address
NO_GRADE = "-"  # to both


class Row(msgspec.Struct, frozen=True):
    """What the table says of a record: the records of a class are large."""

    name: str
    student: str
    points: str = NO_GRADE
    percent: str = NO_GRADE
    comment: str = ""


def table(records: Iterable[Record]) -> bytes:
    """Write a class as CSV, a row for each submission."""
    rows = [_row(record) for record in records]
    lines = [
        [sheets.plain(row.name), "", who, who, "", row.points, row.percent, sheets.plain(doubt + row.comment)]
        for row, (who, doubt) in zip(rows, _who(rows), strict=True)
    ]
    return sheets.encode([HEAD, *lines])


def _who(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return who each row is about, and a doubt: a number that two submissions name is nobody's, and one in a manifest
    is what somebody wrote there, unless a platform has put it into the name of the file.

    Platforms know no capitals, and Moodle gives the points of a row with nobody in it, or with "0", to the student of
    the row before.
    """
    named = Counter(key for row in rows for key in {*_words(row.name), row.student.lower()})
    who = []
    for row in rows:
        usable = bool(NUMBER.fullmatch(row.student)) and row.student != "0"
        alone = named[row.student.lower()] == 1
        doubt = ""
        if usable and not alone:
            doubt = f"The number {row.student} stands in another submission too. "
        elif usable and not _is_confirmed(row.name, row.student):
            doubt = f"The number {row.student} is the hand-in's own word. "
        name = "submission 0" if row.name == "0" else sheets.plain(row.name)
        who.append((row.student if usable and alone else name, doubt))
    return who


def _words(name: str) -> set[str]:
    """Return the name of a submission and the words of it, one perhaps a number: bob_1234567_assignsubmission."""
    return {name.lower(), *re.split(r"[\W_]+", name.lower())}


def _is_confirmed(name: str, student: str) -> bool:
    return bool(re.search(rf"(?<![^\W_]){re.escape(student)}(?![^\W_])", name, re.IGNORECASE))


def unconfirmed(records: Iterable[Record]) -> list[str]:
    """Return the submissions whose row has a number that nothing but the hand-in itself says is theirs."""
    rows = [Row(record.submission, _student(record)) for record in records]
    return [row.name for row, (who, doubt) in zip(rows, _who(rows), strict=True) if doubt and who == row.student]


def _row(record: Record) -> Row:
    points, possible = record.points, record.possible
    graded = not record.grader_failed
    return Row(
        record.submission,
        _student(record),
        _number(points) if graded else NO_GRADE,
        _number(100 * points / possible) if graded and possible else NO_GRADE,
        _comment(record),
    )


def _student(record: Record) -> str:
    return record.student.strip()[:200]


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _comment(record: Record) -> str:
    if record.outcome == "refused":
        return f"Nothing could be graded: {record.reason[:1000]}"
    return "; ".join(accounted(record))
