"""What a notebook takes from the solution files of a topic, for one namespace instead of several files."""

import ast
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.engine.implementation import ROOT
from grading.notebook.words import in_notebook
from tests.support.properties import Part

from . import NbgraderError

Imports = Sequence[ast.Import | ast.ImportFrom]


@dataclass(frozen=True)
class Pieces:
    """The imports of all files, what they define that is given, and the functions, answers included, by part."""

    imports: str
    given: str
    functions: dict[str, str]


def pieces(topic: str, parts: Sequence[Part], solutions: Path = ROOT / "solutions") -> Pieces:
    """Cut the solution files of a topic.

    parts: those of the topic, in the order in which they build on each other.

    Raises:
        NbgraderError: two files give a name two meanings.
    """
    imports: list[ast.Import | ast.ImportFrom] = []
    given: dict[str, str] = {}
    functions: dict[str, str] = {}
    for path in _in_order((solutions / topic).glob("*.py"), parts):
        source = path.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            text = _text(source, node)
            match node:
                case ast.Import() | ast.ImportFrom(level=0):
                    imports.append(node)
                case ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                    pass  # of a file beside it, whose functions stand in the notebook too; or the file's docstring
                case ast.FunctionDef(name=name) if any(part.name == f"{topic}.{name}" for part in parts):
                    functions[f"{topic}.{name}"] = in_notebook(text)
                case _:
                    _add(given, _names(node), text, path)
    return Pieces(_written(imports), "\n\n".join(dict.fromkeys(given.values())), functions)


def _in_order(files: Iterable[Path], parts: Sequence[Part]) -> list[Path]:
    """Put the files into the order of their first parts."""
    order = list(dict.fromkeys(part.file for part in parts))
    found = [file for file in files if file.name != "__init__.py"]
    return sorted(found, key=lambda file: (order.index(file.name) if file.name in order else len(order), file.name))


def _text(source: str, node: ast.stmt) -> str:
    """Return the lines of a statement, with its decorators and the comments in it, also after its last line of code."""
    lines = source.split("\n")
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
    last = node.end_lineno or node.lineno
    while last < len(lines) and lines[last].startswith("    "):
        last += 1
    return "\n".join(lines[first - 1 : last])


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]


def _add(given: dict[str, str], names: Sequence[str], text: str, path: Path) -> None:
    for name in names:
        if given.setdefault(name, text) != text:
            raise NbgraderError(
                f"{path.parent.name}/{path.name} defines {name}, and so does a file before it, otherwise. "
                "A notebook has one namespace: give one of the two another name."
            )


def _written(imports: Imports) -> str:
    """Write imports once each, those of the standard library first."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for node in imports:
        told = {ast.unparse(alias) for alias in node.names}
        if isinstance(node, ast.Import):
            plain |= told
        else:
            names.setdefault(node.module or "", set()).update(told)
    lines = {f"import {name}": name for name in sorted(plain)}
    lines |= {f"from {module} import {', '.join(sorted(names[module]))}": module for module in sorted(names)}
    groups = [[line for line, name in lines.items() if _is_standard(name) is own] for own in (True, False)]
    return "\n\n".join("\n".join(group) for group in groups if group)


def _is_standard(module: str) -> bool:
    return module.partition(" ")[0].partition(".")[0] in sys.stdlib_module_names
