"""Generating exercises/: the stubs from the answers in solutions/, the report to fill in from the questions."""

import ast
import difflib
from collections.abc import Container, Iterator
from pathlib import Path

from grading.engine.implementation import ROOT, TOPICS

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
REPORT = Path("report.md")


class ReleaseError(Exception):
    """Stubs that cannot be written; the text says where and why."""


def stub(source: str, topic: str, file: str, kept: Container[str] = ()) -> str:
    """Return the text of a solution file with every answer replaced by a line that names the part and raises.

    kept: parts, `topic.function`, whose answers stay.

    Raises:
        ReleaseError: a marker is nested, unclosed, stray or outside of a function, with file and line.
    """
    names = _function_names(source, f"solutions/{topic}/{file}")
    lines: list[str] = []
    begun, keeping = 0, False
    for number, line in enumerate(source.splitlines(), start=1):
        where = f"solutions/{topic}/{file}, line {number}"
        if line.strip() == BEGIN:
            if begun:
                raise ReleaseError(f"{where}: {BEGIN} inside of the solution that begins in line {begun}")
            if number not in names:
                raise ReleaseError(f"{where}: {BEGIN} outside of a function")
            begun = number
            indent = line[: line.index("#")]
            keeping = f"{topic}.{names[number]}" in kept
            if not keeping:
                lines.append(f"{indent}# YOUR CODE HERE")
                message = f"{topic}.{names[number]} is still to be written, in {topic}/{file}"
                lines.append(f'{indent}raise NotImplementedError("{message}")')
        elif line.strip() == END:
            if not begun:
                raise ReleaseError(f"{where}: {END} without a {BEGIN} before it")
            begun = 0
        elif not begun or keeping:
            _refuse_near_marker(line, where)
            lines.append(line)
    if begun:
        raise ReleaseError(f"solutions/{topic}/{file}, line {begun}: {BEGIN} without an {END} after it")
    return "\n".join(lines) + "\n"


def _function_names(source: str, path: str) -> dict[int, str]:
    """Map each line of a top-level function to the function's name."""
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise ReleaseError(f"{path}, line {error.lineno}: {error.msg}") from error
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    return {line: f.name for f in functions for line in range(f.lineno, (f.end_lineno or f.lineno) + 1)}


def _refuse_near_marker(line: str, where: str) -> None:
    """Refuse a comment that was meant as a marker: taken for a plain line, it would let an answer through."""
    comment = line.strip()
    if comment.startswith("#") and difflib.get_close_matches(comment.upper(), (BEGIN, END), 1, 0.85):
        raise ReleaseError(f"{where}: {comment!r} is almost a marker; write {BEGIN!r} or {END!r}")


def is_stub(text: str) -> bool:
    """Whether every top-level function of a file still raises NotImplementedError and nothing else."""
    try:
        functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        return False
    return all(_only_raises(function) for function in functions)


def _only_raises(function: ast.FunctionDef) -> bool:
    statements = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return len(statements) == 1 and ast.unparse(statements[0]).startswith("raise NotImplementedError")


def stubs(solutions: Path = ROOT / "solutions") -> Iterator[tuple[Path, str]]:
    """Yield the path, relative to exercises/, and the text of every stub file, and of the report to fill in.

    Raises:
        ReleaseError: a solution's markers are wrong.
        RubricError: the questions beside the solutions, in grading/rubric.toml, cannot be used.
    """
    # What takes hand-ins asks this module what a stub is, and needs neither of these.
    from grading.rubric import load
    from grading.written.template import template

    for topic in TOPICS:
        for file in sorted((solutions / topic).glob("*.py")):
            yield Path(topic, file.name), stub(file.read_text(encoding="utf-8"), topic, file.name)
    yield REPORT, template(load(solutions.parent / "grading" / "rubric.toml"))


def differences(out: Path) -> list[str]:
    """Return, for each stub file that is missing or differs in a directory, what a release would do to it."""
    return [
        f"{out.name}/{path} {'differs' if (out / path).exists() else 'is missing'}"
        for path, text in stubs()
        if not _same(out / path, text)
    ]


def write_exercises(out: Path) -> list[Path]:
    """Write every stub file that is missing or out of date, and return their paths.

    Raises:
        ReleaseError: a file there holds work, and nothing is written then; or it cannot be written.
    """
    changed = [(out / path, text) for path, text in stubs() if not _same(out / path, text)]
    for path, _ in changed:
        if path.exists() and not _is_untouched(path):
            raise ReleaseError(
                f"{path} holds work that is not a stub, and a release would overwrite it: nothing was written. "
                "Move the file away, or give another directory with --out."
            )
    for path, text in changed:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ReleaseError(f"{path} cannot be written: {error.strerror}") from error
    return [path for path, _ in changed]


def _is_untouched(path: Path) -> bool:
    from grading.written.template import is_template

    return (is_template if path.name == REPORT.name else is_stub)(_text(path))


def _same(path: Path, text: str) -> bool:
    return path.exists() and _text(path) == text


def _text(path: Path) -> str:
    """Read a file that a student may have saved in another encoding."""
    return path.read_text(encoding="utf-8", errors="replace")
