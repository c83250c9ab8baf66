"""`make class`: what it says when it is done, when a command fails, and when a class is there already."""

import re
import sys

import pytest

from grading.engine.implementation import ROOT
from tests.worked import __main__ as command
from tests.worked.kits import CommandFailed
from tests.worked.worked import Places

TABLE = "\ufeffsubmission,outcome,points,possible,percent,more\nanna,graded,9,10,90,x\n"


@pytest.fixture
def work(monkeypatch, tmp_path):
    """A function that types the command, with another work in place of the class's; returns where."""

    def run(work_through, out=tmp_path / "class"):
        monkeypatch.setattr(sys, "argv", ["worked", "--out", str(out)])
        monkeypatch.setattr(command, "work_through", work_through)
        command.main()
        return out

    return run


def graded(root, tell):
    tell("all are graded")
    places = Places(root)
    places.graded.mkdir()
    (places.graded / "class.csv").write_text(TABLE, encoding="utf-8")
    return places


def test_it_tells_steps_points_and_where_the_page_is(work, capsys):
    out = work(graded)
    steps, *table, last = capsys.readouterr().out.splitlines()
    assert (steps, table[1]) == ("all are graded", "anna,graded,9,10,90")
    assert f"the class page is {out / 'graded' / 'index.html'}" in last


def test_where_a_class_is_already_nothing_happens_and_it_says_what_to_do(work):
    out = work(graded)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with pytest.raises(SystemExit, match=r"there already, .* nothing is written over\. Look at .*index\.html") as ended:
        work(lambda *_: pytest.fail("worked all the same"))
    assert f"rm -r {out}" in str(ended.value)
    assert "python -m tests.worked --out another-class" in str(ended.value)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_command_that_failed_ends_it_with_what_was_said(work):
    def failing(root, tell):
        raise CommandFailed("grade: status 2, expected 1\nno such part")

    with pytest.raises(SystemExit, match="status 2, expected 1\nno such part"):
        work(failing)


def test_make_class_is_that_command():
    rule = re.search(r"^class: setup\n\t(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert rule[1] == "$(BIN)/python -m tests.worked --out class"
