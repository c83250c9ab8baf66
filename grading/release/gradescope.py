"""The autograder for Gradescope: two scripts at the root, and the kit with what grades, solutions included."""

from pathlib import Path, PurePosixPath

from grading.engine.implementation import ROOT

from .files import plain
from .stubs import ReleaseError, stubs
from .trees import Tree

KIT = "kit/"  # in the zip, and so in /autograder/source
ROOMS = ("data", "exercises", "grading", "solutions", "tests")
FILES = ("LICENSE", "README.md", "constraints.txt", "pyproject.toml")
SUFFIXES = {".py", ".toml", ".md", ".j2", ".json", ".css", ".js", ".sh"}
# What no grading needs. Caches, runs and whatever is hidden or linked are no part of the kit anywhere.
LEFT_OUT = ("exercises/experiments/results", "grading/release/files", "tests/bench", "tests/kit")
MADE = {"__pycache__", "cache", "runs"}


def gradescope(root: Path = ROOT) -> Tree:
    """Return the files of the autograder, by path.

    Raises:
        ReleaseError: something that goes into it cannot be read.
    """
    kit = {path: _read(root, path) for path in [*FILES, *_in_rooms(root)]}
    kit |= {f"exercises/{path}": text.encode() for path, text in stubs(root / "solutions")}
    scripts = {
        "setup.sh": plain("gradescope/setup.sh", root),
        "run_autograder": plain("gradescope/run_autograder.py", root),
    }
    return scripts | {f"{KIT}{path}": content for path, content in kit.items()}


def _in_rooms(root: Path) -> list[str]:
    found = (path.relative_to(root) for room in ROOMS for path in (root / room).rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path.suffix in SUFFIXES and not _is_left_out(root, path))


def _is_left_out(root: Path, path: Path) -> bool:
    linked = (root / path).is_symlink()
    hidden = any(part.startswith(".") or part in MADE for part in path.parts)
    return linked or hidden or any(PurePosixPath(path).is_relative_to(other) for other in LEFT_OUT)


def _read(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read: {error.strerror}") from error
