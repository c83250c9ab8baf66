"""The figure of question 3.1: what single planar layers do to a grid and to samples."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from .figures import frame
from .networks import DIM, Functions

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
            frame(axes[row, column], 7, 7)
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
