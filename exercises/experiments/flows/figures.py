"""The figures of a run: densities and samples side by side, curves, single layers, and an animation."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
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
        _frame(axes[1, column], width, height)
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
    axes.set(xlabel="iteration", ylabel=f"{what} (nats)", title=f"{first.target}, from {_origin(first)}")
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


# Question 3.1: one layer by itself


ONE_LAYER = {
    "w.u far below −1": ((-3.0, 0.0), (1.0, 0.0), 0.0),
    "w.u = 0.54: nothing": ((math.log(math.e - 1), 0.0), (1.0, 0.0), 0.0),
    "w.u = 3: apart": ((3.0, 0.0), (1.0, 0.0), 0.0),
    "the same, w long": ((0.75, 0.0), (4.0, 0.0), 0.0),
    "u across w: shear": ((0.54, 2.0), (1.0, 0.0), 0.0),
    "b = 2: the bend moves": ((2.0, 2.0), (1.0, 1.0), 2.0),
}


def one_layer(functions: Functions) -> Figure:
    """Draw what single planar layers do to a grid and to samples of N(0, I), for several (u, w, b)."""
    figure = Figure(figsize=(2.0 * (len(ONE_LAYER) + 1), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(ONE_LAYER) + 1)
    torch.manual_seed(0)
    samples = torch.randn(800, DIM)
    cases: dict[str, Any] = {"before": None} | ONE_LAYER
    for column, (title, layer) in enumerate(cases.items()):
        numbers = None if layer is None else [torch.tensor(value) for value in layer]

        def image(z: Tensor, numbers: Any = numbers) -> Tensor:
            with torch.no_grad():
                return z if numbers is None else functions.planar(z, *numbers)[0]

        for line in _grid_lines():
            axes[0, column].plot(*image(line).T.numpy(), color="#4269d0", linewidth=0.6)
        colours = samples[:, 0].numpy()
        axes[1, column].scatter(*image(samples).T.numpy(), s=1.5, c=colours, cmap="coolwarm", vmin=-2, vmax=2)
        told = "" if layer is None else f"\nu = {_typed(layer[0])}, w = {_typed(layer[1])}"
        axes[0, column].set_title(f"{title}{told}", fontsize=8)
        for row in (0, 1):
            _frame(axes[row, column], 5, 5)
    axes[0, 0].set_ylabel("a grid")
    axes[1, 0].set_ylabel("samples, coloured by z1")
    return figure


def _typed(pair: Sequence[float]) -> str:
    return f"({pair[0]:.2g}, {pair[1]:.2g})"


def _grid_lines() -> Iterator[Tensor]:
    """Yield lines of a square grid, each (200, 2)."""
    along = torch.linspace(-3, 3, 200)
    for place in torch.linspace(-3, 3, 13):
        across = torch.full_like(along, float(place))
        yield torch.stack([along, across], 1)
        yield torch.stack([across, along], 1)


def _frame(axes: Axes, width: float, height: float) -> None:
    axes.set(xlim=(-width, width), ylim=(-height, height), xticks=[], yticks=[], aspect="equal")


# The layers in turn


PIXELS, BETWEEN, HOLD, POINTS = 280, 3, 10, 6000
FRAME_MS = 70


def save_animation(functions: Functions, flows: Mapping[Training, Layers], path: Path) -> None:
    """Write a GIF of points of the base that go through the layers one after another.

    Shown is a flow that was trained on a density, whose layers lead that way, and among those one of 8 layers.
    """
    training = min(flows, key=lambda t: (t.mode != "density", abs(t.k - 8)))
    layers = flows[training]
    generator = torch.Generator().manual_seed(0)
    places = [torch.randn(POINTS, DIM, generator=generator)]
    if training.mode == "density":
        places += [push(functions.compose, layers[: i + 1], places[0]) for i in range(training.k)]
    else:
        places += [invert(functions.constrain_u, layers[-i - 1 :], places[0]) for i in range(training.k)]
    angles = torch.atan2(places[0][:, 1], places[0][:, 0]) / (2 * math.pi) + 0.5
    colours = (255 * colormaps["twilight_shifted"](angles.numpy())[:, :3]).astype(np.uint8)
    frames = [_drawn(z, colours, SHOWN[training.target]) for z in _in_between(places)]
    hold = [FRAME_MS * HOLD, *[FRAME_MS] * (len(frames) - 2), FRAME_MS * 2 * HOLD]
    path.parent.mkdir(exist_ok=True)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=hold, loop=0, optimize=True)


def _in_between(places: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield the places and, between two of them, points on the straight way."""
    yield places[0]
    for before, after in pairwise(places):
        for step in range(1, BETWEEN + 1):
            yield before + (after - before) * step / BETWEEN


def _drawn(z: Tensor, colours: np.ndarray, half: tuple[float, float]) -> Image.Image:
    """Draw points as pixels of a small picture with few colours."""
    width = round(PIXELS * half[0] / half[1])
    x = ((z[:, 0] / half[0] + 1) / 2 * width).long().numpy()
    y = ((1 - z[:, 1] / half[1]) / 2 * PIXELS).long().numpy()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < PIXELS)
    canvas = np.full((PIXELS, width, 3), 255, dtype=np.uint8)
    canvas[y[inside], x[inside]] = colours[inside]
    return Image.fromarray(canvas).quantize(32)
