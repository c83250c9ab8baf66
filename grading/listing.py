"""Every part with what it is worth and its state, which is judged anew each time and stored nowhere."""

from collections.abc import Sequence

import msgspec

from grading.engine.workers import Worker
from grading.judge import Judge, Outcome, PartVerdict
from grading.rubric import Rubric
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
    verdicts = [PartVerdict(part.name, list(judge.part(part, worker))) for part in parts]
    files = [part.path_in(worker.directory) for part in parts]
    return [row_of(verdict, file, rubric) for verdict, file in zip(verdicts, files, strict=True)]


def row_of(verdict: PartVerdict, file: str, rubric: Rubric) -> Listed:
    """Count the points of a part that was judged; file: where it is told to stand."""
    worth = rubric.parts[verdict.part]
    earned = sum(worth.points[v.property] for v in verdict.verdicts if v.outcome == "right")
    return Listed(verdict.part, worth.problem, file, verdict.outcome, earned, worth.total, worth.minutes)
