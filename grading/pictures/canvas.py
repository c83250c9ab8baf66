"""What all pictures of answers have in common: size, colours, the sentence above, and what is left out of a frame."""

import io
import re
import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

WIDTH, DPI = 8.0, 100  # 800 pixels
# From the palette of Okabe and Ito, which stays apart for eyes that do not tell red from green.
YOURS, RIGHT, WRONG, OTHER = "#0072b2", "#333333", "#d55e00", "#009e73"
NOTHING = "what is wrong does not show here"
VISIBLE = 0.01  # of the height of a frame: what is less is not seen
BEYOND = 3.0  # heights of a frame around what is right in which wrong answers are shown


def sheet(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, Any]:
    """Return an empty figure and its frames, an array (rows, columns)."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def spanning(frames: Any, column: int) -> Axes:
    """Make one frame of a column of them, and return it."""
    for axes in frames[1:, column]:
        axes.remove()
    first: Axes = frames[0, column]
    grid: Any = first.get_gridspec()
    first.set_subplotspec(grid[:, column])
    return first


def headed(figure: Figure, part: str, sentence: str) -> Figure:
    """Write the part and what one sees above a figure."""
    told = re.sub(r"(?<![\w)])-(?=\d)", "−", f"{part}: {sentence}")  # as matplotlib writes numbers
    figure.suptitle("\n".join(textwrap.wrap(told, 96, break_on_hyphens=False)), fontsize=11, x=0.01, ha="left")
    return figure


def named(axes: Axes, title: str, horizontal: str, vertical: str) -> None:
    """Name a frame and its axes."""
    axes.set_title(title, fontsize=9.5)
    axes.set_xlabel(horizontal, fontsize=9)
    axes.set_ylabel(vertical, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, *axes: Axes) -> None:
    """Put one legend below a figure, with what is drawn in some of its frames."""
    found = {text: handle for ax in axes for handle, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(found.values()),
        list(found),
        loc="outside lower center",
        ncols=min(len(found), 4),
        frameon=False,
        fontsize=9,
    )


def limits(right: Tensor, yours: Tensor) -> tuple[float, float]:
    """Return the ends of a frame around right numbers, and around others as far as BEYOND; infinite ones aside."""
    exact, other = right[right.isfinite()], yours[yours.isfinite()]
    low, high = (float(exact.min()), float(exact.max())) if len(exact) else (0.0, 0.0)
    span = high - low
    if span < 1e-6 * (1 + abs(high)):  # the same number everywhere, but for rounding
        span = max(1.0, 0.1 * abs(high))
    if len(other):
        low = min(low, max(float(other.min()), low - BEYOND * span))
        high = max(high, min(float(other.max()), high + BEYOND * span))
    margin = 0.06 * max(high - low, span)
    return low - margin, high + margin


def compare(axes: Axes, x: Tensor, yours: Tensor, right: Tensor) -> None:
    """Draw answers over one variable, and what is right, which stays visible below them."""
    finite = right.isfinite()
    axes.plot(
        x[finite], right[finite], color=RIGHT, linewidth=5, alpha=0.25, solid_capstyle="butt", label="right answer"
    )
    low, high = limits(right, yours)
    shown = np.where(yours.isfinite(), yours.clamp(low, high), np.nan)  # numbers like 1e300 are too large for a canvas
    inside = (yours >= low) & (yours <= high)
    axes.plot(x, np.where(inside, shown, np.nan), color=YOURS, linewidth=1.5, label="your answer")
    at = ~inside & (yours.isfinite() | right.isfinite())
    places = np.where(yours.nan_to_num(0.0) > high, high, low)
    if bool(at.any()):
        axes.plot(x[at], places[at], "x", color=WRONG, markersize=4, label="nan, or out of the frame", clip_on=False)
    axes.set_ylim(low, high)


def png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a picture, which tells in words too what one sees."""
    stream = io.BytesIO()
    told = figure.get_suptitle().replace("\n", " ")
    figure.savefig(stream, format="png", facecolor="white", metadata={"Description": told})
    return stream.getvalue()
