"""One submitted notebook in nbgrader's gradebook: its grades and comments, and its picture for formgrader."""

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from exercises.experiments.runs import write_whole
from grading.nbgrader.autograded import name_of, notebook, odd_in, sources_in
from grading.nbgrader.installed import Grade, SubmittedNotebook, determine_grade
from grading.nbgrader.points import Told
from grading.nbgrader.sheets import Sheet
from grading.nbgrader.submitted import HandedIn

NO_WORDS = "No response."  # as nbgrader says it


def fill(sheet: Sheet, own: SubmittedNotebook, found: HandedIn, told: Told, into: Path) -> list[str]:
    """Write a notebook for formgrader, and set its grades and comments; the caller commits them.

    Args:
        sheet: the notebook as released.
        own: the student's in the gradebook.
        found: what was handed in.
        told: what the record says.
        into: the directory for the notebook.

    Returns:
        Sentences on what was odd.
    """
    cells, path = found.notebooks.get(sheet.name, []), into / f"{sheet.name}.ipynb"
    odd = odd_in(cells, sheet.known) if cells else []
    notes = odd or ([] if cells else [f"{path.name} was not handed in, or is no notebook: its cells are as released."])
    before = sources_in(path.read_bytes()) if path.is_file() else {}
    unasked = {name: source for name, source in before.items() if name not in told.given and _is_words(sheet, name)}
    made = notebook(cells, sheet.known, told.judged, unasked | told.words, notes)
    made.metadata |= {"kernelspec": sheet.kernel} if sheet.kernel else {}
    into.mkdir(parents=True, exist_ok=True)
    write_whole(path, nbformat.writes(made).encode())
    nodes = {name_of(node): node for node in made.cells}
    _set_comments(sheet, own, nodes, told)
    overridden = _set_grades(sheet, own, nodes, before, told)
    return [f"{path.name}: {text}" for text in [*odd, *overridden]]


def _set_grades(
    sheet: Sheet, own: SubmittedNotebook, nodes: Mapping[str, NotebookNode], before: Mapping[str, str], told: Told
) -> list[str]:
    """Set the machine's points; a person's stay, and are to be looked at again where what they are for changed.

    What a person gave for words in manual.csv stands where a machine's points do: so it follows manual.csv, and is
    never taken for what a person gave in formgrader, which goes before it.
    """
    odd = []
    for grade in own.grades:
        name = sheet.names[grade.cell_id]
        if name in told.judged:
            points = told.judged[name].points
            _give(grade, points, changed=grade.auto_score != points)
            if grade.manual_score not in (None, points):
                odd.append(f"a person's {grade.manual_score:g} points for {name} stand in place of {points:g}.")
        elif name in nodes and _is_words(sheet, name):
            changed = before.get(name) != nodes[name].source
            given = told.given[name].points if name in told.given else None if changed else grade.auto_score
            odd += _overridden(grade, name, given)
            ours = given if grade.manual_score is None else None  # else it may be formgrader's own, come back
            _give(grade, determine_grade(nodes[name])[0] if ours is None else ours, changed)
    return odd


def _overridden(grade: Grade, name: str, given: float | None) -> list[str]:
    if given is None or grade.manual_score is None or math.isclose(_score(grade), given, abs_tol=1e-6):
        return []
    return [f"formgrader's {_score(grade):g} points for {name} stand in place of {given:g} in manual.csv."]


def _is_words(sheet: Sheet, name: str) -> bool:
    return name in sheet.known and sheet.known[name].manual


def _give(grade: Grade, points: float | None, changed: bool) -> None:
    """Give a cell what a machine gives; a person is needed where that is nothing."""
    grade.auto_score = points
    if grade.manual_score is None:
        grade.needs_manual_grade = points is None
    elif changed:
        grade.needs_manual_grade = True


def withhold(sheet: Sheet, own: SubmittedNotebook, names: Collection[str]) -> None:
    """Leave cells without a machine's points, so that they wait for a person; what one gave stays."""
    for grade in (grade for grade in own.grades if sheet.names[grade.cell_id] in names):
        _give(grade, None, changed=grade.auto_score is not None)


def _set_comments(sheet: Sheet, own: SubmittedNotebook, nodes: Mapping[str, NotebookNode], told: Told) -> None:
    for comment in own.comments:
        name = sheet.names[comment.cell_id]
        if name in told.comments:
            comment.auto_comment = told.comments[name]
        elif name in nodes and _is_words(sheet, name):
            before = "" if comment.auto_comment == NO_WORDS else comment.auto_comment
            said = told.given[name].comment if name in told.given else before
            said = said if comment.manual_comment is None else ""  # else it may be formgrader's own, come back
            comment.auto_comment = said or (NO_WORDS if determine_grade(nodes[name])[0] == 0 else None)


def take_penalty(notebooks: Sequence[SubmittedNotebook], penalty: float) -> None:
    """Take points for lateness from the notebooks, from each by its share: nbgrader knows no other place for them."""
    scores = [sum(map(_score, each.grades)) for each in notebooks]
    whole = sum(scores)
    for each, score in zip(notebooks, scores, strict=True):
        share = min(penalty / whole, 1.0) * score if whole > 0 else 0.0
        each.late_submission_penalty = share or None


def _score(grade: Grade) -> float:
    """Return the points of a grade that may not be in the database yet, where nbgrader adds them up."""
    points = grade.auto_score if grade.manual_score is None else grade.manual_score
    return (points or 0.0) + (grade.extra_credit or 0.0)
