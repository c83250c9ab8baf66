"""The functions of a notebook where they live: in this process, under the names that its cells gave them."""

import difflib
import functools
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from grading.engine.answering import answer
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import ROOT, Implementation, fault_of
from tests.support.properties import PARTS, Part

Names = dict[str, Any]


class TookTooLong(BaseException):
    """Ends a call whose time is up; no `except Exception` of a student's stops it."""


def replies(names: Names, calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
    """Answer calls with the functions that have these names, within so many seconds where the system has a clock."""
    answers: list[Answer | Fault] = []
    start = time.monotonic()
    with suppress(TookTooLong), time_limit(seconds):
        for call in calls:
            answers.append(_reply(names, call))
    late = Fault("silent", "TimeoutError", f"no answer within {time.monotonic() - start:.1f} seconds")
    return answers + [late] * (len(calls) - len(answers))


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TookTooLong after so many seconds; without signals, or beside the main thread, nothing is bounded."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _reply(names: Names, call: Call) -> Answer | Fault:
    function = names.get(call.part.split(".")[1])
    if not callable(function):
        return _missing(names, call.part.split(".")[1])
    try:
        return answer(function, call)
    except (KeyboardInterrupt, TookTooLong):
        raise
    except BaseException as error:  # a student's function may raise anything, SystemExit included
        return _fault(names, call, error)


def _missing(names: Names, name: str) -> Fault:
    own = [key for key, value in names.items() if callable(value) and not key.startswith("_")]
    near = difflib.get_close_matches(name, own, 1, 0.7)
    hint = f"; the nearest name is {near[0]}: was it renamed?" if near else "; run the cell that defines it"
    return Fault("missing", "NameError", f"there is no function {name} in this notebook{hint}")


def _fault(names: Names, call: Call, error: BaseException) -> Fault:
    """Describe an exception by the last line of the notebook's own that it passed."""
    fault = replace(fault_of(error, ROOT), where="")
    own = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_globals is names]
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_globals is names]
    if not own:
        return fault
    part = f"{call.part.split('.')[0]}.{own[-1].f_code.co_name}"
    if fault.error == "NotImplementedError" and not fault.message and part in PARTS:
        fault = replace(fault, message=f"{part} is still to be written")  # nbgrader's stubs do not say whose they are
    return replace(fault, where=f"{_cell(own[-1].f_code.co_filename)}, line {lines[-1]}")


def _cell(filename: str) -> str:
    """Name a cell as the notebook does, In [3], or else the file."""
    with suppress(Exception):  # another front end than IPython's, or another version of it
        kind, number = sys.modules["IPython"].get_ipython().compile.format_code_name(filename)
        return f"{kind.lower()} {number}"
    return Path(filename).name


@contextmanager
def lent(names: Names, right: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Let right functions stand in for those of the notebook, under whatever names it has them, and then no longer."""
    own = {id(names[name]): function for name, function in right.items() if name in names}
    wanted = {name: own[id(value)] for name, value in names.items() if callable(value) and id(value) in own}
    before = dict(names)
    names.update({**wanted, **right})
    try:
        yield
    finally:
        for name in {**wanted, **right}:
            if name in before:
                names[name] = before[name]
            else:
                names.pop(name, None)


def earlier(part: Part, parts: Sequence[Part]) -> dict[str, Callable[..., Any]]:
    """Return the reference's functions, by name, of the parts that come before one in its topic.

    There are none where the kit has no solutions, as a student's has not.
    """
    solutions = _solutions()
    if solutions is None:
        return {}
    before = parts[: [other.name for other in parts].index(part.name)]
    lent = (other for other in before if other.topic == part.topic)
    return {other.name.split(".")[1]: solutions.function(other.name, other.file) for other in lent}


@functools.cache
def _solutions() -> Implementation | None:
    return Implementation(ROOT / "solutions") if (ROOT / "solutions").is_dir() else None
