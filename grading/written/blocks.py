"""Fenced blocks of Markdown, those that nobody closed told from those that were; and comments."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`~]*)")
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
    found: list[Fence] = []
    number = 0
    while number < len(lines):
        fence = _fence(lines, number) if lines[number].lstrip()[:3] in ("```", "~~~") else None
        if fence:
            found.append(fence)
        number = fence.end if fence else number + 1
    return found


def _fence(lines: Sequence[str], start: int) -> Fence | None:
    begin = FENCE.fullmatch(lines[start])
    if begin is None:
        return None
    kind = (begin[2].split() or [""])[0].lower().strip("{}.")
    for number in range(start + 1, len(lines)):
        other = FENCE.fullmatch(lines[number])
        if other and other[1].startswith(begin[1]):  # of the same sign, and as long
            if other[2].strip():
                break  # the next block begins: nobody closed this one
            return Fence(start, start + 1, number, number + 1, kind)
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
