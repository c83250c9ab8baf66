"""The figures of a run, each drawn from numbers and tensors and returned for saving."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor


def learning_curve(metrics: Sequence[Mapping[str, Any]], threshold: float | None = None) -> Figure:
    """Draw the negative ELBO over the epochs, on training and validation images.

    Args:
        metrics: a line an epoch with 'epoch', 'train_negative_elbo' and 'valid_negative_elbo' (nats an image).
        threshold: the negative ELBO to stay below, in nats; drawn where it is given.
    """
    figure, axes = _figure()
    epochs = [m["epoch"] for m in metrics]
    for key, label in (("train_negative_elbo", "training"), ("valid_negative_elbo", "validation")):
        axes.plot(epochs, [m[key] for m in metrics], marker="o", markersize=3, label=label)
    if threshold is not None:
        axes.axhline(threshold, color="black", linewidth=1, linestyle="--", label=f"threshold {threshold:g}")
    # The first epochs are far above the rest and would press the end of the curve flat.
    settled = [m[key] for m in metrics[len(metrics) // 10 :] for key in ("train_negative_elbo", "valid_negative_elbo")]
    low = min(settled + ([threshold] if threshold is not None else []))
    span = max(settled) - low or 1.0
    axes.set_ylim(low - 0.08 * span, max(settled) + 0.08 * span)
    last = metrics[-1]["valid_negative_elbo"]
    axes.set(xlabel="epoch", ylabel="−ELBO (nats an image)", title=f"After {epochs[-1]} epochs: {last:.2f} nats")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return figure


def log_likelihood_curve(by_samples: Mapping[int, float], elbo: float) -> Figure:
    """Draw the estimate of log p(x) against the number K of importance samples, with the ELBO as its reference.

    Args:
        by_samples: {K: average estimate in nats an image}.
        elbo: the average ELBO of the same images; the estimate has this mean at K = 1.
    """
    figure, axes = _figure()
    samples = list(by_samples)
    axes.semilogx(samples, list(by_samples.values()), marker="o", label="importance sampling")
    for k, value in by_samples.items():
        axes.annotate(f"−{-value:.2f}", (k, value), xytext=(5, -13), textcoords="offset points", fontsize=9)
    axes.axhline(elbo, color="black", linewidth=1, linestyle="--", label=f"ELBO, −{-elbo:.2f}")
    axes.set_xticks(samples, [str(k) for k in samples])
    axes.minorticks_off()
    axes.margins(0.1, 0.2)
    axes.set(xlabel="importance samples K", ylabel="log p(x) (nats an image)", title="Tighter with more samples")
    axes.legend(frameon=False, loc="center right")
    return figure


def reconstructions(originals: Tensor, means: Tensor) -> Figure:
    """Draw pairs of rows: originals, and below each one the mean of p(x | z) at z = mu.

    Args:
        originals: (N, 784) images, N a multiple of 10.
        means: (N, 784) in [0, 1].
    """
    pairs = torch.stack((originals.view(-1, 10, 784), means.view(-1, 10, 784)), dim=1)
    return _picture(pairs.reshape(-1, 784), 10, "Test images, and below each its reconstruction")


def samples(means: Tensor) -> Figure:
    """Draw the means of p(x | z) for z from the prior.

    Args:
        means: (N, 784) in [0, 1], N a multiple of 10.
    """
    return _picture(means, 10, "Samples: the mean of p(x | z), z from the prior")


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def _picture(images: Tensor, columns: int, title: str) -> Figure:
    """Show (N, 784) images in a grid, a light line between them."""
    rows = len(images) // columns
    cells = torch.nn.functional.pad(images.float().cpu().view(rows, columns, 28, 28), (0, 2, 0, 2), value=0.1)
    grid = cells.permute(0, 2, 1, 3).reshape(rows * 30, columns * 30)[:-2, :-2]
    figure = Figure(figsize=(5.6, 5.6 * rows / columns + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(grid.numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=11)
    return figure
