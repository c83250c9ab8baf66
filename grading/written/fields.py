"""The answers in a section's block of TOML; a line that is none costs no other line's answer."""

import re
import sys
import tomllib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from grading.signs import shown

from .blocks import plain

Answer = str | float
BLOCK_LONGEST, TEXT_LONGEST = 10_000, 100
BARE = re.compile(r"\s*([\"'\w.-]{1,100})\s*[=:]\s*(.*)")


def read_answers(lines: Sequence[str], number: int, keys: Collection[str]) -> tuple[dict[str, Answer], list[str]]:
    """Return the answers in the lines of a block, and sentences on what could not be read.

    Args:
        lines: between the fences.
        number: of the first of them in the report.
        keys: the names of the section's answers.
    """
    text = "\n".join(lines)
    if len(text) > BLOCK_LONGEST:
        return {}, [f"line {number}: the answers have {len(text):,} signs, at most {BLOCK_LONGEST:,} are read"]
    notes: list[str] = []
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError):
        table = {}
        for offset, line in enumerate(lines):
            table |= _read_line(line, number + offset, notes)
    named = {plain(key): key for key in keys}
    answers: dict[str, Answer] = {}
    for key, value in table.items():
        if plain(key) not in named:
            notes.append(f"{shown(key)} is none of its answers, which are {', '.join(keys)}")
        elif isinstance(value, bool) or not isinstance(value, (str, int, float)):
            notes.append(f"{shown(key)} is no word and no number")
        elif isinstance(value, int) and abs(value) > sys.float_info.max:
            notes.append(f"{shown(key)} is a number too large to be read")
        elif not isinstance(value, str) or value.strip():
            answers[named[plain(key)]] = _bounded(value)
    return answers, notes


def _read_line(line: str, number: int, notes: list[str]) -> dict[str, Any]:
    """Return what one line answers; what is no TOML is read as it stands, and noted."""
    if not line.strip() or line.lstrip().startswith("#"):
        return {}
    try:
        return tomllib.loads(line)
    except (ValueError, RecursionError) as error:
        reason = shown(str(error).partition(" (at ")[0])
    bare = BARE.fullmatch(line)
    if bare is None:
        notes.append(f'line {number} is no TOML ({reason}); expected a name, = and the answer, as in cost = "O(1)"')
        return {}
    value = bare[2].partition(" #")[0].strip().strip("\"'“”„‘’`").strip()
    if value:
        notes.append(f"line {number} is no TOML ({reason}); it was read as {shown(value)}")
    return {bare[1].strip("\"'"): value}


def loose_answers(lines: Sequence[str], keys: Collection[str]) -> dict[str, Answer]:
    """Return answers in lines 'name = value' that stand in no block, as its fences were lost."""
    named = {plain(key): key for key in keys}
    return {named[key]: _bounded(value) for key, value in _loose(lines) if key in named and value}


def _loose(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, sign, value = line.partition("=")
        if sign and len(name) <= TEXT_LONGEST:
            yield plain(name), value.partition(" #")[0].strip().strip("\"'").strip()


def _bounded(value: str | float) -> Answer:
    """Return an answer that can be shown, and is no longer than one is."""
    return shown(value.strip()[: 10 * TEXT_LONGEST]) if isinstance(value, str) else float(value)
