"""The rubric as students get it: without the questions' criteria, the words that are claims' answers, who has more days
than others, and what else is kept from them."""

import json
import re
import tomllib
from datetime import date
from typing import Any

from .stubs import ReleaseError

HIDDEN = ("questions", "policy")
TOLD = ("due", "free_days", "per_day", "latest_days", "drop_lowest", "extra_credit")  # of the policy
CLAIMS = "claims"
SECRET = "instructor_only"
_TABLE = re.compile(r"^\[+\s*\"?(\w+)")


def public(text: str) -> str:
    """Return the text of a rubric without hidden tables, the comments that stand above them, and secret keys.

    A claim that asks for a word (`equals`) would answer its question, so it is hidden too. So are the comments above
    all claims: they tell where thresholds come from, which is what the reference finds. The policy is written anew.

    Raises:
        ReleaseError: it is no TOML, or is written in a way that cannot be cut.
    """
    try:
        whole = tomllib.loads(text)
        kept = "".join(_shown(name, block, _answers(whole)) for name, block in _blocks(text))
        cut = _without_secrets(kept).rstrip() + "\n" + _policy(whole)
        same = tomllib.loads(cut) == _expected(whole)
    except tomllib.TOMLDecodeError as error:
        raise ReleaseError(f"the rubric cannot be cut for students: {error}") from error
    if not same:
        raise ReleaseError(
            'the rubric cannot be cut for students: write each of its tables below a line of its own, [questions."1.1"]'
        )
    return cut


def _expected(whole: dict[str, Any]) -> dict[str, Any]:
    kept = {name: table for name, table in whole.items() if name not in HIDDEN}
    if claims := {n: claim for n, claim in kept.pop("claims", {}).items() if n not in _answers(whole)}:
        kept["claims"] = claims
    parts = {n: {k: v for k, v in part.items() if k != SECRET} for n, part in kept.get("parts", {}).items()}
    return kept | ({"parts": parts} if parts else {}) | ({"policy": told} if (told := _told(whole)) else {})


def _told(whole: dict[str, Any]) -> dict[str, Any]:
    """Return what students are told of the policy; of extra credit no more than what they see."""
    told = {name: value for name, value in whole.get("policy", {}).items() if name in TOLD}
    seen = {*whole.get("parts", {}), *whole.get("claims", {})} - _answers(whole)
    extra = [name for name in told.pop("extra_credit", []) if name in seen]
    return told | ({"extra_credit": extra} if extra else {})


def _policy(whole: dict[str, Any]) -> str:
    lines = [f"{name} = {_toml(value)}\n" for name, value in _told(whole).items()]
    return "".join(["\n[policy]\n", *lines]) if lines else ""


def _toml(value: Any) -> str:
    """Write a value of a policy; numbers, strings and lists of them are as in JSON."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_toml(entry)}' for key, entry in value.items())} }}"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def _answers(whole: dict[str, Any]) -> set[str]:
    """Return the names of the claims that say which word is right."""
    return {name for name, claim in whole.get("claims", {}).items() if "equals" in claim}


def _shown(name: str, block: str, answers: set[str]) -> str:
    """Return what students see of a table: nothing, or of a claim all but the comment above it."""
    if name in HIDDEN or (name == CLAIMS and set(tomllib.loads(block)[CLAIMS]) & answers):
        return ""
    return re.sub(r"\A(?:#.*\n|\s*\n)+", "\n", block) if name == CLAIMS else block


def _blocks(text: str) -> list[tuple[str, str]]:
    """Split a text at its tables, each with the comment above it, and name the first word of the table's name."""
    blocks: list[tuple[str, str]] = []
    name, begun = "", list[str]()
    for line in text.splitlines(keepends=True):
        found = _TABLE.match(line)
        if found and not _is_open("".join(begun)):
            comment = _comment_at_the_end(begun)
            blocks.append((name, "".join(begun[: len(begun) - comment])))
            name, begun = found[1], begun[len(begun) - comment :]
        begun.append(line)
    return [*blocks, (name, "".join(begun))]


def _is_open(block: str) -> bool:
    """Tell whether a block ends inside of a string or an array."""
    try:
        tomllib.loads(block)
    except tomllib.TOMLDecodeError:
        return True
    return False


def _comment_at_the_end(lines: list[str]) -> int:
    """Count the lines of the comments that a block ends with: they are of the table that follows."""
    count = 0
    while count < len(lines) and lines[-1 - count][0] in "#\r\n":
        count += 1
    return count


def _without_secrets(text: str) -> str:
    """Leave out the secret keys, on however many lines their lists stand."""
    kept, skipped = list[str](), ""
    for line in text.splitlines(keepends=True):
        if skipped or re.match(rf"{SECRET}\s*=", line):
            skipped += line
            if not _is_open(skipped):
                skipped = ""
            continue
        kept.append(line)
    return "".join(kept)
