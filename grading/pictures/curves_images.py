"""Curves of the two scores of generated images."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from .asking import Asking
from .curves import Curve, drawn, pointwise
from .curves_vae import F64, line


def inception_score_curves(ask: Asking) -> list[Curve]:
    """Ask for the score of images whose classes become less sure, and of ones that use a class more and more."""

    def unsure(t: Tensor) -> tuple[Tensor]:
        return ((1 - t) * torch.eye(3, dtype=F64) + t / 3,)

    def uneven(t: Tensor) -> tuple[Tensor]:
        first = torch.tensor([[0.9, 0.06, 0.04]], dtype=F64)
        return (torch.cat([first.repeat(3, 1), (1 - t) * first + t * first.flip(1)]),)

    x = line(0, 1, 41)
    curves = []
    for over, take in (("how unsure of each of three images", unsure), ("how different one of four images is", uneven)):
        images = torch.stack([take(t)[0] for t in x])
        rows, average = (Categorical(p, validate_args=False) for p in (images, images.mean(1, keepdim=True)))
        right = kl_divergence(rows, average).mean(1).exp(), None
        curves.append(pointwise(ask, "Inception Score", over, x, take, right))
    return curves


def inception_score(ask: Asking) -> Figure:
    """Draw the Inception Score over how sure and how different images are."""
    return drawn(ask, inception_score_curves(ask))


def frechet_distance_curves(ask: Asking) -> list[Curve]:
    """Ask for the distance of two normals on the plane over a shift, a scale, and a turn of one of them."""
    mean, cov = torch.tensor([0.5, -0.3], dtype=F64), torch.diag(torch.tensor([2.0, 0.3], dtype=F64))

    def turned(angle: Tensor) -> Tensor:
        c, s = angle.cos(), angle.sin()
        q = torch.stack([torch.stack([c, -s]), torch.stack([s, c])])
        return q @ cov @ q.T

    def right(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
        product = cov1 @ cov2  # the two eigenvalues of whose root have this sum, on the plane only
        overlap = (product.trace() + 2 * product.det().clamp(min=0).sqrt()).sqrt()
        apart = mean1 - mean2
        return apart @ apart + (cov1 + cov2).trace() - 2 * overlap

    cases = (
        ("the shift of a mean", line(-2, 2, 41), lambda t: (mean, cov, mean + t, turned(t * 0 + 0.4))),
        ("the scale of a covariance", line(0, 3, 41), lambda t: (mean, cov, mean, t * turned(t * 0 + 0.4))),
        ("the turn of a covariance (rad)", line(0, math.pi, 41), lambda t: (mean, cov, mean, turned(t))),
    )
    what = "squared distance"
    return [
        pointwise(ask, what, over, x, take, (torch.stack([right(*take(t)) for t in x]), None))
        for over, x, take in cases
    ]


def frechet_distance(ask: Asking) -> Figure:
    """Draw the Frechet distance over a shift, a scale and a turn."""
    return drawn(ask, frechet_distance_curves(ask))
