"""What a student is given of a record: points, and of each property that does not hold what was tried and what came."""

import re
from functools import cache, partial

import jinja2

from grading.pages.layout import TEMPLATES
from grading.pages.told import selected
from grading.records import Record
from grading.terminal import facts, harmless
from grading.wording import Failure

WIDTH = 20  # of the name of a fact
LINES, LINE = 40, 400  # of a block
OURS = "\\`*_<>|"  # what a sentence of the kit's own may hold and Markdown would take for itself
SPECIAL = f"{OURS}{{}}[]()#~!&@"


@cache  # compiled once for a class
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,  # this is no HTML; see `inline` and `block`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = {"inline": inline, "block": block, "figure": figure, "code": code, "ours": partial(inline, special=OURS)}
    environment.filters |= {**filters, "number": lambda value: f"{value:g}", "points": points, "folded": folded}
    environment.filters |= {"quoted": quoted}
    return environment.get_template("feedback.md.j2")


def feedback(record: Record) -> str:
    """Write Markdown in which nothing that a student's code said is more than text."""
    return _template().render(selected(record))


def inline(text: object, special: str = SPECIAL, longest: int | None = LINE) -> str:
    """Write a text inside of a line, so that none of its signs is Markdown or HTML."""
    line = _cut(" ".join(harmless(str(text)).split()), longest)
    escaped = "".join(f"\\{c}" if c in special else c for c in line)
    return re.sub(r"^(\d*)([-+.)])", r"\1\\\2", escaped)  # what would begin a list


def code(text: object) -> str:
    """Write a name as code, which nothing inside of it can end."""
    line = _cut(" ".join(harmless(str(text)).split())).replace("`", "'").replace("|", "/")
    return f"`{line or '?'}`"


def figure(value: float | str | None) -> str:
    """Write a figure with four digits after the point, or a word that somebody handed in."""
    return f"{value:.4f}" if isinstance(value, float) else inline("" if value is None else value)


def block(text: str, most: int = LINES) -> str:
    """Write lines as an indented block of code, which nothing inside of it can end."""
    lines = harmless(text).splitlines()
    left_out = [f"... {len(lines) - most} lines more"] if len(lines) > most else []
    return "\n".join(f"    {_cut(line)}" for line in [*lines[:most], *left_out])


def _cut(line: str, longest: int | None = LINE) -> str:
    return line if longest is None or len(line) <= longest else f"{line[:longest]} …"


def quoted(text: str) -> str:
    """Write a text as a quotation of whole lines, each of which is only text."""
    return "\n".join(f"> {inline(line, longest=None)}".rstrip() for line in harmless(text).splitlines())


def points(value: float) -> str:
    """Write how many points something is worth."""
    return "1 point" if value == 1 else f"{value:g} points"


def folded(failure: Failure) -> str:
    """Write the facts of a failure below one another, in two columns."""
    indent = "\n" + " " * (WIDTH + 2)
    return "\n".join(f"{name:{WIDTH}}  {indent.join(text.split(chr(10)))}" for name, text in facts(failure))
