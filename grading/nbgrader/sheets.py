"""The notebooks of the assignment as they were released, from nbgrader's gradebook."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from grading.intake.limits import listed
from grading.nbgrader import ASSIGNMENT, question_id
from grading.nbgrader.autograded import Known
from grading.nbgrader.installed import Gradebook, Notebook
from grading.nbgrader.points import possible
from grading.notebook.points import points_of
from grading.rubric import Rubric


class Sheet(msgspec.Struct, frozen=True):
    """A notebook of the assignment: its cells by name, and their names by the key of their grades and comments."""

    name: str
    kernel: dict[str, Any]
    known: dict[str, Known]
    names: dict[str, str]


def sheets_of(book: Gradebook) -> list[Sheet]:
    """Return the notebooks of the assignment, as they were released."""
    return [_sheet(each) for each in book.find_assignment(ASSIGNMENT).notebooks]


def _sheet(found: Notebook) -> Sheet:
    graded = {cell.name: cell.max_score for cell in [*found.grade_cells, *found.task_cells]}
    written, tasks = {cell.name for cell in found.solution_cells}, {cell.name for cell in found.task_cells}
    known = {
        cell.name: Known(
            cell.name,
            cell.cell_type,
            cell.source or "",
            bool(cell.locked),
            cell.name in written,
            cell.name in tasks,
            graded.get(cell.name),
            cell.checksum or "",
        )
        for cell in found.source_cells
    }
    every = [*found.grade_cells, *found.solution_cells, *found.task_cells]
    return Sheet(found.name, json.loads(found.kernelspec or "{}"), known, {cell.id: cell.name for cell in every})


def differing(sheets: Sequence[Sheet], rubric: Rubric) -> list[str]:
    """Say in what the gradebook is of another rubric, and for which of its cells the kit has no points."""
    kits = possible(rubric)
    ours = kits | {question_id(name): points_of(question.points) for name, question in rubric.questions.items()}
    theirs = {name: cell for sheet in sheets for name, cell in sheet.known.items() if cell.points is not None}
    other = [name for name, points in ours.items() if name not in theirs or theirs[name].points != points]
    foreign = [name for name, cell in theirs.items() if name not in ours and not cell.manual and not cell.task]
    again = f"nbgrader generate_assignment {ASSIGNMENT} --force takes them over"
    return [
        *([f"The rubric gives other points than nbgrader's gradebook for {listed(other)}; {again}."] if other else []),
        *([f"The kit judges no cells {listed(foreign)}: give their points in formgrader."] if foreign else []),
    ]
