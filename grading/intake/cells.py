"""What a module can be made of among the cells of a notebook: statements that define something and run nothing."""

import ast
import builtins
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from .limits import shown

ALWAYS = "*"  # defined by what every module begins with, or needs
PURE = (ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Set, ast.Dict)
PURE += (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.keyword)  # type: ignore[assignment]
PURE += (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)  # type: ignore[assignment]
# Calls that make a constant; any other may be the beginning of a training.
CONSTANTS = {"float", "int", "len", "range", "tuple", "torch.device", "torch.tensor", "torch.cuda.is_available"}
CONSTANTS |= {f"{module}.{name}" for module in ("torch", "np", "numpy") for name in ("log", "sqrt", "exp", "finfo")}


@dataclass(frozen=True)
class Statement:
    """A statement of a cell: its text, the names that it defines, and those that it needs."""

    text: str
    defines: frozenset[str]
    uses: frozenset[str]
    cell: int


@dataclass(frozen=True)
class Broken:
    """A cell that is no Python, and why."""

    source: str
    cell: int
    reason: str

    def holds(self, function: str) -> bool:
        """Tell whether a function was to be defined there."""
        return re.search(rf"^def\s+{function}\b", self.source, re.MULTILINE) is not None


def statements_in(cells: Sequence[str], parts: Collection[str]) -> tuple[list[Statement], list[Broken]]:
    """Return the statements that define something, in order, and the cells that cannot be read.

    Args:
        cells: the sources of the code cells.
        parts: the names of the functions that are judged; a number that takes such a name does not replace one.
    """
    kept: list[Statement] = []
    broken: list[Broken] = []
    known = set(dir(builtins))
    for number, cell in enumerate(cells, 1):
        source = cell.replace("\r\n", "\n").replace("\r", "\n")
        try:
            lines, module = _parsed(source)
            for node in module.body:
                statement = _statement(node, lines, number)
                # An assignment from what was dropped would end the import of everything.
                if statement and (_is_definition(node) or _is_constant(node, statement, known, parts)):
                    kept.append(statement)
                    known |= statement.defines
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            broken.append(Broken(source, number, _reason(error, number)))
    return kept, broken


def _parsed(source: str) -> tuple[list[str], ast.Module]:
    """Parse a cell, and return its lines too; what IPython knows beside Python is left out only if there is any."""
    lines = source.split("\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on what students' strings hold
        try:
            return lines, ast.parse(source)
        except SyntaxError:
            lines = [_without_magic(line) for line in lines]
            return lines, ast.parse("\n".join(lines))


def _without_magic(line: str) -> str:
    """Replace a line of IPython by one that does nothing: `%`, `!`, `name?`, and `name = !command`."""
    text = line.strip()
    name, _, value = text.partition("=")
    shell = value.lstrip().startswith(("%", "!")) and re.fullmatch(r"[\w, ]+", name)
    if text.startswith(("%", "!", "?")) or shell or re.fullmatch(r"[\w.]+\?+", text):
        return "" if text.startswith("%%") else line[: len(line) - len(line.lstrip())] + "pass"
    return line


def _reason(error: Exception, number: int) -> str:
    if isinstance(error, SyntaxError):
        return f"code cell {number}, line {error.lineno}: {shown(error.msg)}"
    return f"code cell {number}: {shown(error) or type(error).__name__}"


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _is_constant(node: ast.stmt, statement: Statement, known: Set[str], parts: Collection[str]) -> bool:
    """Tell whether an assignment runs nothing, and needs nothing that is not there."""
    value = getattr(node, "value", None)
    if isinstance(value, ast.Lambda):
        return True
    if value is None or not statement.uses <= known:
        return False
    if any(name in parts for name in statement.defines) and not isinstance(value, ast.Name):
        return False
    return all(isinstance(each, PURE) or _makes_constant(each) for each in ast.walk(value))


def _makes_constant(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    return name in CONSTANTS or name.startswith("math.")


def _statement(node: ast.stmt, lines: Sequence[str], cell: int) -> Statement | None:
    """Return a statement that defines names and nothing else, None for any other."""
    match node:
        case ast.Import() | ast.ImportFrom(level=0):
            always = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            names = [ALWAYS if always else alias.asname or alias.name.partition(".")[0] for alias in node.names]
            return Statement(ast.unparse(node), frozenset(names), frozenset(), cell)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            text = "\n".join(lines[first - 1 : node.end_lineno])  # with its comments
            return Statement(text, frozenset([node.name]), _names(node), cell)
        case ast.Assign(targets=targets) if all(isinstance(each, ast.Name | ast.Tuple) for each in targets):
            defined = frozenset().union(*map(_names, targets))
            return Statement(ast.unparse(node), defined, _names(node.value), cell)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            # Without its annotation, which may need what is not there.
            return Statement(f"{name} = {ast.unparse(value)}", frozenset([name]), _names(value), cell)
    return None


def _names(node: ast.AST) -> frozenset[str]:
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def needed(statements: Sequence[Statement], functions: Iterable[str]) -> Iterator[Statement]:
    """Return what functions need, in order: so an import that only a plot needs hinders nothing."""
    waiting, kept = [ALWAYS, *functions], set()
    by_name: dict[str, list[int]] = {}
    for number, statement in enumerate(statements):
        for name in statement.defines:
            by_name.setdefault(name, []).append(number)
    while waiting:
        for number in by_name.pop(waiting.pop(), ()):
            if number not in kept:
                kept.add(number)
                waiting += statements[number].uses
    return (statements[number] for number in sorted(kept))
