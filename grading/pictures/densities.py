"""The densities: what they say on a grid, and their integral beside 1."""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.closeness import per_instance
from tests.support.models import NormalBase
from tests.support.oracles import rows_of, sent

from .asking import Asking
from .canvas import NOTHING, RIGHT, VISIBLE, compare, headed, legend, named, sheet
from .curves import Curve
from .folding import layer

F64 = torch.float64
REACH, SIDE = 5.0, 81
LAYERS = (layer((-0.8, 1.0), (1.2, 0.3), 0.5), layer((0.9, -0.6), (0.2, 1.1), -0.3))


@dataclass(frozen=True)
class Density:
    """A density on the cells of something, (n,), beside the right one; area: of a cell."""

    what: str
    yours: Tensor
    right: Tensor
    area: float

    @property
    def integral(self) -> float:
        """What it integrates to."""
        return float(self.yours.sum()) * self.area

    @property
    def told(self) -> str:
        """The integral, in words."""
        return f"integral {self.integral:.4g}, should be 1"

    @property
    def sentence(self) -> str:
        """What is wrong with it, in a few words; empty where nothing is to be seen."""
        if not bool(self.yours.isfinite().all()):
            return f"{self.what} is nan or infinite in places"
        if abs(self.integral - 1) > VISIBLE:
            return f"{self.what} integrates to {self.integral:.4g} instead of 1"
        off = float((self.yours - self.right).abs().max() / self.right.max())
        return f"{self.what} has the integral 1, but it is another one" if off > VISIBLE else ""


def plane() -> tuple[Tensor, float]:
    """Return the points of a grid on the plane, (SIDE^2, 2), and the area of a cell."""
    axis = torch.linspace(-REACH, REACH, SIDE, dtype=F64)
    return torch.cartesian_prod(axis, axis), float(axis[1] - axis[0]) ** 2


def density_map(axes: Axes, found: Density, title: str = "") -> None:
    """Draw a density of the plane in colours, and the right one by its contours."""
    extent = (-REACH, REACH, -REACH, REACH)
    top = float(found.right.max())
    shown = found.yours.nan_to_num(0.0).clamp(0, 1.2 * top).view(SIDE, SIDE).T
    axes.imshow(shown.numpy(), origin="lower", extent=extent, cmap="Blues", vmin=0, vmax=1.2 * top, aspect="equal")
    levels = [top * share for share in (0.05, 0.3, 0.7)]
    axis = torch.linspace(-REACH, REACH, SIDE)
    axes.contour(axis, axis, found.right.view(SIDE, SIDE).T, levels, colors=RIGHT, linewidths=0.9)
    axes.plot([], [], color=RIGHT, linewidth=0.9, label="contours of the right density")
    axes.plot([], [], "s", color="#3182bd", label="your density")
    named(axes, title + found.told, "x1", "x2")


def _flow_figure(ask: Asking, found: Density, cut: Curve) -> Figure:
    figure, frames = sheet(1, 2, 4.2)
    density_map(frames[0, 0], found)
    compare(frames[0, 1], cut.x, cut.yours, cut.right)
    named(frames[0, 1], "along x2 = 0", cut.over, cut.what)
    legend(figure, *frames[0])
    return headed(figure, ask.part.name, found.sentence or cut.sentence or NOTHING)


def of_a_flow(ask: Asking) -> tuple[Density, Curve]:
    """Ask for the log-density of a flow on a grid of the plane, or its negative, and cut it along an axis."""
    points, area = plane()
    negative = ask.part.name.endswith("negative_log_likelihood")
    zero = torch.zeros(2, dtype=F64)
    base = NormalBase(zero, zero) if negative else NormalBase(zero + 0.3, torch.tensor([0.3, -0.4], dtype=F64))
    answer = ask.answer(LAYERS, points) if negative else ask.answer(LAYERS, points, base)
    told = per_instance(answer.value, len(points)).double()
    z, log_abs_det = map(torch.from_numpy, sent(rows_of(LAYERS, points), 2))
    exact = base(z) + log_abs_det
    yours = -told if negative else told
    middle = points[:, 1].abs() < 1e-9
    what, over = "log-density (nats)", "x1"
    return Density("its density", yours.exp(), exact.exp(), area), Curve(
        what, over, points[middle, 0], yours[middle], exact[middle]
    )


def flow_density(ask: Asking) -> Figure:
    """Draw the density that a flow induces."""
    return _flow_figure(ask, *of_a_flow(ask))
