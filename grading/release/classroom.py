"""The starter for GitHub Classroom: what a class gets, and a workflow that judges each part at every push."""

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from pathlib import Path

from grading import rubric
from grading.engine.implementation import ROOT

from .files import filled
from .student import student
from .trees import Tree

WORKFLOW = ".github/workflows/classroom.yml"


def classroom(root: Path = ROOT) -> Tree:
    """Return the files of the starter, by path.

    Raises:
        ReleaseError: something that goes into it cannot be used, or holds an answer.
    """
    return {**student(root), WORKFLOW: workflow(root).encode()}


def workflow(root: Path = ROOT) -> str:
    """Return the workflow: a step for each part, with the part's points.

    The action that runs a step reads its points as a whole number and drops the rest, so all are multiplied.
    """
    points = {name: part.total for name, part in rubric.load(root / "grading" / "rubric.toml").parts.items()}
    times = multiplier(points.values())
    steps = [
        {"id": name.replace(".", "_"), "part": name, "score": round(worth * times)} for name, worth in points.items()
    ]
    return filled("classroom/classroom.yml", root, steps=steps, times=times)


def multiplier(points: Iterable[float]) -> int:
    """Return the smallest number by which points become whole.

    >>> multiplier([0.5, 2, 1.25])
    4
    """
    return lcm(*(Fraction(str(worth)).denominator for worth in points))
