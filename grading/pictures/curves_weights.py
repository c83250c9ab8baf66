"""Curves of what is done to weights: their average, and their largest singular value."""

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.networks import Network

from .asking import Asking
from .curves import Curve, drawn, pointwise, with_slope
from .curves_vae import F64, line


def update_average_curves(ask: Asking) -> list[Curve]:
    """Ask what one update makes of an average over the decay, of a parameter and of a statistic."""
    x = line(0, 1, 41)
    zero = torch.zeros(1, dtype=F64)
    average = Network((zero, zero + 1), (zero, zero + 1), (torch.tensor(0), torch.tensor(0)))
    model = Network((zero + 1, zero + 2), (zero + 3, zero + 4), (torch.tensor(10), torch.tensor(20)))
    answers = ask.answers([ask.call(average, model, float(decay), watch="effects") for decay in x])
    now = []
    for answer in answers:
        names, values = answer.arguments[0][:2]
        found = dict(zip(names, values, strict=True))
        now.append([float(found[name]) for name in ("below.cellar.weight_1", "below.cellar.scale_statistic")])
    yours = torch.tensor(now, dtype=F64)
    cases = (("of a parameter", 2.0), ("of a statistic", 4.0))
    return [
        Curve(
            "the average after one update",
            f"the decay, {what}",
            x,
            yours[:, i],
            x + latest * (1 - x),
            subject="the average",
        )
        for i, (what, latest) in enumerate(cases)
    ]


def update_average(ask: Asking) -> Figure:
    """Draw what one update makes of the average, over the decay."""
    return drawn(ask, update_average_curves(ask))


def spectral_norm_curves(ask: Asking) -> list[Curve]:
    """Ask for the largest singular value that is left over the iterations, for u's place, and for an entry."""
    weight = 0.3 * torch.tensor([[[2.0, 0.5], [0.0, 0.3]], [[0.4, -1.5], [0.3, 0.2]]], dtype=F64)
    matrix, u = weight.flatten(1), F.normalize(torch.tensor([0.3, 1.0], dtype=F64), dim=0)
    left, values, _ = torch.linalg.svd(matrix)
    counts = range(9)
    pairs = [answer.value for answer in ask.answers([ask.call(weight, u, count) for count in counts])]
    norms = torch.stack([torch.linalg.matrix_norm(w.double().flatten(1), 2) for w, _ in pairs])
    along = torch.stack([(new.double() @ left[:, 0]).abs() for _, new in pairs])
    powers = [torch.linalg.matrix_power(matrix @ matrix.T, count) @ u for count in counts]
    exact = torch.stack([power / power.norm() for power in powers])
    vectors = F.normalize(exact @ matrix, dim=1)
    # v may be taken from the u of before: half an iteration less.
    sigmas = [(matrix @ v.T).norm(dim=0) for v in (vectors, torch.cat([vectors[:1], vectors[:-1]]))]
    sigmas[0] = (exact @ matrix).norm(dim=1)
    sigmas[1][0] = sigmas[0][0]
    left_over = min((values[0] / sigma for sigma in sigmas), key=lambda right: float((right - norms).abs().max()))
    x, over = torch.arange(9.0, dtype=F64), "the iterations"
    return [
        Curve("largest singular value left", over, x, norms, left_over, subject="the largest singular value"),
        Curve("cosine of u with the singular vector", over, x, along, (exact @ left[:, 0]).abs(), subject="the cosine"),
        _entry(ask, weight, u),
    ]


def _entry(ask: Asking, weight: Tensor, u: Tensor) -> Curve:
    """Ask for an entry of the normalised weight over that of the weight, with no iteration."""
    first = torch.zeros_like(weight)
    first[0, 0, 0] = 1.0

    def moved(x: Tensor) -> tuple[Tensor, Tensor, int]:
        return weight + (x - weight[0, 0, 0]) * first, u, 0

    def right(x: Tensor) -> Tensor:
        sigma = torch.stack([(u @ moved(entry)[0].flatten(1)).norm() for entry in x])
        return x / sigma

    what, over, x = "that entry over sigma", "an entry, no iteration", line(-1, 1, 31)
    return pointwise(ask, what, over, x, moved, with_slope(right, x), lambda v: v[0][0, 0, 0], "0", (first, None))


def spectral_norm(ask: Asking) -> Figure:
    """Draw how power iteration normalises a weight."""
    return drawn(ask, spectral_norm_curves(ask))
