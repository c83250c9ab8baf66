"""Cells as nbgrader knows them. Every cell's id is made from its name, so that the same course has the same bytes."""

from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

BEGIN, END = "<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"  # in Markdown, where '###' would be a heading
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}


def text(name: str, source: str) -> Any:
    """Make a cell to be read."""
    return new_markdown_cell(source, id=_id(name))


def code(name: str, source: str) -> Any:
    """Make a cell of code that nobody judges."""
    return new_code_cell(source, id=_id(name))


def given(name: str, source: str) -> Any:
    """Make a cell of code that is given: what a student changes in it is undone before grading."""
    return new_code_cell(source, id=_id(name), metadata=_facts(name, "code", locked=True))


def solution(name: str, source: str) -> Any:
    """Make a cell that a student fills in; nbgrader takes out what stands between the markers."""
    return new_code_cell(source, id=_id(name), metadata=_facts(name, "code", solution=True))


def judged(name: str, source: str, points: float) -> Any:
    """Make a cell whose value is points."""
    return new_code_cell(source, id=_id(name), metadata=_facts(name, "code", grade=True, locked=True, points=points))


def words(name: str, source: str, points: float) -> Any:
    """Make a cell with a student's words, whose points a person gives."""
    facts = _facts(name, "markdown", grade=True, solution=True, points=points)
    return new_markdown_cell(source, id=_id(name), metadata=facts)


def notebook(cells: list[Any]) -> bytes:
    """Write a notebook.

    Raises:
        nbformat.ValidationError: two cells have one name.
    """
    made = new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
    nbformat.validate(made)
    return (nbformat.writes(made) + "\n").encode()


def _facts(name: str, kind: str, **facts: Any) -> dict[str, Any]:
    none = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {**none, "grade_id": name, "schema_version": 3, "cell_type": kind, **facts}}


def _id(name: str) -> str:
    return name.replace(".", "_")[:64]
