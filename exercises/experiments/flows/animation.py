"""The layers of a flow in turn, as an animation."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from matplotlib import colormaps
from PIL import Image
from torch import Tensor

from .evaluation import push
from .figures import SHOWN
from .inversion import invert
from .networks import DIM, Functions, Layers
from .settings import Training

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
    colours = (210 * colormaps["hsv"](angles.numpy())[:, :3]).astype(np.uint8)
    # Some layers send points further out than the target has any.
    reach = max(*SHOWN[training.target], *(float(z.abs().quantile(0.995)) for z in places))
    frames = [_drawn(z, colours, reach) for z in _in_between(places)]
    hold = [FRAME_MS * HOLD, *[FRAME_MS] * (len(frames) - 2), FRAME_MS * 2 * HOLD]
    path.parent.mkdir(exist_ok=True)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=hold, loop=0, optimize=True)


def _in_between(places: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield the places and, between two of them, points on the straight way."""
    yield places[0]
    for before, after in pairwise(places):
        for step in range(1, BETWEEN + 1):
            yield before + (after - before) * step / BETWEEN


def _drawn(z: Tensor, colours: np.ndarray, reach: float) -> Image.Image:
    """Draw points as pixels of a small picture with few colours; those further out than `reach` are left out."""
    columns, rows = (((side * z[:, axis] / reach + 1) / 2 * PIXELS).long().numpy() for axis, side in ((0, 1), (1, -1)))
    inside = (columns >= 0) & (columns < PIXELS) & (rows >= 0) & (rows < PIXELS)
    canvas = np.full((PIXELS, PIXELS, 3), 255, dtype=np.uint8)
    canvas[rows[inside], columns[inside]] = colours[inside]
    return Image.fromarray(canvas).quantize(32)
