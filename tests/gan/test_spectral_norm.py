"""Properties of spectral_norm.py, on weights made from their singular values."""

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import (
    WrongAnswer,
    assert_at_least,
    assert_at_most,
    assert_close,
    assert_same_dtype,
    assert_tensor,
)
from tests.support.common import assert_all_unchanged
from tests.support.gan import F64, assert_close_or_named
from tests.support.properties import Part, Topic
from tests.support.strategies import reals, tensor

norm = Part("gan.spectral_norm", "spectral_norm.py", ("weight", "u", "num_iterations"))


@dataclass(frozen=True)
class Weight:
    """A weight (out, ...) whose matrix (out, -1) has the given singular values, and a vector u to begin with."""

    weight: Tensor
    u: Tensor
    left: Tensor  # (out, r), the singular vectors
    right: Tensor  # (in, r)
    values: Tensor  # (r,), the largest first

    @property
    def matrix(self) -> Tensor:
        return self.weight.flatten(1)


@st.composite
def _weights(draw: st.DrawFn) -> Weight:
    """Draw a weight of a layer or a convolution, wider or taller, with a gap of 1.25 at least after the first value."""
    rest, fan_out = draw(st.sampled_from([((2,), 3), ((4,), 2), ((1,), 2), ((2, 1, 2), 3), ((1, 2, 2), 2)]))
    fan_in = torch.Size(rest).numel()
    rank = min(fan_in, fan_out)
    bases = [
        torch.linalg.qr(tensor(draw, (n, n), reals(-1, 1)) + 3 * torch.eye(n, dtype=F64)).Q[:, :rank]
        for n in (fan_out, fan_in)
    ]
    scale = draw(st.sampled_from([1.0, 0.05, 30.0]))
    gaps = [1.0, *(draw(reals(0.1, 0.8)) for _ in range(rank - 1))]
    values = scale * torch.cumprod(torch.tensor(gaps, dtype=F64), 0)
    matrix = (bases[0] * values) @ bases[1].T
    # Not across the first singular vector, from where power iteration would not get away.
    u = bases[0][:, 0] * draw(st.sampled_from([1.0, -1.0])) + tensor(draw, (fan_out,), reals(-0.4, 0.4))
    return Weight(matrix.reshape(fan_out, *rest), u / u.norm(), *bases, values)


def _pair(value: Any, given: Weight) -> tuple[Tensor, Tensor]:
    """Return (normalised weight, new u).

    Raises:
        WrongAnswer: the answer is no such pair.
    """
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise WrongAnswer(f"returned a {type(value).__name__}, expected the pair (normalised weight, new u)")
    found = assert_tensor(value[0], "like weight"), assert_tensor(value[1], "like u")
    for name, answer, wanted in zip(
        ("the normalised weight", "the new u"), found, (given.weight, given.u), strict=True
    ):
        if answer.shape != wanted.shape:
            raise WrongAnswer(f"{name} has the shape {tuple(answer.shape)}, expected {tuple(wanted.shape)}", answer)
    return found


def _iterated(given: Weight, count: int) -> Tensor:
    """Return (W W^T)^count u, of length 1."""
    u = given.u
    for _ in range(count):
        u = given.matrix @ (given.matrix.T @ u)
        u = u / u.norm()
    return u


def _sigma(given: Weight, normalised: Tensor) -> Tensor:
    """Return what the weight was divided by.

    Raises:
        WrongAnswer: it is no multiple of the weight.
    """
    sigma = (given.weight * given.weight).sum() / (given.weight * normalised).sum()
    assert_close(normalised * sigma, given.weight, 10.0, "the normalised weight, made a multiple of the weight,")
    return sigma


COUNTS = st.integers(0, 4)


@norm.property("shape", stays="it names a wrong pair before any number is compared", given=_weights(), count=COUNTS)
def weight_and_u(gan: Topic, given: Weight, count: int) -> None:
    """The result is the pair of the normalised weight and the new u, with the shapes of weight and u."""
    _pair(gan.spectral_norm.raw(given.weight, given.u, count), given)


@norm.property("shape", most=5, given=_weights(), count=COUNTS)
def keeps_the_dtype(gan: Topic, given: Weight, count: int) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    for dtype in (F64, torch.float32):
        for answer in _pair(gan.spectral_norm.raw(given.weight.to(dtype), given.u.to(dtype), count), given):
            assert_same_dtype(answer, dtype)


@norm.property("value", most=10, given=_weights(), count=COUNTS)
def leaves_weight_and_u_alone(gan: Topic, given: Weight, count: int) -> None:
    """The weight and u hold the same numbers after the call: an earlier layer of the graph may still need them."""
    after = gan.spectral_norm.observe(given.weight, given.u, count).arguments
    assert_all_unchanged(norm.arguments, after, (given.weight, given.u))


@norm.property(
    "value",
    stays="it is the definition, where power iteration has nothing left to do: it shows another norm or matrix",
    given=_weights(),
    count=st.integers(0, 2),
)
def exact_from_the_singular_vector(gan: Topic, given: Weight, count: int) -> None:
    """From the first left singular vector the weight comes out divided by its largest singular value, of a
    convolution that of its (out, -1) matrix; and u stays."""
    u = given.left[:, 0]
    normalised, new = _pair(gan.spectral_norm.raw(given.weight, u, count), given)
    sigma = given.values[0]
    divisors = {
        "the root of the sum of all squares (Frobenius)": given.weight.norm(),
        "the largest entry": given.weight.abs().max(),
        "the square of the largest singular value": sigma**2,
        "the root of the largest singular value": sigma.sqrt(),
    }
    mistakes = {f"it was divided by {name}": given.weight / divisor for name, divisor in divisors.items()}
    assert_close_or_named(normalised, given.weight / sigma, 10.0, "the normalised weight", mistakes)
    assert_close(new, u, 10.0, "the new u")


@norm.property(
    "value",
    stays="it tells a wrong sigma, and a wrong number of iterations, from a wrong gradient, which goes with both",
    given=_weights(),
    count=COUNTS,
)
def estimate_of_power_iteration(gan: Topic, given: Weight, count: int) -> None:
    """From any u the weight is divided by an estimate that is never above its largest singular value, and as near to
    it as so many iterations bring it."""
    normalised, _ = _pair(gan.spectral_norm.raw(given.weight, given.u, count), given)
    sigma = _sigma(given, normalised)
    new = _iterated(given, count)
    ours = (given.matrix.T @ new).norm()
    # v may be taken from u before its last update: half an iteration less.
    before = given.matrix.T @ _iterated(given, max(count - 1, 0))
    least = torch.minimum(ours, (given.matrix @ before).norm() / before.norm())
    what = "sigma over the largest singular value"
    assert_at_most(sigma / given.values[0], ours / given.values[0], 10.0, what)
    assert_at_least(sigma / given.values[0], least / given.values[0], 10.0, what)


@norm.property("value", given=_weights(), count=st.integers(1, 4))
def new_u(gan: Topic, given: Weight, count: int) -> None:
    """The new u is W W^T u, of length 1, so many times; it has no graph, as it only starts the next call."""
    _, new = _pair(gan.spectral_norm.raw(given.weight, given.u, count), given)
    assert_close(new, _iterated(given, count), 10.0, "the new u")
    seen = gan.spectral_norm.observe(given.weight, given.u, count, wrt="0", cotangent=(None, torch.ones_like(given.u)))
    if seen.gradient is not None:
        raise WrongAnswer("a gradient flows from the new u to weight: the power iteration is part of the graph")


@norm.property(
    "value",
    stays="it is what evaluation relies on: with a u that moves, the same samples have other scores each time",
    most=10,
    given=_weights(),
)
def no_iteration_leaves_u(gan: Topic, given: Weight) -> None:
    """With no iteration, as in evaluation, u comes back as it was."""
    _, new = _pair(gan.spectral_norm.raw(given.weight, given.u, 0), given)
    assert_close(new, given.u, 10.0, "the new u")


@norm.property("gradient", given=_weights(), count=COUNTS, seed=st.integers(0, 9))
def gradient_with_constant_vectors(gan: Topic, given: Weight, count: int, seed: int) -> None:
    """The gradient by weight is (G - <G, weight / sigma> u v^T) / sigma for weights G of the result's entries: through
    the division and through sigma, and not through u and v."""
    generator = torch.Generator().manual_seed(seed)
    cotangent = torch.randn(given.weight.shape, dtype=F64, generator=generator)
    answer = gan.spectral_norm.gradient(given.weight, given.u, count, wrt="0", cotangent=(cotangent, None))
    new = _iterated(given, count)
    before = new if count == 0 else _iterated(given, count - 1)
    expected = [_gradient(given, new, v, cotangent) for v in (given.matrix.T @ new, given.matrix.T @ before)]
    nearest = min(expected, key=lambda g: float((g - answer).abs().max()))
    detached = {"sigma was detached": cotangent / (given.matrix.T @ new).norm()}
    assert_close_or_named(answer, nearest, 10 + 10 * nearest.abs().max(), "the gradient by weight", detached)


def _gradient(given: Weight, u: Tensor, along: Tensor, cotangent: Tensor) -> Tensor:
    v = along / along.norm()
    sigma = u @ given.matrix @ v
    through_sigma = (cotangent * given.weight).sum() / sigma * torch.outer(u, v).view_as(given.weight)
    return (cotangent - through_sigma) / sigma
