"""When submissions were handed in: by a table of the instructor's or by nbgrader's notes; no file's time is trusted."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from grading import sheets
from grading.intake import Source
from grading.rubric import Policy
from grading.sheets import SheetError

COLUMNS = ("submission", "time")
COLLECTED, NOTE = "submitted", "timestamp.txt"  # nbgrader's names
LONGEST = 100  # bytes of a note


class TimesError(Exception):
    """A table of times that cannot be read; the text names the row, what was found and what was expected."""


def read(path: Path, policy: Policy) -> dict[str, datetime]:
    """Return the times in a table, by submission; a time without a zone is in that of `policy.due`.

    Raises:
        TimesError: the file is no table with these columns, a time is none, or a submission has two.
    """
    try:
        sheet = sheets.read(path, COLUMNS)
    except SheetError as error:
        raise TimesError(f"--times {error}") from error
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


def unknown(times: Mapping[str, datetime], submissions: Collection[str]) -> list[str]:
    """Return the names in a table that are no submission's."""
    return [name for name in times if name not in submissions]


def of(source: Source, times: Mapping[str, datetime]) -> str:
    """Return when a submission was there, ISO 8601: by the table, else by nbgrader's note; "" where nobody knows."""
    at = times.get(source.name) or max(_noted(source.path), default=None)
    return at.isoformat() if at else ""


def _noted(path: Path) -> Iterator[datetime]:
    """Yield what nbgrader noted as it collected a submission, submitted/STUDENT/ASSIGNMENT/timestamp.txt.

    In no other place: a student may well hand in a file of this name.
    """
    if path.parent.name == COLLECTED:
        notes = sorted(path.glob(f"*/{NOTE}"))
    elif path.parent.parent.name == COLLECTED:
        notes = [path / NOTE]
    else:
        return
    for note in notes:
        if note.is_file() and not note.is_symlink() and note.stat().st_size <= LONGEST:
            at = _time(note.read_text(encoding="utf-8", errors="replace"), UTC)
            if at is not None:
                yield at


def _time(text: str, zone: tzinfo) -> datetime | None:
    """Read a time in ISO 8601, or as nbgrader writes it, 2026-02-02 15:58:23.948203 UTC; None where it is none."""
    plain = text.strip()
    plain = f"{plain[:-3].strip()}+00:00" if plain.endswith(("UTC", "GMT")) else plain
    try:
        at = datetime.fromisoformat(plain)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone)
