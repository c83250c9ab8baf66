"""The page of ten failures and the pictures of the README are what a terminal shows today."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grading.engine.implementation import ROOT
from grading.engine.workers import Starter
from tests.shown.__main__ import PAGE, PICTURES, SHORT
from tests.shown.failures import WRONG, Wrong
from tests.shown.recording import check, text, write

ANEW = "python -m tests.shown writes it anew"


@pytest.fixture(scope="module")
def starter() -> Iterator[Starter]:
    value = Starter.spawning_once()
    yield value
    value.close()


def sections() -> list[str]:
    return PAGE.read_text(encoding="utf-8").split("\n## ")[1:]


def told(printed: str) -> list[str]:
    """Return what does not depend on how far inputs could be shrunk in time: outcomes, names and sentences."""
    lines = [line.strip() for line in printed.splitlines()]
    return [line for line in lines if re.match(r"[✓✗·→$]|\d+ part", line)]


@pytest.mark.parametrize(("number", "wrong"), list(enumerate(WRONG)), ids=[wrong.kind for wrong in WRONG])
def test_a_failure_on_the_page_is_what_the_terminal_says(
    number: int, wrong: Wrong, starter: Starter, tmp_path: Path
) -> None:
    console, (verdict,) = check([wrong.part], write(wrong, tmp_path), starter)
    assert verdict.outcome == "wrong"
    section = sections()[number]
    assert section.startswith(f"{number + 1}. {wrong.kind}\n")
    assert told(text(console)) == told(section), ANEW


def test_the_page_shows_ten_failures_of_which_most_are_named() -> None:
    assert len(sections()) == len(WRONG) == 10
    assert sum("→ it equals what you get when" in section for section in sections()) >= 6


@pytest.mark.parametrize("name", ["failure", "topic"])
def test_a_picture_is_whole_and_needs_no_network(name: str) -> None:
    source = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(source)
    assert "@font-face" not in source
    assert "url(http" not in source
    assert len(source) < 300_000
    assert f"exercises/pictures/{name}.svg" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_pictures_show_what_the_page_shows() -> None:
    shown = (PICTURES / "failure.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    (arrow,) = (line for line in sections()[WRONG.index(SHORT)].splitlines() if "→" in line)
    assert arrow.strip().removeprefix("→ ") in shown, ANEW
