"""Trying a property on many inputs at once: all of them meet at each call, so that one message carries their calls."""

import time
from collections.abc import Sequence

from greenlet import getcurrent, greenlet

from tests.support.properties import Attempt, Property, run_check

from .calls import Answer, Call, Fault
from .inputs import Inputs
from .workers import Exchange

# Some checks ask for thousands of rows; a message with the calls of a few dozen inputs stays small.
INPUTS_AT_ONCE = 64


def replay(value: Property, batch: Sequence[Inputs], exchange: Exchange, seconds: float) -> list[Attempt]:
    """Try a property on every input of a batch within so many seconds in all.

    Each input's check runs as a greenlet that stops at its calls; the calls of all travel together, and each check
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
    hub = getcurrent()

    def ask(call: Call) -> Answer | Fault:
        return hub.switch(call)

    checks = [greenlet(lambda inputs=inputs: run_check(value, ask, inputs)) for inputs in batch]
    # What a switch returns is the next call of a check, or its attempt when it has ended.
    state: list[Call | Attempt] = [check.switch() for check in checks]
    while waiting := [i for i, item in enumerate(state) if isinstance(item, Call)]:
        replies = exchange([state[i] for i in waiting], max(end - time.monotonic(), 0.0))  # type: ignore[misc]
        for i, reply in zip(waiting, replies, strict=True):
            state[i] = checks[i].switch(reply)
    return state  # type: ignore[return-value]
