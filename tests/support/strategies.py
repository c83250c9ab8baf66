"""Inputs for properties: bounded, in double precision, drawn as numbers so that they shrink to what a person types."""

import math
from typing import Any

import torch
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from torch import Tensor

from .models import LinearDecoder
from .oracles import Layer, LinearGaussian


def reals(low: float, high: float) -> SearchStrategy[float]:
    """Numbers of an interval, without subnormal ones."""
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


MEANS = reals(-5, 5)
LOGVARS = reals(-4, 4)
PROBABILITIES = reals(0.01, 0.99)
BITS = st.sampled_from([0.0, 1.0])


def seeds() -> SearchStrategy[int]:
    """Seeds for noise: a property's input of the name `seed` reaches torch's generator beside the student's code."""
    return st.integers(0, 2**31 - 1)


def tensor(draw: st.DrawFn, shape: tuple[int, ...], elements: SearchStrategy[float]) -> Tensor:
    """Draw a tensor of a shape, entry by entry."""
    count = torch.Size(shape).numel()
    return torch.tensor(draw(st.lists(elements, min_size=count, max_size=count)), dtype=torch.float64).view(shape)


@st.composite
def tensors(draw: st.DrawFn, *elements: SearchStrategy[float], batch: int = 4, features: int = 4) -> Any:
    """Draw tensors of one shape, up to (batch, features), one for each kind of element."""
    shape = (draw(st.integers(1, batch)), draw(st.integers(1, features)))
    return tuple(tensor(draw, shape, kind) for kind in elements)


@st.composite
def images(draw: st.DrawFn, *elements: SearchStrategy[float]) -> Any:
    """Draw (batch, channels, height, width) tensors of one shape, with different height and width."""
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 2)), 2, 3)
    return tuple(tensor(draw, shape, kind) for kind in elements)


@st.composite
def linear_gaussians(draw: st.DrawFn) -> LinearGaussian:
    """Draw a model x = W z + b + noise, z in two and x in four dimensions, whose exact posterior is diagonal."""
    a, b, c, d = draw(st.lists(reals(0.2, 1.5), min_size=4, max_size=4))
    ratio = draw(reals(0.5, 2))
    # The two columns are orthogonal whatever the four numbers are.
    weight = torch.tensor([[a, -b * ratio], [b, a * ratio], [c, -d * ratio], [d, c * ratio]], dtype=torch.float64)
    return LinearGaussian(LinearDecoder(weight, tensor(draw, (4,), reals(-1, 1)), draw(reals(0.3, 2))))


@st.composite
def observations(draw: st.DrawFn, batch: int = 3) -> Tensor:
    """Draw data for a linear-Gaussian model, up to (batch, 4)."""
    return tensor(draw, (draw(st.integers(1, batch)), 4), reals(-3, 3))


COORDINATES = reals(-3, 3)
# Away from 0, where the constraint divides by |w|^2; properties of their own look at 0.
DIRECTIONS = reals(-2, 2).map(lambda x: x + math.copysign(0.1, x))


@st.composite
def planar_layers(
    draw: st.DrawFn, least: int = 1, most: int = 1, features: int = 4, own: bool | None = None
) -> tuple[Tensor, list[Layer]]:
    """Draw (batch, d) points and some planar layers (u, w, b): shared, or of each instance's own where `own` is."""
    batch, d = draw(st.integers(1, 3)), draw(st.integers(1, features))
    rows = (batch,) if (draw(st.booleans()) if own is None else own) else ()
    layers = [
        (
            tensor(draw, (*rows, d), COORDINATES),
            tensor(draw, (*rows, d), DIRECTIONS),
            tensor(draw, rows, COORDINATES),
        )
        for _ in range(draw(st.integers(least, most)))
    ]
    return tensor(draw, (batch, d), COORDINATES), layers


@st.composite
def smooth_layers(draw: st.DrawFn, most: int = 2) -> list[Layer]:
    """Draw up to so many layers on the plane whose densities a grid with steps of 1/4 integrates to nine digits."""
    entries = reals(-0.4, 0.4).map(lambda x: x + math.copysign(0.3, x))
    return [
        (
            torch.tensor([draw(entries), draw(entries)], dtype=torch.float64),
            torch.tensor([draw(entries), draw(entries)], dtype=torch.float64),
            torch.tensor(draw(reals(-1, 1)), dtype=torch.float64),
        )
        for _ in range(draw(st.integers(1, most)))
    ]
