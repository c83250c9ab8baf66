"""Putting questions to one part, for a picture of its answers."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from grading.engine.calls import Answer, Call, CallFailed, Fault, Watch, Weights
from grading.engine.workers import Exchange
from tests.support.properties import Part

SECONDS = 10.0  # for all messages of a picture


class Asking:
    """Asks one part for a picture, all messages together within so many seconds."""

    def __init__(self, part: Part, exchange: Exchange, seconds: float = SECONDS) -> None:
        """Ask nothing yet; the time begins now."""
        self.part = part
        self._exchange, self._end = exchange, time.monotonic() + seconds

    def call(
        self, *arguments: Any, seed: int = 0, watch: Watch = "value", wrt: str = "", cotangent: Weights = None
    ) -> Call:
        """Return a call of the part; wrt: what to differentiate by, nothing where it is empty."""
        paths = (wrt,) if wrt else ()
        return Call(self.part.name, self.part.file, arguments, seed, watch, paths, cotangent)

    def answers(self, calls: Sequence[Call]) -> list[Answer]:
        """Send calls in one message and return the answer to each.

        Raises:
            CallFailed: one of them ended in a fault, or the time is over.
        """
        replies = self._exchange.post(calls, max(self._end - time.monotonic(), 0.0))()
        for reply in replies:
            if isinstance(reply, Fault):
                raise CallFailed(reply)
        return [replace(reply, value=_plain(reply.value)) for reply in replies if isinstance(reply, Answer)]

    def answer(self, *arguments: Any, **options: Any) -> Answer:
        """Make one call and return its answer; see `call` and `answers`."""
        return self.answers([self.call(*arguments, **options)])[0]


def _plain(value: Any) -> Any:
    """Take a value out of its graph, which it has where it was computed in this process."""
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return value if not isinstance(value, Tensor) else value.detach()


def column_of(gradient: Tensor | None, like: Tensor) -> Tensor:
    """Return the first entry of each row of a gradient as (batch,), nan where none came."""
    return like.flatten(1)[:, 0] * float("nan") if gradient is None else gradient.double().flatten(1)[:, 0]
