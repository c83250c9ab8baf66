"""Judging a part where its function lives: verdicts as `elbo check` shows them, points as `elbo grade` counts them."""

import functools
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial

import msgspec
import torch

from grading import rubric as rubrics
from grading.diagnosis import Diagnosis, naming
from grading.engine.workers import AtOnce, Exchange
from grading.judge import PROFILES, Judge, Outcome, PartVerdict, Profile, Verdict
from grading.resting import to_mend
from grading.rubric import PartRubric, Rubric
from grading.selection import select
from grading.wording import TO_DO, Failure
from tests.support.properties import Part

from .living import Names, earlier, lent, replies
from .points import are_counted, points_of
from .using import called, not_handed_in
from .words import in_notebook

KEPT_OUTPUT = 64 << 10
HIDDEN = "what it was tried on is kept from students"


@dataclass(frozen=True)
class Judged:
    """A part as it is told, the properties that hold with right helpers alone, and points earned and possible.

    first: what is to be mended before it, "" for nothing. note: what will cost it.
    """

    told: PartVerdict
    helped: Sequence[str]
    points: float
    possible: float
    first: str = ""
    note: str = ""


class _Output(io.StringIO):
    """The beginning of what a student's code prints: in a graded cell, a warning on stderr would cost all points."""

    def write(self, text: str) -> int:
        if self.tell() < KEPT_OUTPUT:
            super().write(text[:KEPT_OUTPUT])
        return len(text)


def judge_part(part: Part, names: Names) -> Judged:
    """Judge a part with the notebook's own helpers, and what does not hold once more with the reference's.

    Unlike `elbo grade`, this is the process of the code that is judged: good for a look and for honest hand-ins.
    """
    rubric, judge = _rubric(), _judge(_profile())
    exchange = AtOnce(partial(replies, names))
    with _apart() as output:
        own = list(judge.part(part, exchange))
        helped = _judge_again(part, own, names, judge)
    counted = [v.property for v in own if v.outcome == "right" or v.property in helped]
    worth = rubric.parts[part.name]
    first = to_mend(called(names, part), partial(_outcome, exchange)) if PartVerdict("", own).outcome == "wrong" else ""
    by_itself = not first and any(_may_be_named(v, helped, worth) for v in own)
    named = _diagnosis(part, own, exchange) if by_itself else None
    beside = map(naming.beside_a_name, own) if named else own
    told = PartVerdict(part.name, [_told(v, worth) for v in beside], output.getvalue(), named)
    points = points_of(sum(worth.points[name] for name in counted))
    return Judged(told, helped, points, points_of(worth.total), first, not_handed_in(names, part))


def _outcome(exchange: Exchange, part: Part) -> Outcome:
    """Judge a part that another calls; nobody looks at its failures, which need not be the smallest."""
    with _apart():
        judge = _judge(replace(PROFILES["student"], shrink_seconds=0))
        return PartVerdict(part.name, list(judge.part(part, exchange))).outcome


def _judge_again(part: Part, own: Sequence[Verdict], names: Names, judge: Judge) -> list[str]:
    """Return the properties that hold only if the parts before this one are the reference's."""
    failed = {verdict.property for verdict in own if verdict.outcome != "right"}
    if not failed or all(v.failure is not None and v.failure.message == TO_DO for v in own):
        return []
    right = earlier(part, select((), _rubric()))
    if not right:
        return []
    exchange, end = AtOnce(partial(replies, names)), time.monotonic() + judge.profile.part_seconds
    held = []
    with lent(names, right):
        for value in (value for value in part.properties if value.name in failed):
            seconds = min(judge.profile.property_seconds, end - time.monotonic())
            if seconds > 0 and judge.judge(value, judge.inputs(value), exchange, seconds).outcome == "right":
                held.append(value.name)
    return held


def _told(verdict: Verdict, worth: PartRubric) -> Verdict:
    """Tell a failure in the words of a notebook, and hide what the rubric keeps from students."""
    if verdict.failure is None:
        return verdict
    if verdict.property in worth.instructor_only and verdict.outcome != "todo":
        return msgspec.structs.replace(verdict, failure=Failure(HIDDEN))
    said, remark = in_notebook(verdict.failure.message), in_notebook(verdict.failure.remark)
    return msgspec.structs.replace(
        verdict, failure=msgspec.structs.replace(verdict.failure, message=said, remark=remark)
    )


def _may_be_named(verdict: Verdict, helped: Sequence[str], worth: PartRubric) -> bool:
    """Tell whether a property fails by the part's own fault, and not one that is kept from students."""
    secret = verdict.property in helped or verdict.property in worth.instructor_only
    return verdict.outcome == "wrong" and not secret


def _diagnosis(part: Part, own: list[Verdict], exchange: Exchange) -> Diagnosis | None:
    with _apart():
        return naming.diagnosed(part, PartVerdict(part.name, own), exchange).diagnosis


@contextmanager
def _apart() -> Iterator[_Output]:
    """Keep what is printed, and leave torch's generator as it was."""
    output = _Output()
    with torch.random.fork_rng(devices=[]), redirect_stdout(output), redirect_stderr(output):
        yield output


def _profile() -> Profile:
    """Return how hard to look: as `elbo grade` does while nbgrader grades, else as `elbo check` does."""
    if not are_counted():
        return PROFILES["student"]
    return replace(PROFILES["grade"], inputs=_rubric().grading.inputs, shrink_seconds=0)


@functools.cache
def _judge(profile: Profile) -> Judge:
    return Judge(profile)


@functools.cache
def _rubric() -> Rubric:
    return rubrics.load()


def parts_named(name: str) -> list[Part]:
    """Return the part of a name, or the parts of a topic.

    Raises:
        UnknownPart: it is neither.
    """
    return select([name], _rubric())
