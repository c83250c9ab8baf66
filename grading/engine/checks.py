"""The checks of some inputs of a property, each a greenlet that stops at its calls so that many are asked at once."""

from collections.abc import Sequence

from greenlet import getcurrent, greenlet

from tests.support.properties import Attempt, Property, run_check

from .calls import Answer, Call, Fault
from .inputs import Inputs


class Checks:
    """Checks that have gone as far as their next calls; those without one have ended in an attempt."""

    def __init__(self, value: Property, batch: Sequence[Inputs]) -> None:
        """Run every check to its first call."""
        hub = getcurrent()

        def ask(call: Call) -> Answer | Fault:
            return hub.switch(call)

        self._greenlets = [greenlet(lambda inputs=inputs: run_check(value, ask, inputs)) for inputs in batch]
        # What a switch returns is a call, or the attempt.
        self._states: list[Call | Attempt] = [check.switch() for check in self._greenlets]

    @property
    def calls(self) -> list[Call]:
        """The calls that wait for replies; none where all checks have ended."""
        return [state for state in self._states if isinstance(state, Call)]

    @property
    def attempts(self) -> list[Attempt]:
        """What the checks that have ended found."""
        return [state for state in self._states if isinstance(state, Attempt)]

    def go_on(self, replies: Sequence[Answer | Fault]) -> None:
        """Resume the checks that wait, each with its own reply."""
        waiting = [i for i, state in enumerate(self._states) if isinstance(state, Call)]
        for i, reply in zip(waiting, replies, strict=True):
            self._states[i] = self._greenlets[i].switch(reply)
