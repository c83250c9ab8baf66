"""Notes: of one kind one line, so that what is said once is not cut away by what is said of every file."""

import pytest

from grading.notes import MOST, alike, bounded


def test_what_is_said_of_many_files_is_one_line_and_leaves_room_for_the_others():
    notes = [f"vae/f{n}.py is not UTF-8; it was read as cp1252." for n in range(40)]
    notes += [f"x{n}.py stands in no directory of its topic; it was read as vae/x{n}.py." for n in range(3)]
    notes += ["The report was not taken: it has 9 MB."]
    assert bounded(notes) == [
        "vae/f0.py is not UTF-8; it was read as cp1252. The same of vae/f1.py, vae/f2.py, vae/f3.py, vae/f4.py and 35 "
        "more.",
        "x0.py stands in no directory of its topic; it was read as vae/x0.py. The same of x1.py, x2.py.",
        "The report was not taken: it has 9 MB.",
    ]


@pytest.mark.parametrize(
    "notes",
    [
        ["a.py is not UTF-8; it was read as cp1252.", "b.py is not UTF-8; it was read as utf-16."],
        ["vae/a.py, vae/b.py and 1 more made from the functions in x.ipynb.", "vae/c.py made from those in y.ipynb."],
        ["No report.md was handed in.", "No run.json was handed in."],
        ["line 3 is no TOML", "line 4 is no TOML"],
        ["report.md, 3.2: line 3 is no TOML.", "report.md, 3.3: line 3 is no TOML."],
        ["all of gan/ is missing.", "all of flows/ is missing."],
    ],
)
def test_what_differs_in_more_than_the_file_stands_in_lines_of_its_own(notes):
    assert alike(notes) == notes


def test_kinds_beyond_the_bound_are_counted():
    notes = [f"{'x' * n} is odd" for n in range(1, MOST + 4)]
    assert bounded(notes) == [*notes[:MOST], "and 3 more"]
    assert bounded(notes[:MOST]) == notes[:MOST]
