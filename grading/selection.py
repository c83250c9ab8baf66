"""From the names on a command line to parts, in the order of the rubric."""

import difflib
from collections.abc import Sequence

from grading.catalogue import all_parts
from grading.rubric import Rubric, RubricError
from tests.support.properties import Part


class UnknownPart(Exception):
    """A name that is neither a part nor a topic; the text suggests the nearest."""


def select(names: Sequence[str], rubric: Rubric) -> list[Part]:
    """Return the parts with these names, or of these topics; all parts where no name is given.

    Raises:
        UnknownPart: a name is neither.
        RubricError: the rubric and the properties do not name the same things.
    """
    parts = _in_order(rubric)
    known = {part.name for part in parts} | {part.topic for part in parts}
    for name in names:
        if name not in known:
            raise UnknownPart(_unknown(name, sorted(known)))
    return [part for part in parts if not names or part.name in names or part.topic in names]


def _in_order(rubric: Rubric) -> list[Part]:
    """Return all parts in the rubric's order, once it is sure that it has points for just what is judged."""
    by_name = {part.name: part for part in all_parts()}
    _expect_same("parts", set(by_name), set(rubric.parts))
    for name, part in by_name.items():
        _expect_same(f'parts."{name}".points', {p.name for p in part.properties}, set(rubric.parts[name].points))
    return [by_name[name] for name in rubric.parts]


def _expect_same(table: str, judged: set[str], in_rubric: set[str]) -> None:
    for name in sorted(judged - in_rubric):
        raise RubricError(f"rubric.toml: {table} has no key {name!r}, which tests/ judges: give it points")
    for name in sorted(in_rubric - judged):
        near = difflib.get_close_matches(name, judged, 1, 0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RubricError(f"rubric.toml: {table} has a key {name!r} that nothing in tests/ judges{hint}")


def _unknown(name: str, known: list[str]) -> str:
    # A bare function name is what a student types first.
    candidates = {known_name.split(".")[-1]: known_name for known_name in known} | {n: n for n in known}
    near = difflib.get_close_matches(name, list(candidates), 1, 0.5)
    hint = f" Did you mean {candidates[near[0]]}?" if near else ""
    return f"no part or topic is called {name!r}.{hint} `elbo list` names them all."
