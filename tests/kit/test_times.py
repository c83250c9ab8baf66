"""When submissions were handed in: the table of an instructor, nbgrader's note, and what is not believed."""

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from grading.intake import Source
from grading.rubric import Policy
from grading.times import TimesError, of, read, unknown

CET = timezone(timedelta(hours=1))
POLICY = Policy(due=datetime(2026, 12, 1, 23, 59, tzinfo=CET))
NOTE = "2026-11-30 15:58:23.948203 UTC"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "times.csv"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01T23:59:00+01:00", datetime(2026, 12, 1, 22, 59, tzinfo=UTC)),
        ("2026-12-01T22:59:00Z", datetime(2026, 12, 1, 22, 59, tzinfo=UTC)),
        ("2026-12-01 22:59:00.5 UTC", datetime(2026, 12, 1, 22, 59, 0, 500_000, tzinfo=UTC)),
        ("2026-12-01 23:59", datetime(2026, 12, 1, 22, 59, tzinfo=UTC)),  # in the zone of the due time
        (" 20261201T235900 ", datetime(2026, 12, 1, 22, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_its_zone(table: Path, text: str, expected: datetime) -> None:
    table.write_text(f"submission,time\nanna,{text}\n")
    assert read(table, POLICY) == {"anna": expected}


def test_where_nothing_is_due_a_time_without_a_zone_is_utc(table: Path) -> None:
    table.write_text("submission,time\nanna,2026-12-01T12:00\n")
    assert read(table, Policy()) == {"anna": datetime(2026, 12, 1, 12, tzinfo=UTC)}


def test_a_spreadsheets_table_is_read_and_empty_times_are_none(table: Path) -> None:
    table.write_bytes("\ufeffName;Submission;Time\r\nX;Müller;2026-12-01T12:00Z\r\nY;ben;\r\n\r\n".encode())
    assert set(read(table, POLICY)) == {"Müller"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("submission,time\nanna,yesterday\n", r"line 2 \(anna\): the time is 'yesterday', expected one such as 2026-"),
        ("submission,time\nanna,01.12.2026 23:59\n", "the time is '01.12.2026 23:59'"),
        ("submission,time\nanna,2026-12-01\nanna,2026-12-02\n", r"line 3 \(anna\): it has a time already"),
        ("submission,when\nanna,2026-12-01\n", "expected the columns submission, time: time is missing"),
        ("", "it is empty"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(table: Path, content: str, words: str) -> None:
    table.write_text(content)
    with pytest.raises(TimesError, match=words):
        read(table, POLICY)


def test_a_table_that_is_not_there_is_refused(table: Path) -> None:
    with pytest.raises(TimesError, match=r"--times .*times\.csv cannot be read: No such file"):
        read(table, POLICY)


def test_names_that_nobody_has_are_known(table: Path) -> None:
    table.write_text("submission,time\nanna,2026-12-01\nzoe,2026-12-01\n")
    assert unknown(read(table, POLICY), {"anna", "ben"}) == ["zoe"]


# nbgrader's note


def collected(folder: Path, student: str, note: str = NOTE, assignment: str = "deep-generative-models") -> Path:
    place = folder / student / assignment
    place.mkdir(parents=True)
    (place / "timestamp.txt").write_text(note)
    return folder / student


def test_what_nbgrader_noted_is_taken(tmp_path: Path) -> None:
    anna = collected(tmp_path / "submitted", "anna")
    expected = "2026-11-30T15:58:23.948203+00:00"
    assert of(Source("anna", anna), {}) == expected
    assert of(Source("anna", anna / "deep-generative-models"), {}) == expected


def test_the_instructors_table_goes_before_nbgraders_note(tmp_path: Path) -> None:
    anna = collected(tmp_path / "submitted", "anna")
    given = datetime(2026, 12, 1, 12, tzinfo=CET)
    assert of(Source("anna", anna), {"anna": given}) == "2026-12-01T12:00:00+01:00"
    assert of(Source("anna", anna), {"ben": given}) != "2026-12-01T12:00:00+01:00"


def test_of_several_notes_the_last_counts(tmp_path: Path) -> None:
    anna = collected(tmp_path / "submitted", "anna")
    collected(tmp_path / "submitted", "anna", "2026-12-05 00:00:00 UTC", "deep-generative-models-2")
    assert of(Source("anna", anna), {}) == "2026-12-05T00:00:00+00:00"


def test_no_students_own_note_is_believed(tmp_path: Path) -> None:
    uploaded = collected(tmp_path / "uploads", "anna")
    assert of(Source("anna", uploaded), {}) == ""
    anna = collected(tmp_path / "submitted", "anna")
    inner = anna / "deep-generative-models" / "mine"
    inner.mkdir()
    (inner / "timestamp.txt").write_text("2030-01-01 00:00:00 UTC")
    (anna / "timestamp.txt").write_text("2030-01-01 00:00:00 UTC")
    assert of(Source("anna", anna), {}).startswith("2026-11-30")


def test_no_date_of_a_file_is_believed(tmp_path: Path) -> None:
    (tmp_path / "anna.zip").write_bytes(b"PK")
    os.utime(tmp_path / "anna.zip", (1, 1))
    assert of(Source("anna", tmp_path / "anna.zip"), {}) == ""


@pytest.mark.parametrize("note", ["", "soon", "\x00", "2026-11-30 15:58:23 UTC" + " " * 200, "2026-11-30 15:58 MARS"])
def test_a_note_that_says_nothing_is_none(tmp_path: Path, note: str) -> None:
    assert of(Source("anna", collected(tmp_path / "submitted", "anna", note)), {}) == ""


def test_a_link_or_a_directory_in_place_of_a_note_is_none(tmp_path: Path) -> None:
    for name, make in (("anna", lambda p: p.mkdir()), ("ben", lambda p: p.symlink_to(tmp_path / "real"))):
        (tmp_path / "real").write_text(NOTE)
        place = collected(tmp_path / "submitted", name) / "deep-generative-models" / "timestamp.txt"
        place.unlink()
        make(place)
        assert of(Source(name, tmp_path / "submitted" / name), {}) == ""
