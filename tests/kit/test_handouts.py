"""The mathematics of the kit's Markdown: GitHub renders it as it is written, and so do the kit's pages."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grading.engine.implementation import ROOT
from grading.pages.mathematics import mathml

READ = [
    *ROOT.glob("*.md"),
    *(path for folder in ("exercises", "grading", "tests") for path in (ROOT / folder).rglob("*.md")),
]
FORMULA = re.compile(r"(\$\$?)(.*?)\1", re.DOTALL)
CODE = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)
HIDDEN = "\N{REPLACEMENT CHARACTER}"  # stands for what is no text: code, a link, emphasis, HTML
MARKDOWN = MarkdownIt("commonmark").enable("table")


def wrong(text: str) -> list[str]:
    """Return what GitHub would not render as it is written, each with the formula.

    GitHub finds formulas in what its Markdown has made of a text. So a backslash before punctuation is gone there, also
    between double dollars: only a fence of `math` is left alone.
    """
    tokens = MARKDOWN.parse(text)
    fences = [token.content for token in tokens if token.type == "fence" and token.info.strip() == "math"]
    found = [problem for fence in fences for problem in _unread(fence, display=True)]
    in_table = False
    for token in tokens:
        in_table = (in_table or token.type == "table_open") and token.type != "table_close"
        if token.type == "inline":
            found += _wrong_of(token, in_table)
    return found


def _wrong_of(token: Token, in_table: bool) -> Iterator[str]:
    """Yield what is wrong in a paragraph, a heading or a cell."""
    written = CODE.sub(HIDDEN, token.content)
    if "$" in FORMULA.sub("", written):
        yield f"a dollar sign without another one: {written}"
    read = "".join(_as_text(child) for child in token.children or ())
    left = [match[0] for match in FORMULA.finditer(read)]
    for match in FORMULA.finditer(written):
        whole, display = match[0], match[1] == "$$"
        if whole not in left:
            yield f"Markdown changes it: {whole}"
        yield from (f"{problem}: {whole}" for problem in _misplaced(match, written, in_table))
        yield from _unread(match[2], display)


def _as_text(token: Token) -> str:
    return {"text": token.content, "softbreak": "\n"}.get(token.type, HIDDEN)


def _misplaced(match: re.Match[str], written: str, in_table: bool) -> Iterator[str]:
    """Yield what keeps a formula from being found where it stands."""
    formula, display = match[2], match[1] == "$$"
    if formula != formula.strip() and not display:
        yield "it begins or ends with a space"
    if "\n" in formula and not display:
        yield "a line break is in it"
    if display and (written[: match.start()].rpartition("\n")[2] or written[match.end() :].partition("\n")[0]):
        yield "double dollars stand on lines of their own"
    if re.match(r"\w", written[match.end() :]) or re.search(r"[\w$]\Z", written[: match.start()]):
        yield "a letter, a digit or a dollar sign stands beside it"
    if in_table and "|" in formula:
        yield "a bar is in it, which ends a cell of its table"


def _unread(formula: str, display: bool) -> Iterator[str]:
    if mathml(formula.strip(), display) is None:
        yield f"the kit's pages cannot show it: {formula.strip()}"


# The lint itself

RIGHT = [
    "It is $x^2$, or ($y_i$): $\\hat{x}_i$ and $\\lVert x_j \\rVert$.",
    "costs `$5` and `$HOME`",
    "    echo $HOME\n",
    "```sh\necho $HOME\n```",
    "$$x^2 + y$$",
    "so\n\n$$\nx,\ny\n$$\n\nit is",
    "```math\n\\begin{matrix} 1 \\\\ 2 \\end{matrix} \\, x\n```",
    "| a | b |\n| --- | --- |\n| $x \\mid y$ | `p\\|q` |",
    "**bold $x$** and [a link](https://a.b)",
]
WRONG = [
    ("$p(x)\\, dx$", "Markdown changes it: $p(x)\\, dx$"),
    ("$\\{0, 1\\}$", "Markdown changes it"),
    ("$$a \\\\ b$$", "Markdown changes it: $$a \\\\ b$$"),
    ("$$\na \\, b\n$$", "Markdown changes it"),
    ("$\\bar{x}_i$ and $\\bar{y}_i*z*$", "Markdown changes it: $\\bar{y}_i*z*$"),
    ("$a<b>c$", "Markdown changes it"),
    ("$a&lt;b$", "Markdown changes it"),
    ("$x +\ny$", "a line break is in it: $x +\ny$"),
    ("costs $5", "a dollar sign without another one: costs $5"),
    ("| a |\n| --- |\n| $x|y$ |", "a dollar sign without another one: $x"),
    ("| a |\n| --- |\n| $x\\|y$ |", "a bar is in it, which ends a cell of its table: $x|y$"),
    ("$ x$", "it begins or ends with a space: $ x$"),
    ("$x $", "it begins or ends with a space: $x $"),
    ("the $n$th", "a letter, a digit or a dollar sign stands beside it: $n$"),
    ("2$n$", "stands beside it: $n$"),
    ("so $$x$$ is", "double dollars stand on lines of their own: $$x$$"),
    ("$\\nosuchthing{x}$", "the kit's pages cannot show it: \\nosuchthing{x}"),
    ("$$\\nosuchthing{x}$$", "the kit's pages cannot show it"),
    ("```math\n\\nosuchthing{x}\n```", "the kit's pages cannot show it"),
]


@pytest.mark.parametrize("text", RIGHT)
def test_mathematics_that_is_rendered_is_accepted(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_mathematics_that_is_not_rendered_is_told(text: str, told: str) -> None:
    assert any(problem.startswith(told) or told in problem for problem in wrong(text)), wrong(text)


# The kit's own


@pytest.mark.parametrize("path", READ, ids=[str(path.relative_to(ROOT)) for path in READ])
def test_the_mathematics_of_the_kit_is_rendered(path: Path) -> None:
    assert wrong(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("topic", ["vae", "gan", "flows"])
def test_every_topic_has_a_handout_with_mathematics(topic: str) -> None:
    text = (ROOT / "exercises" / topic / "README.md").read_text(encoding="utf-8")
    assert len(FORMULA.findall(CODE.sub("", text))) > 20


@pytest.mark.parametrize("reader", ["students", "instructors", "contributors"])
def test_each_reader_of_the_readme_has_one_screen(reader: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## For {reader}\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE)
    seen = re.sub(r"\]\([^)]*\)", "]", section)  # the addresses of links are not
    lines = sum(max(1, math.ceil(len(line) / 100)) for line in seen.splitlines())
    assert lines <= 46  # of fifty; pictures are higher than their line
