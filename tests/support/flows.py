"""What the properties of flows share: reading an answer of two tensors, its Jacobian, and its gradients."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from grading.engine.calls import Cost

from .closeness import WrongAnswer, assert_close, assert_tensor, per_instance
from .oracles import Layer, reach
from .properties import Function

F64 = torch.float64


def points_of(value: Any, shape: tuple[int, ...], what: str) -> Tensor:
    """Return an answer that is a tensor of points.

    Raises:
        WrongAnswer: it is none, or of another shape.
    """
    points = assert_tensor(value, str(shape))
    if points.shape != shape:
        raise WrongAnswer(f"{what} has the shape {tuple(points.shape)}, expected {tuple(shape)}", points)
    return points


def pair_of(value: Any) -> tuple[Any, Any]:
    """Return the two items of an answer (points, log-determinants).

    Raises:
        WrongAnswer: the answer has not two items.
    """
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        found = "a single tensor" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise WrongAnswer(f"returned {found}, expected the pair (f(z), log_abs_det)")
    return value[0], value[1]


def mapped(function: Function, z: Tensor, *arguments: Any) -> tuple[Tensor, Tensor]:
    """Ask a function of points for images (batch, d) and log-determinants, as (batch,) whatever axes of one it has."""
    points, log_abs_det = pair_of(function.raw(*arguments))
    return points_of(points, z.shape, "f(z)"), per_instance(log_abs_det, len(z))


def jacobian(gradient: Callable[[Tensor, list[Layer], Tensor], Tensor], z: Tensor, layers: Sequence[Layer]) -> Tensor:
    """Return the Jacobian of the images by the points, (batch, d, d), by one gradient for all of its rows.

    gradient: gives the gradient by the points, for points, layers and weights of the images' entries. Every point is
    asked d times, once for each coordinate of its image.
    """
    batch, d = z.shape
    repeated = [_repeated(layer, d) for layer in layers]
    rows = torch.eye(d, dtype=z.dtype).repeat(batch, 1)
    return gradient(z.repeat_interleave(d, 0), repeated, rows).view(batch, d, d)


def _repeated(layer: Layer, times: int) -> Layer:
    """Repeat the rows of a layer of each instance's own; a shared one fits any number of points."""
    u, w, b = layer
    return (
        (u.repeat_interleave(times, 0), w.repeat_interleave(times, 0), b.repeat_interleave(times)) if b.dim() else layer
    )


def assert_gradients(answers: Iterable[Tensor], expected: Sequence[Tensor], names: Sequence[str]) -> None:
    """Accept gradients that are the oracle's; rounding in one grows with the largest of them.

    Answers that are asked for one by one leave the call of a wrong one as the last, which is the one that is told.
    """
    scale = 10 + 10 * max(float(gradient.abs().max()) for gradient in expected)
    for answer, gradient, name in zip(answers, expected, names, strict=True):
        assert_close(answer, gradient, scale, f"the gradient by {name}")


def assert_slogdet(log_abs_det: Tensor, jacobian: Tensor) -> None:
    """Accept log-determinants that torch.linalg.slogdet finds for the Jacobians.

    Rounding in the entries of a Jacobian counts by how much larger they are than its determinant.
    """
    expected = torch.linalg.slogdet(jacobian).logabsdet
    size = jacobian.abs().amax((1, 2)) ** jacobian.shape[-1]
    assert_close(log_abs_det, expected, 10 * (1 + size * torch.exp(-expected)), "log_abs_det")


def assert_grows_slowly(small: Cost, large: Cost, times: int, largest: int, what: str) -> None:
    """Accept a cost that is at most times^1.2 as large, without a tensor of more than `largest`.

    Raises:
        WrongAnswer: it grows faster, or a tensor is larger.
    """
    grown, most = large.elements / max(1, small.elements), times**1.2
    if grown > most:
        raise WrongAnswer(
            f"{times} times the {what} make {grown:.0f} times as many tensor entries read and written; "
            f"expected at most {most:.0f} times"
        )
    if large.largest > largest:
        raise WrongAnswer(f"the largest tensor has {large.largest:,} entries, expected at most {largest:,}")


MASS = "it needs no formula: a density has the mass 1, whatever the layers are"
STEP = 0.25


def grid(layers: Sequence[Layer]) -> tuple[Tensor, float]:
    """Return the points of a grid on the plane that holds all the mass of a smooth flow, and the area of a cell."""
    # N(0, I) has no mass to speak of beyond 6.
    steps = math.ceil((6 + reach(layers)) / STEP)
    axis = STEP * torch.arange(-steps, steps + 1, dtype=F64)
    return torch.cartesian_prod(axis, axis), STEP**2
