"""What a page costs: twice as many words take twice as much work, whatever signs they repeat."""

import random
import sys

import pytest

from grading.pages import bounds, pictures
from grading.pages.pictures import Album
from grading.pages.words import LONGEST, html
from grading.pages.words import pictures as shown_in

SIGNS = [
    *"[]()!<>*_`$\\#|-~&{}^'\"=: \n",
    *("a", "1.", "$$", "```", "![", "](", "<img src='", "\\frac", "\\text{", "[a]: b\n", "[a](", "(a", "\t"),
    *("\n\n", "> ", "> > > ", "\n> ", "\n- ", "\n$$", "\n# ", "* * *\n", "|-|\n", "|a|b\n"),
]
# Each of these took work that grew with the square of the text, or more.
GREEDY = [
    "> [a]: b\n$a\n",
    "> [a]: b\na\n",
    "[x](y (a* a\n> > > > > > > > \n",
    "- $$a\n",
    "# a\n$$a\n",
    "* * *\n$$a\n",
]
TABLE = "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "a\n" * 270 + "\n"


def repeated(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def work(words: str) -> int:
    """Count the calls that rendering takes, those of the interpreter's own functions included: no clock is asked."""
    count = 0

    def called(frame: object, event: str, value: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(called)
    try:
        html(words, Album({}))
    finally:
        sys.setprofile(None)
    return count


@pytest.fixture(scope="module", autouse=True)
def _made_ready() -> None:
    html("a $x$", Album({}))  # the reader is made once


@pytest.mark.parametrize("unit", GREEDY)
def test_what_is_made_to_be_read_again_and_again_is_read_once(unit):
    assert work(repeated(unit, 6000)) < 2.4 * work(repeated(unit, 3000))


@pytest.mark.parametrize("seed", range(20))
def test_the_work_grows_as_the_text_does_for_whatever_signs_are_repeated(seed):
    chance = random.Random(seed)
    for unit in (
        first + second for first, second in zip(chance.sample(SIGNS, 3), chance.sample(SIGNS, 3), strict=True)
    ):
        assert work(repeated(unit, 2400)) < 2.4 * work(repeated(unit, 1200)), unit
    unit = "".join(chance.choices(SIGNS, k=chance.randint(3, 6)))
    assert work(repeated(unit, 4000)) < 2.4 * work(repeated(unit, 2000)), unit


@pytest.mark.parametrize("unit", [*GREEDY, TABLE, "![", "[", "$a^b$ ", "> ", "- a\n  > b\n c\n"])
def test_the_longest_section_takes_little_work_for_each_of_its_signs(unit):
    assert work(repeated(unit, LONGEST)) < 600 * LONGEST


def test_cells_that_rows_leave_out_are_filled_in_up_to_a_bound(monkeypatch):
    assert html(repeated(TABLE, LONGEST), Album({})).count("<td>") <= bounds.MOST_CELLS
    monkeypatch.setattr(bounds, "MOST_CELLS", 8)
    text = html("a|b\n-|-\n1|2\n3|4\n5|6\n7|8\n", Album({}))
    assert "<td>5</td>" in text
    assert "<p>7|8</p>" in text


def test_a_table_of_a_report_is_whole():
    rows = "".join(f"| {row} | 3.21 | 0.61 |\n" for row in range(60))
    text = html(f"| $k$ | loss | above |\n| --- | ---: | ---: |\n{rows}", Album({}))
    assert text.count("<tr>") == 61
    assert "<td>59</td>" in text


def test_a_quotation_ends_with_the_first_line_without_its_sign():
    assert html("> a\n> b\nc", Album({})) == "<blockquote>\n<p>a\nb</p>\n</blockquote>\n<p>c</p>\n"
    nested = html("- a\n\n  > b\n  > > c\n\nd", Album({}))
    assert nested.count("<blockquote>") == 2
    assert nested.endswith("</ul>\n<p>d</p>\n")


@pytest.mark.parametrize("count", [3, 50, 100])
def test_a_formula_may_have_many_lines(count):
    assert "<math" in html("$$\n" + "x +\n" * count + "x\n$$", Album({}))


def test_a_link_by_reference_is_text():
    assert html("[a]: http://b.example\n\n[a]", Album({})) == "<p>[a]: http://b.example</p>\n<p>[a]</p>\n"


def test_a_page_shows_so_many_signs_of_all_its_words(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_SIGNS", 30)
    album = Album({})
    assert html("a" * 20, album) == f"<p>{'a' * 20}</p>\n"
    assert html("b" * 20, album) == f'<p>{"b" * 10}</p>\n<p class="quiet">10 signs more are not shown.</p>\n'
    assert html("c", album) == '<p class="quiet">1 signs more are not shown.</p>\n'


def test_pictures_are_listed_of_words_with_tables():
    assert shown_in("|![a](b.png)|c|\n|-|-|\n|d|![e](f.png)|\n") == ["b.png", "f.png"]
