"""The values of an estimator over many seeds, beside how right ones are spread and the truth in their middle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .asking import Asking
from .canvas import NOTHING, RIGHT, WRONG, YOURS, headed, legend, limits, named, sheet

SURE = 5.0  # standard errors; a right answer is further off less than once in a million pictures


@dataclass(frozen=True)
class Spread:
    """Values of one instance over seeds, (n,), those of right answers, (m,), and their mean, which is known exactly."""

    what: str
    values: Tensor
    right: Tensor
    truth: float

    @property
    def sentence(self) -> str:
        """What is wrong with it, in a few words; empty where nothing is to be seen."""
        lost = int((~self.values.isfinite()).sum())
        if lost:
            return f"{lost} of {len(self.values)} values are nan or infinite"
        mean, spread, wanted = float(self.values.mean()), float(self.values.std()), float(self.right.std())
        error = max(spread, 0.1 * wanted) / math.sqrt(len(self.values))
        if spread < 1e-3 * wanted:
            return f"all {len(self.values)} draws are the same, whatever the seed"
        if abs(mean - self.truth) > SURE * error + 1e-6:
            return f"its mean over {len(self.values)} draws is {mean:.4g} nats, where {self.truth:.4g} is right"
        ratio = spread / wanted if wanted else 1.0
        if not 0.75 < ratio < 1.33:
            return f"its mean is right, but the draws vary {ratio:.2g} times as much as they should"
        return self._missing()

    def _missing(self) -> str:
        """Say on which side values are missing, if some are, of 300 draws or so."""
        low, high = self.right.quantile(torch.tensor([0.04, 0.96], dtype=torch.float64)).tolist()
        if float(self.values.min()) > low:
            return f"none of {len(self.values)} values is below {low:.3g} nats, where 4% should be"
        if float(self.values.max()) < high:
            return f"none of {len(self.values)} values is above {high:.3g} nats, where 4% should be"
        return ""


@dataclass(frozen=True)
class Trend:
    """How something of the values changes with the number K of samples in each, and what is right.

    allowed: how far the last may be off by chance. limit: what right ones come up to with K, if that is no zero.
    """

    what: str
    counts: Sequence[int]
    yours: Tensor
    right: Tensor
    allowed: float
    limit: float | None = None

    @property
    def sentence(self) -> str:
        """What is wrong with it, in a few words; empty where nothing is to be seen."""
        last, wanted = float(self.yours[-1]), float(self.right[-1])
        if abs(last - wanted) <= self.allowed:
            return ""
        return f"with K = {self.counts[-1]} the {self.what} is {last:.3g} nats, where {wanted:.3g} is right"


def shared(spreads: Sequence[Spread]) -> str:
    """Say whether the values of two instances go together, which have noise of their own; empty if they do not."""
    pair = torch.stack([spread.values for spread in spreads])
    together = float(torch.corrcoef(pair)[0, 1]) if float(pair.std(1).min()) > 0 else 0.0
    return f"the values of both instances go together: correlation {together:.2f}" if abs(together) > 0.35 else ""


def sentence_of(spreads: Sequence[Spread], trend: Trend | None = None, apart: bool = True) -> str:
    """Say what one sees; apart: whether the instances have noise of their own."""
    told = [spread.sentence for spread in spreads] + ([trend.sentence] if trend else [])
    told += [shared(spreads)] if apart else []
    return next((sentence for sentence in told if sentence), NOTHING)


def drawn(ask: Asking, spreads: Sequence[Spread], trend: Trend | None = None, apart: bool = True) -> Figure:
    """Draw the distribution of the values of two instances, both together, and the trend over K where there is one."""
    rows = 1 if trend is None else 2
    figure, frames = sheet(rows, 2 if trend else 2 + apart, 1.3 + 2.2 * rows)
    panels = frames.flatten()
    for axes, spread in zip(panels, spreads, strict=False):
        _histogram(axes, spread)
    if apart:
        _together(panels[2], spreads)
    if trend is not None:
        _over_counts(panels[3], trend)
    legend(figure, *panels)
    return headed(figure, ask.part.name, sentence_of(spreads, trend, apart))


def _together(axes: Axes, spreads: Sequence[Spread]) -> None:
    bounds = [limits(spread.right, spread.values) for spread in spreads]
    x, y = (spread.values.clamp(*bound) for spread, bound in zip(spreads, bounds, strict=True))
    axes.plot(x, y, ".", color=YOURS, markersize=3, alpha=0.6)
    axes.set(xlim=bounds[0], ylim=bounds[1])
    named(axes, "both, for each seed", f"{spreads[0].what} (nats)", f"{spreads[1].what} (nats)")


def _over_counts(axes: Axes, trend: Trend) -> None:
    low, high = limits(torch.cat([trend.right, torch.tensor([trend.limit or trend.right[0]])]), trend.yours)
    axes.plot(trend.counts, trend.right, color=RIGHT, linewidth=5, alpha=0.25)
    axes.plot(trend.counts, trend.yours.clamp(low, high), "o-", color=YOURS, markersize=4)
    if trend.limit is not None:
        axes.axhline(trend.limit, color=RIGHT, linestyle=":", label="what they come up to")
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(trend.counts), [str(count) for count in trend.counts])
    axes.set_ylim(low, high)
    named(axes, "instance 2", "samples K in each value", f"{trend.what} (nats)")


def _histogram(axes: Axes, spread: Spread) -> None:
    low, high = limits(spread.right, spread.values)
    edges = torch.linspace(low, high, 46).tolist()
    finite = spread.values[spread.values.isfinite()].clamp(low, high)
    heights: Any
    heights, _, _ = axes.hist(spread.right, edges, density=True, histtype="step", color=RIGHT, label="right answers")
    top = highest = float(max(heights))
    if len(finite):
        heights, _, _ = axes.hist(finite, edges, density=True, color=YOURS, alpha=0.55, label="your answers")
        # Bars of values that are all the same would press the others flat.
        highest = max(top, min(float(max(heights)), 2 * top))
        axes.axvline(float(finite.mean()), color=WRONG, linewidth=1.5, label="the mean of yours")
    axes.axvline(spread.truth, color=RIGHT, linestyle="--", label="the mean of right answers")
    axes.set_ylim(0, 1.1 * highest)
    named(axes, spread.what, "value (nats)", "density")
