"""When submissions were handed in: by a table of the instructor's or by nbgrader's notes; no file's time is trusted."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TypeVar

from grading import sheets
from grading.intake import Source
from grading.intake.limits import Unreadable
from grading.intake.members import open_regular
from grading.intake.naming import ASSIGNMENT, COLLECTED
from grading.rubric import Policy
from grading.sheets import Sheet, SheetError

T = TypeVar("T")
COLUMNS = ("submission", "time")
NOTE, COURSE = "timestamp.txt", ("nbgrader_config.py", "gradebook.db")  # nbgrader's names
LONGEST = 100  # bytes of a note


class TimesError(Exception):
    """A table of times that cannot be read; the text names the row, what was found and what was expected."""


def read(path: Path, policy: Policy) -> dict[str, datetime]:
    """Return the times in a table, by submission; a time without a zone is in that of `policy.due`.

    Raises:
        TimesError: the file is no table with these columns, a time is none, or a submission has two.
    """
    sheet = _sheet(path)
    zone = policy.due.tzinfo if policy.due else None
    times: dict[str, datetime] = {}
    for line, row in sheet.rows:
        name, text = sheet.name(row, "submission"), sheet.cell(row, "time")
        where = f"--times {path}, line {line} ({name})"
        if not text:
            continue
        if name in times:
            raise TimesError(f"{where}: it has a time already; leave the one that counts")
        at = _time(text, zone or UTC)
        if at is None:
            raise TimesError(f"{where}: the time is {text[:40]!r}, expected one such as 2026-12-01T23:59:00+01:00")
        times[name] = at
    return times


def students(path: Path, policy: Policy) -> dict[str, str]:
    """Return whose submissions are by the column `student` of the table, which may be left out: a platform's word.

    Of several names in a cell, with spaces between, that with the longest extension counts, or else the first.

    Raises:
        TimesError: the file is no table of times.
    """
    sheet = _sheet(path)
    names = {sheet.name(row, "submission"): sheet.cell(row, "student").split() for _, row in sheet.rows}
    extended = policy.extensions
    return {name: max(who, key=lambda each: extended.get(each, 0)) for name, who in names.items() if who}


def _sheet(path: Path) -> Sheet:
    try:
        return sheets.read(path, COLUMNS)
    except SheetError as error:
        raise TimesError(f"--times {error}") from error


def unknown(times: Mapping[str, datetime], sources: Sequence[Source]) -> list[str]:
    """Return the names in a table that are no submission's."""
    known = {name for source in sources for name in _names(source)}
    return [name for name in times if name not in known]


def of(source: Source, times: Mapping[str, datetime]) -> str:
    """Return when a submission was there, ISO 8601: by the table, else by nbgrader's note; "" where nobody knows."""
    at = said(times, source) or _noted(source.path)
    return at.isoformat() if at else ""


def said(table: Mapping[str, T], source: Source) -> T | None:
    """Return what a table says of a submission, None where it says nothing."""
    return next((table[name] for name in _names(source) if name in table), None)


def _names(source: Source) -> tuple[str, str]:
    """Return what a table may call a submission: as it is called here, or by its file as it was handed in."""
    return source.name, source.file


def _noted(path: Path) -> datetime | None:
    """Return what nbgrader noted as it collected a submission, COURSE/submitted/STUDENT/ASSIGNMENT/timestamp.txt.

    In no other place: a student may well hand in a file of this name.
    """
    folder = path if path.name == ASSIGNMENT else path / ASSIGNMENT
    student = folder.parent
    if student.parent.name != COLLECTED or student.is_symlink() or folder.is_symlink():
        return None
    if not any(_is_plain(student.parent.parent / name) for name in COURSE):
        return None
    try:
        with open_regular(folder / NOTE) as file:
            text = file.read(LONGEST + 1)
    except (OSError, Unreadable):
        return None
    return _time(text.decode(errors="replace"), UTC) if len(text) <= LONGEST else None


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _time(text: str, zone: tzinfo) -> datetime | None:
    """Read a time in ISO 8601, or as nbgrader writes it, 2026-02-02 15:58:23.948203 UTC; None where it is none."""
    plain = text.strip()
    plain = f"{plain[:-3].strip()}+00:00" if plain.endswith(("UTC", "GMT")) else plain
    try:
        at = datetime.fromisoformat(plain)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone)
