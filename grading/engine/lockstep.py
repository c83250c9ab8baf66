"""Trying a property on many inputs at once: all of them meet at each call, so that one message carries their calls."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from greenlet import getcurrent, greenlet

from tests.support.properties import Attempt, Property, run_check

from .calls import Answer, Call, Fault
from .inputs import Inputs
from .workers import Exchange, Replies

# Some checks ask for thousands of rows; a message with the calls of a few dozen inputs stays small.
INPUTS_AT_ONCE = 64


def replay(value: Property, batch: Sequence[Inputs], exchange: Exchange, seconds: float) -> list[Attempt]:
    """Try a property on every input of a batch within so many seconds in all.

    Each input's check runs as a greenlet that stops at its calls; the calls of many travel together, and each check
    goes on with its own answer. After a call that nobody answered, the inputs not yet tried are left out.
    """
    end = time.monotonic() + seconds
    attempts: list[Attempt] = []
    for start in range(0, len(batch), INPUTS_AT_ONCE):
        attempts += _together(value, batch[start : start + INPUTS_AT_ONCE], exchange, end)
        if time.monotonic() > end:
            break
    return attempts


def _together(value: Property, batch: Sequence[Inputs], exchange: Exchange, end: float) -> list[Attempt]:
    """Try a few dozen inputs in two halves, so that one is judged here while the other is answered there."""
    hub = getcurrent()

    def ask(call: Call) -> Answer | Fault:
        return hub.switch(call)

    checks = [greenlet(lambda inputs=inputs: run_check(value, ask, inputs)) for inputs in batch]
    state: list[Call | Attempt | None] = [None] * len(batch)
    posted: deque[tuple[list[int], Callable[[], Replies]]] = deque()

    def go_on(indices: Sequence[int], replies: Sequence[Answer | Fault | None]) -> None:
        """Resume checks, and post the calls that they come to; what a switch returns is a call, or the attempt."""
        for i, reply in zip(indices, replies, strict=True):
            state[i] = checks[i].switch() if reply is None else checks[i].switch(reply)
        asking = [i for i in indices if isinstance(state[i], Call)]
        if asking:
            posted.append((asking, exchange.post([state[i] for i in asking], max(end - time.monotonic(), 0.0))))  # type: ignore[misc]

    half = len(batch) // 2
    for indices in (range(half), range(half, len(batch))):
        go_on(indices, [None] * len(indices))
    while posted:
        asking, collect = posted.popleft()
        go_on(asking, collect())
    return state  # type: ignore[return-value]
