"""What a trained flow is judged by: averages over held-out samples or fresh noise, and the places of its samples.

The functions come as arguments, so one code serves the student's run and whoever measures it again.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from data import two_dimensional
from data.two_dimensional import HALF_WINDOW, RIDGE_DEVIATION, TARGETS, sine_ridge

from .networks import DIM, Functions, Layers
from .settings import Training

LOOK = 10_000  # points for a look during training, and the most that are worked on at a time
DRAWS = 50_000  # of the base, where a flow is measured by its samples
BINS = 20
SLACK = 0.05  # nats, several standard errors of an average over the points of a look


@dataclass(frozen=True)
class Score:
    """A figure of a trained flow, and the standard error that the choice of points leaves in it."""

    value: float
    error: float


def losses(functions: Functions, layers: Layers, training: Training, points: Tensor) -> Tensor:
    """Return the loss of each point without a graph, (n,) nats.

    From samples: the negative log-likelihood. From a density: log q_k(z_k) + U(z_k) + log Z, whose mean is the KL
    divergence from the flow to the target; of the sine only what a window of z1 holds is normalised by Z.
    """
    with torch.no_grad():
        if training.mode == "samples":
            return torch.cat([functions.negative_log_likelihood(layers, x) for x in points.split(LOOK)])
        energy = TARGETS[training.target].energy
        terms = torch.cat([functions.reverse_kl(layers, z0, energy) for z0 in points.split(LOOK)])
        return terms + constant_of(training)


def constant_of(training: Training) -> float:
    """Return what makes a divergence of the reverse KL's terms: log Z, and 0 where training is from samples."""
    return two_dimensional.log_normalizer(training.target) if training.mode == "density" else 0.0


def lower_bound(training: Training) -> float | None:
    """Return what no flow has a loss below, in nats: the entropy of the samples, or 0, a divergence from the density.

    None for the density of the sine, whose mass is infinite.
    """
    if training.mode == "samples":
        return two_dimensional.entropy(training.target)
    return None if training.target == "sine" else 0.0


def impossible(training: Training, loss: float) -> str:
    """Say why no flow has such a loss on held-out points, "" where one may have it."""
    bound = lower_bound(training)
    if bound is None or loss >= bound - SLACK:
        return ""
    below = "the entropy of the data" if training.mode == "samples" else "0"
    what = "density" if training.mode == "samples" else "divergence"
    return f"below {below}, which no {what} is: a log-determinant is wrong"


def points_for(training: Training, most: int) -> Tensor:
    """Return the first held-out samples, or noise of the base from torch's generator: at most so many, (n, 2)."""
    if training.mode == "samples":
        return two_dimensional.samples(training.target)[1][:most]
    return torch.randn(most, DIM)


def look(functions: Functions, layers: Layers, training: Training) -> float:
    """Return the average loss in nats on 10,000 points, for the curve of a training."""
    return float(losses(functions, layers, training, points_for(training, LOOK)).double().mean())


def push(compose: Callable[[Layers, Tensor], tuple[Tensor, Tensor]], layers: Layers, z: Tensor) -> Tensor:
    """Send points through a flow without a graph, (n, 2) to (n, 2)."""
    with torch.no_grad():
        return torch.cat([compose(layers, part)[0] for part in z.split(LOOK)])


def score_names(training: Training) -> tuple[str, ...]:
    """Return the names of the figures that a training is judged by."""
    if training.mode == "samples":
        kinds: tuple[str, ...] = ("negative_log_likelihood",)
    else:
        # The reverse KL of the sine, whose mass is infinite, has no lower bound: its samples are looked at instead.
        kinds = ("reverse_kl",) if training.target == "arcs" else ("near_ridge", "coverage")
    return tuple(f"flows.{kind}.{training.target}.{training.k}" for kind in kinds)


def scores(functions: Functions, layers: Layers, training: Training) -> dict[str, Score]:
    """Measure the figures of a training: on all held-out samples, or on 50,000 samples of the flow."""
    points = points_for(training, DRAWS).to(layers[0][0].dtype)
    if training.mode == "samples" or training.target == "arcs":
        values = [_mean(losses(functions, layers, training, points))]
    else:
        drawn = push(functions.compose, layers, points)
        values = [_mean(near_ridge(drawn).double()), coverage(drawn)]
    return dict(zip(score_names(training), values, strict=True))


def _mean(values: Tensor) -> Score:
    return Score(float(values.double().mean()), float(values.double().std()) / math.sqrt(len(values)))


def near_ridge(z: Tensor) -> Tensor:
    """Tell which samples lie within two standard deviations of the sine's ridge, (n,); of the target 95.4 % do."""
    return (z[:, 1] - sine_ridge(z)).abs() <= 2 * RIDGE_DEVIATION


def coverage(z: Tensor) -> Score:
    """Measure how evenly samples cover the ridge of the sine in its window: sum over 20 bins of min(share, 1 / 20).

    A share is of the samples with |z1| <= 5, and has those of them in one of 20 parts that are near the ridge. The
    target itself has 0.954, a flow with all its samples in one part 1 / 20, one with none near the ridge 0. Samples
    outside of the window do not count: the energy has no bound there.
    """
    inside = z[z[:, 0].abs() <= HALF_WINDOW]
    count = max(1, len(inside))
    shares = torch.histc(inside[near_ridge(inside), 0].double(), BINS, -HALF_WINDOW, HALF_WINDOW) / count
    thin = float(shares[shares < 1 / BINS].sum())  # the share of all parts that have too little: what noise moves
    return Score(float(shares.clamp(max=1 / BINS).sum()), math.sqrt(thin * (1 - thin) / count))
