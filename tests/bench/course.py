"""A course of nbgrader whose tests are the kit's properties, in the process of the notebook, and the answers to it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from grading.catalogue import topic_parts
from grading.engine.implementation import ROOT
from tests.bench.hand_ins import hand_in, write

FILE = "vae/likelihoods.py"
ASSIGNMENT = "one"
ASK = """
def ask(call):
    return answer(globals()[call.part.split(".")[1]], call)
"""


@dataclass(frozen=True)
class Task:
    """What is graded: parts of the file, by properties that are tried on so many inputs each."""

    parts: tuple[str, ...]
    inputs: int


def parts() -> tuple[str, ...]:
    """Return the parts of the file."""
    return tuple(part.name for part in topic_parts("vae") if part.file == FILE.split("/")[1])


def test_of(part: str, inputs: int, ask: str) -> str:
    """Write the test of a part: all its properties, in this process. ask: defines who answers a call."""
    return f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from grading.catalogue import topic_parts
from grading.engine.answering import answer
from grading.engine.inputs import draw
from tests.support.properties import run_check
{ask}
(part,) = [part for part in topic_parts("vae") if part.name == {part!r}]
for value in part.properties:
    for inputs in draw(value, 0, {inputs}):
        attempt = run_check(value, ask, inputs)
        assert attempt.error is None, f"{{value.name}}: {{attempt.error}}"
"""


def notebook(text: str, task: Task) -> nbformat.NotebookNode:
    """Write the notebook of the assignment: a cell to be filled in and a cell of tests for each part."""
    cells = [_cell(text, "answer", solution=True)]
    cells += [_cell(test_of(part, task.inputs, ASK), part.split(".")[1], grade=True, points=1) for part in task.parts]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def _cell(
    source: str, name: str, grade: bool = False, solution: bool = False, points: int = 0
) -> nbformat.NotebookNode:
    facts = {"grade_id": name, "grade": grade, "solution": solution, "locked": grade, "task": False}
    facts |= {"schema_version": 3, "cell_type": "code"} | ({"points": points} if grade else {})
    return new_code_cell(source, metadata={"nbgrader": facts})


def hand_ins(count: int) -> list[str]:
    """Write so many answers, all right: the reference's and variants of it in turns."""
    chance = random.Random(0)
    kinds = [("copy", "right")[number % 2] for number in range(count)]
    return [hand_in(kind, chance, ("vae",))[FILE] for kind in kinds]


def write_course(root: Path, texts: Sequence[str], task: Task) -> None:
    """Write nbgrader's course with notebooks, and the same answers as files for elbo."""
    course = root / "course"
    _write(notebook(texts[0], task), course / "source" / ASSIGNMENT / "likelihoods.ipynb")
    for number, text in enumerate(texts):
        student = f"student{number}"
        _write(notebook(text, task), course / "submitted" / student / ASSIGNMENT / "likelihoods.ipynb")
        write({FILE: text}, root / "class", student)
    settings = "c = get_config()\nc.CourseDirectory.course_id = 'bench'\nc.Execute.timeout = 600\n"
    (course / "nbgrader_config.py").write_text(settings, encoding="utf-8")


def _write(made: nbformat.NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
