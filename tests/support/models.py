"""Given objects that a property hands to a student's function, described by numbers so that they can travel.

Each is a frozen dataclass of tensors and numbers. `build()` makes the callable that the function receives, and that
callable notes in `asked` every tensor it was called with. No expected value lives here.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


class Asked:
    """A callable that notes what it was called with and could answer."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        self.function = function
        self.asked: list[Tensor] = []

    def __call__(self, argument: Tensor) -> Any:
        answer = self.function(argument)
        self.asked.append(argument.detach().clone())  # what it refused is not noted
        return answer


@dataclass(frozen=True)
class _Given:
    """Numbers that describe a callable."""

    def fields(self) -> list[Any]:
        return [getattr(self, field.name) for field in dataclasses.fields(self)]

    def build(self) -> Asked:
        return Asked(self)  # type: ignore[arg-type]


@dataclass(frozen=True)
class LinearEncoder(_Given):
    """q(z | x) = N(weight x + bias, diag exp(logvar)): weight (L, d), bias and logvar (L,)."""

    weight: Tensor
    bias: Tensor
    logvar: Tensor

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu = x @ self.weight.T + self.bias
        return mu, self.logvar.expand_as(mu)


@dataclass(frozen=True)
class NormalLikelihood:
    """p(x | z) = N(mean, variance I) for each row."""

    mean: Tensor
    variance: float

    def log_prob(self, x: Tensor) -> Tensor:
        """Return (batch,) nats."""
        terms = math.log(2 * math.pi * self.variance) + (x - self.mean) ** 2 / self.variance
        return -0.5 * terms.sum(-1)


@dataclass(frozen=True)
class LinearDecoder(_Given):
    """p(x | z) = N(weight z + bias, variance I): weight (d, L), bias (d,)."""

    weight: Tensor
    bias: Tensor
    variance: float

    def __call__(self, z: Tensor) -> NormalLikelihood:
        return NormalLikelihood(z @ self.weight.T + self.bias, self.variance)


GIVEN: dict[str, type[LinearEncoder] | type[LinearDecoder]] = {
    kind.__name__: kind for kind in (LinearEncoder, LinearDecoder)
}
