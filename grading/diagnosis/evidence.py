"""What arithmetic works on: the numbers of wrong answers and of what was expected instead, of all inputs at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

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


@dataclass(frozen=True)
class Evidence:
    """The wrong answers to one property, and of the right ones the sizes of the call and the numbers that came back."""

    pairs: Sequence[Pair]
    held: Sequence[tuple[Sizes, Tensor]]

    @cached_property
    def answer(self) -> Tensor:
        """All entries of the wrong answers, (n,)."""
        return torch.cat([pair.answer.flatten() for pair in self.pairs])

    @cached_property
    def expected(self) -> Tensor:
        """What was expected of each entry, (n,)."""
        return torch.cat([pair.expected.flatten() for pair in self.pairs])

    @cached_property
    def scale(self) -> Tensor:
        """For each entry the largest number that was expected beside it, (n,)."""
        return self.spread([float(pair.expected.abs().max()) for pair in self.pairs])

    @cached_property
    def counts(self) -> Tensor:
        """The number of entries of each answer."""
        return torch.tensor([pair.answer.numel() for pair in self.pairs])

    def spread(self, values: Sequence[float]) -> Tensor:
        """Repeat a number of each answer for all of its entries."""
        return torch.tensor(values, dtype=torch.float64).repeat_interleave(self.counts)

    def equal(self, candidate: Tensor) -> bool:
        """Tell whether the answers are these numbers, as far as rounding goes."""
        close = (self.answer - candidate).abs() <= DIGITS * candidate.abs() + 1e-9 * self.scale
        return bool((close & candidate.isfinite()).all())

    def begins_with(self, factor: float, more: float = 0.0) -> bool:
        """Tell whether the first entry may be so many times what is expected, and so much more: that is soon known."""
        answer, expected, scale = self.first
        room = 10 * DIGITS * (abs(factor * expected) + abs(more)) + 1e-8 * scale
        return abs(answer - factor * expected - more) <= room

    @cached_property
    def first(self) -> tuple[float, float, float]:
        """The first entries of answer, expected and scale."""
        return float(self.answer[0]), float(self.expected[0]), float(self.scale[0])

    @cached_property
    def various(self) -> bool:
        """Whether different numbers were expected beside 0: of a single one every answer is a multiple."""
        sizes = self.expected.abs()
        others = sizes[sizes > DIGITS * sizes.max()]
        return bool(((others - others[:1]) > 1e-3 * others).any() | ((others[:1] - others) > 1e-3 * others).any())

    def few_held(self, allows: Callable[[Sizes, Tensor], bool]) -> bool:
        """Tell whether hardly a right answer speaks against a reading; a check may look at only some of its inputs."""
        return sum(not allows(sizes, value) for sizes, value in self.held) <= len(self.pairs) / 10


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
