"""What arithmetic works on: the numbers of wrong answers and of what was expected instead, of all inputs at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from .pairs import DIGITS, Pair
from .sizes import Sizes

FEWEST = 3  # wrong answers
IN_NATS = {
    "vae.log_likelihood_normal",
    "vae.log_likelihood_bernoulli",
    "vae.log_mean_exp",
    "vae.kl_gaussian_gaussian_analytic",
    "vae.kl_gaussian_gaussian_mc",
    "vae.elbo",
    "vae.importance_log_likelihood",
    "gan.jsd",
    "flows.log_density",
    "flows.negative_log_likelihood",
    "flows.reverse_kl",
    "flows.flow_elbo",
}


@dataclass(frozen=True)
class Evidence:
    """The wrong answers to one property, and of the right ones the sizes of the call and the numbers that came back.

    part: whose property it is.
    """

    pairs: Sequence[Pair]
    held: Sequence[tuple[Sizes, Tensor]]
    part: str

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
        return _different(self.expected) > 1

    @cached_property
    def may_be_bits(self) -> bool:
        """Whether the answers are logarithms, for inputs of which really different ones are expected."""
        largest = torch.stack([pair.expected.abs().max() for pair in self.pairs])
        return self.are_logarithms and _different(largest) >= FEWEST

    @cached_property
    def are_logarithms(self) -> bool:
        """Whether the answers are nats; of their gradients, and of points beside them, log 2 is a number by chance."""
        return self.part in IN_NATS and not any(pair.gradient for pair in self.pairs)

    def few_held(self, allows: Callable[[Sizes, Tensor], bool]) -> bool:
        """Tell whether hardly a right answer speaks against a reading; a check may look at only some of its inputs."""
        return sum(not allows(sizes, value) for sizes, value in self.held) <= len(self.pairs) / 10


def _different(numbers: Tensor) -> int:
    """Count numbers that differ in more than their digits, and not by their sign alone, beside 0."""
    sizes = numbers.abs().sort().values
    sizes = sizes[sizes > DIGITS * sizes[-1:]]
    return int(((sizes[1:] - sizes[:-1]) > 1e-3 * sizes[1:]).sum()) + min(len(sizes), 1)
