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
from grading.judge import PROFILES, Judge, PartVerdict, Profile, Verdict
from grading.rubric import PartRubric, Rubric
from grading.selection import select
from grading.wording import TO_DO, Failure
from tests.support.properties import Part

from .living import Names, earlier, lent, replies
from .points import are_counted, points_of

KEPT_OUTPUT = 64 << 10
HIDDEN = "what it was tried on is kept from students"


@dataclass(frozen=True)
class Judged:
    """A part as it is told, the properties that hold with right helpers alone, and points earned and possible."""

    told: PartVerdict
    helped: Sequence[str]
    points: float
    possible: float


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
    named = _diagnosis(part, own, exchange) if any(_may_be_named(v, helped, worth) for v in own) else None
    beside = map(naming.beside_a_name, own) if named else own
    told = PartVerdict(part.name, [_told(v, worth) for v in beside], output.getvalue(), named)
    return Judged(told, helped, points_of(sum(worth.points[name] for name in counted)), points_of(worth.total))


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
    """Hide what the rubric keeps from students."""
    if verdict.failure is None or verdict.property not in worth.instructor_only or verdict.outcome == "todo":
        return verdict
    return msgspec.structs.replace(verdict, failure=Failure(HIDDEN))


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
