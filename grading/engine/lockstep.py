"""Trying a property on many inputs at once: all of them meet at each call, so that one message carries their calls."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tests.support.properties import Attempt, Property

from .checks import Checks
from .inputs import Inputs
from .remembering import Memory, Recalled
from .workers import Exchange, Replies

# Some checks ask for thousands of rows; a message with the calls of a few dozen inputs stays small.
INPUTS_AT_ONCE = 64


def replay(
    value: Property, batch: Sequence[Inputs], exchange: Exchange, seconds: float, memory: Memory | None = None
) -> list[Attempt]:
    """Try a property on every input of a batch within so many seconds in all.

    Each input's check stops at its calls; the calls of many travel together, and each check goes on with its own
    answer. After a call that nobody answered, the inputs not yet tried are left out.

    memory: what is known of this property on this very batch; checks need not run on replies that it knows.
    """
    end = time.monotonic() + seconds

    def left() -> float:
        return max(end - time.monotonic(), 0.0)

    told: list[_Conversation | Recalled] = []
    for start in range(0, len(batch), INPUTS_AT_ONCE):
        some = batch[start : start + INPUTS_AT_ONCE]
        # In two halves, so that one is judged here while the other is answered there.
        halves = [
            Recalled(value, half, exchange, left, memory, start + i)
            if memory is not None
            else _Conversation(value, half, exchange, left)
            for i, half in enumerate((some[: len(some) // 2], some[len(some) // 2 :]))
        ]
        _converse(halves)
        told += halves
        if time.monotonic() > end:
            break
    attempts = [attempt for half in told for attempt in half.attempts]
    if all(attempt.error is None for attempt in attempts):
        return attempts
    for half in told:  # beside a wrong answer the right ones tell something too
        if isinstance(half, Recalled):
            half.wake()
    return [attempt for half in told for attempt in half.attempts]


class _Conversation:
    """The messages about some inputs."""

    def __init__(self, value: Property, batch: Sequence[Inputs], exchange: Exchange, left: Callable[[], float]) -> None:
        self._value, self._batch, self._exchange, self._left = value, batch, exchange, left

    def begin(self) -> Callable[[], Replies] | None:
        """Post the first message; None if there is nothing to ask."""
        self._checks = Checks(self._value, self._batch)
        return self._post()

    def go_on(self, replies: Replies) -> Callable[[], Replies] | None:
        """Take the replies to the last message and post the next; None if that was the last."""
        self._checks.go_on(replies)
        return self._post()

    def _post(self) -> Callable[[], Replies] | None:
        return self._exchange.post(self._checks.calls, self._left()) if self._checks.calls else None

    @property
    def attempts(self) -> list[Attempt]:
        """What became of every input."""
        return self._checks.attempts


def _converse(halves: Sequence[_Conversation | Recalled]) -> None:
    """Have all conversations side by side, to their ends."""
    waiting: deque[tuple[Any, Callable[[], Any] | None]] = deque((half, half.begin()) for half in halves)
    while waiting:
        half, collect = waiting.popleft()
        if collect is not None:
            waiting.append((half, half.go_on(collect())))
