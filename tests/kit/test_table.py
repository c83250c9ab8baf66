"""The class as a table, in a file and in a terminal."""

import csv
import io

import pytest
from msgspec.structs import replace
from rich.console import Console

from grading import table
from grading.records import percent, summary
from grading.terminal import show_class
from tests.kit.class_of_forty import records

REFUSED = 12


def rows(class_):
    text = table.encode(class_).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(("points", "possible", "told"), [(30, 40, 75), (45, 40, 112.5), (0, 40, 0), (0, 0, None)])
def test_points_are_told_in_percent_of_what_was_possible(points, possible, told):
    assert percent(points, possible) == told


def test_a_row_has_percent_beside_points():
    class_ = records(14)
    class_[0] = replace(class_[0], points=30.0, possible=40.0)
    class_[1] = replace(class_[1], points=0.0, possible=0.0)
    told = rows(class_)
    assert (told[0]["points"], told[0]["possible"], told[0]["percent"]) == ("30", "40", "75.0")
    assert told[1]["percent"] == ""
    for row, record in zip(told[2:REFUSED], class_[2:REFUSED], strict=True):
        assert float(row["percent"]) == pytest.approx(100 * record.points / record.possible, abs=0.05)


def test_notes_stand_apart_from_one_another_by_a_bar():
    record = replace(records(1)[0], notes=["a; b.", "c."], look_at=["d", "e, f"])
    (row,) = rows([record])
    assert (row["notes"], row["look_at"]) == ("a; b. | c.", "d | e, f")


def test_the_terminal_tells_percent_and_of_what_was_refused_none():
    class_ = records(REFUSED + 1)
    file = io.StringIO()
    show_class(Console(file=file, width=200), [summary(record) for record in class_])
    head, first, *others = file.getvalue().splitlines()
    assert head.split()[:4] == ["submission", "points", "of", "%"]
    record = class_[0]
    assert first.split()[1:4] == [
        f"{record.points:g}",
        f"{record.possible:g}",
        f"{percent(record.points, record.possible):.1f}",
    ]
    assert others[REFUSED - 1].split() == [class_[REFUSED].submission, "refused"]
