"""Curves of the parts of problem 1 that are functions of numbers."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Categorical

from tests.support.oracles import normal_kl

from .asking import Asking
from .curves import Curve, drawn, rowwise

F64 = torch.float64
POINTS = 61


def line(low: float, high: float, points: int = POINTS) -> Tensor:
    """Return the points of an axis."""
    return torch.linspace(low, high, points, dtype=F64)


def beside(x: Tensor, *others: float) -> Tensor:
    """Return rows that begin with the numbers of an axis and go on with others, (n, 1 + others)."""
    return torch.cat([x[:, None], torch.tensor(others, dtype=F64).expand(len(x), -1)], 1)


def log_mean_exp_curves(ask: Asking) -> list[Curve]:
    """Ask for rows whose first entry varies, and for rows that are shifted as a whole."""

    def exact(y: Tensor) -> Tensor:
        # What normalising the row takes off each of its entries, and the number of entries.
        return (y - Categorical(logits=y, validate_args=False).logits)[:, 0] - math.log(y.shape[1])

    near = rowwise(ask, "value (nats)", "the first of three entries", (beside(line(-6, 6), 0.0, -1.0),), 0, exact)
    row = torch.tensor([0.0, 1.0, -1.0], dtype=F64)
    shifts = line(-1000, 1000)
    far = rowwise(ask, "value − c (nats)", "c added to all entries", (row + shifts[:, None],), 0, exact)
    moved = Curve(far.what, far.over, shifts, far.yours - shifts, far.right - shifts, far.slope, far.right_slope)
    return [near, rowwise(ask, near.what, "the first entry, far out", (beside(shifts, 0.0, -1.0),), 0, exact), moved]


def log_mean_exp(ask: Asking) -> Figure:
    """Draw the log of a mean of exponentials."""
    return drawn(ask, log_mean_exp_curves(ask))


def kl_analytic_curves(ask: Asking) -> list[Curve]:
    """Ask for the divergence of normals with two features, of which one number varies."""
    x = line(-3, 3)
    fixed = (beside(x * 0 + 0.5, 0.5), beside(x * 0 - 0.5, -1.0), beside(x * 0 - 0.5, 1.0), beside(x * 0 + 0.4, 0.7))
    names = ("a mean of q", "a log variance of q", "a mean of p", "a log variance of p")
    return [
        rowwise(
            ask, "KL (nats)", names[i], (*fixed[:i], beside(x, float(fixed[i][0, 1])), *fixed[i + 1 :]), i, normal_kl
        )
        for i in (0, 1, 3)
    ]


def kl_analytic(ask: Asking) -> Figure:
    """Draw the divergence over a mean and over log variances."""
    return drawn(ask, kl_analytic_curves(ask))
