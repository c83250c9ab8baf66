"""Given encoders, decoders, densities and energies, described by numbers. No expected value lives here."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from .given import Asked, Given


def normal(mu: Tensor, logvar: Tensor) -> Independent:
    """Return the diagonal normal distribution of each row, as torch knows it.

    Nothing is validated: it is asked at points that a student's code chose, nan among them.
    """
    return Independent(Normal(mu, torch.exp(0.5 * logvar), validate_args=False), 1, validate_args=False)


@dataclass(frozen=True)
class LinearEncoder(Given):
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
class LinearDecoder(Given):
    """p(x | z) = N(weight z + bias, variance I): weight (d, L), bias (d,)."""

    weight: Tensor
    bias: Tensor
    variance: float

    def __call__(self, z: Tensor) -> NormalLikelihood:
        return NormalLikelihood(z @ self.weight.T + self.bias, self.variance)


@dataclass(frozen=True)
class FlowEncoder(Given):
    """A q_0(z | x) as LinearEncoder's, and k planar layers that depend on x.

    planes (k, d + 1, 2 L + 1): the rows (u, w, b) of layer i for each x are those of (x, 1) planes_i.
    """

    weight: Tensor
    bias: Tensor
    logvar: Tensor
    planes: Tensor

    def base(self) -> LinearEncoder:
        """Return the encoder of q_0(z | x), without the layers."""
        return LinearEncoder(self.weight, self.bias, self.logvar)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor, Tensor]]]:
        mu, logvar = self.base()(x)
        rows = torch.cat([x, torch.ones_like(x[:, :1])], 1) @ self.planes
        d = mu.shape[1]
        return mu, logvar, [(row[:, :d], row[:, d:-1], row[:, -1]) for row in rows]


@dataclass(frozen=True)
class NormalBase(Given):
    """The distribution N(mean, diag exp(logvar)): mean and logvar (d,). It is asked by its log_prob."""

    mean: Tensor
    logvar: Tensor

    def build(self) -> "AskedByLogProb":
        return AskedByLogProb(self)

    def __call__(self, z: Tensor) -> Tensor:
        return normal(self.mean, self.logvar).log_prob(z)


class AskedByLogProb(Asked):
    """A distribution that notes the points at which it was asked for its log-density."""

    def log_prob(self, z: Tensor) -> Tensor:
        return self(z)


@dataclass(frozen=True)
class NormalEnergy(Given):
    """The energy U(z) = constant + 1/2 sum (z - mean)^2 exp(-logvar): mean and logvar (d,)."""

    mean: Tensor
    logvar: Tensor
    constant: float

    def __call__(self, z: Tensor) -> Tensor:
        return self.constant + 0.5 * ((z - self.mean) ** 2 * torch.exp(-self.logvar)).sum(-1)


KINDS: tuple[type[Given], ...] = (LinearEncoder, LinearDecoder, FlowEncoder, NormalBase, NormalEnergy)
