"""From the names on a command line to parts, in the order of the rubric."""

import difflib
from collections.abc import Sequence

from grading.catalogue import all_parts
from grading.rubric import Rubric
from tests.support.properties import Part


class UnknownPart(Exception):
    """A name that is neither a part nor a topic; the text suggests the nearest."""


def select(names: Sequence[str], rubric: Rubric) -> list[Part]:
    """Return the parts with these names, or of these topics; all parts where no name is given.

    Raises:
        UnknownPart: a name is neither.
    """
    order = list(rubric.parts)
    parts = sorted(all_parts(), key=lambda part: order.index(part.name) if part.name in order else len(order))
    known = {part.name for part in parts} | {part.name.split(".")[0] for part in parts}
    for name in names:
        if name not in known:
            raise UnknownPart(_unknown(name, sorted(known)))
    return [part for part in parts if not names or part.name in names or part.name.split(".")[0] in names]


def _unknown(name: str, known: list[str]) -> str:
    # A bare function name is what a student types first.
    candidates = {known_name.split(".")[-1]: known_name for known_name in known} | {n: n for n in known}
    near = difflib.get_close_matches(name, list(candidates), 1, 0.5)
    hint = f" Did you mean {candidates[near[0]]}?" if near else ""
    return f"no part or topic is called {name!r}.{hint} `elbo list` names them all."
