"""The figures of the Dirac GAN: each configuration's trajectory and phase portrait, and one sheet with all of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Line3DCollection  # type: ignore[import-untyped]
from torch import Tensor

from .outcomes import Outcome
from .players import F64, Functions, after_one
from .settings import Config, Configuration, Training
from .theory import LIMIT_CYCLE, has_equilibrium, limit_cycle
from .trajectories import Trajectory

FIELD = 15  # arrows along each axis
OTHERS = 12  # starts that are drawn beside the student's own
COLOURS = "viridis"
MOST_POINTS = 5000
PORTRAIT = "Phase portraits: psi0 to the right, theta upwards, arrows where an iteration of your functions leads"
LEGEND = "Violet to yellow: your start (black) to its end (orange); blue: other starts; dotted: theory; dashed: target"
RAW, RED = "#b0b0b0", "#d1495b"


def all_figures(
    functions: Functions, config: Config, found: Mapping[Training, Trajectory], outcomes: Mapping[Training, Outcome]
) -> Iterator[tuple[str, Figure]]:
    """Draw each configuration that was trained, and all on one sheet where there are several."""
    fields = {training: field(functions, training, config, reach(found[training])) for training in found}
    chosen = [c for c in config.chosen if c.training in found]
    if len(chosen) > 1:
        yield "sheet", sheet(chosen, config, found, outcomes, fields)
    for configuration in chosen:
        training = configuration.training
        yield configuration.name, one(configuration, config, found[training], outcomes[training], fields[training])


Field = tuple[Tensor, Tensor, Tensor, Tensor]


def reach(trajectory: Trajectory) -> float:
    """Return how far from the equilibrium a portrait has to go."""
    return 1.1 * min(max(1.6, float(trajectory.path[:, [0, 2]].abs().max())), 1e6)


def field(functions: Functions, training: Training, config: Config, half: float) -> Field:
    """Return where one iteration of the student's functions moves (psi0, theta) with psi1 = 0, on a grid."""
    axis = torch.linspace(-half, half, FIELD, dtype=F64)
    psi, theta = torch.meshgrid(axis, axis, indexing="xy")
    starts = torch.stack([psi.flatten(), torch.zeros(FIELD**2, dtype=F64), theta.flatten()])
    moved = after_one(functions, training, config, starts) - starts[[0, 2]]
    return psi, theta, moved[0].view_as(psi), moved[1].view_as(psi)


def one(configuration: Configuration, config: Config, trajectory: Trajectory, each: Outcome, arrows: Field) -> Figure:
    """Draw one configuration: the trajectory of its parameters, the phase portrait, and theta over the iterations."""
    figure = Figure(figsize=(11.5, 3.9), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(1, 3, width_ratios=(1.1, 1, 1.3))
    in_space(figure.add_subplot(grid[0], projection="3d"), configuration, trajectory)
    portrait(figure.add_subplot(grid[1]), configuration, config, trajectory, arrows)
    over_time(figure.add_subplot(grid[2]), configuration, trajectory)
    figure.suptitle(f"{configuration.name}: {told(configuration, each)}", fontsize=11)
    figure.supxlabel(f"{PORTRAIT}, at psi1 = 0. {LEGEND}", fontsize=7, color="#555555")
    return figure


def told(configuration: Configuration, each: Outcome) -> str:
    """Say in a line what a configuration is and what became of it."""
    return f"{configuration.training.title}. theta: {each.word}{_looks(configuration, each)}"


def _looks(configuration: Configuration, each: Outcome) -> str:
    if not configuration.averaged:
        return ""
    if each.word == each.average_word:
        return "; so does its average" if each.word != "limit cycle" else "; so is its average"
    past = {
        "converges": "converged",
        "cycles": "cycled",
        "diverges": "diverged",
        "limit cycle": "were on a limit cycle",
    }
    return f"; its average looks as if it {past[each.average_word]}"


def in_space(axes: Any, configuration: Configuration, trajectory: Trajectory) -> None:
    """Draw (psi0, psi1, theta), or with the average of theta, coloured by the iteration."""
    points = _thinned(trajectory.path[:, [0, 1, 3 if configuration.averaged else 2]])
    segments = np.stack([points[:-1], points[1:]], 1)
    line = Line3DCollection(segments, cmap=COLOURS, linewidth=0.7, array=np.arange(len(segments)))
    axes.add_collection(line)
    for place, name, colour in ((points[0], "start", "black"), (points[-1], "end", "#e09f3e")):
        axes.scatter(*place, color=colour, s=18, label=name, depthshade=False)
    low, high = points.min(0), points.max(0)
    # psi1 does not move with W1: a part of the others' span keeps rounding from filling the axis.
    middle, half = (low + high) / 2, 1.05 * np.maximum((high - low) / 2, max(1e-3, 0.15 * (high - low).max()))
    for axis, m, h in zip("xyz", middle, half, strict=True):
        getattr(axes, f"set_{axis}lim")(m - h, m + h)
        getattr(axes, f"{axis}axis").set_major_locator(MaxNLocator(4))
        getattr(axes, f"{axis}axis").set_tick_params(labelsize=6, pad=-2)
    axes.set_xlabel("psi0", fontsize=8, labelpad=-5)
    axes.set_ylabel("psi1", fontsize=8, labelpad=-3)
    axes.set_zlabel("average of theta" if configuration.averaged else "theta", fontsize=8, labelpad=-2)
    axes.legend(frameon=False, fontsize=7, loc="upper left")
    axes.set_box_aspect(None, zoom=0.88)


def portrait(axes: Axes, configuration: Configuration, config: Config, trajectory: Trajectory, arrows: Field) -> None:
    """Draw where an iteration leads from each place (psi0, theta), some starts, the student's own, and the target."""
    psi, theta, right, up = (t.numpy() for t in arrows)
    length = np.hypot(right, up)
    scale = np.where(length > 0, length, 1)
    axes.quiver(psi, theta, right / scale, up / scale, length, cmap="Greys", clim=(-0.5 * length.max(), length.max()))
    for start in trajectory.starts[:, 2 : 2 + OTHERS].unbind(1):
        axes.plot(*start.T.numpy(), color="#7aa6c2", linewidth=0.35, alpha=0.7)
    own = _thinned(trajectory.path[:, [0, 2]])
    line = LineCollection(
        list(np.stack([own[:-1], own[1:]], 1)), cmap=COLOURS, linewidth=0.9, array=np.arange(len(own) - 1), zorder=3
    )
    axes.add_collection(line)
    axes.plot(*own[0], "o", color="black", markersize=4, zorder=4)
    axes.plot(*own[-1], "o", color="#e09f3e", markersize=5, zorder=4)
    axes.axhline(0, color=RED, linewidth=0.8, linestyle="--", zorder=2)
    if not has_equilibrium(configuration.training):
        angle = np.linspace(0, 2 * np.pi, 200)
        ellipse = LIMIT_CYCLE * np.cos(angle), limit_cycle(config) * np.sin(angle)
        axes.plot(*ellipse, color="black", linewidth=0.8, linestyle=":")
    half = float(psi.max())
    axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
    _named(axes, "psi0", "theta")


def over_time(axes: Axes, configuration: Configuration, trajectory: Trajectory) -> None:
    """Draw theta over the iterations, and its moving average where the configuration has one."""
    theta, average = trajectory.path[:, 2].numpy(), trajectory.path[:, 3].numpy()
    raw = RAW if configuration.averaged else "#33658a"
    axes.plot(theta, color=raw, linewidth=0.6, label="theta")
    if configuration.averaged:
        axes.plot(average, color=RED, linewidth=1.2, label="its moving average")
    axes.axhline(0, color=RED, linewidth=0.8, linestyle="--")
    axes.set_xlim(0, trajectory.iterations)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=7, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    _named(axes, "iteration", "theta")


def _named(axes: Axes, horizontal: str, vertical: str) -> None:
    axes.set_xlabel(horizontal, fontsize=8, labelpad=1)
    axes.set_ylabel(vertical, fontsize=8, labelpad=1)
    axes.tick_params(labelsize=7)


def sheet(
    chosen: Sequence[Configuration],
    config: Config,
    found: Mapping[Training, Trajectory],
    outcomes: Mapping[Training, Outcome],
    fields: Mapping[Training, Field],
) -> Figure:
    """Draw all configurations: portraits without the moving average, theta and its average with it."""
    columns = 5
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(11, 2.35 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, configuration in zip(panels, chosen, strict=False):
        trajectory, each = found[configuration.training], outcomes[configuration.training]
        if configuration.averaged:
            over_time(axes, configuration, trajectory)
            axes.get_legend().remove()
        else:
            portrait(axes, configuration, config, trajectory, fields[configuration.training])
        average = _looks(configuration, each).replace("; ", ";\n")
        axes.set_title(f"{configuration.name}: {configuration.training.title}\n{each.word}{average}", fontsize=6.5)
        axes.set(xlabel="", ylabel="")
        axes.tick_params(labelsize=5)
    below = (
        f"{PORTRAIT}, at psi1 = 0; with the average: theta (grey) and its average (red) over the iterations.\n{LEGEND}"
    )
    figure.supxlabel(below, fontsize=7, color="#555555")
    for axes in panels[len(chosen) :]:
        axes.set_visible(False)
    return figure


def _thinned(points: Tensor) -> np.ndarray:
    """Return at most some thousands of points of a line."""
    return points[:: max(1, len(points) // MOST_POINTS)].numpy()
