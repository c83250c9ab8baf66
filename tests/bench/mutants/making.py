"""Making mutants: every operator at every place of the answer of a part, each change once and in one way of writing."""

import ast
import difflib
import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators import (
    binary_operator_replacement,
    boolean_replacer,
    comparison_operator_replacement,
    number_replacer,
    unary_operator_replacement,
    zero_iteration_for_loop,
)
from cosmic_ray.operators.operator import Operator

from grading.catalogue import all_parts
from grading.engine.implementation import ROOT
from grading.release.stubs import BEGIN, END
from tests.support.properties import Part

from .operators import PLAIN, VariableConfused

BITS = ("Shift", "BitOr", "BitAnd", "BitXor")  # which numbers of floating point refuse
IDLE = ("UAdd", "Invert")  # a plus is nothing, and ~1 is -2
LIBRARY = (
    *(o for o in binary_operator_replacement.operators() if not any(bit in o.__name__ for bit in BITS)),
    *comparison_operator_replacement.operators(),
    *(o for o in unary_operator_replacement.operators() if not any(sign in o.__name__ for sign in IDLE)),
    boolean_replacer.AddNot,
    boolean_replacer.ReplaceTrueWithFalse,
    boolean_replacer.ReplaceFalseWithTrue,
    number_replacer.NumberReplacer,
    zero_iteration_for_loop.ZeroIterationForLoop,
)


class Mutant(msgspec.Struct, frozen=True, order=True):
    """The reference with one change in the answer of a part; `was` and `now` are its lines, before and after."""

    part: str
    was: str
    now: str
    body: str = ""

    @property
    def change(self) -> tuple[str, str, str]:
        """Part and lines, by which a mutant is known."""
        return self.part, self.was, self.now


def judged_parts() -> list[Part]:
    """Return the parts whose mutants properties judge; a property that a student writes is judged by the bank."""
    return [part for part in all_parts() if part.file != "properties.py"]


def part_named(name: str) -> Part:
    """Return a part.

    Raises:
        KeyError: there is none of this name.
    """
    return {part.name: part for part in judged_parts()}[name]


def answer(part: Part) -> str:
    """Return the reference's answer for a part, without comments and in one style."""
    return _plain(_body(part)[1])


def mutants(part: Part) -> list[Mutant]:
    """Return all mutants of the reference's answer for a part, without those that are written differently only."""
    function, body = _body(part)
    before = _plain(body)
    names = sorted({a.arg for a in ast.walk(function) if isinstance(a, ast.arg)} | _variables(body))
    found = {_plain(changed) for changed in _changed(body, names)} - {before, ""}
    return sorted(Mutant(part.name, *_lines(before, after), after) for after in found)


def _body(part: Part) -> tuple[ast.FunctionDef, str]:
    text = _source(part).read_text(encoding="utf-8")
    function = _function(text, part)
    first, last = _place(text, function)
    return function, textwrap.dedent("\n".join(text.splitlines()[first:last]))


def _source(part: Part) -> Path:
    return ROOT / "solutions" / part.topic / part.file


def _function(text: str, part: Part) -> ast.FunctionDef:
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return next(node for node in functions if node.name == part.name.split(".")[1])


def _place(text: str, function: ast.FunctionDef) -> tuple[int, int]:
    """Return the first line of a function's answer, and the one after its last, counted from 0."""
    lines = [line.strip() for line in text.splitlines()]
    return lines.index(BEGIN, function.lineno) + 1, lines.index(END, function.lineno)


def _variables(body: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(body)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - {"_"}


def _changed(body: str, names: list[str]) -> Iterator[str]:
    operators: list[Operator] = [*(operator() for operator in (*LIBRARY, *PLAIN)), VariableConfused(names)]
    for operator in operators:
        yield from itertools.takewhile(bool, (mutate_code(body + "\n", operator, n) for n in itertools.count()))


def _plain(body: str) -> str:
    """Write code without comments and in one style; nothing where it is none."""
    try:
        return ast.unparse(ast.parse(body))
    except SyntaxError:
        return ""


def _lines(before: str, after: str) -> tuple[str, str]:
    """Return the lines that differ, before and after."""
    old, new = before.splitlines(), after.splitlines()
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    differing = [step for step in steps if step[0] != "equal"]
    (_, a, _, c, _), (*_, b, _, d) = differing[0], differing[-1]
    return tuple("\n".join(line.strip() for line in part) for part in (old[a:b], new[c:d]))


def write(mutant: Mutant, directory: Path) -> None:
    """Write the reference into a directory, with one answer changed."""
    part = part_named(mutant.part)
    for file in (ROOT / "solutions").glob("*/*.py"):
        copy = directory / file.parent.name / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8")
        if file == _source(part):
            lines = text.splitlines()
            first, last = _place(text, _function(text, part))
            text = "\n".join([*lines[:first], textwrap.indent(mutant.body, "    "), *lines[last:]]) + "\n"
        copy.write_text(text, encoding="utf-8")
