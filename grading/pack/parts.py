"""The parts as the grader will have them: what their files hold, how they are judged, and in a line what is wrong."""

import ast
import re
import symtable
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from grading.engine.implementation import TOPICS
from grading.engine.workers import Starter, Worker
from grading.intake.choosing import stub_files
from grading.intake.limits import listed, shown
from grading.judge import PROFILES, Judge, PartVerdict
from grading.listing import Listed, row_of
from grading.release import is_stub
from grading.rubric import Rubric
from grading.wording import Failure
from tests.support.properties import Part

ALONE = "a stub file imports torch, the standard library, numpy and other stub files alone"
LONGEST = 300  # signs of what is told of a failure
NAMED = 12  # parts in one line
OURS = re.compile(r"_implementation_\d+\.")  # the package that a process imports stub files under


def judged(directory: Path, rubric: Rubric, parts: Sequence[Part]) -> tuple[list[Listed], list[PartVerdict]]:
    """Judge parts in a process of their own, and return what they are worth, and their verdicts."""
    starter = Starter.spawning_once()
    worker, judge = Worker(starter, directory), Judge(PROFILES["student"])
    try:
        verdicts = [PartVerdict(part.name, list(judge.part(part, worker))) for part in parts]
    finally:
        worker.close()
        starter.close()
    files = [f"{part.topic}/{part.file}" for part in parts]  # not where they were taken to
    return [row_of(verdict, file, rubric) for verdict, file in zip(verdicts, files, strict=True)], verdicts


def wrong(
    verdicts: Sequence[PartVerdict], files: Mapping[str, str], unread: Collection[str], own: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Tell each part that is wrong, and a stub file that cannot be imported once for all of its parts.

    Args:
        verdicts: of the parts that are not told otherwise.
        files: the stub file of each part.
        unread: stub files of which it is told that they are missing or no Python.
        own: for each stub file the files of the student's own that it imports.
    """
    for_one_reason: dict[str, list[str]] = {}
    for verdict in verdicts:
        held = [v for v in verdict.verdicts if v.outcome == "right"]
        first = next((v for v in verdict.verdicts if v.outcome == "wrong" and v.failure), None)
        if first is None or first.failure is None:
            continue
        if {files[verdict.part], _file(first.failure)} & set(unread):
            continue
        if reason := _of_file(first.failure, own):
            for_one_reason.setdefault(reason, []).append(verdict.part)
        else:
            yield (
                f"{verdict.part} is wrong, {len(held)} of {len(verdict.verdicts)} properties hold: {first.property}: "
                f"{_first_line(first.failure)}. `elbo check {verdict.part}` tells more."
            )
    for reason, names in for_one_reason.items():
        yield f"{reason}. So {listed(names, NAMED)} {'is' if len(names) == 1 else 'are'} wrong."


def _of_file(failure: Failure, own: Mapping[str, Sequence[str]]) -> str:
    """Return what is wrong with a whole file, "" where it is one function's failure."""
    helpers = own.get(_file(failure), ())
    if helpers and re.search("ModuleNotFoundError|ImportError", failure.message):
        are = "is" if len(helpers) == 1 else "are"
        return f"{failure.where}: {listed(helpers)} {are} not handed in: {ALONE}"
    return f"{failure.where}: {_line(failure)}" if failure.where and not failure.called else ""


def _file(failure: Failure) -> str:
    return failure.where.partition(",")[0]


def _first_line(failure: Failure) -> str:
    return _line(failure) + (f" ({failure.where})" if failure.where else "")


def _line(failure: Failure) -> str:
    line = OURS.sub("", (failure.message.splitlines() or [""])[0])
    return (line if len(line) <= LONGEST else f"{line[:LONGEST]}...").rstrip(".")


def in_stubs(directory: Path, parts: Sequence[Part]) -> Iterator[str]:
    """Tell which stub files are no Python, and which functions are not there or as they were handed out."""
    for stub in dict.fromkeys(f"{part.topic}/{part.file}" for part in parts):
        if not (directory / stub).is_file():
            continue  # the intake tells
        text = (directory / stub).read_text(encoding="utf-8")
        wanted = {part.name.partition(".")[2]: part.name for part in parts if f"{part.topic}/{part.file}" == stub}
        try:
            module, defined = ast.parse(text), _names_in(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            yield f"{stub}{line}: is no Python: {shown(reason)}."
            continue
        written = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
        for name, part in wanted.items():
            if name not in defined and "*" not in defined:
                yield f"{part} is missing in {stub}."
            elif name in written and is_stub(ast.get_source_segment(text, written[name]) or ""):
                yield f"{part} is still to be written."


def _names_in(text: str) -> set[str]:
    """Return the names that a module defines, "*" where it imports everything of another."""
    symbols = symtable.symtable(text, "", "exec").get_symbols()
    stars = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(ast.parse(text)))
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()} | ({"*"} if stars else set())


def own_files(directory: Path, place: Path) -> dict[str, list[str]]:
    """Return, for each stub file, the files of the student's own that it imports: they are not handed in.

    Args:
        directory: of the stub files as they were taken.
        place: where they came from.
    """
    found = {}
    for stub in (stub for stub in stub_files() if (directory / stub).is_file()):
        try:
            module = ast.parse((directory / stub).read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # told as no Python
        named = (path for node in ast.walk(module) for path in _imported(node, stub.partition("/")[0]))
        found[stub] = list(dict.fromkeys(own for path in named if (own := _own(path, place))))
    return found


def _imported(node: ast.AST, topic: str) -> Iterator[PurePosixPath]:
    """Go through the paths, without an ending, that a relative import may mean."""
    if isinstance(node, ast.ImportFrom) and node.level in (1, 2):
        base = PurePosixPath(topic if node.level == 1 else "", *(node.module or "").split("."))
        yield from [base] if node.module else [base / alias.name for alias in node.names]


def _own(path: PurePosixPath, place: Path) -> str:
    """Return the name of a file or directory that is no stub file, "" where there is none."""
    if f"{path}.py" in stub_files() or str(path) in TOPICS:
        return ""
    if (place / f"{path}.py").is_file():
        return f"{path}.py"
    return f"{path}/" if (place / path).is_dir() else ""
