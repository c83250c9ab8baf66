"""Curves of the parts of problem 1 that are functions of numbers."""

import math
from dataclasses import replace

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import kl_divergence
from torch.nn.functional import softplus

from tests.support.models import normal

from .asking import Asking
from .curves import Curve, drawn, rowwise, with_slope

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

    others = math.log(1 + math.exp(-1))  # the entries 0 and -1 together
    what, shifts = "value (nats)", line(-1000, 1000)

    def first(over: str, x: Tensor) -> Curve:
        right = with_slope(lambda a: softplus(a - others) + others - math.log(3), x)
        return rowwise(ask, what, over, (beside(x, 0.0, -1.0),), 0, right)

    row = torch.tensor([0.0, 1.0, -1.0], dtype=F64)
    constant = (row.exp().mean().log().expand_as(shifts), row.softmax(0)[0].expand_as(shifts))
    far = rowwise(ask, "value − c (nats)", "c added to all entries", (row + shifts[:, None],), 0, constant)
    near, wide = first("the first of three entries", line(-6, 6)), first("the first entry, far out", shifts)
    return [near, wide, replace(far, x=shifts, yours=far.yours - shifts)]


def log_mean_exp(ask: Asking) -> Figure:
    """Draw the log of a mean of exponentials."""
    return drawn(ask, log_mean_exp_curves(ask))


def kl_analytic_curves(ask: Asking) -> list[Curve]:
    """Ask for the divergence of normals with two features, of which one number varies."""
    x = line(-3, 3)
    fixed = (beside(x * 0 + 0.5, 0.5), beside(x * 0 - 0.5, -1.0), beside(x * 0 - 0.5, 1.0), beside(x * 0 + 0.4, 0.7))
    names = ("a mean of q", "a log variance of q", "a mean of p", "a log variance of p")
    curves = []
    for i in (0, 1, 3):
        second = float(fixed[i][0, 1])

        def divergence(first: Tensor, i: int = i, second: float = second) -> Tensor:
            rows = [*fixed[:i], torch.stack([first, first * 0 + second], 1), *fixed[i + 1 :]]
            return kl_divergence(normal(*rows[:2]), normal(*rows[2:]))

        arguments = (*fixed[:i], beside(x, second), *fixed[i + 1 :])
        curves.append(rowwise(ask, "KL (nats)", names[i], arguments, i, with_slope(divergence, x)))
    return curves


def kl_analytic(ask: Asking) -> Figure:
    """Draw the divergence over a mean and over log variances."""
    return drawn(ask, kl_analytic_curves(ask))
