"""Handing in functions that were written for something else as parts, to see what they earn."""

import contextlib
import gc
import importlib
import io
import re
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from types import FrameType
from typing import Any

from torch import Tensor

from grading import rubric
from grading.catalogue import all_parts
from grading.engine.answering import answer
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import Implementation, locate
from grading.engine.lockstep import replay
from grading.engine.worker import reply
from grading.engine.workers import AtOnce
from grading.judge import Judge, Profile
from grading.release.student import student
from tests.kit.copied import Found, Function, as_part, functions
from tests.support.properties import PARTS, Part, run_check

# What earns much with few inputs is judged again with as many as a student sees.
FEW, MANY = (Judge(Profile(inputs, 0, 0, 0)) for inputs in (2, 25))
SECONDS = 0.5  # for an answer, and ten times that for a property: what hangs is none
# The files that compute. Those that start and end processes are no place for a test to call everything in.
COMPUTES, DANGEROUS = re.compile(r"torch|numpy"), re.compile(r"^import (os|signal|socket|subprocess)", re.MULTILINE)


class Late(BaseException):
    """The time of a call is over; no `except Exception` catches it."""


def files() -> dict[str, str]:
    """Return the text of each file of the student release in which a function may answer a part, by path."""
    texts = {
        path: content.decode()
        for path, content in student().items()
        if path.endswith(".py") and not path.startswith("exercises/")
    }
    return {path: text for path, text in texts.items() if COMPUTES.search(text) and not DANGEROUS.search(text)}


def share(function: Function, part: Part) -> float:
    """Return the share of its points that a function earns as a part; 0 where it can no more be half of them."""
    if not any(_looks_alike(function, call, shape) for call, shape in _questions(part.name)):
        return 0.0
    few = _share(function, part, FEW)
    return few if few < 0.5 else _share(function, part, MANY)


def _share(function: Function, part: Part, judge: Judge) -> float:
    implementation = Implementation(locate("solutions"))
    implementation.replace(part.name, function)
    exchange = AtOnce(lambda calls, seconds: [reply(implementation, call) for call in calls])
    points = rubric_points()[part.name]
    lost = 0.0
    for value in part.properties:
        inputs = judge.inputs(value)
        attempts = within(10 * SECONDS, partial(replay, value, inputs, exchange, 1e9)) or []
        if not attempts or any(attempt.error for attempt in attempts):
            lost += points[value.name]
        if lost > sum(points.values()) / 2:
            return 0.0
    return 1 - lost / sum(points.values())


@cache
def rubric_points() -> dict[str, dict[str, float]]:
    """Return the points of each property, by part."""
    return {name: part.points for name, part in rubric.load().parts.items()}


@cache
def _questions(name: str) -> list[tuple[Call, Any]]:
    """Return some calls that properties make of a part, and what an answer looks like."""
    part, implementation = PARTS[name], Implementation(locate("solutions"))
    found: list[tuple[Call, Any]] = []

    def ask(call: Call) -> Answer | Fault:
        answered = reply(implementation, call)
        if call.part == name and isinstance(answered, Answer):
            found.append((replace(call, watch="value", wrt=(), cotangent=None), _shape(answered.value)))
        return answered

    firsts = []
    for value in part.properties:
        found.clear()
        run_check(value, ask, FEW.inputs(value)[-1])
        firsts += found[:1]
    return firsts[:4]


def _looks_alike(function: Function, call: Call, shape: Any) -> bool:
    """Tell whether a function answers a call with tensors of the shapes that an answer has."""
    try:
        answered = within(SECONDS, lambda: answer(function, call, False))
    except Exception:
        return False
    return answered is not None and _shape(answered.value) == shape


def _shape(value: Any) -> Any:
    """Say what an answer is made of."""
    if isinstance(value, (tuple, list)):
        return tuple(map(_shape, value))
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what a call returns, None where it takes longer; in the main thread."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, end)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)  # again and again: something may swallow the first
        return call()
    except Late:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def answering(paths: Sequence[str]) -> list[tuple[str, str, float]]:
    """Return the functions of files of the student release that earn half of a part's points: where, part, share.

    For a process of its own: who calls everything changes more than results.
    """
    texts = files()
    names = {path: path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths}
    # All are imported before any is called: an import whose time is over would leave half a module behind.
    modules = {path: importlib.import_module(name) for path, name in names.items()}
    for part in all_parts():
        _questions(part.name)
    gc.callbacks.clear()  # of hypothesis, which would swallow that the time of a call is over
    found = []
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for path, module in modules.items():
            found += list(earning(functions(path, texts[path], vars(module))))
    return found


def earning(all_found: Iterator[Found]) -> Iterator[tuple[str, str, float]]:
    """Yield those of some functions that earn half of a part's points: where, part, share."""
    for one in all_found:
        function = one.copied()
        for part in all_parts():
            earned = max((share(each, part) for each in as_part(function, one.free, part)), default=0.0)
            if earned >= 0.5:
                yield one.where, part.name, earned
