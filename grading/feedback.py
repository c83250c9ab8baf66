"""What a student is given of a record: points, and of each property that does not hold what was tried and what came."""

import re
from functools import partial
from typing import Any

import jinja2

from grading.records import PartRecord, PropertyRecord, Record
from grading.report import TEMPLATES
from grading.terminal import facts, harmless

WIDTH = 14  # of the name of a fact
LINES, LINE = 40, 400  # of a block
OURS = "\\`*_<>|"  # what a sentence of the kit's own may hold and Markdown would take for itself
SPECIAL = f"{OURS}{{}}[]()#~!&@"


def feedback(record: Record) -> str:
    """Write Markdown in which nothing that a student's code said is more than text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,  # this is no HTML; see `inline` and `block`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"inline": inline, "block": block, "figure": figure, "ours": partial(inline, special=OURS)}
    parts = [(part, _failed(part)) for part in record.parts]
    return environment.get_template("feedback.md.j2").render(record=record, parts=parts)


def inline(text: object, special: str = SPECIAL) -> str:
    """Write a text inside of a line, so that none of its signs is Markdown or HTML."""
    line = " ".join(harmless(str(text)).split())[:LINE]
    escaped = "".join(f"\\{c}" if c in special else c for c in line)
    return re.sub(r"^(\d*)([-+.)])", r"\1\\\2", escaped)  # what would begin a list


def figure(value: float | str | None) -> str:
    """Write a figure with four digits after the point, or a word that somebody handed in."""
    return f"{value:.4f}" if isinstance(value, float) else inline("" if value is None else value)


def block(text: str) -> str:
    """Write lines as an indented block of code, which nothing inside of it can end."""
    lines = harmless(text).splitlines()
    left_out = [f"... {len(lines) - LINES} lines more"] if len(lines) > LINES else []
    return "\n".join(f"    {line[:LINE]}" for line in [*lines[:LINES], *left_out])


def _failed(part: PartRecord) -> list[dict[str, Any]]:
    """Group the properties of a part that do not hold by what is told of them."""
    groups: dict[str, list[PropertyRecord]] = {}
    for value in part.properties:
        if value.outcome != "right":
            groups.setdefault(_told(value), []).append(value)
    return [{"properties": group, "told": told} for told, group in groups.items()]


def _told(value: PropertyRecord) -> str:
    if value.instructor_only or value.failure is None:
        return ""
    return "\n".join(f"{name:{WIDTH}}{_folded(text)}" for name, text in facts(value.failure))


def _folded(text: str) -> str:
    return text.replace("\n", "\n" + " " * WIDTH)
