"""The figures of the image experiment: samples in time, metric and score on one plot, configurations compared."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from data import ColourImages

from ..runs import Run
from .networks import SIDE
from .scores import score_names, titles
from .settings import Config, Configuration
from .tables import Metrics
from .training import SHOWN

ROWS = 8  # evaluations on a sheet in time
COLUMNS = 16  # samples of the fixed noise on it
LOSS, DISTANCE = "#4269d0", "#d1495b"
Pixels = np.ndarray


def all_figures(
    config: Config, metrics: Mapping[Configuration, Metrics], images: ColourImages, run: Run
) -> Iterator[tuple[str, Figure]]:
    """Draw each configuration that was trained, and all on one sheet and in one plot where there are several."""
    strips = {c: _strips(run.training(c.name), lines) for c, lines in metrics.items()}
    if len(metrics) > 1:
        yield "sheet", sheet(config, metrics, {c: list(found.values())[-1] for c, found in strips.items()}, images)
        yield "comparison", comparison(config, metrics)
    for configuration, lines in metrics.items():
        yield f"{configuration.name}-progress", progress(configuration, config, lines)
        yield f"{configuration.name}-samples", in_time(configuration, strips[configuration])


def _strips(path: Path, metrics: Metrics) -> dict[int, Pixels]:
    """Read what the moving average made of the fixed noise at some evaluations, evenly, the last one among them.

    Returns:
        By update: (samples, 32, 32, 3).
    """
    updates = [int(line["update"]) for line in metrics]
    places = np.unique(np.linspace(0, len(updates) - 1, min(ROWS, len(updates))).round().astype(int))
    found = {}
    for update in (updates[place] for place in places):
        with Image.open(path / "samples" / f"{update:08d}.png") as image:
            strip = np.asarray(image.convert("RGB"))
        found[update] = strip.reshape(SIDE, -1, SIDE, 3).transpose(1, 0, 2, 3)
    return found


def sheet(
    config: Config,
    metrics: Mapping[Configuration, Metrics],
    finals: Mapping[Configuration, Pixels],
    images: ColourImages,
) -> Figure:
    """Draw the last samples of every configuration, and training images below them."""
    key, _ = score_names(config.extractor, config.samples)
    # Any of them, for a data set may be in the order of its classes.
    some = torch.randperm(len(images.train), generator=torch.Generator().manual_seed(0))[:SHOWN]
    real = images.train[some].permute(0, 2, 3, 1).numpy()
    panels = [(f"{c.name}: {c.label}, {key} {metrics[c][-1][key]:.1f}", pixels) for c, pixels in finals.items()]
    panels.append((f"training images of {images.name}", real))
    figure, axes = _figure(len(panels), height=1.17)
    for ax, (title, pixels) in zip(axes, panels, strict=True):
        _show(ax, _grid(pixels, COLUMNS))
        ax.set_title(title, fontsize=9, loc="left")
    return figure


def in_time(configuration: Configuration, strips: Mapping[int, Pixels]) -> Figure:
    """Draw what the moving average makes of the same noise as training goes on, an evaluation in each row."""
    figure, (ax,) = _figure(1, height=0.43 * len(strips) + 0.4)
    _show(ax, np.concatenate([_grid(pixels[:COLUMNS], COLUMNS) for pixels in strips.values()]))
    ax.set_yticks([SIDE * (i + 0.5) for i in range(len(strips))], [f"{update:,}" for update in strips], fontsize=8)
    ax.set_title(f"{configuration.label}: the same noise after so many updates, moving average", fontsize=9, loc="left")
    return figure


def progress(configuration: Configuration, config: Config, metrics: Metrics) -> Figure:
    """Draw the metric and the Frechet distance over the updates, on one plot with two axes."""
    figure, (left,) = _figure(1, height=3.2)
    key, _ = score_names(config.extractor, config.samples)
    updates = [line["update"] for line in metrics]
    right = left.twinx()
    left.plot(updates, [line["metric"] for line in metrics], color=LOSS, marker="o", markersize=3)
    right.plot(updates, [line[key] for line in metrics], color=DISTANCE, marker="s", markersize=3)
    left.set_xlabel("updates of the generator")
    left.set_ylabel(f"{configuration.objective.upper()} on held-out images", color=LOSS)
    right.set_ylabel(key, color=DISTANCE)
    right.set_ylim(0, 1.06 * max(line[key] for line in metrics))
    title = titles(config.extractor, config.samples)[0]
    left.set_title(f"{configuration.label}: what the critic believes, and the {title}", fontsize=9, loc="left")
    return figure


def comparison(config: Config, metrics: Mapping[Configuration, Metrics]) -> Figure:
    """Draw the two scores of all configurations over the updates."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    names = zip(score_names(config.extractor, config.samples), titles(config.extractor, config.samples), strict=True)
    for ax, (key, title) in zip(figure.subplots(1, 2), names, strict=True):
        for lines in metrics.values():
            ax.plot([m["update"] for m in lines], [m[key] for m in lines], marker="o", markersize=3)
        ax.set(xlabel="updates of the generator", title=title)
        ax.title.set_fontsize(10)
    figure.legend([c.label for c in metrics], loc="outside lower center", ncols=len(metrics), frameon=False, fontsize=8)
    return figure


def _figure(rows: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(7.2, rows * height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, 1, squeeze=False)[:, 0])


def _show(ax: Axes, pixels: Pixels) -> None:
    ax.imshow(pixels, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def _grid(pixels: Pixels, columns: int) -> Pixels:
    """Lay (n, 32, 32, 3) images out in rows of so many."""
    rows = len(pixels) // columns
    laid = pixels[: rows * columns].reshape(rows, columns, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4)
    return laid.reshape(rows * SIDE, columns * SIDE, 3)
