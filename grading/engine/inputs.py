"""Drawing a property's inputs once from a seed, and looking for the smallest input that fails."""

import contextlib
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.internal.conjecture import providers

from tests.support.properties import Ask, Attempt, Property, run_check

from .calls import Answer, Call, CallFailed, Fault

Inputs = Mapping[str, Any]


def draw(value: Property, seed: int, count: int) -> list[Inputs]:
    """Return the edges of a property and then so many drawn inputs, the same ones for the same seed."""
    drawn: list[Inputs] = []
    _each_drawn(value, seed, count, (Phase.generate,), lambda inputs: drawn.append(inputs))
    return [*value.edges, *drawn]


def shrink(value: Property, failed: Attempt, ask: Ask, seed: int, count: int, seconds: float) -> Attempt:
    """Return the attempt with the smallest failing input that can be found in so many seconds, `failed` at worst."""
    best = failed
    end = time.monotonic() + seconds

    def ask_in_time(call: Call) -> Answer | Fault:
        if time.monotonic() > end:
            raise _Enough
        return ask(call)

    def attempt(inputs: Inputs) -> None:
        nonlocal best
        trial = run_check(value, ask_in_time, inputs)
        if trial.error is not None and not trial.todo and not unanswered(trial):
            best = trial
            raise trial.error

    if any(failed.inputs is edge for edge in value.edges):
        return failed  # an edge is as small as its author could make it
    try:
        _each_drawn(value, seed, count, (Phase.generate, Phase.shrink), attempt)
    except (_Enough, Exception):
        return best
    return best


def unanswered(attempt: Attempt) -> bool:
    """Whether a failure would be the same, or as slow, on any other input."""
    return isinstance(attempt.error, CallFailed) and attempt.error.fault.kind != "raised"


class _Enough(BaseException):
    """Ends a search: hypothesis lets pass what is no Exception."""


def _each_drawn(
    value: Property, seed: int, count: int, phases: tuple[Phase, ...], use: Callable[[Inputs], None]
) -> None:
    """Let hypothesis draw inputs from the seed and hand each to `use`."""
    if not value.inputs:
        return

    def test(**inputs: Any) -> None:
        use(inputs)

    settings = hypothesis.settings(
        max_examples=min(count, value.most or count),
        phases=phases,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
    )
    mixed = zlib.crc32(value.full_name.encode()) ^ seed
    with _no_constants_of_loaded_code():
        hypothesis.seed(mixed)(settings(hypothesis.given(**value.inputs)(test)))()


@contextlib.contextmanager
def _no_constants_of_loaded_code() -> Iterator[None]:
    """Keep hypothesis from drawing numbers that it finds in the source of whatever is imported at the time.

    Inputs would depend on that, a student's own file included, and hypothesis has no setting for it.
    """
    if not hasattr(providers, "_get_local_constants"):  # the versions that do not look there
        yield
        return
    constants = providers.Constants()
    with (
        mock.patch.object(providers, "_get_local_constants", return_value=constants),
        mock.patch.object(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(1024)),
    ):
        yield
