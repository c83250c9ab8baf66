"""When submissions were handed in: the table of an instructor, nbgrader's note, and what is not believed."""

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from grading.intake import Source
from grading.intake.naming import ASSIGNMENT
from grading.rubric import Policy
from grading.times import TimesError, of, read, said, students, unknown

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
    assert unknown(read(table, POLICY), [Source("anna", Path("anna.zip")), Source("ben", Path("ben"))]) == ["zoe"]


def test_a_submission_is_called_by_its_name_or_by_its_file(table: Path) -> None:
    table.write_text("submission,time\nkim (1).zip,2026-12-01\nkim-2,2026-12-02\n")
    times, (first, second) = read(table, POLICY), (Source("kim-1", Path("kim (1).zip")), Source("kim-2", Path("kim")))
    assert [of(source, times)[:10] for source in (first, second)] == ["2026-12-01", "2026-12-02"]
    assert unknown(times, [first, second]) == []
    table.write_text("submission,time,student\nkim (1).zip,2026-12-01,kim@u.org\n")
    assert [said(students(table, POLICY), source) for source in (first, second)] == ["kim@u.org", None]


def test_who_handed_in_is_read_where_the_table_says_so(table: Path) -> None:
    table.write_text("submission;student;time\nx;ann@u.org;2026-12-01\ny;ann@u.org  ben@u.org ;\nz;;2026-12-01\n")
    assert students(table, POLICY) == {"x": "ann@u.org", "y": "ann@u.org"}
    extended = Policy(due=POLICY.due, extensions={"ben@u.org": 2, "ann@u.org": 1})
    assert students(table, extended) == {"x": "ann@u.org", "y": "ben@u.org"}
    assert set(read(table, POLICY)) == {"x", "z"}
    table.write_text("submission,time\nx,2026-12-01\n")
    assert students(table, POLICY) == {}


# nbgrader's note


def collected(folder: Path, student: str, note: str = NOTE, assignment: str = ASSIGNMENT) -> Path:
    place = folder / student / assignment
    place.mkdir(parents=True)
    (place / "timestamp.txt").write_text(note)
    return folder / student


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """Where nbgrader collects, in its course."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "nbgrader_config.py").touch()
    return tmp_path / "course" / "submitted"


@pytest.mark.parametrize("file", ["nbgrader_config.py", "gradebook.db"])
def test_what_nbgrader_noted_is_taken(submitted: Path, file: str) -> None:
    (submitted.parent / "nbgrader_config.py").rename(submitted.parent / file)
    anna = collected(submitted, "anna")
    expected = "2026-11-30T15:58:23.948203+00:00"
    assert of(Source("anna", anna), {}) == expected
    assert of(Source("anna", anna / ASSIGNMENT), {}) == expected


def test_the_instructors_table_goes_before_nbgraders_note(submitted: Path) -> None:
    anna = collected(submitted, "anna")
    given = datetime(2026, 12, 1, 12, tzinfo=CET)
    assert of(Source("anna", anna), {"anna": given}) == "2026-12-01T12:00:00+01:00"
    assert of(Source("anna", anna), {"ben": given}) != "2026-12-01T12:00:00+01:00"


@pytest.mark.parametrize("other", ["2020-01-01 00:00:00 UTC", "2030-01-01 00:00:00 UTC"])
def test_no_note_of_another_assignment_counts(submitted: Path, other: str) -> None:
    anna = collected(submitted, "anna")
    collected(submitted, "anna", other, "homework-2")
    ben = collected(submitted, "ben", other, "homework-2")
    assert of(Source("anna", anna), {}).startswith("2026-11-30")
    assert of(Source("ben", ben), {}) == of(Source("ben", ben / "homework-2"), {}) == ""


def test_no_students_own_note_is_believed(tmp_path: Path, submitted: Path) -> None:
    uploaded = collected(tmp_path / "uploads", "anna")
    assert of(Source("anna", uploaded), {}) == ""
    anna = collected(submitted, "anna")
    inner = anna / ASSIGNMENT / "mine"
    inner.mkdir()
    (inner / "timestamp.txt").write_text("2030-01-01 00:00:00 UTC")
    (anna / "timestamp.txt").write_text("2030-01-01 00:00:00 UTC")
    assert of(Source("anna", anna), {}).startswith("2026-11-30")


def test_a_folder_that_is_called_as_nbgraders_is_not_it(tmp_path: Path) -> None:
    for base in (tmp_path, tmp_path / "submitted" / "eve"):  # what eve may have handed in
        anna = collected(base / "submitted", "anna")
        assert of(Source("anna", anna), {}) == of(Source("anna", anna / ASSIGNMENT), {}) == ""
    (tmp_path / "nbgrader_config.py").mkdir()
    (tmp_path / "gradebook.db").symlink_to("elsewhere")
    assert of(Source("anna", tmp_path / "submitted" / "anna"), {}) == ""


def test_no_link_leads_to_the_note_of_another(submitted: Path) -> None:
    ben = collected(submitted, "ben")
    for name in ("anna", "carl"):
        (submitted / name).mkdir()
    (submitted / "anna" / ASSIGNMENT).symlink_to(ben / ASSIGNMENT)
    (submitted / "dora").symlink_to(ben)
    for name in ("anna", "carl", "dora"):
        assert of(Source(name, submitted / name), {}) == of(Source(name, submitted / name / ASSIGNMENT), {}) == ""


def test_no_date_of_a_file_is_believed(tmp_path: Path) -> None:
    (tmp_path / "anna.zip").write_bytes(b"PK")
    os.utime(tmp_path / "anna.zip", (1, 1))
    assert of(Source("anna", tmp_path / "anna.zip"), {}) == ""


@pytest.mark.parametrize("note", ["", "soon", "\x00", "2026-11-30 15:58:23 UTC" + " " * 200, "2026-11-30 15:58 MARS"])
def test_a_note_that_says_nothing_is_none(submitted: Path, note: str) -> None:
    assert of(Source("anna", collected(submitted, "anna", note)), {}) == ""


def test_a_link_a_pipe_or_a_directory_in_place_of_a_note_is_none(tmp_path: Path, submitted: Path) -> None:
    (tmp_path / "real").write_text(NOTE)
    makers = {"anna": Path.mkdir, "ben": lambda p: p.symlink_to(tmp_path / "real"), "carl": os.mkfifo}
    for name, make in makers.items():
        place = collected(submitted, name) / ASSIGNMENT / "timestamp.txt"
        place.unlink()
        make(place)
        assert of(Source(name, submitted / name), {}) == ""
