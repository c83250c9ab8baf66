"""The figures of trained flows: densities and samples side by side, and how the losses came down."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from data import two_dimensional
from data.two_dimensional import TARGETS

from .evaluation import LOOK, push
from .inversion import invert
from .networks import DIM, Functions, Layers
from .settings import Training

SHOWN = {"arcs": (4.0, 4.0), "sine": (6.0, 4.0)}  # half widths of the part of the plane that is drawn
RESOLUTION = 160  # points of a density along z2
SAMPLES = 3000
COLOURS = {2: "#4269d0", 8: "#e08214", 32: "#1a9850"}


Metrics = Sequence[Mapping[str, Any]]


def comparisons(
    functions: Functions, flows: Mapping[Training, Layers], metrics: Mapping[Training, Metrics]
) -> Iterator[tuple[str, Figure]]:
    """Draw, for each target and mode, what the flows of different k learned, and how the loss came down."""
    for (target, mode), group in groupby(flows, key=lambda t: (t.target, t.mode)):
        chosen = list(group)
        yield f"{target}-{mode}", learned(functions, {t: flows[t] for t in chosen})
        yield f"{target}-{mode}-curves", curves({t: metrics[t] for t in chosen})


def learned(functions: Functions, flows: Mapping[Training, Layers]) -> Figure:
    """Draw the densities of the target and of each flow in a row, and samples of each below it."""
    first = next(iter(flows))
    points = grid(first.target)
    panels = [("the target", target_density(first.target, points), two_dimensional.samples(first.target)[1][:SAMPLES])]
    torch.manual_seed(0)
    for training, layers in flows.items():
        density = flow_density(functions, training, layers, points.flatten(0, 1)).view(points.shape[:2])
        panels.append((f"k = {training.k}", density, flow_samples(functions, training, layers)))
    width, height = SHOWN[first.target]
    figure = Figure(figsize=(2.5 * len(panels), 5.0 * height / width + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(panels), squeeze=False)
    brightest = float(panels[0][1].max())
    for column, (title, density, samples) in enumerate(panels):
        axes[0, column].imshow(
            density.T.clamp(max=1.3 * brightest).numpy(),
            origin="lower",
            extent=(-width, width, -height, height),
            cmap="magma",
            vmin=0,
            vmax=brightest,
        )
        axes[0, column].set_title(title, fontsize=10)
        axes[1, column].scatter(*samples.T.numpy(), s=0.6, color="#4269d0", alpha=0.5, linewidths=0)
        frame(axes[1, column], width, height)
        axes[0, column].set(xticks=[], yticks=[])
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel("samples")
    return figure


def grid(target: str) -> Tensor:
    """Return the points of the plane where densities are drawn, (n1, n2, 2)."""
    width, height = SHOWN[target]
    x, y = (torch.linspace(-half, half, round(RESOLUTION * half / height)) for half in (width, height))
    return torch.stack(torch.meshgrid(x, y, indexing="ij"), -1)


def target_density(target: str, points: Tensor) -> Tensor:
    """Return exp(-U) / Z at points, 0 outside of the window of a target that has one."""
    inside = (points.abs() <= torch.tensor(TARGETS[target].box)).all(-1)
    return torch.exp(-TARGETS[target].energy(points) - two_dimensional.log_normalizer(target)) * inside


def flow_density(functions: Functions, training: Training, layers: Layers, points: Tensor) -> Tensor:
    """Return a flow's density at (n, 2) points: by the likelihood, or from the points of the base that lead there."""
    with torch.no_grad():
        if training.mode == "samples":
            return torch.exp(-torch.cat([functions.negative_log_likelihood(layers, x) for x in points.split(LOOK)]))
        z0 = invert(functions.constrain_u, layers, points)
        log_abs_det = torch.cat([functions.compose(layers, z)[1] for z in z0.split(LOOK)])
        return torch.exp(-0.5 * (z0**2).sum(1) - math.log(2 * math.pi) - log_abs_det)


def flow_samples(functions: Functions, training: Training, layers: Layers) -> Tensor:
    """Draw samples of a flow, (3000, 2): a flow that was trained on samples is gone through backwards."""
    noise = torch.randn(SAMPLES, DIM)
    if training.mode == "samples":
        return invert(functions.constrain_u, layers, noise)
    return push(functions.compose, layers, noise)


def curves(metrics: Mapping[Training, Metrics]) -> Figure:
    """Draw the loss on held-out points over the iterations, with the line that nothing can be below."""
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    first = next(iter(metrics))
    ends = []
    for training, lines in metrics.items():
        values = [line["held_out_loss"] for line in lines]
        ends.append(values)
        label = f"k = {training.k}: {values[-1]:.3f}"
        axes.plot([m["iteration"] for m in lines], values, color=COLOURS.get(training.k), marker=".", label=label)
    floor = _floor(first)
    if floor is not None:
        name = "entropy of the target" if first.mode == "samples" else "the target itself"
        axes.axhline(floor, color="black", linewidth=1, linestyle="--", label=f"{name}: {floor:.3f}")
    # The first measurements are far above the rest and would press the ends of the curves flat.
    low = min([min(values) for values in ends] + ([floor] if floor is not None else []))
    high = max(values[min(2, len(values) - 1)] for values in ends)
    span = max(high - low, 1e-3)
    axes.set_ylim(low - 0.08 * span, high + 0.08 * span)
    what = "negative log-likelihood" if first.mode == "samples" else "reverse KL"
    if first.mode == "density" and floor is None:
        what += ", up to a constant"
    axes.set(
        xlabel="iteration",
        ylabel=f"{what}\n(nats, 10,000 held-out points)",
        title=f"{first.target}, from {_origin(first)}",
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _origin(training: Training) -> str:
    return "samples" if training.mode == "samples" else "its energy"


def _floor(training: Training) -> float | None:
    """Return the least loss that there can be; the reverse KL of the sine, whose mass is infinite, has none."""
    if training.mode == "samples":
        return two_dimensional.entropy(training.target)
    return 0.0 if training.target == "arcs" else None


def frame(axes: Axes, width: float, height: float) -> None:
    """Show a part of the plane, without numbers."""
    axes.set(xlim=(-width, width), ylim=(-height, height), xticks=[], yticks=[], aspect="equal")
