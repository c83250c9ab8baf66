"""Answers as curves over one variable, with their gradient below: where a function of one number says it all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.closeness import per_instance
from tests.support.gan import number

from .asking import Asking, column_of
from .canvas import NOTHING, VISIBLE, compare, headed, legend, limits, named, sheet, spanning

Arguments = tuple[Any, ...]
Right = tuple[Tensor, Tensor | None]  # the values over the variable, (n,), and their derivative where it is asked for


@dataclass(frozen=True)
class Curve:
    """Answers over one variable, all (n,), and what is right; with the gradient by the variable where one is wanted.

    what: the value, with its unit. over: the variable. subject: what the value is called in a sentence.
    """

    what: str
    over: str
    x: Tensor
    yours: Tensor
    right: Tensor
    slope: Tensor | None = None
    right_slope: Tensor | None = None
    subject: str = "its value"

    @property
    def sentence(self) -> str:
        """What is wrong with it, in a few words; empty where nothing is to be seen."""
        what = f"{self.subject}, over {self.over},"
        value = _difference(what, self.yours, self.right) or _finite(what, self.yours, self.right)
        if value or self.slope is None or self.right_slope is None:
            return value
        if bool(self.slope.isnan().all()):
            return f"{self.subject}, over {self.over}, is right, but no gradient comes back"
        slope = _difference(f"its gradient, over {self.over},", self.slope, self.right_slope)
        return slope and f"{slope}; the value is right"


def _difference(what: str, yours: Tensor, right: Tensor) -> str:
    """Say how answers differ from what is right, where one can see it."""
    lost = int((right.isfinite() & ~yours.isfinite()).sum())
    if lost:
        return f"{what} is nan or infinite at {lost} of {len(yours)} points"
    low, high = limits(right, yours)
    off = (yours - right)[right.isfinite()].abs()
    if len(off) and float(off.max()) > VISIBLE * (high - low):
        return f"{what} is off by up to {float(off.max()):.3g}"
    return ""


def _finite(what: str, yours: Tensor, right: Tensor) -> str:
    """Say where answers are finite, and should not be."""
    count = int((right.isinf() & (yours != right)).sum())
    return f"{what} is not infinite at {count} of {len(yours)} points where it should be" if count else ""


def with_slope(values: Callable[[Tensor], Tensor], x: Tensor) -> Right:
    """Return the values over a variable, each a function of its own entry alone, and their derivative."""
    leaf = x.clone().requires_grad_()
    found = values(leaf)
    return found.detach(), torch.autograd.grad(found.sum(), leaf)[0]


def rowwise(ask: Asking, what: str, over: str, arguments: Arguments, position: int, right: Right) -> Curve:
    """Ask for all points of a curve at once: a row each, whose first entry of the argument at `position` varies."""
    varied = arguments[position]
    answer = ask.answer(*arguments, wrt=str(position))
    yours = per_instance(answer.value, len(varied)).double()
    return Curve(what, over, varied.flatten(1)[:, 0], yours, right[0], column_of(answer.gradients[0], varied), right[1])


def pointwise(
    ask: Asking,
    what: str,
    over: str,
    x: Tensor,
    arguments: Callable[[Tensor], Arguments],
    right: Right,
    read: Callable[[Any], Any] = lambda value: value,
    wrt: str = "",
    cotangent: Any = None,
) -> Curve:
    """Ask for each point of a curve in a call of its own, for answers of one number.

    read: finds the number in an answer. wrt: the tensor whose first entry is the variable; no gradient if empty.
    """
    answers = ask.answers([ask.call(*arguments(each), wrt=wrt, cotangent=cotangent) for each in x])
    yours = torch.stack([number(read(answer.value)).double() for answer in answers])
    if not wrt:
        return Curve(what, over, x, yours, right[0])
    shown = torch.stack([column_of(_row(answer.gradients[0]), x[:1, None])[0] for answer in answers])
    return Curve(what, over, x, yours, right[0], shown, right[1])


def _row(gradient: Tensor | None) -> Tensor | None:
    return None if gradient is None else gradient.reshape(1, -1)


def sentence_of(curves: Sequence[Curve]) -> str:
    """Say what one sees in curves: what is wrong with the first that is."""
    return next((curve.sentence for curve in curves if curve.sentence), NOTHING)


def column(frames: Any, place: int, curve: Curve) -> None:
    """Draw a curve into a column of frames, its value above its gradient, if one is wanted."""
    if curve.slope is None or curve.right_slope is None:
        axes = spanning(frames, place)
    else:
        axes = frames[0, place]
        compare(frames[1, place], curve.x, curve.slope, curve.right_slope)
        named(frames[1, place], "", curve.over, "its gradient")
    compare(axes, curve.x, curve.yours, curve.right)
    named(axes, "", curve.over, curve.what)


def drawn(ask: Asking, curves: Sequence[Curve]) -> Figure:
    """Draw curves side by side."""
    rows = 2 if any(curve.slope is not None for curve in curves) else 1
    figure, frames = sheet(rows, len(curves), 1.1 + 2.0 * rows)
    for place, curve in enumerate(curves):
        column(frames, place, curve)
    legend(figure, *frames[0])
    return headed(figure, ask.part.name, sentence_of(curves))
