"""Two densities on the plane, given by their energies: exact samples, normalising constants and entropies."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Generator, Tensor

HALF_WINDOW = 5.0  # of z1, for the sine, whose mass on the whole plane is infinite
TRAIN, HELD_OUT = 100_000, 50_000
GRID = 1201  # points an axis for integrals; an error below 1e-9 for densities as smooth as these


def arcs_energy(z: Tensor) -> Tensor:
    """Energy of two arcs of a ring of radius 2.

    U(z) = ((|z| - 2) / 0.4)^2 / 2 - log(exp(-((z1 - 2) / 0.6)^2 / 2) + exp(-((z1 + 2) / 0.6)^2 / 2))

    Args:
        z: (..., 2) points.

    Returns:
        (...) nats.

    Source: Rezende and Mohamed (2015), table 1, the first energy.
    """
    ring = ((z.norm(dim=-1) - 2) / 0.4) ** 2 / 2
    left, right = (-(((z[..., 0] + side) / 0.6) ** 2) / 2 for side in (2, -2))
    return ring - torch.logaddexp(left, right)


def sine_energy(z: Tensor) -> Tensor:
    """Energy of a ridge along a sine, the same for every z1: its exp(-U) has a finite mass on a window only.

    U(z) = ((z2 - sin(2 pi z1 / 4)) / 0.4)^2 / 2

    Args:
        z: (..., 2) points.

    Returns:
        (...) nats.

    Source: Rezende and Mohamed (2015), table 1, the second energy.
    """
    return ((z[..., 1] - sine_ridge(z)) / RIDGE_DEVIATION) ** 2 / 2


RIDGE_DEVIATION = 0.4


def sine_ridge(z: Tensor) -> Tensor:
    """Return the height sin(2 pi z1 / 4) of the ridge below or above each point, (...) for (..., 2) points."""
    return torch.sin(2 * math.pi * z[..., 0] / 4)


@dataclass(frozen=True)
class Target:
    """A density exp(-U) / Z on a box that holds all its mass, or all that counts.

    energy: U, (..., 2) to (...) nats. box: half the width of z1 and of z2. seed: of its samples.
    """

    name: str
    energy: Callable[[Tensor], Tensor]
    box: tuple[float, float]
    seed: int


# Outside of the boxes of arcs and of z2 of sine is less than 1e-9 of the mass: six standard deviations or more.
TARGETS = {
    "arcs": Target("arcs", arcs_energy, (6.0, 5.0), 1),
    "sine": Target("sine", sine_energy, (HALF_WINDOW, 4.0), 2),
}


@cache
def samples(name: str) -> tuple[Tensor, Tensor]:
    """Draw the training and the held-out samples of a target, exactly, by rejection from a uniform proposal.

    A point z, uniform on the box, is kept with probability exp(-U(z)), which is at most 1 but for 1e-9. The seed is
    fixed: everybody has the same samples, and no row is in both sets.

    Returns:
        (100,000, 2) and (50,000, 2), float32.
    """
    target = TARGETS[name]
    generator = Generator().manual_seed(target.seed)
    kept: list[Tensor] = []
    while sum(map(len, kept)) < TRAIN + HELD_OUT:
        uniform = torch.rand(500_000, 3, generator=generator, dtype=torch.float64)
        z = (2 * uniform[:, :2] - 1) * torch.tensor(target.box, dtype=torch.float64)
        kept.append(z[uniform[:, 2] < torch.exp(-target.energy(z))].float())
    drawn = torch.cat(kept)
    return drawn[:TRAIN], drawn[TRAIN : TRAIN + HELD_OUT]


@cache
def log_normalizer(name: str) -> float:
    """Integrate exp(-U) over the box: log Z in nats."""
    return math.log(_integral(name, lambda energy: torch.exp(-energy)))


@cache
def entropy(name: str) -> float:
    """Integrate -p log p, p = exp(-U) / Z: the entropy in nats, which no negative log-likelihood can beat."""
    log_z = log_normalizer(name)
    return _integral(name, lambda energy: torch.exp(-energy - log_z) * (energy + log_z))


def _integral(name: str, integrand: Callable[[Tensor], Tensor]) -> float:
    """Integrate a function of the energy over the box by the trapezoidal rule."""
    target = TARGETS[name]
    x, y = (torch.linspace(-half, half, GRID, dtype=torch.float64) for half in target.box)
    values = integrand(target.energy(torch.stack(torch.meshgrid(x, y, indexing="ij"), -1)))
    return float(torch.trapezoid(torch.trapezoid(values, y), x))
