"""Properties of penalties.py, on critics whose gradient is known."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import WrongAnswer, assert_close, assert_finite, assert_same_dtype
from tests.support.common import assert_all_unchanged, assert_unchanged
from tests.support.flows import assert_gradients
from tests.support.gan import (
    F64,
    IMAGE,
    Critic,
    assert_number,
    by_tensor,
    convolutional_critics,
    linear_critics,
    number,
    quadratic_critics,
    samples_of,
    shapes,
    slopes,
)
from tests.support.players import FromGraph, LinearCritic, QuadraticCritic
from tests.support.properties import Function, Part, Topic
from tests.support.statistics import FALSE_ALARM, assert_fresh, assert_mean
from tests.support.strategies import reals

r1 = Part("gan.r1_penalty", "penalties.py", ("critic", "real"))
one_centred = Part("gan.gradient_penalty", "penalties.py", ("critic", "real", "fake"))

Case = tuple[Critic, Tensor, Tensor]  # a critic and two batches of samples


@st.composite
def _linear(draw: st.DrawFn) -> Case:
    shape, batch = draw(shapes()), draw(st.integers(1, 3))
    return draw(linear_critics(shape)), samples_of(draw, batch, shape), samples_of(draw, batch, shape)


@st.composite
def _quadratic(draw: st.DrawFn) -> Case:
    d, batch = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return draw(quadratic_critics(d)), samples_of(draw, batch, (d,)), samples_of(draw, batch, (d,))


@st.composite
def _convolutional(draw: st.DrawFn) -> Case:
    batch = draw(st.integers(1, 2))
    return draw(convolutional_critics()), samples_of(draw, batch, IMAGE), samples_of(draw, batch, IMAGE)


def _r1(slope: Tensor) -> Tensor:
    return slope.square().sum(1).mean()


def _gp(slope: Tensor) -> Tensor:
    return (slope.square().sum(1).sqrt() - 1).square().mean()


def _penalty_properties(part: Part, formula: Callable[[Tensor], Tensor]) -> None:
    """Give a penalty the properties that both have; formula: from the critic's gradients, (batch, d), to the value."""
    batches = len(part.arguments) - 1

    def function(topic: Topic) -> Function:
        return getattr(topic, part.name.split(".")[1])

    def arguments(case: Case) -> tuple[Any, ...]:
        return case[: 1 + batches]

    @part.property("shape", case=_linear())
    def one_number(gan: Topic, case: Case) -> None:
        """The result has the shape (), for critics that return (batch,) and (batch, 1), and for one sample."""
        critic, *samples = arguments(case)
        for column in (False, True):
            chosen = LinearCritic(critic.weight, critic.bias, column)
            assert_number(function(gan).raw(chosen, *samples))
            assert_number(function(gan).raw(chosen, *(s[:1] for s in samples)))

    @part.property("shape", most=5, case=_linear())
    def keeps_the_dtype(gan: Topic, case: Case) -> None:
        """Double precision in gives double precision out, and single precision gives single."""
        critic, *samples = arguments(case)
        for dtype in (F64, torch.float32):
            cast = LinearCritic(critic.weight.to(dtype), critic.bias.to(dtype), critic.column)
            assert_same_dtype(function(gan).raw(cast, *(s.to(dtype) for s in samples)), dtype)

    @part.property("value", most=10, case=_linear())
    def leaves_samples_and_critic_alone(gan: Topic, case: Case) -> None:
        """The samples are as before and ask for no gradient, the critic's parameters have not moved, and nothing was
        added to their gradients."""
        critic, *samples = arguments(case)
        seen = function(gan).observe(critic, *samples)
        assert_all_unchanged(part.arguments[1:], seen.arguments[1:], samples)
        for name, tracked in zip(part.arguments[1:], seen.tracked[1:], strict=True):
            if tracked:
                raise WrongAnswer(
                    f"{name} asks for a gradient after the call: requires_grad was set on the caller's tensor"
                )
        parameters, gradients = seen.arguments[0]
        for now, before in zip(parameters, (critic.weight, critic.bias), strict=True):
            assert_unchanged("a parameter of the critic", now, before)
        if any(gradient is not None for gradient in gradients):
            raise WrongAnswer("the critic's parameters have a gradient (.grad) after the call: was backward() called?")

    @part.property("value", case=_linear())
    def linear_critics_of_any_shape(gan: Topic, case: Case) -> None:
        """For the critic a.x + b the gradient is a for every sample, of vectors and images alike: the value depends on
        the norm of a over all its entries, and on nothing else."""
        slope = case[0].weight.reshape(1, -1)  # type: ignore[union-attr]
        assert_close(number(function(gan).raw(*arguments(case))), formula(slope), 10 + 10 * slope.square().sum())

    @part.property("stability", case=_linear())
    def samples_of_a_graph(gan: Topic, case: Case) -> None:
        """Samples that belong to a graph, as those of a generator do, have the value that the same numbers have
        without one."""
        critic, *samples = arguments(case)
        value = number(function(gan).raw(critic, *(FromGraph(s) for s in samples)))
        slope = critic.weight.reshape(1, -1)
        assert_close(value, formula(slope), 10 + 10 * slope.square().sum())

    @part.property("stability", most=5, shape=shapes(), seed=st.integers(0, 9))
    def flat_critics(gan: Topic, shape: tuple[int, ...], seed: int) -> None:
        """For a critic that is flat, a = 0, the gradient by a is finite: the norm has a corner there."""
        critic = LinearCritic(torch.zeros(shape, dtype=F64), torch.zeros((), dtype=F64))
        samples = torch.randn(2, 2, *shape, dtype=F64, generator=torch.Generator().manual_seed(seed))
        gradient = function(gan).gradient(critic, *samples[:batches], wrt="0.weight")
        assert_finite(gradient, "the gradient by a")


_penalty_properties(r1, _r1)
_penalty_properties(one_centred, _gp)


# At real samples


@r1.property("value", case=_quadratic() | _convolutional())
def average_over_the_real_samples(gan: Topic, case: Case) -> None:
    """For curved critics, 1/2 x.Ax or a convolution, the value is the average of |gradient|^2 at each real sample."""
    critic, real, _ = case
    slope = slopes(critic, real).detach()
    assert_close(number(gan.r1_penalty.raw(critic, real)), _r1(slope), 10 + 10 * slope.square().sum())


@r1.property("gradient", case=_quadratic() | _convolutional())
def gradient_in_the_critic(gan: Topic, case: Case) -> None:
    """The gradient by the critic's parameters is that of the formula: a derivative of a derivative."""
    critic, real, _ = case
    name = "root" if isinstance(critic, QuadraticCritic) else "kernel"
    moved, leaf = by_tensor(critic, name)
    expected = torch.autograd.grad(_r1(slopes(moved, real)), leaf)
    answers = (gan.r1_penalty.gradient(critic, real, wrt=path) for path in [f"0.{name}"])
    assert_gradients(answers, expected, [f"{name} of critic"])


# Between real and generated samples


def _points(asked: tuple[Tensor, ...], real: Tensor) -> Tensor:
    """The points that the critic was asked at, one for each sample."""
    points = torch.cat(list(asked)) if asked else real[:0]
    if points.shape != real.shape:
        raise WrongAnswer(f"the critic was asked at {len(points)} points, expected one for each of {len(real)} samples")
    return points


def _epsilons(points: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """The eps of each sample, from the place of its point on the way from fake to real, (batch,).

    Raises:
        WrongAnswer: a point is off the segment.
    """
    step, way = (points - fake).flatten(1), (real - fake).flatten(1)
    epsilon = (step * way).sum(1) / (way * way).sum(1)
    if float((step - epsilon[:, None] * way).abs().max()) > 1e-9 * (1 + float(way.abs().max())):
        raise WrongAnswer(
            "a point is not on the line from its generated to its real sample: is there one eps for each sample?",
            points,
            fake + epsilon.view(-1, *[1] * (fake.dim() - 1)) * (real - fake),
            "nearest on the line",
        )
    if float(epsilon.min()) < -1e-9 or float(epsilon.max()) > 1 + 1e-9:
        raise WrongAnswer("a point lies beyond its two samples: eps is not in [0, 1]", epsilon)
    return epsilon


@one_centred.property("value", case=_quadratic() | _convolutional(), seed=st.integers(0, 2**31 - 1))
def average_over_the_points(gan: Topic, case: Case, seed: int) -> None:
    """For curved critics the value is the average of (|gradient| - 1)^2, each at the one point between a generated and
    a real sample that the critic was asked at."""
    critic, real, fake = case
    seen = gan.gradient_penalty.observe(critic, real, fake)
    slope = slopes(critic, _points(seen.asked[0], real)).detach()
    assert_close(number(seen.value), _gp(slope), 10 + 10 * slope.square().sum())


@one_centred.property("gradient", case=_quadratic() | _convolutional(), seed=st.integers(0, 2**31 - 1))
def gradient_in_the_critic_between(gan: Topic, case: Case, seed: int) -> None:
    """The gradient by the critic's parameters is that of the formula: a derivative of a derivative."""
    critic, real, fake = case
    name = "root" if isinstance(critic, QuadraticCritic) else "kernel"
    seen = gan.gradient_penalty.observe(critic, real, fake, wrt=f"0.{name}")
    moved, leaf = by_tensor(critic, name)
    slope = slopes(moved, _points(seen.asked[0], real))
    if float(slope.detach().norm(dim=1).min()) < 1e-3:
        return  # next to the corner of the norm, where its direction is rounding
    if seen.gradient is None:
        raise WrongAnswer(f"no gradient flows from the result to {name} of critic")
    assert_gradients([seen.gradient], torch.autograd.grad(_gp(slope), leaf), [f"{name} of critic"])


ROWS = 1000


@one_centred.property(
    "randomness",
    most=2,
    false_alarm=3 * FALSE_ALARM,
    shape=st.sampled_from([(1,), (3,), (1, 2, 2)]),
    seed=st.integers(0, 2**31 - 1),
)
def one_uniform_number_for_each_sample(gan: Topic, shape: tuple[int, ...], seed: int) -> None:
    """The critic is asked at eps real + (1 - eps) fake of each pair, with one eps for all dimensions of a sample, each
    sample's its own, uniform between 0 and 1."""

    @cache
    def epsilons(count: int) -> Tensor:
        real, fake = (torch.full((count, *shape), value, dtype=F64) for value in (2.0, -1.0))
        # A different way for each dimension, so that a point off the line shows.
        fake = fake - torch.arange(fake[0].numel(), dtype=F64).view(1, *shape)
        critic = LinearCritic(torch.ones(shape, dtype=F64), torch.zeros((), dtype=F64))
        points = _points(gan.gradient_penalty.observe(critic, real, fake).asked[0], real)
        return _epsilons(points, real, fake)

    if epsilons(ROWS).round(decimals=12).unique().numel() < 0.75 * ROWS:
        raise WrongAnswer("samples share their eps; each should have one of its own", epsilons(ROWS)[:8])
    assert_mean(epsilons, 0.5, ROWS, 0.1, "the mean of eps")
    assert_mean(lambda n: (epsilons(n) - 0.5) ** 2, 1 / 12, ROWS, 0.05, "the variance of eps")
    assert_mean(lambda n: (epsilons(n) - 0.5) ** 4, 1 / 80, ROWS, 0.02, "the fourth moment of eps")


@one_centred.property("randomness", most=2, case=_quadratic(), seed=st.integers(0, 2**31 - 1))
def two_calls_differ(gan: Topic, case: Case, seed: int) -> None:
    """Every call draws numbers of its own from torch's generator, which it does not seed."""
    critic, real, _ = case
    asked = [gan.gradient_penalty.observe(critic, real, real + 1).asked[0] for _ in range(2)]
    assert_fresh(*(_points(points, real) for points in asked))


@one_centred.property(
    "value",
    stays="it shows by numbers that one knows that a critic may be too flat as well as too steep",
    length=reals(0, 3),
)
def too_flat_and_too_steep(gan: Topic, length: float) -> None:
    """A linear critic of slope s costs (s - 1)^2, for s below 1 as well as above."""
    critic = LinearCritic(torch.tensor([length], dtype=F64), torch.zeros((), dtype=F64))
    samples = torch.tensor([[[0.0], [1.0]], [[2.0], [-1.0]]], dtype=F64)
    value = number(gan.gradient_penalty.raw(critic, *samples))
    assert_close(value, torch.tensor((length - 1) ** 2, dtype=F64), 10.0)
