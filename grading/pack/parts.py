"""The parts as the grader will have them: what their files hold, how they are judged, and in a line what is wrong."""

import ast
import re
import symtable
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from grading.engine.workers import Starter, Worker
from grading.intake.limits import shown
from grading.judge import PROFILES, Judge, PartVerdict
from grading.listing import Listed, row_of
from grading.own_files import grouped
from grading.release import is_stub
from grading.rubric import Rubric
from grading.wording import Failure
from tests.support.properties import Part

LONGEST = 300  # signs of what is told of a failure
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
    verdicts: Sequence[PartVerdict], files: Mapping[str, str], unread: Collection[str], reasons: Mapping[str, str]
) -> Iterator[str]:
    """Tell each part that is wrong, and a stub file that cannot be imported once for all of its parts.

    Args:
        verdicts: of the parts that are not told otherwise.
        files: the stub file of each part.
        unread: stub files of which it is told that they are missing or no Python.
        reasons: why parts are wrong for the grader whatever they are here.
    """
    for_one_reason = dict(reasons)
    for verdict in verdicts:
        held = [v for v in verdict.verdicts if v.outcome == "right"]
        first = next((v for v in verdict.verdicts if v.outcome == "wrong" and v.failure), None)
        if verdict.part in reasons or first is None or first.failure is None:
            continue
        if {files[verdict.part], _file(first.failure)} & set(unread):
            continue
        if reason := _of_file(first.failure):
            for_one_reason[verdict.part] = reason
        else:
            yield (
                f"{verdict.part} is wrong, {len(held)} of {len(verdict.verdicts)} properties hold: {first.property}: "
                f"{_first_line(first.failure)}. `elbo check {verdict.part}` tells more."
            )
    yield from (f"{line}." for line in grouped(for_one_reason))


def _of_file(failure: Failure) -> str:
    """Return what is wrong with a whole file, "" where it is one function's failure."""
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
