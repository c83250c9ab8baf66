"""A grid of the plane as a flow warps it: where it folds, and its log-determinant beside the one that is measured."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .asking import Asking
from .canvas import OTHER, RIGHT, WRONG, YOURS, headed, legend, named, sheet
from .folding import LAYERS, REACH, SIDE, STRONG, Warp, asked, warp

EVERY = 4  # of the lines of points one is drawn


def planar(ask: Asking) -> Figure:
    """Draw what a planar layer does to a grid."""
    return drawn(ask, warp(asked(ask, *STRONG), [STRONG]))


def compose(ask: Asking) -> Figure:
    """Draw what three layers do to a grid."""
    return drawn(ask, warp(asked(ask, LAYERS, last=True), LAYERS))


def drawn(ask: Asking, found: Warp) -> Figure:
    """Draw a warped grid, the log-determinants that came with it, and the measured ones."""
    figure, frames = sheet(1, 3, 3.4)
    grid(frames[0, 0], found)
    told = found.measured if found.told is None else found.told
    known = found.measured[found.measured.isfinite()].clamp(min=-6)
    low, high = (float(known.min()), float(known.max())) if len(known) else (-1.0, 1.0)
    for axes, values, title in zip(
        frames[0, 1:], (told, found.measured), ("log |det|, your answer", "log |det|, measured"), strict=True
    ):
        image = axes.imshow(
            values.view(SIDE, SIDE).T.numpy(),
            origin="lower",
            extent=(-REACH, REACH, -REACH, REACH),
            cmap="cividis",
            interpolation="bilinear",
            vmin=low,
            vmax=max(high, low + 0.1),
        )
        named(axes, title, "z1", "z2")
    if bool(found.folded.any()):
        axis = torch.linspace(-REACH, REACH, SIDE)
        frames[0, 2].contour(axis, axis, found.folded.view(SIDE, SIDE).T.double(), [0.5], colors=WRONG)
    figure.colorbar(image, ax=frames[0, 1:].tolist(), label="nats", shrink=0.75)
    legend(figure, frames[0, 0])
    return headed(figure, ask.part.name, found.sentence)


def grid(axes: Axes, found: Warp) -> None:
    """Draw the images of the lines of a grid, and where it folds."""
    bound = 2 * REACH
    images = found.images.clamp(-9 * bound, 9 * bound).view(SIDE, SIDE, 2)
    right = found.right.view(SIDE, SIDE, 2)
    for i in range(0, SIDE, EVERY):
        for line in (right[i], right[:, i]):
            axes.plot(*line.T, color=RIGHT, linewidth=3, alpha=0.15, label="where it should be")
        axes.plot(*images[i].T, color=YOURS, linewidth=0.9, label="a grid, mapped: z1 fixed")
        axes.plot(*images[:, i].T, color=OTHER, linewidth=0.9, label="z2 fixed")
    if bool(found.folded.any()):
        axes.plot(*found.images[found.folded].clamp(-bound, bound).T, ".", color=WRONG, markersize=2.5, label="folded")
    seen = images.nan_to_num().clamp(-bound, bound).flatten(0, 1)
    x, y = ((seen.amax(0) + seen.amin(0)) / 2).tolist()
    half = max(REACH, 0.53 * float((seen.amax(0) - seen.amin(0)).max()))
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    named(axes, "where your answer sends a grid", "f(z)1", "f(z)2")
