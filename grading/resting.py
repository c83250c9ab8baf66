"""Which other parts a part calls, as its source says: whoever calls what is wrong may have made no mistake."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from grading.catalogue import topic_parts
from grading.diagnosis import naming
from grading.engine.workers import Worker
from grading.judge import Outcome, PartVerdict
from grading.sources import parsed
from grading.wording import TO_DO
from tests.support.properties import PARTS, Part


def named(
    part: Part, verdict: PartVerdict, worker: Worker, outcome_of: Callable[[Part], Outcome]
) -> tuple[PartVerdict, str]:
    """Name the mistake of a wrong part; where it calls what is not right, return what is to be mended first instead."""
    first = told(part, worker.directory, outcome_of) if verdict.outcome == "wrong" else ""
    if first:
        return verdict, first
    verdict = naming.diagnosed(part, verdict, worker)
    worker.take_output()  # what the probes made it print is not told
    return verdict, ""


def told(part: Part, directory: Path, outcome_of: Callable[[Part], Outcome]) -> str:
    """Say which parts that a part calls are not right, and to be mended before it; "" where none are.

    directory: the implementation's. outcome_of: asked for each part that is called.
    """
    others = [other.name for other in topic_parts(part.topic)]
    return to_mend(called(directory, part, others), outcome_of)


def to_mend(names: Iterable[str], outcome_of: Callable[[Part], Outcome]) -> str:
    """Say which of the parts that a part calls are not right, and to be mended before it; "" where all are."""
    outcomes = {name: outcome_of(PARTS[name]) for name in names}
    wrong = {"wrong": "which is wrong", "todo": f"which is {TO_DO}"}
    clauses = [f"{name}, {wrong[outcome]}" for name, outcome in outcomes.items() if outcome in wrong]
    if not clauses:
        return ""
    verb = "mend" if "wrong" in outcomes.values() else "write"
    return f"calls {', and '.join(clauses)}: {verb} {'that' if len(clauses) == 1 else 'those'} first"


def called(directory: Path, part: Part, others: Collection[str]) -> list[str]:
    """Return which of these others a part of their topic calls, itself or through what its own file defines.

    The file is read and never run. What is no Python, or too large for a stub, calls nothing.
    """
    tree = parsed(directory / part.topic / part.file)
    defined = _defined(tree)
    meant = _meant(tree, part, [PARTS[name] for name in others if name != part.name], defined)
    found, seen, waiting = set(), set(), [_short(part)]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            used = {each for statement in defined.get(name, ()) for each in _used(statement)}
            found |= {meant[each] for each in used if each in meant}
            waiting += used - meant.keys()
    return [name for name in others if name in found]


def _short(part: Part) -> str:
    return part.name.split(".")[1]


def _defined(tree: ast.Module) -> Mapping[str, list[ast.stmt]]:
    """Return the statements of a file by the names that they define."""
    found: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _names(statement):
            found.setdefault(name, []).append(statement)
    return found


def _names(statement: ast.stmt) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if isinstance(statement, functions):
        return {statement.name}
    inside = {node.name for node in ast.walk(statement) if isinstance(node, functions)}
    return inside | _stored(statement)


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _meant(tree: ast.Module, part: Part, others: Collection[Part], defined: Collection[str]) -> dict[str, str]:
    """Return the parts that names mean in a file: those beside this one, and what is imported, under whatever name."""
    others = [other for other in others if other.topic == part.topic]
    found = {_short(other): other.name for other in others if other.file == part.file}
    aliases = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    for other in others:
        name, module = _short(other), other.file.removesuffix(".py")
        for alias in aliases:
            known_as = alias.asname or alias.name
            if alias.name == name:
                found[known_as] = other.name
            elif alias.name == module:
                found[f"{known_as}.{name}"] = other.name
            elif alias.name == "*" and name not in defined:
                found[name] = other.name
    return found


def _used(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement uses, `module.name` too, but for those of a function's own variables."""
    own: set[str] = set()
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        own = _stored(statement) | {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own:
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in own:
            yield f"{node.value.id}.{node.attr}"
