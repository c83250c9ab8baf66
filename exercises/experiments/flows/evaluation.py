"""What a trained flow is judged by: averages over held-out samples or fresh noise, and the places of its samples.

The functions come as arguments, so one code serves the student's run and whoever measures it again.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from data import two_dimensional
from data.two_dimensional import HALF_WINDOW, RIDGE_DEVIATION, TARGETS, sine_ridge

from .networks import DIM, Functions, Layers
from .settings import Training

QUICK = 10_000  # points for a look during training
DRAWS = 50_000  # of the base, where a flow is measured by its samples
BINS = 20


def losses(functions: Functions, layers: Layers, training: Training, points: Tensor) -> Tensor:
    """Return the loss of each point without a graph, (n,) nats.

    From samples: the negative log-likelihood. From a density: log q_k(z_k) + U(z_k) + log Z, whose mean is the KL
    divergence from the flow to the target; of the sine only what a window of z1 holds is normalised by Z.
    """
    with torch.no_grad():
        if training.mode == "samples":
            return torch.cat([functions.negative_log_likelihood(layers, x) for x in points.split(QUICK)])
        energy, log_z = TARGETS[training.target].energy, two_dimensional.log_normalizer(training.target)
        return log_z + torch.cat([functions.reverse_kl(layers, z0, energy) for z0 in points.split(QUICK)])


def points_for(training: Training, quick: bool = False) -> Tensor:
    """Return the held-out samples, or noise of the base from torch's generator: (50,000, 2), or the first 10,000."""
    if training.mode == "samples":
        return two_dimensional.samples(training.target)[1][: QUICK if quick else None]
    return torch.randn(QUICK if quick else DRAWS, DIM)


def measure(functions: Functions, layers: Layers, training: Training, quick: bool = False) -> float:
    """Return the average loss in nats on held-out samples, or on fresh noise of the base."""
    return float(losses(functions, layers, training, points_for(training, quick)).double().mean())


def push(compose: Callable[[Layers, Tensor], tuple[Tensor, Tensor]], layers: Layers, z: Tensor) -> Tensor:
    """Send points through a flow without a graph, (n, 2) to (n, 2)."""
    with torch.no_grad():
        return torch.cat([compose(layers, part)[0] for part in z.split(QUICK)])


def near_ridge(z: Tensor) -> Tensor:
    """Tell which samples lie within two standard deviations of the sine's ridge, (n,); of the target 95.4 % do."""
    return (z[:, 1] - sine_ridge(z)).abs() <= 2 * RIDGE_DEVIATION


def coverage(z: Tensor) -> float:
    """Return how evenly samples fill the window |z1| <= 5 of the sine: sum over 20 bins of min(share, 1 / 20).

    A share is of the samples inside of the window. 1 is even, 1 / 20 all in one bin, 0 none inside.
    """
    inside = z[z[:, 0].abs() <= HALF_WINDOW, 0]
    shares = torch.histc(inside.float(), BINS, -HALF_WINDOW, HALF_WINDOW) / max(1, len(inside))
    return float(shares.clamp(max=1 / BINS).sum())
