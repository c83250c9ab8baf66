"""What a class gets: the stubs and all that judges them and trains with them, without any answer."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from exercises.experiments.dirac import predictions
from exercises.experiments.runs import RunError
from grading.engine.implementation import ROOT, TOPICS

from .files import filled, plain
from .handouts import for_students
from .imports import needed
from .rubric_cut import public
from .stubs import ReleaseError, stubs
from .trees import Tree

TOP = "elbo-room/"  # the folder in the zip
COMMANDS = ("__main__", "inspecting", "judging", "packing", "running")  # of grading/cli
# Reached from there by functions that are never called where there is no reference, no bank and no class.
LEFT_OUT = (
    "grading/audit.py",
    "grading/bank",
    "grading/batch.py",
    "grading/cli/auditing.py",
    "grading/cli/grading.py",
    "grading/cli/upkeep.py",
    "grading/gradebook.py",
    "grading/grader.py",
    "grading/nbgrader",
    "grading/pages/class_page.py",
    "grading/pages/feedback_page.py",
    "grading/views",
)
FINGERPRINTS = "grading/diagnosis/fingerprints.json"  # of mistakes: what they answer, and never how they are written
AS_THEY_ARE = ("LICENSE", "constraints.txt", "exercises/gan/predictions.toml", FINGERPRINTS)


def student(root: Path = ROOT) -> Tree:
    """Return the files of the student release, by path.

    Raises:
        ReleaseError: something that goes into it cannot be used, or holds an answer.
    """
    code = needed(root, [*_begin(root)], LEFT_OUT)
    packages = {str(parent / "__init__.py") for path in code for parent in PurePosixPath(path).parents}
    as_they_are = code | {path for path in packages if (root / path).is_file()} | set(AS_THEY_ARE)
    handouts = {path: for_students(_text(root, path)) for path in (f"exercises/{topic}/README.md" for topic in TOPICS)}
    texts = {f"exercises/{path}": text for path, text in stubs(root / "solutions")} | handouts
    texts |= {
        ".gitignore": plain("student/gitignore", root).decode(),
        "README.md": filled("student/README.md", root),
        "pyproject.toml": filled("student/pyproject.toml", root),
        "grading/rubric.toml": public(_text(root, "grading/rubric.toml")),
    }
    _expect_no_prediction(root)
    named = _shown(handouts.values()) | _templates(root, code)
    return {path: _read(root, path) for path in sorted(as_they_are | named)} | {p: t.encode() for p, t in texts.items()}


def _begin(root: Path) -> set[str]:
    """Return the files that a student's commands begin with: what imports by name is found by no import."""
    commands = {f"grading/cli/{name}.py" for name in COMMANDS}
    found = [*root.glob("data/*.py"), *(f for topic in TOPICS for f in root.glob(f"tests/{topic}/test_*.py"))]
    called = {"grading/notebook/__init__.py", "tests/support/pytest_plugin.py"}  # by notebooks, and by pytest
    return commands | called | {f.relative_to(root).as_posix() for f in found}


def _shown(handouts: Iterable[str]) -> set[str]:
    """Return the results of the reference that what is left of the handouts shows or names."""
    found = re.findall(r"experiments/results/[\w./-]+\.(?:png|gif|json)", "\n".join(handouts))
    return {f"exercises/{path}" for path in found}


def _templates(root: Path, code: set[str]) -> set[str]:
    """Return the templates of pages that the code names, and those that they name."""
    waiting = {path.relative_to(root).as_posix() for path in (root / "grading" / "templates").iterdir()}
    found, text = set[str](), "".join(_text(root, path) for path in code)
    while named := {path for path in waiting - found if f'"{PurePosixPath(path).name}"' in text}:
        found |= named
        text = "".join(_text(root, path) for path in named)
    return found


def _expect_no_prediction(root: Path) -> None:
    """Refuse a table of predictions in which somebody wrote down what happens."""
    file = root / "exercises" / "gan" / predictions.FILE
    try:
        found = predictions.read(file)
    except RunError as error:
        raise ReleaseError(str(error)) from error
    if found:
        raise ReleaseError(f"{file} holds predictions, such as of {min(found)}: empty it before it is given out")


def _text(root: Path, path: str) -> str:
    return _read(root, path).decode()


def _read(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read: {error.strerror}") from error
