"""Tables: no spreadsheet takes text for a formula, however it tells cells apart; what was written is read again."""

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grading import sheets

SIGNS = "=+-@＝＋－＠"
TEXTS = st.text(st.sampled_from([*SIGNS, *";|,\t '\"", "a", "é"]), max_size=30)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("anna", "anna"),
        ("a-b+c@d=e.zip", "a-b+c@d=e.zip"),
        ("=1+1", "'=1+1"),
        ("  =1+1", "  '=1+1"),
        ("＝1+1", "'＝1+1"),
        ("a;=1+1;report.pdf", "a;'=1+1;report.pdf"),
        ("a|@x, +1 ;-2", "a|'@x, '+1 ;'-2"),
        ("a\t－1", "a －1"),  # a tab becomes a space
        ('a;"=1+1;b"', 'a;"\'=1+1;b"'),
        (";;=1", ";;'=1"),
    ],
)
def test_an_apostrophe_stands_where_a_formula_could_begin(text: str, written: str) -> None:
    assert sheets.plain(text) == written


@given(TEXTS, st.sampled_from(",;\t|"))
def test_no_separator_of_a_spreadsheet_begins_a_formula(text: str, separator: str) -> None:
    line = sheets.encode([["first", sheets.plain(text), sheets.plain(text)]]).decode("utf-8-sig")
    for row in csv.reader([line], delimiter=separator):
        assert not [cell for cell in row if cell.strip(' "\r\n').startswith(tuple(SIGNS))]


@given(TEXTS.map(lambda text: text.replace("\t", " ")))
@example("'=x")
@example("a;'=x")
@example("=\u0338x")  # which together are another sign
def test_what_was_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("sheets") / "table.csv"
    names = ["x" + text, text + "x"]
    path.write_bytes(sheets.encode([["submission"], *([sheets.plain(name)] for name in names)]))
    sheet = sheets.read(path, ["submission"])
    read = [sheet.name(row, "submission") for _, row in sheet.rows]
    assert read == [unicodedata.normalize("NFC", name.strip()) for name in names]


@pytest.mark.parametrize("name", ["a;=1", "a; b", "O'Neill", "it's;'ok'", "'"])
def test_names_that_a_person_typed_are_read_as_they_stand(tmp_path: Path, name: str) -> None:
    (tmp_path / "table.csv").write_bytes(sheets.encode([["submission"], [name]]))
    sheet = sheets.read(tmp_path / "table.csv", ["submission"])
    assert sheet.name(sheet.rows[0][1], "submission") == name


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    assert len(sheets.plain("x" * 10_000)) == sheets.CELL
    assert len(sheets.plain(";=" * 10_000)) <= 2 * sheets.CELL
