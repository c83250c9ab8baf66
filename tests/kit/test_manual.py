"""manual.csv, the table in which a person gives points: whatever a spreadsheet makes of it, nothing in it is lost."""

import csv
from pathlib import Path

import pytest

from grading import rubric as rubrics
from grading.manual import COLUMNS, Given, ManualError, add_missing, merged, read, unknown
from grading.rubric import Criterion, QuestionRubric, Rubric

QUESTIONS = {
    "1.1": QuestionRubric("vae", "The bound", "Say.", [Criterion(2.0, "x"), Criterion(0.5, "y")]),
    "3.2": QuestionRubric("flows", "The cost; in d", "Say.", [Criterion(3.0, "x")]),
}
RUBRIC = Rubric({}, {}, questions=QUESTIONS)
HEAD = "submission,question,possible,points,comment\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manual.csv"


def cells(path: Path, separator: str = ",") -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file, delimiter=separator))


def given(path: Path, *lines: str, head: str = HEAD, encoding: str = "utf-8") -> dict[str, dict[str, Given]]:
    path.write_bytes((head + "".join(f"{line}\r\n" for line in lines)).encode(encoding))
    return read(path, RUBRIC)


# What is written


def test_every_question_of_every_submission_has_a_row(path: Path) -> None:
    assert add_missing(path, ["anna", "Müller-学"], RUBRIC)
    assert cells(path) == [
        list(COLUMNS),
        ["anna", "1.1 The bound", "2.5", "", ""],
        ["anna", "3.2 The cost; in d", "3", "", ""],
        ["Müller-学", "1.1 The bound", "2.5", "", ""],
        ["Müller-学", "3.2 The cost; in d", "3", "", ""],
    ]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # or Excel reads another encoding
    assert read(path, RUBRIC) == {}


def test_no_cell_is_a_date_or_a_formula(path: Path) -> None:
    add_missing(path, ["=cmd", "-anna", "@ben"], RUBRIC)
    for row in cells(path)[1:]:
        assert not row[0].startswith(("=", "+", "-", "@"))
        assert row[1].partition(" ")[2]  # 1.1 alone is the first of January
    assert not add_missing(path, ["=cmd", "-anna", "@ben"], RUBRIC)  # and they are known again


def test_where_nothing_is_missing_the_file_is_not_touched(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_missing(path, ["anna"], RUBRIC)
    monkeypatch.setattr("grading.manual.write_whole", None)
    assert not add_missing(path, ["anna"], RUBRIC)


def test_the_kits_own_questions_are_asked(path: Path) -> None:
    add_missing(path, ["anna"], rubrics.load())
    assert [row[1].split()[0] for row in cells(path)[1:]] == list(rubrics.load().questions)
    assert read(path) == {}


OWN = (
    'submission;Grader;question;points;comment\r\nanna;"Eve; Bob";3.2;1,5;"two\r\nlines, ""quoted"""\r\n'
    "zoe;Eve;9.9;7;not of this class\r\nanna;;1.1;;\r\n;;;;\r\nnote to myself\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_what_a_person_wrote_stays_as_it_is(path: Path, encoding: str) -> None:
    path.write_bytes(OWN.replace("Bob", "Jürgen").encode(encoding))
    before = cells_of(OWN.replace("Bob", "Jürgen"))
    assert add_missing(path, ["anna", "ben"], RUBRIC)
    after = cells(path, ";")
    assert after[: len(before)] == before
    assert after[len(before) :] == [["ben", "", "1.1 The bound", "", ""], ["ben", "", "3.2 The cost; in d", "", ""]]
    assert read(path, RUBRIC)["anna"] == {"3.2": Given(1.5, 'two\r\nlines, "quoted"')}


def cells_of(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines(keepends=True), delimiter=";"))


def test_a_file_without_a_last_newline_is_gone_on_with(path: Path) -> None:
    path.write_bytes(b"submission,question,points,possible\nanna,1.1,1,2.5")
    add_missing(path, ["anna"], RUBRIC)
    assert cells(path)[1:] == [["anna", "1.1", "1", "2.5"], ["anna", "3.2 The cost; in d", "", "3"]]


def test_in_a_table_with_semicolons_numbers_have_a_comma(path: Path) -> None:
    path.write_bytes(b"submission;question;possible;points\n")
    add_missing(path, ["anna"], RUBRIC)
    assert cells(path, ";")[1] == ["anna", "1.1 The bound", "2,5", ""]


def test_an_interruption_leaves_the_table_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_missing(path, ["anna"], RUBRIC)
    before = path.read_bytes()

    def stopped(source: object, target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        add_missing(path, ["anna", "ben"], RUBRIC)
    assert path.read_bytes() == before


# What is read


def test_without_a_file_nothing_was_given(path: Path) -> None:
    assert read(path, RUBRIC) == {}


@pytest.mark.parametrize(
    ("cell", "points"),
    [("0", 0.0), ("2.5", 2.5), ('"2,5"', 2.5), (" 1 ", 1.0), ("1.", 1.0), (".5", 0.5), ('",5"', 0.5), ("02", 2.0)],
)
def test_points_are_read_as_people_write_them(path: Path, cell: str, points: float) -> None:
    assert given(path, f"anna,1.1 The bound,2.5,{cell},good") == {"anna": {"1.1": Given(points, "good")}}


WRONG = ["2.6", "-1", "nan", "inf", "one", "1/2", "½", "1e0", "0x1", "01. Feb", "1.000.0", "2 points", "9" * 400, "٣"]


@pytest.mark.parametrize("cell", WRONG)
def test_points_that_cannot_be_given_are_refused_with_their_row(path: Path, cell: str) -> None:
    with pytest.raises(ManualError) as told:
        given(path, "ben,3.2,3,1,", f"anna,1.1 The bound,2.5,{cell},good")
    assert "manual.csv, line 3 (anna, question 1.1): points are" in str(told.value)
    assert "expected a number from 0 to 2.5, or nothing" in str(told.value)
    assert len(str(told.value)) < 400


def test_the_rubric_says_how_many_points_there_are_and_not_the_table(path: Path) -> None:
    with pytest.raises(ManualError, match=r"points are 9, expected a number from 0 to 2\.5"):
        given(path, "anna,1.1,10,9,")


def test_a_comment_alone_is_read(path: Path) -> None:
    assert given(path, "anna,1.1,2.5,,where is the curve?") == {"anna": {"1.1": Given(None, "where is the curve?")}}


def test_points_for_the_same_twice_are_refused(path: Path) -> None:
    with pytest.raises(ManualError, match=r"line 3 \(anna, question 1\.1\): an earlier row gives points for the same"):
        given(path, "anna,1.1 The bound,2.5,1,", "anna,1.1,2.5,2,")
    assert given(path, "anna,1.1 The bound,2.5,1,", "anna,1.1,2.5,,") == {"anna": {"1.1": Given(1.0)}}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_tables_of_any_spreadsheet_are_read(path: Path, separator: str, encoding: str, newline: str) -> None:
    lines = [["Submission", " question", "Possible", "points ", "comment"], ["Müller", "1.1", "2,5", "1,5", "schön"]]
    rows = [separator.join(f'"{cell}"' if "," in cell else cell for cell in line) for line in lines]
    path.write_bytes((newline.join(rows) + newline).encode(encoding))
    assert read(path, RUBRIC) == {"Müller": {"1.1": Given(1.5, "schön")}}


def test_letters_are_the_same_however_they_are_composed(path: Path) -> None:
    assert set(given(path, "Mu\u0308ller,1.1,2.5,1,")) == {"Müller"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty, expected the columns submission, question, points"),
        (b"anna,1.1,1\n", "its first line is 'anna,1.1,1', expected the columns"),
        (b"submission,points\n", "question is missing"),
        (HEAD.encode() + b'anna,1.1,2.5,1,"not closed\n', "line 2: unexpected end of data"),
        (HEAD.encode() + b"anna,1.1,2.5,1," + b"x" * 200_000, "field larger than field limit"),
        (b"PK\x03\x04\x00\x00", "expected the columns"),
    ],
)
def test_what_is_no_such_table_is_refused_and_stays(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    for use in (lambda: read(path, RUBRIC), lambda: add_missing(path, ["anna"], RUBRIC)):
        with pytest.raises(ManualError, match=words):
            use()
    assert path.read_bytes() == content


def test_a_directory_of_that_name_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ManualError, match="cannot be read: Is a directory"):
        read(path, RUBRIC)


def test_a_row_with_something_in_it_that_belongs_to_nobody_is_told(path: Path) -> None:
    given(path, "zoe,1.1,2.5,1,", "anna,9.9 What,1,1,", "carl,1.1,2.5,,", "anna,1.1,2.5,2,")
    assert unknown(path, ["anna"], RUBRIC) == [
        "manual.csv, line 2: there is no submission 'zoe'; the row is kept, and counts nothing",
        "manual.csv, line 3: there is no question '9.9'; the row is kept, and counts nothing",
    ]


def test_of_several_tables_the_last_has_the_word_for_each_question() -> None:
    first = {"anna": {"1.1": Given(1.0), "3.2": Given(3.0)}, "ben": {"1.1": Given(0.0)}}
    assert merged(first, {"anna": {"1.1": Given(2.0)}}) == {
        "anna": {"1.1": Given(2.0), "3.2": Given(3.0)},
        "ben": {"1.1": Given(0.0)},
    }
    assert first["anna"]["1.1"] == Given(1.0)


def test_a_comment_alone_takes_no_points_away_nor_points_alone_a_comment() -> None:
    first = {"anna": {"1.1": Given(2.0, "formgrader")}}
    assert merged(first, {"anna": {"1.1": Given(None, "my note")}}) == {"anna": {"1.1": Given(2.0, "my note")}}
    assert merged(first, {"anna": {"1.1": Given(1.0)}}) == {"anna": {"1.1": Given(1.0, "formgrader")}}
