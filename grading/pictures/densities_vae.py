"""The two likelihoods of problem 1: densities and probabilities, their sums, and their logarithms over a number."""

import math
from dataclasses import replace

import torch
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.closeness import per_instance
from tests.support.models import normal

from .asking import Asking
from .canvas import NOTHING, RIGHT, YOURS, compare, headed, legend, limits, named, sheet, spanning
from .curves import Curve, column, rowwise
from .curves_vae import F64, beside, line
from .densities import Density, density_map, plane


def of_a_normal(ask: Asking) -> tuple[Density, Density, Curve]:
    """Ask for a normal density of one feature and of two, and for its logarithm over the log variance."""
    points, area = plane()
    axis = torch.linspace(-12, 14, 261, dtype=F64)

    def density(what: str, z: Tensor, mu: list[float], logvar: list[float], cell: float) -> Density:
        rows = [torch.tensor(numbers, dtype=F64).expand_as(z) for numbers in (mu, logvar)]
        told = per_instance(ask.answer(*rows, z).value, len(z)).double()
        return Density(what, told.exp(), normal(*rows).log_prob(z).exp(), cell)

    one = density("the density of one feature", axis[:, None], [1.0], [1.2], float(axis[1] - axis[0]))
    two = density("the density of two features", points, [0.5, -0.5], [0.3, -0.7], area)
    x = line(-40, 40)
    rows = (beside(x * 0 + 0.3), beside(x), beside(0.3 + 2 * (0.5 * x).exp()))
    # Each point is two standard deviations from the mean.
    right = -0.5 * (math.log(2 * math.pi) + x + 4), x * 0 + 1.5
    return one, two, rowwise(ask, "log-density (nats)", "the log variance", rows, 1, right)


def log_likelihood_normal(ask: Asking) -> Figure:
    """Draw the density of a normal distribution, of one feature and of two, and its logarithm over the variance."""
    one, two, curve = of_a_normal(ask)
    figure, frames = sheet(2, 3, 4.4, width_ratios=(1, 1.3, 1))
    alone = spanning(frames, 0)
    compare(alone, torch.linspace(-12, 14, 261), one.yours, one.right)
    named(alone, f"one feature: {one.told}", "z, one feature", "density")
    density_map(spanning(frames, 1), two, "two features: ")
    column(frames, 2, curve)
    legend(figure, *frames[0])
    return headed(figure, ask.part.name, one.sentence or two.sentence or curve.sentence or NOTHING)


def of_coins(ask: Asking) -> tuple[Density, list[Curve]]:
    """Ask for the probability of everything that three coins may show, and for its logarithm over a mean."""
    targets = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=F64)] * 3)
    mu = torch.tensor([0.8, 0.3, 0.6], dtype=F64).expand_as(targets)
    told = per_instance(ask.answer(mu, targets).value, len(targets)).double()
    right = torch.where(targets == 1, mu, 1 - mu).prod(1)
    x = line(0, 1)

    def curve(seen: float) -> Curve:
        what, rows = f"log-probability of {seen:.0f} (nats)", (beside(x), beside(x * 0 + seen))
        chance = x if seen else 1 - x
        found = rowwise(ask, what, "mu", rows, 0, (chance.log(), (2 * seen - 1) / chance))
        if found.slope is None or found.right_slope is None:
            return found
        # At 0 and 1 every finite gradient is right.
        ends = (x == 0) | (x == 1)
        slope = torch.where(ends & found.slope.isfinite(), found.right_slope, found.slope)
        return replace(found, slope=slope)

    return Density("the probability of all that can be seen", told.exp(), right, 1.0), [curve(1.0), curve(0.0)]


def log_likelihood_bernoulli(ask: Asking) -> Figure:
    """Draw the probabilities of three coins, and the logarithm of one over its mean."""
    found, curves = of_coins(ask)
    figure, frames = sheet(2, 3, 4.4)
    bars = spanning(frames, 0)
    _, high = limits(found.right, found.yours)
    place = range(len(found.right))
    bars.bar(place, found.right.tolist(), width=0.9, color=RIGHT, alpha=0.25, label="right answer")
    bars.bar(place, found.yours.nan_to_num(0.0).clamp(0, high).tolist(), width=0.45, color=YOURS, label="your answer")
    bars.set_xticks(place, [f"{i:03b}" for i in range(len(place))], fontsize=7)
    bars.set_ylim(0, high)
    named(bars, f"sum {found.integral:.4g}, should be 1", "what three coins show", "probability")
    for number, curve in enumerate(curves):
        column(frames, 1 + number, curve)
    legend(figure, *frames[0])
    told = found.sentence or curves[0].sentence or curves[1].sentence or NOTHING
    return headed(figure, ask.part.name, told.replace("integrates", "sums"))
