"""Every part with what it is worth and its state, which is judged anew each time and stored nowhere."""

from collections.abc import Sequence

import msgspec

from grading.engine.workers import Worker
from grading.judge import Judge, Outcome, PartVerdict
from grading.rubric import PartRubric, Rubric
from tests.support.properties import Part


class Listed(msgspec.Struct, frozen=True):
    """One part: problem number, file, state, points earned of points possible, and minutes it takes."""

    part: str
    problem: str
    file: str
    state: Outcome
    earned: float
    points: float
    minutes: int


def listing(parts: Sequence[Part], rubric: Rubric, judge: Judge, worker: Worker) -> list[Listed]:
    """Judge every part and count the points of the properties that hold."""
    return [_listed(part, rubric.parts[part.name], judge, worker) for part in parts]


def _listed(part: Part, worth: PartRubric, judge: Judge, worker: Worker) -> Listed:
    verdict = PartVerdict(part.name, list(judge.part(part, worker)))
    earned = sum(worth.points[v.property] for v in verdict.verdicts if v.outcome == "right")
    file = part.path_in(worker.directory)
    return Listed(part.name, worth.problem, file, verdict.outcome, earned, worth.total, worth.minutes)
