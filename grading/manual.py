"""The points that a person gives for words: a table, manual.csv, beside the records of a grading.

A row for every question of every submission. A person fills in `points` and `comment` in any spreadsheet, and
`elbo grade --resume` counts them. What they wrote is read and never written over: rows are added, none is changed.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from exercises.experiments.runs import write_whole
from grading import rubric as rubrics
from grading import sheets
from grading.rubric import Rubric
from grading.sheets import Sheet, SheetError

FILE = "manual.csv"
COLUMNS = ("submission", "question", "possible", "points", "comment")
NEEDED = ("submission", "question", "points")
LONGEST = 10_000  # signs of a comment
Key = tuple[str, str]  # submission and question


class ManualError(Exception):
    """Manual points that cannot be counted; the text names the row, what was found and what was expected."""


class Given(msgspec.Struct, frozen=True):
    """What a person gave for the words to a question; points: None where there is a comment alone."""

    points: float | None
    comment: str = ""


def read(path: Path, rubric: Rubric | None = None) -> dict[str, dict[str, Given]]:
    """Return what was given, by submission and question; nothing where the file is not there.

    rubric: says how many points there are; the kit's own if it is left out.

    Raises:
        ManualError: the file is no table, or points are none that can be given.
    """
    sheet = _sheet(path)
    questions = (rubric or rubrics.load()).questions
    given: dict[str, dict[str, Given]] = {}
    for line, row in sheet.rows:
        submission, question = _key(sheet, row)
        where = f"{path}, line {line} ({submission}, question {question})"
        most = questions[question].points if question in questions else math.inf
        found = Given(_points(sheet.cell(row, "points"), most, where), sheet.cell(row, "comment")[:LONGEST])
        if found == Given(None):
            continue
        if question in given.setdefault(submission, {}):
            raise ManualError(f"{where}: an earlier row gives points for the same; leave one of them")
        given[submission][question] = found
    return given


def unknown(path: Path, submissions: Collection[str], rubric: Rubric) -> list[str]:
    """Return sentences on rows in which somebody wrote something, and which belong to nothing that was graded."""
    sheet = _sheet(path)
    told = []
    for line, row in sheet.rows:
        submission, question = _key(sheet, row)
        what = "submission" if submission not in submissions else "question" if question not in rubric.questions else ""
        if what and (sheet.cell(row, "points") or sheet.cell(row, "comment")):
            name = submission if what == "submission" else question
            told.append(f"{path.name}, line {line}: there is no {what} {name!r}; the row is kept, and counts nothing")
    return told


def add_missing(path: Path, submissions: Iterable[str], rubric: Rubric) -> bool:
    """Add a row for every question that has none yet, below what is there, and tell whether there was something to add.

    Raises:
        ManualError: the file that is there is no table.
    """
    sheet = _sheet(path)
    there = {_key(sheet, row) for _, row in sheet.rows}
    rows = [row for row in _rows(submissions, rubric, sheet) if _key(sheet, row) not in there]
    if not rows:
        return False
    if not path.exists():
        write_whole(path, sheets.encode([sheet.head, *rows], sheet.separator))
        return True
    # What is there stays as it is, byte by byte but for its encoding.
    before = sheets.decoded(path.read_bytes())
    end = "" if before.endswith(("\n", "\r")) else "\n"
    added = sheets.encode(rows, sheet.separator).decode("utf-8-sig")
    write_whole(path, f"{before}{end}{added}".encode("utf-8-sig"))
    return True


def _sheet(path: Path) -> Sheet:
    if not path.exists():
        return Sheet(list(COLUMNS), [])
    try:
        return sheets.read(path, NEEDED)
    except SheetError as error:
        raise ManualError(str(error)) from error


def _rows(submissions: Iterable[str], rubric: Rubric, sheet: Sheet) -> Iterator[list[str]]:
    """Yield rows without points, in the columns of a table."""
    point = "," if sheet.separator == ";" else "."  # where cells are told apart by ; a number has a comma
    for submission in submissions:
        for name, question in rubric.questions.items():
            # The title makes it text: a spreadsheet takes 1.1 alone for the first of January.
            cells = {"submission": sheets.plain(submission), "question": sheets.plain(f"{name} {question.title}")}
            cells["possible"] = f"{question.points:g}".replace(".", point)
            yield [cells.get(column, "") for column in sheet.head]


def _key(sheet: Sheet, row: Sequence[str]) -> Key:
    """Return whom and what a row is about; of a question its number counts, which is the first word."""
    return sheet.name(row, "submission"), sheet.name(row, "question").partition(" ")[0]


def _points(text: str, most: float, where: str) -> float | None:
    """Read a number with a point or a comma in it."""
    expected = f"expected a number from 0 to {most:g}, or nothing" if most < math.inf else "expected a number from 0 on"
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}([.,][0-9]{0,9})?|[.,][0-9]{1,9}", text):
        raise ManualError(f"{where}: points are {text[:40]!r}, {expected}")
    points = float(text.replace(",", "."))
    if points > most:
        raise ManualError(f"{where}: points are {points:g}, {expected}")
    return points


def merged(*tables: Mapping[str, Mapping[str, Given]]) -> dict[str, dict[str, Given]]:
    """Put tables of what was given into one; where several give points, or a comment, for the same, the last does."""
    both: dict[str, dict[str, Given]] = {}
    for table in tables:
        for submission, given in table.items():
            before = both.setdefault(submission, {})
            before.update({question: _over(before.get(question), new) for question, new in given.items()})
    return both


def _over(before: Given | None, new: Given) -> Given:
    """A comment alone takes no points away, nor do points alone a comment."""
    if before is None:
        return new
    return Given(before.points if new.points is None else new.points, new.comment or before.comment)
