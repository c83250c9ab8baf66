"""The report and the runs beside a notebook, judged as `elbo grade` judges them, where the reference is at hand."""

import functools
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from exercises.experiments import runs
from exercises.experiments.runs import RunError
from grading import rubric as rubrics
from grading.engine.implementation import ROOT, Implementation
from grading.engine.worker import reply
from grading.engine.workers import AtOnce
from grading.intake import take
from grading.intake.taking import read_report
from grading.judge import PROFILES, Judge
from grading.pack.report import Answered
from grading.pack.report import answered as read_answers
from grading.records import AnswerRecord, RunRecord
from grading.selection import select
from grading.written import answer_records, sections

REFERENCE = ROOT / "solutions"  # which a student's kit has not
GAME = "dirac"  # the experiment that is measured by playing it again


def has_reference() -> bool:
    """Tell whether this kit can measure: a student's has nothing to measure with."""
    return REFERENCE.is_dir()


def read_so_far(question: str) -> Answered | None:
    """Read the answers to a question in this directory's report; None where there is nothing of it."""
    rubric, text = rubrics.load(), _report()
    return next((each for each in read_answers(text, rubric) if each.question == question), None) if text else None


def answered(question: str) -> list[AnswerRecord]:
    """Judge the answers to a question in report.ipynb or report.md of this directory.

    Raises:
        IntakeError: what is handed in cannot be read.
    """
    rubric = rubrics.load()
    found = sections(_report(), rubric)
    wanted = rubric.questions[question].answers
    given = found[question].answers if question in found else {}
    claims = {answer.claim for name, answer in wanted.items() if name in given and answer.claim}
    measured = [run for name in {rubric.claims[claim].experiment for claim in claims} for run in measured_runs(name)]
    return [record for record in answer_records(found, measured, rubric) if record.question == question]


def _report() -> str:
    return read_report(Path.cwd()).get("report.md", b"").decode(errors="replace")


@functools.cache
def measured_runs(experiment: str) -> list[RunRecord]:
    """Measure the runs of an experiment in this directory, once.

    Raises:
        IntakeError: what is handed in cannot be read.
    """
    from grading.evidence import measure  # which takes seconds to import, and of most notebooks nothing is measured

    into, found = _taken()
    chosen = [name for name in found if _experiment(into / name) == experiment]
    working = _working(into / "implementation") if chosen and experiment == GAME else set()
    return [measure(into, name, "", 0, working) for name in chosen]


@functools.cache
def _taken() -> tuple[Path, tuple[str, ...]]:
    """Take what stands beside the notebook; return where it lies until this process ends, and the runs in it."""
    into = Path(_place().name)
    return into, take(Path.cwd(), into).runs


@functools.cache
def _place() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="elbo-")


def _experiment(path: Path) -> object:
    try:
        return runs.read(path).config.get("experiment")
    except RunError:
        return None


def _working(directory: Path) -> set[str]:
    """Return the parts that a game may be played with: those that earn more than half of their points."""
    rubric, judge, implementation = rubrics.load(), Judge(PROFILES["student"]), Implementation(directory)
    exchange = AtOnce(lambda calls, _: list(map(partial(reply, implementation), calls)))
    working = set()
    for part in select(["gan"], rubric):
        worth = rubric.parts[part.name]
        earned = sum(worth.points[v.property] for v in judge.part(part, exchange) if v.outcome == "right")
        working |= {part.name} if earned > worth.total / 2 else set()
    return working


def possible(experiments: Iterable[str]) -> float:
    """Return what the claims of experiments are worth."""
    claims = rubrics.load().claims.values()
    return sum(claim.points for claim in claims if claim.experiment in experiments)
