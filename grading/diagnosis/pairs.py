"""The numbers of one attempt: the answer and what was expected instead, and what else came back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grading.engine.calls import Answer, Call
from tests.support.closeness import WrongAnswer
from tests.support.properties import Attempt

from .sizes import Sizes, sizes_of

LARGEST = 10_000  # entries of an answer that are looked at
DIGITS = 1e-6


@dataclass(frozen=True)
class Pair:
    """A wrong answer and what was expected, of one shape and finite.

    sizes: of the call. beside: what came back with it, the other items or the gradients by other arguments.
    gradient: whether it is one.
    """

    answer: Tensor
    expected: Tensor
    sizes: Sizes
    beside: Sequence[Tensor]
    gradient: bool


def pair_of(attempt: Attempt) -> Pair | None:
    """Return the numbers of a wrong answer that came back as it stands, and is not computed from what came back."""
    error, last = attempt.error, attempt.topic.last
    if not isinstance(error, WrongAnswer) or error.relation != "expected" or last is None:
        return None
    answer, expected = numbers_in(error.answer), numbers_in(error.expected)
    if answer is None or expected is None or answer.shape != expected.shape or not answer.numel():
        return None
    call, reply = last
    came_back = list(_items(call, reply))
    beside = [item for item in came_back if not torch.equal(answer.flatten(), item.flatten())]
    if len(beside) == len(came_back) or _but_for_digits(answer, expected):
        return None
    return Pair(answer, expected, sizes_of(call), beside, bool(call.wrt))


def is_nearly_right(attempt: Attempt) -> bool:
    """Tell whether only the last digits of an answer are wrong, as its message says already."""
    error = attempt.error
    if not isinstance(error, WrongAnswer):
        return False
    answer, expected = numbers_in(error.answer), numbers_in(error.expected)
    if answer is None or expected is None or answer.shape != expected.shape or not answer.numel():
        return False
    return _but_for_digits(answer, expected)


def _but_for_digits(answer: Tensor, expected: Tensor) -> bool:
    return bool(((answer - expected).abs() <= DIGITS * (1 + expected.abs().max())).all())


def numbers_in(value: object) -> Tensor | None:
    """Return a tensor of not too many finite numbers in double precision; None for anything else."""
    if not isinstance(value, Tensor) or value.is_complex() or value.numel() > LARGEST:
        return None
    numbers = value.detach().double()
    return numbers if bool(numbers.isfinite().all()) else None


def _items(call: Call, reply: object) -> Iterator[Tensor]:
    """Yield the tensors that came back: the gradients where they were asked for, else what is in the value."""
    if isinstance(reply, Answer):
        value = reply.value if isinstance(reply.value, (tuple, list)) else (reply.value,)
        for item in reply.gradients if call.wrt else value:
            numbers = numbers_in(item)
            if numbers is not None:
                yield numbers


def held_in(attempts: Sequence[Attempt]) -> Iterator[tuple[Sizes, Tensor]]:
    """Yield the sizes of the last calls of attempts, and the numbers that came back."""
    for attempt in attempts:
        last = attempt.topic.last  # none where the reply was known to be right before
        if last is not None:
            yield sizes_of(last[0]), values_of(attempt)


def values_of(attempt: Attempt) -> Tensor:
    """Return all numbers that came back from the last call of an attempt, in a row."""
    items = [item.flatten() for item in _items(*attempt.topic.last)] if attempt.topic.last else []
    return torch.cat([torch.zeros(0, dtype=torch.float64), *items])
