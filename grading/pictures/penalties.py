"""The penalties: at which points they ask the critic, and what they cost a critic that is more or less steep."""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.gan import number, slopes
from tests.support.players import LinearCritic, QuadraticCritic

from .asking import Asking
from .canvas import NOTHING, OTHER, RIGHT, WRONG, YOURS, headed, legend, named, sheet, spanning
from .curves import Curve, column

F64 = torch.float64
SEEDS = 80
REAL = torch.tensor([[-2.4, 1.5], [-1.3, 0.6], [-0.4, 2.2], [0.6, 1.0], [1.5, 2.1], [2.5, 0.8]], dtype=F64)
FAKE = torch.tensor([[-2.2, -1.2], [-1.0, -2.2], [-0.1, -0.7], [1.1, -2.0], [1.9, -0.6], [2.4, -2.3]], dtype=F64)
NEAR = 1e-6  # of a segment: what is further off is not on it, in single precision neither


@dataclass(frozen=True)
class Points:
    """The points at which a critic was asked, (seeds, n, 2), for real samples and, where there are some, others."""

    asked: Tensor
    real: Tensor
    fake: Tensor | None = None

    @property
    def shares(self) -> Tensor:
        """How far each point is on the way from its generated to its real sample, (seeds, n)."""
        fake = self.real if self.fake is None else self.fake
        way = self.real - fake
        return ((self.asked - fake) * way).sum(-1) / (way * way).sum(-1).clamp(min=1e-9)

    @property
    def off(self) -> Tensor:
        """Whether each point is on no segment of its own, or at no real sample where there are no others."""
        fake = self.real if self.fake is None else self.fake
        share = self.shares.clamp(0, 1)[..., None]
        return ~((self.asked - fake - share * (self.real - fake)).norm(dim=-1) < NEAR * 10)

    @property
    def sentence(self) -> str:
        """What is wrong with the points, in a few words; empty where nothing is to be seen."""
        away = float(self.off.double().mean())
        where = "real samples" if self.fake is None else "segments"
        if away:
            return f"{away:.0%} of the points where it asks the critic are off the {where}"
        return "" if self.fake is None else _about(self.shares)


def _about(shares: Tensor) -> str:
    """Say what is wrong with the places of points on their segments, which should be uniform and their own."""
    ends = float(((shares < NEAR) | (shares > 1 - NEAR)).double().mean())
    if ends > 0.1:
        return f"{ends:.0%} of the points on the segments are at their ends"
    if float((shares - shares[:1]).abs().max()) < NEAR:
        return "the points on the segments are the same for every seed"
    if float((shares - shares[:, :1]).abs().max()) < NEAR:
        return "all points of a batch are equally far on their segments"
    # A uniform number has the deviation 0.289, and that of 480 of them is within 0.03 of it.
    return "" if abs(float(shares.std()) - 0.289) < 0.04 else "the points are not uniform on the segments"


def points(ask: Asking) -> Points:
    """Ask a penalty with many seeds where it asks the critic."""
    critic = LinearCritic(torch.tensor([0.8, 0.6], dtype=F64), torch.zeros((), dtype=F64))
    samples = (REAL, FAKE)[: len(ask.part.arguments) - 1]
    calls = [ask.call(critic, *samples, seed=seed, watch="effects") for seed in range(1, SEEDS + 1)]
    found = [torch.cat([x.double().reshape(-1, 2) for x in answer.asked[0]]) for answer in ask.answers(calls)]
    # Asked once, or again and again: each time at a point for each sample.
    return Points(torch.cat([each.view(-1, len(REAL), 2) for each in found]), *samples)


def cost(ask: Asking) -> Curve:
    """Ask what a penalty costs a curved critic, made steeper and steeper, where generated samples are real ones."""
    root, real = torch.tensor([[0.5, 0.2], [-0.3, 0.9]], dtype=F64), REAL[1:4]
    x = torch.linspace(0, 1.5, 31, dtype=F64)
    samples = (real,) * (len(ask.part.arguments) - 1)
    answers = ask.answers([ask.call(QuadraticCritic(times * root), *samples, wrt="0.root") for times in x])
    leaf = x.clone().requires_grad_()
    norms = torch.stack([slopes(QuadraticCritic(times * root), real).norm(dim=1) for times in leaf])
    right = (norms.square() if len(samples) == 1 else (norms - 1).square()).mean(1)
    yours = torch.stack([number(answer.value).double() for answer in answers])
    gradients = [answer.gradients[0] for answer in answers]
    slope = torch.stack([x[0] * float("nan") if g is None else (g.double() * root).sum() for g in gradients])
    (right_slope,) = torch.autograd.grad(right.sum(), leaf)
    return Curve("what it costs", "the steepness of the critic", x, yours, right.detach(), slope, right_slope)


def sentence_of(found: Points, curve: Curve) -> str:
    """Say what one sees: where it asks, and what it costs if that is right."""
    return found.sentence or curve.sentence or NOTHING


def penalty(ask: Asking) -> Figure:
    """Draw where a penalty asks the critic, and what it costs."""
    found, curve = points(ask), cost(ask)
    figure, frames = sheet(3, 2, 5.4, width_ratios=(1.5, 1))
    plane = spanning(frames, 0)
    _plane(plane, found)
    _shares(frames[0, 1], found)
    column(frames[1:], 1, curve)
    legend(figure, plane, frames[1, 1])
    return headed(figure, ask.part.name, sentence_of(found, curve))


def _plane(axes: Axes, found: Points) -> None:
    if found.fake is not None:
        for real, fake in zip(found.real, found.fake, strict=True):
            axes.plot(*torch.stack([real, fake]).T, color=RIGHT, linewidth=1, alpha=0.5, label="their segments")
        axes.plot(*found.fake.T, "s", color=OTHER, markersize=7, label="generated")
    axes.plot(*found.real.T, "o", color=RIGHT, markersize=8, fillstyle="none", label="real")
    inside = found.asked[(found.asked.abs() < 6).all(-1)]
    axes.plot(*inside.T, ".", color=YOURS, markersize=3, alpha=0.7, label="the critic was asked here")
    off = found.asked[found.off & (found.asked.abs() < 6).all(-1)]
    if len(off):
        axes.plot(*off.T, ".", color=WRONG, markersize=3, label="elsewhere")
    axes.set(xlim=(-3.2, 3.2), ylim=(-3, 3), aspect="equal")
    named(axes, f"where it asks the critic, with {SEEDS} seeds", "x1", "x2")


def _shares(axes: Axes, found: Points) -> None:
    """Draw how far points are on their segments, or from the real samples where there are none."""
    if found.fake is None:
        away = (found.asked - found.real).norm(dim=-1).flatten().nan_to_num(9.0).clamp(max=3)
        axes.hist(away, 30, range=(0, 3), color=YOURS, alpha=0.55, weights=torch.ones(len(away)) / len(away))
        named(axes, "how far that is from the real sample", "distance", "share")
        return
    shares = found.shares.flatten().nan_to_num(9.0).clamp(-0.5, 1.5)
    axes.hist(shares, 40, range=(-0.5, 1.5), color=YOURS, alpha=0.55, density=True)
    axes.plot([-0.5, 0, 0, 1, 1, 1.5], [0, 0, 1, 1, 0, 0], color=RIGHT)
    named(axes, "", "where on it, 0: generated, 1: real", "density")
