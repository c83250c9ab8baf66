"""Judging parts: replay every property's inputs against an implementation, and say what failed and on what."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from grading.diagnosis import Diagnosis
from grading.diagnosis.asked import asks_others
from grading.engine.calls import Answer, Call, Fault
from grading.engine.inputs import Inputs, draw, shrink, unanswered
from grading.engine.lockstep import replay
from grading.engine.remembering import Memory
from grading.engine.workers import Exchange
from tests.support.properties import Attempt, Part, Property

from .wording import TO_DO, Failure, describe, tensors_of

Outcome = Literal["right", "wrong", "todo"]


@dataclass(frozen=True)
class Profile:
    """How hard to look: inputs for each property, seconds for a property, for a whole part, and for shrinking."""

    inputs: int
    property_seconds: float
    part_seconds: float
    shrink_seconds: float


PROFILES = {
    "student": Profile(inputs=25, property_seconds=5, part_seconds=8, shrink_seconds=0.5),
    "grade": Profile(inputs=200, property_seconds=20, part_seconds=60, shrink_seconds=2),
}


class Verdict(msgspec.Struct, frozen=True):
    """The outcome of one property, on so many inputs, in so many seconds."""

    property: str
    aspect: str
    sentence: str
    outcome: Outcome
    inputs: int
    seconds: float
    failure: Failure | None = None


class PartVerdict(msgspec.Struct, frozen=True):
    """The outcomes of a part's properties, what the part's code printed meanwhile, and the mistake it looks like."""

    part: str
    verdicts: list[Verdict]
    printed: str = ""
    diagnosis: Diagnosis | None = None

    @property
    def outcome(self) -> Outcome:
        """Wrong if a property is, todo if one is and none is wrong, else right."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        return "wrong" if "wrong" in outcomes else "todo" if "todo" in outcomes else "right"


class Judge:
    """Judges parts with inputs that are drawn once from a seed and kept for every implementation and every save."""

    def __init__(self, profile: Profile, seed: int = 0, memory: Memory | None = None) -> None:
        """Draw nothing yet; with a memory, of this judge's inputs alone, known replies are not judged again."""
        self.profile, self.seed, self.memory = profile, seed, memory
        self._drawn: dict[str, list[Inputs]] = {}

    def take(self, inputs: Mapping[str, list[Inputs]]) -> None:
        """Take inputs of properties, by name, that were drawn elsewhere from this seed."""
        self._drawn.update(inputs)

    def inputs(self, value: Property) -> list[Inputs]:
        """Return the inputs of a property, drawn at the first time of asking."""
        if value.full_name not in self._drawn:
            self._drawn[value.full_name] = draw(value, self.seed, self.profile.inputs)
        return self._drawn[value.full_name]

    def part(self, part: Part, exchange: Exchange, seconds: float = math.inf, begin: int = 0) -> Iterator[Verdict]:
        """Judge the properties of a part one after another, each within its deadline and all within the part's.

        seconds: where they are bounded, properties that no time is left for are left out. begin: the first one.
        """
        left = min(self.profile.part_seconds, seconds)
        todo: Verdict | None = None
        held = False
        values: set[Outcome] = set()
        for value in part.properties[begin:]:
            if todo is not None:  # what is not written yet need not be asked again
                yield msgspec.structs.replace(todo, property=value.name, aspect=value.aspect, sentence=value.sentence)
                continue
            if left <= 0 and seconds < math.inf:
                return
            inputs = self.inputs(value)  # drawing is not on the student's clock
            start = time.monotonic()
            deadline = min(self.profile.property_seconds, max(left, 0.5))
            verdict = self.judge(value, inputs, exchange, deadline, self.memory)
            left -= time.monotonic() - start
            if held and _is_todo_itself(verdict):
                verdict = _partly_written(verdict)
            if value.aspect == "gradient" and verdict.outcome == "wrong" and values == {"right"}:
                verdict = _of_right_values(part, verdict)
            if value.aspect not in ("gradient", "cost") and not _is_of_a_gradient(verdict):
                values.add(verdict.outcome)
            held |= verdict.outcome == "right"
            # Where others hold, one that waits for another part says nothing of those that do not.
            todo = verdict if verdict.outcome == "todo" and not held else None
            yield verdict

    def judge(
        self,
        value: Property,
        inputs: Sequence[Inputs],
        exchange: Exchange,
        seconds: float,
        memory: Memory | None = None,
    ) -> Verdict:
        """Judge one property on the given inputs; memory: of this property on these very inputs."""
        start = time.monotonic()
        attempts = replay(value, inputs, exchange, seconds, memory)
        failed = _worst(attempts)
        outcome: Outcome = "right" if failed is None else "todo" if failed.todo else "wrong"
        if failed is not None and outcome == "wrong" and self.profile.shrink_seconds and not unanswered(failed):
            failed = self._shrink(value, failed, exchange)
        return Verdict(
            property=value.name,
            aspect=value.aspect,
            sentence=value.sentence,
            outcome=outcome,
            inputs=len(attempts),
            seconds=time.monotonic() - start,
            failure=None if failed is None else describe(failed, attempts),
        )

    def _shrink(self, value: Property, failed: Attempt, exchange: Exchange) -> Attempt:
        seconds = self.profile.shrink_seconds

        def ask(call: Call) -> Answer | Fault:
            return exchange.post([call], seconds)()[0]

        return shrink(value, failed, ask, self.seed, self.profile.inputs, seconds)


def _is_todo_itself(verdict: Verdict) -> bool:
    """Tell whether a property found its own function still to be written, and not another that it waits for."""
    return verdict.outcome == "todo" and verdict.failure is not None and verdict.failure.message == TO_DO


def _partly_written(verdict: Verdict) -> Verdict:
    """Call a property wrong where the function is written, as others hold, but not for its inputs."""
    failure = verdict.failure and msgspec.structs.replace(
        verdict.failure, message=f"{verdict.failure.message} for inputs such as these: it raises NotImplementedError"
    )
    return msgspec.structs.replace(verdict, outcome="wrong", failure=failure)


def _is_of_a_gradient(verdict: Verdict) -> bool:
    """Tell whether a property that is also of gradients failed by one of these."""
    return verdict.failure is not None and "gradient" in verdict.failure.message


def _of_right_values(part: Part, verdict: Verdict) -> Verdict:
    """Say of a wrong gradient that the values it belongs to are right."""
    if asks_others(part):  # that may be wrong in the same way as the values
        return verdict
    said = verdict.failure.remark if verdict.failure else ""
    remark = f"{said}; the values are right" if said else "the values are right, only their gradient is not"
    failure = verdict.failure and msgspec.structs.replace(verdict.failure, remark=remark)
    return msgspec.structs.replace(verdict, failure=failure)


def _worst(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the smallest wrong attempt, else the first that is still to be written, else none."""
    failed = [a for a in attempts if a.error is not None]
    wrong = [a for a in failed if not a.todo]
    return min(wrong, key=_size) if wrong else failed[0] if failed else None


def _size(attempt: Attempt) -> int:
    """Count the numbers in an attempt's inputs: of several failures the smallest is the one to look at."""
    return sum(tensor.numel() for value in attempt.inputs.values() for tensor in tensors_of(value))
