"""Which files of the kit a file needs: what it imports, and what that imports, found without running anything."""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

ROOMS = ("data", "exercises", "grading", "tests")


def needed(root: Path, roots: Collection[str], left_out: Collection[str] = ()) -> set[str]:
    """Return the paths of Python files that some files import, directly or not, themselves among them.

    Args:
        root: of the kit.
        roots: where it begins, paths such as "grading/cli/judging.py".
        left_out: files, or folders, that are not followed though a function that is never called there imports them.
    """
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path in found or any(PurePosixPath(path).is_relative_to(other) for other in left_out):
            continue
        found.add(path)
        for module in _imported(root, path):
            waiting += _files(root, module)
    return found


def _imported(root: Path, path: str) -> Iterator[str]:
    """Yield the dotted names that a file may import, a name of a module or of something in one."""
    package = list(PurePosixPath(path).parent.parts)
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk through a file but for what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from _run(node)


def _files(root: Path, module: str) -> Iterator[str]:
    """Yield the files that importing a dotted name runs: of each package on the way, and of the module."""
    parts = module.split(".")
    if parts[0] not in ROOMS:
        return
    for end in range(1, len(parts) + 1):
        path = "/".join(parts[:end])
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if (root / file).is_file():
                yield file
