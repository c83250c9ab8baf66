"""What a student is given of a record: points, and of each property that does not hold what was tried and what came."""

import re
from functools import cache, partial
from typing import Any

import jinja2

from grading.records import PartRecord, PropertyRecord, Record
from grading.report import TEMPLATES
from grading.terminal import facts, harmless
from grading.wording import TO_DO

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
    environment.filters |= {**filters, "number": lambda value: f"{value:g}", "points": _points}
    return environment.get_template("feedback.md.j2")


def feedback(record: Record) -> str:
    """Write Markdown in which nothing that a student's code said is more than text."""
    unwritten = [part for part in record.parts if _is_unwritten(part)]
    parts = [(p, failed) for p in record.parts if p not in unwritten and (failed := _failed(p))]
    possible = sum(part.possible for part in record.parts)
    return _template().render(
        record=record,
        parts=parts,
        unwritten=unwritten,
        helped=[helped for part in record.parts if (helped := _helped(part))],
        parts_points=sum(part.points for part in record.parts),
        parts_possible=possible,
        runs_possible=record.possible - possible,
    )


def inline(text: object, special: str = SPECIAL) -> str:
    """Write a text inside of a line, so that none of its signs is Markdown or HTML."""
    line = _cut(" ".join(harmless(str(text)).split()))
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


def _cut(line: str) -> str:
    return line if len(line) <= LINE else f"{line[:LINE]} …"


def _points(value: float) -> str:
    return "1 point" if value == 1 else f"{value:g} points"


def _is_unwritten(part: PartRecord) -> bool:
    messages = {value.failure.message if value.failure else "" for value in part.properties}
    return messages == {TO_DO}


def _helped(part: PartRecord) -> tuple[PartRecord, int, float] | None:
    """Return how many properties of a part hold with right helpers alone, and what they are worth."""
    values = [value for value in part.properties if value.helpers == "reference"]
    return (part, len(values), sum(value.points for value in values)) if values else None


def _failed(part: PartRecord) -> list[dict[str, Any]]:
    """Group the properties of a part that do not hold by what is told of them."""
    groups: dict[str, list[PropertyRecord]] = {}
    for value in part.properties:
        if value.outcome != "right":
            groups.setdefault(_reason(value), []).append(value)
    return [
        {
            "told": _told(group[0]),
            "secret": [value for value in group if value.instructor_only],
            "named": [value for value in group if not value.instructor_only],
        }
        for group in groups.values()
    ]


def _reason(value: PropertyRecord) -> str:
    """Return what makes two failures one: the same error at the same place, or all that is told of them."""
    if value.failure is not None and value.failure.where and not value.instructor_only:
        return f"{value.failure.message} {value.failure.where}"
    return _told(value)


def _told(value: PropertyRecord) -> str:
    if value.instructor_only or value.failure is None:
        return ""
    return "\n".join(f"{name:{WIDTH}}  {_folded(text)}" for name, text in facts(value.failure))


def _folded(text: str) -> str:
    return text.replace("\n", "\n" + " " * (WIDTH + 2))
