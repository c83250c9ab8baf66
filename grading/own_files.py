"""Imports that lead to what is not handed in: files of a student's own, which are there now and not for the grader."""

import ast
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grading.catalogue import topic_parts
from grading.engine.implementation import ROOT, TOPICS
from grading.intake.limits import listed
from grading.sources import parsed
from tests.support.properties import Part

ALONE = "a stub file imports torch, the standard library, numpy and other stub files alone"
NAMED = 12  # parts in one line
STUBS = "exercises"  # the package by whose name a student may reach the stub files from anywhere in the kit
GIVEN = {"data", STUBS, "grading", "solutions", "tests", "torch", "numpy", *sys.stdlib_module_names}


@dataclass(frozen=True)
class Import:
    """An import, at a line, of a file below a directory, without its ending; absolute: by the name of the package."""

    line: int
    path: PurePosixPath
    below: Path
    absolute: bool = False


def told(parts: Collection[Part], directory: Path) -> list[str]:
    """Say what of parts is not handed in, and what that costs, each once; nothing where there is all that they need.

    What another stub file lacks costs the parts in it: right ones stand in for these where others are graded.
    directory: the implementation's.
    """
    files = {part.name: f"{part.topic}/{part.file}, " for part in parts}
    found = reasons(parts, directory, directory)
    return [f"{line} for the grader" for line in grouped({n: w for n, w in found.items() if w.startswith(files[n])})]


def grouped(reasons: Mapping[str, str]) -> list[str]:
    """Tell each reason once, and which parts are wrong for it, given the reason of each."""
    names: dict[str, list[str]] = {}
    for part, why in reasons.items():
        names.setdefault(why, []).append(part)
    return [f"{why}. So {listed(each, NAMED)} {'is' if len(each) == 1 else 'are'} wrong" for why, each in names.items()]


def reasons(parts: Iterable[Part], directory: Path, place: Path) -> dict[str, str]:
    """Say of each part of which something is not handed in what that is.

    Args:
        parts: of an implementation.
        directory: of its stub files, which are read and never run.
        place: where these came from, and other files may stand beside them.
    """
    found = {part.name: _reason(part, directory, place) for part in parts}
    return {name: why for name, why in found.items() if why}


def _reason(part: Part, directory: Path, place: Path) -> str:
    """Say what a part's file imports that is not handed in, also by other stub files; "" where there is nothing."""
    waiting = [f"{part.topic}/{part.file}"]
    for stub in waiting:  # which grows
        imports = list(_imports(directory, stub, place))
        if by_name := [each for each in imports if each.absolute and _is_stub(each.path)]:
            module = ".".join((STUBS, *by_name[0].path.parts))
            return f"{stub}, line {by_name[0].line}: {module} is the kit's own for the grader, and not yours: {ALONE}"
        if own := [each for each in imports if _own(each)]:
            names = list(dict.fromkeys(map(_own, own)))
            are = "is" if len(names) == 1 else "are"
            return f"{stub}, line {own[0].line}: {listed(names)} {are} not handed in: {ALONE}"
        waiting += [f"{each.path}.py" for each in imports if _is_stub(each.path) and f"{each.path}.py" not in waiting]
    return ""


def _imports(directory: Path, stub: str, place: Path) -> Iterator[Import]:
    for node in _run(parsed(directory / stub)):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = PurePosixPath(stub).parent.parts[: 2 - node.level]
            if node.level <= 2:
                yield from _of(node.lineno, [*above, *_parts(node.module)], node.names, place)
        elif isinstance(node, ast.ImportFrom):
            yield from _absolute(node.lineno, _parts(node.module), node.names, place, stub)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _absolute(node.lineno, _parts(alias.name), (), place, stub)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk through a file but for what only a type checker reads, and what is caught where it is not there."""
    waiting = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Try) and node.handlers:
            waiting.extend((*node.handlers, *node.orelse, *node.finalbody))
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _absolute(line: int, module: Sequence[str], names: Sequence[ast.alias], place: Path, stub: str) -> Iterator[Import]:
    """Yield what a module's whole name may mean: by the package of the stubs, or from wherever Python was started."""
    if module[0] == STUBS:
        found = _of(line, module[1:], names, ROOT / STUBS)
        yield from (replace(each, absolute=True) for each in found if each.path.parts[:1] != ("experiments",))
    elif module[0] not in GIVEN:
        for below in (place / stub.partition("/")[0], place, place.parent):
            yield Import(line, PurePosixPath(module[0]), below)


def _of(line: int, module: Sequence[str], names: Sequence[ast.alias], below: Path) -> Iterator[Import]:
    """Yield what is imported: a module, or of a package modules in it."""
    path = PurePosixPath(*module)
    if str(path) in (".", *TOPICS):
        yield from (Import(line, path / alias.name, below) for alias in names)
    else:
        yield Import(line, path, below)


def _parts(module: str | None) -> list[str]:
    return module.split(".") if module else []


def _is_stub(path: PurePosixPath) -> bool:
    """Tell whether a path, without its ending, is a stub file's."""
    topic, _, file = str(path).partition("/")
    return topic in TOPICS and any(part.file == f"{file}.py" for part in topic_parts(topic))


def _own(each: Import) -> str:
    """Return the name of a file or directory that is no stub file, "" where there is none."""
    if _is_stub(each.path) or str(each.path) in TOPICS:
        return ""
    above = f"{each.below.name}/" if each.below.name in TOPICS else ""
    if (each.below / f"{each.path}.py").is_file():
        return f"{above}{each.path}.py"
    return f"{above}{each.path}/" if any((each.below / each.path).glob("*.py")) else ""
