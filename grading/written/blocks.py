"""Fenced blocks of Markdown, those that nobody closed told from those that were; and comments."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`~]*)")
FIELDS = ("toml", "ini")  # what a block with answers says that it is
COMMENT = "<!--", "-->"
HEADING = re.compile(r" {0,3}#{2,6}[ \t]")


@dataclass(frozen=True)
class Fence:
    """A block: the numbers of its lines, `first` to `last` between its fences, which are `start` and before `end`."""

    start: int
    first: int
    last: int
    end: int
    kind: str

    @property
    def may_hold_answers(self) -> bool:
        """Whether it says that answers are written in it; a block of code may have variables of the same names."""
        return self.kind in FIELDS

    def names(self, lines: Sequence[str], keys: Iterable[str]) -> bool:
        """Tell whether a line in it begins with one of some names."""
        wanted = {plain(key) for key in keys}
        return any(plain(line.partition("=")[0]) in wanted for line in lines[self.first : self.last] if "=" in line)


def plain(key: str) -> str:
    """Return a name without what people write differently: capitals, quotes, and which dash."""
    return key.strip().strip("\"'`").casefold().replace("-", "_")


def fences(lines: Sequence[str]) -> list[Fence]:
    """Return the blocks of a text, in order. One of TOML that is not closed ends at a heading or an empty line."""
    marks = {number: mark for number, line in enumerate(lines) if (mark := FENCE.fullmatch(line))}
    closing = _next_as_long(marks)
    found: list[Fence] = []
    end = 0
    for number in marks:
        if number >= end and (fence := _fence(lines, number, marks, closing.get(number))):
            found.append(fence)
            end = fence.end
    return found


def _next_as_long(marks: Mapping[int, re.Match[str]]) -> dict[int, int]:
    """Return where the next mark of the same sign is that is as long, for each that has one, in one pass over all."""
    after: dict[int, int] = {}
    waiting: dict[str, list[int]] = {"`": [], "~": []}  # of each sign, those that none was as long as yet: ever shorter
    for number, mark in marks.items():
        longer = waiting[mark[1][0]]
        while longer and len(marks[longer[-1]][1]) <= len(mark[1]):
            after[longer.pop()] = number
        longer.append(number)
    return after


def _fence(lines: Sequence[str], start: int, marks: Mapping[int, re.Match[str]], closing: int | None) -> Fence | None:
    kind = (marks[start][2].split() or [""])[0].lower().strip("{}.")
    if closing is not None and not marks[closing][2].strip():  # else the next block begins: nobody closed this one
        return Fence(start, start + 1, closing, closing + 1, kind)
    if kind not in FIELDS:
        return None
    rest = range(start + 1, len(lines))
    last = next((n for n in rest if not lines[n].strip() or HEADING.match(lines[n])), len(lines))
    return Fence(start, start + 1, last, last, kind)


def without_comments(text: str) -> str:
    """Return a text without what stands in comments; one that is not closed is none."""
    kept, place = [], 0
    while (begin := text.find(COMMENT[0], place)) >= 0 and (end := text.find(COMMENT[1], begin)) >= 0:
        kept.append(text[place:begin])
        place = end + len(COMMENT[1])
    return "".join([*kept, text[place:]])
