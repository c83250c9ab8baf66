"""Properties of penalties.py, on critics whose gradient is known."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import WrongAnswer, assert_close, assert_finite
from tests.support.common import assert_all_unchanged, assert_unchanged
from tests.support.flows import assert_gradients
from tests.support.gan import (
    F64,
    IMAGE,
    Critic,
    assert_both_precisions,
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
from tests.support.strategies import reals, seeds

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


def _terms(slope: Tensor) -> Tensor:
    """What was added up for a value. Under the root of a norm that is about 0 many add 1e-12, which is right too."""
    return 10 + 10 * slope.square().sum() + 2e-3 / (1e-6 + slope.square().sum(1).min().sqrt())


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
        """Double precision in gives double precision out, single gives single, and both give the same number."""
        critic, *samples = arguments(case)

        def ask(dtype: torch.dtype) -> Any:
            cast = LinearCritic(critic.weight.to(dtype), critic.bias.to(dtype), critic.column)
            return function(gan).raw(cast, *(s.to(dtype) for s in samples))

        assert_both_precisions(ask, 1000.0)

    @part.property("value", most=10, case=_linear(), stale=st.sampled_from([None, 3.0]))
    def leaves_samples_and_critic_alone(gan: Topic, case: Case, stale: float | None) -> None:
        """The samples are as before and ask for no gradient, the critic's parameters have not moved, and what stood in
        their gradients, nothing or something, stands there still."""
        critic, *samples = arguments(case)
        seen = function(gan).observe(replace(critic, stale=stale), *samples)
        assert_all_unchanged(part.arguments[1:], seen.arguments[1:], samples)
        for name, tracked in zip(part.arguments[1:], seen.tracked[1:], strict=True):
            if tracked:
                raise WrongAnswer(
                    f"{name} asks for a gradient after the call: requires_grad was set on the caller's tensor"
                )
        parameters, gradients, (trainable, training) = seen.arguments[0]
        if not trainable or not training:
            raise WrongAnswer("the critic was left frozen, or in evaluation mode")
        for now, before in zip(parameters, (critic.weight, critic.bias), strict=True):
            assert_unchanged("a parameter of the critic", now, before)
        for gradient in gradients:
            if (gradient is None) != (stale is None) or (stale and bool((gradient != stale).any())):
                raise WrongAnswer(
                    "the .grad of a parameter of the critic was changed: was backward() or zero_grad() called?",
                    gradient,
                )

    @part.property("value", case=_linear())
    def linear_critics_of_any_shape(gan: Topic, case: Case) -> None:
        """For the critic a.x + b the gradient is a for every sample, of vectors and images alike: the value depends on
        the norm of a over all its entries, and on nothing else."""
        slope = case[0].weight.reshape(1, -1)  # type: ignore[union-attr]
        told = f"the value for a gradient of norm {float(slope.norm()):.4g} everywhere"
        assert_close(number(function(gan).raw(*arguments(case))), formula(slope), _terms(slope), told)

    @part.property("stability", case=_linear())
    def samples_of_a_graph(gan: Topic, case: Case) -> None:
        """Samples that belong to a graph, as those of a generator do, have the value that the same numbers have
        without one."""
        critic, *samples = arguments(case)
        value = number(function(gan).raw(critic, *samples))
        of_a_graph = number(function(gan).raw(critic, *(FromGraph(s) for s in samples)))
        assert_close(of_a_graph, value)

    @part.property("stability", most=5, shape=shapes(), seed=st.integers(0, 9))
    def flat_critics(gan: Topic, shape: tuple[int, ...], seed: int) -> None:
        """For a critic that is flat, a = 0, the gradient by a is finite, though a norm has a corner there."""
        critic = LinearCritic(torch.zeros(shape, dtype=F64), torch.zeros((), dtype=F64))
        samples = torch.randn(2, 2, *shape, dtype=F64, generator=torch.Generator().manual_seed(seed))
        gradient = function(gan).gradient(critic, *samples[:batches], wrt="0.weight")
        assert_finite(gradient, "the gradient by a")


_penalty_properties(r1, _r1)
_penalty_properties(one_centred, _gp)


def _is_flat(slope: Tensor) -> bool:
    """Whether a critic is so flat somewhere that a norm is next to its corner; flat critics have their own property."""
    return float(slope.detach().norm(dim=1).min()) < 1e-3


FOR_HALF_RIGHT = "it holds where only the second derivative is wrong, and so tells the two apart"


# At real samples


@r1.property("value", stays=FOR_HALF_RIGHT, case=_quadratic() | _convolutional())
def average_over_the_real_samples(gan: Topic, case: Case) -> None:
    """For curved critics, 1/2 x.Ax or a convolution, the value is the average of |gradient|^2 at each real sample."""
    critic, real, _ = case
    slope = slopes(critic, real).detach()
    assert_close(number(gan.r1_penalty.raw(critic, real)), _r1(slope), _terms(slope))


@r1.property("gradient", case=_quadratic() | _convolutional())
def gradient_in_the_critic(gan: Topic, case: Case) -> None:
    """The gradient by the critic's parameters is that of the formula: a derivative of a derivative."""
    critic, real, _ = case
    name = "root" if isinstance(critic, QuadraticCritic) else "kernel"
    seen = gan.r1_penalty.observe(critic, real, wrt=f"0.{name}")
    moved, leaf = by_tensor(critic, name)
    slope = slopes(moved, real)
    if _is_flat(slope):
        return
    _assert_second_order(seen.gradient, _r1(slope), leaf, name)


def _assert_second_order(gradient: Tensor | None, value: Tensor, leaf: Tensor, name: str) -> None:
    """Accept the gradient of a penalty by a parameter of the critic."""
    if gradient is None:
        raise WrongAnswer(
            f"no gradient flows from the result to {name} of critic: it takes a graph (create_graph=True)"
        )
    assert_gradients([gradient], torch.autograd.grad(value, leaf), [f"{name} of critic"])


# Between real and generated samples


def _points(asked: tuple[Tensor, ...], real: Tensor) -> Tensor:
    """The points that the critic was asked at, one for each sample, in one call or several, once or again and again."""
    flat = torch.cat([points.flatten() for points in asked]) if asked else real.flatten()[:0]
    times = flat.view(-1, real.numel()) if flat.numel() % real.numel() == 0 else flat[:0]
    if len(times) == 0 or not torch.equal(times, times[:1].expand_as(times)):
        found = flat.numel() // real[0].numel()
        raise WrongAnswer(f"the critic was asked at {found} points, expected one for each of {len(real)} samples")
    return times[0].view_as(real)


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


@one_centred.property("value", stays=FOR_HALF_RIGHT, case=_quadratic() | _convolutional(), seed=seeds())
def average_over_the_points(gan: Topic, case: Case, seed: int) -> None:
    """For curved critics the value is the average of (|gradient| - 1)^2, each at the one point between a generated and
    a real sample that the critic was asked at."""
    critic, real, fake = case
    seen = gan.gradient_penalty.observe(critic, real, fake)
    slope = slopes(critic, _points(seen.asked[0], real)).detach()
    assert_close(number(seen.value), _gp(slope), _terms(slope))


@one_centred.property("gradient", case=_quadratic() | _convolutional(), seed=seeds())
def gradient_in_the_critic_between(gan: Topic, case: Case, seed: int) -> None:
    """The gradient by the critic's parameters is that of the formula: a derivative of a derivative."""
    critic, real, fake = case
    name = "root" if isinstance(critic, QuadraticCritic) else "kernel"
    seen = gan.gradient_penalty.observe(critic, real, fake, wrt=f"0.{name}")
    moved, leaf = by_tensor(critic, name)
    slope = slopes(moved, _points(seen.asked[0], real))
    if _is_flat(slope):
        return
    _assert_second_order(seen.gradient, _gp(slope), leaf, name)


ROWS = 1000


@one_centred.property("randomness", most=2, false_alarm=9 * FALSE_ALARM, seed=seeds())
def one_uniform_number_for_each_sample(gan: Topic, seed: int) -> None:
    """The critic is asked at eps real + (1 - eps) fake of each pair, with one eps for all dimensions of a sample, each
    sample's its own, uniform between 0 and 1."""
    for shape in ((3,), (2, 2), (1, 2, 2)):
        _assert_uniform(cache(lambda count, shape=shape: _drawn_epsilons(gan, shape, count)))


def _drawn_epsilons(gan: Topic, shape: tuple[int, ...], count: int) -> Tensor:
    """The eps of so many samples of a shape, (count,)."""
    real, fake = (torch.full((count, *shape), value, dtype=F64) for value in (2.0, -1.0))
    # A different way for each dimension and for each sample, so that a point off its own line shows.
    fake = fake - torch.arange(fake[0].numel(), dtype=F64).view(1, *shape)
    fake = fake - (torch.arange(count, dtype=F64) / count).view(-1, *[1] * len(shape))
    critic = LinearCritic(torch.ones(shape, dtype=F64), torch.zeros((), dtype=F64))
    points = _points(gan.gradient_penalty.observe(critic, real, fake).asked[0], real)
    return _epsilons(points, real, fake)


def _assert_uniform(epsilons: Callable[[int], Tensor]) -> None:
    if epsilons(ROWS).round(decimals=12).unique().numel() < 0.75 * ROWS:
        raise WrongAnswer(
            "samples share their eps, or it is not drawn at all; each should have a random one of its own",
            epsilons(ROWS)[:8],
        )
    assert_mean(epsilons, 0.5, ROWS, 0.1, "the mean of eps")
    assert_mean(lambda n: (epsilons(n) - 0.5) ** 2, 1 / 12, ROWS, 0.05, "the variance of eps")
    assert_mean(lambda n: (epsilons(n) - 0.5) ** 4, 1 / 80, ROWS, 0.02, "the fourth moment of eps")


@one_centred.property("randomness", most=2, case=_quadratic(), seed=seeds())
def two_calls_differ(gan: Topic, case: Case, seed: int) -> None:
    """Every call draws numbers of its own from torch's generator, which it does not seed."""
    critic, real, _ = case
    asked = [gan.gradient_penalty.observe(critic, real, real + 1).asked[0] for _ in range(2)]
    assert_fresh(*(_points(points, real) for points in asked))


@one_centred.property(
    "value",
    edges=[{"length": 0.0}],
    stays="it shows by numbers that one knows that a critic may be too flat as well as too steep",
    length=reals(0, 3),
)
def too_flat_and_too_steep(gan: Topic, length: float) -> None:
    """A linear critic of slope s costs (s - 1)^2, for s below 1 as well as above."""
    slope = torch.tensor([[length]], dtype=F64)
    critic = LinearCritic(slope[0], torch.zeros((), dtype=F64))
    samples = torch.tensor([[[0.0], [1.0]], [[2.0], [-1.0]]], dtype=F64)
    assert_close(number(gan.gradient_penalty.raw(critic, *samples)), _gp(slope), _terms(slope))
