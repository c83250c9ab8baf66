"""Implementations of gan.gradient_penalty_property: properties that let wrong functions through, or right ones not."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grading.bank import Bank

bank = Bank("gan.gradient_penalty_property", named=False)
Function = Callable[..., Any]
F64 = torch.float64
SHAPES = ((3,), (2, 3), (1, 2, 2))


def _samples(shape: tuple[int, ...], n: int = 5, dtype: torch.dtype = F64) -> tuple[Tensor, Tensor]:
    return torch.randn(n, *shape, dtype=dtype), 2 * torch.randn(n, *shape, dtype=dtype) - 1


def _penalty(slopes: Tensor) -> Tensor:
    return (torch.linalg.vector_norm(slopes.flatten(1), dim=1) - 1).pow(2).mean()


def _form(gradient_penalty: Function, linear_critic: Function) -> None:
    for dtype in (F64, torch.float32):
        weight = torch.tensor([0.5, -2.0, 1.0], dtype=dtype)
        value = gradient_penalty(linear_critic(weight), *_samples((3,), dtype=dtype))
        assert value.shape == ()
        assert value.dtype == dtype
        assert torch.allclose(value, _penalty(weight[None]), atol=1e-4)


def _linear(gradient_penalty: Function, linear_critic: Function) -> None:
    """The values of critics whose slope is everywhere the same."""
    for shape, scale, column in zip((*SHAPES, (3,)), (0.1, 1.0, 1.0, 2.0), (True, False, False, True), strict=True):
        weight = scale * torch.randn(shape, dtype=F64)
        value = gradient_penalty(linear_critic(weight, 0.5, column), *_samples(shape))
        assert torch.allclose(value, _penalty(weight[None]), atol=1e-6, rtol=1e-6)


def _keeps(gradient_penalty: Function, linear_critic: Function) -> None:
    """Samples and critic are as they were."""
    critic, (real, fake) = linear_critic(torch.ones(3, dtype=F64)), _samples((3,))
    critic.weight.grad = torch.full_like(critic.weight, 7.0)
    before = real.clone(), fake.clone()
    gradient_penalty(critic, real, fake)
    assert torch.equal(real, before[0])
    assert torch.equal(fake, before[1])
    assert not real.requires_grad
    assert critic.training
    assert torch.equal(critic.weight.grad, torch.full_like(critic.weight, 7.0))
    assert critic.bias.grad is None


def _flat(gradient_penalty: Function, linear_critic: Function) -> None:
    """A critic of slope 0, and samples that belong to a graph."""
    critic = linear_critic(torch.zeros(3, dtype=F64))
    real, fake = _samples((3,))
    value = gradient_penalty(critic, real, fake.requires_grad_() * 1.0)
    assert abs(value.item() - 1) < 1e-5
    assert bool(torch.autograd.grad(value, critic.weight)[0].isfinite().all())


def _points(critic: Any, real: Tensor) -> Tensor:
    return torch.cat([points.reshape(real.shape) for points in critic.asked])[: len(real)].detach()


def _slope(gradient_penalty: Function, quadratic_critic: Function) -> None:
    """The value, and the gradient by the critic's parameters, at the points where it was asked."""
    root = torch.randn(2, 2, dtype=F64)
    critic, (real, fake) = quadratic_critic(root), _samples((2,))
    value = gradient_penalty(critic, real, fake)
    twin = root.clone().requires_grad_()
    expected = _penalty(_points(critic, real) @ (twin + twin.T) / 2)
    assert torch.allclose(value, expected, atol=1e-6)
    (found,) = torch.autograd.grad(value, critic.root)
    assert torch.allclose(found, torch.autograd.grad(expected, twin)[0], atol=1e-5)


def _epsilons(gradient_penalty: Function, critic: Any, real: Tensor, fake: Tensor) -> Tensor:
    """The eps of each sample, each on its line."""
    gradient_penalty(critic, real, fake)
    step, way = (_points(critic, real) - fake).flatten(1), (real - fake).flatten(1)
    epsilon = (step * way).sum(1) / way.square().sum(1)
    assert torch.allclose(step, epsilon[:, None] * way, atol=1e-6)
    assert epsilon.min() >= -1e-6
    assert epsilon.max() <= 1 + 1e-6
    return epsilon


def _lines(gradient_penalty: Function, linear_critic: Function) -> None:
    for shape in SHAPES:
        _epsilons(gradient_penalty, linear_critic(torch.ones(shape, dtype=F64)), *_samples(shape))


def _uniform(gradient_penalty: Function, linear_critic: Function) -> None:
    real, fake = _samples((2,), 300)
    drawn = [_epsilons(gradient_penalty, linear_critic(torch.ones(2, dtype=F64)), real, fake) for _ in range(2)]
    assert not torch.allclose(drawn[0], drawn[1])
    assert abs(drawn[0].mean() - 0.5) < 0.1
    assert 0.055 < drawn[0].var() < 0.115


bank.reason("What does the property do for a function that returns something else? Only an exception rejects it.")


@bank.mistake("nothing is asserted of what the function answers")
def asserts_nothing(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    for shape in SHAPES:
        gradient_penalty(linear_critic(torch.ones(shape)), *_samples(shape, dtype=torch.float32))


@bank.mistake("the function is never asked anything: the critics are")
def asks_the_critics_only(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    assert linear_critic(torch.ones(3))(torch.ones(2, 3)).shape == (2,)


@bank.mistake("whether the function is right is returned, not raised")
def returns_a_bool(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> bool:
    return bool(gradient_penalty(linear_critic(torch.ones(4)), torch.ones(2, 4), torch.zeros(2, 4)) == 1)


bank.reason("Which wrong functions would the property let through? Look at value, form, gradient, points and noise.")


@bank.mistake("only shapes and dtypes are looked at, and the value of one critic")
def looks_at_the_form_only(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    _form(gradient_penalty, linear_critic)


@bank.mistake("only linear critics are asked about, for whom it does not matter where they are asked")
def asks_about_linear_critics(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    _form(gradient_penalty, linear_critic)
    _linear(gradient_penalty, linear_critic)
    _keeps(gradient_penalty, linear_critic)
    _flat(gradient_penalty, linear_critic)


@bank.mistake("what becomes of samples and critic is not looked at")
def forgets_what_is_left(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    _form(gradient_penalty, linear_critic)
    _linear(gradient_penalty, linear_critic)
    _flat(gradient_penalty, linear_critic)
    _slope(gradient_penalty, quadratic_critic)
    _lines(gradient_penalty, linear_critic)
    _uniform(gradient_penalty, linear_critic)


@bank.mistake("the answer is made a number in double precision before it is looked at")
def forgives_the_form(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    def forgiven(critic: Any, real: Tensor, fake: Tensor) -> Tensor:
        return torch.as_tensor(gradient_penalty(critic, real, fake)).double().mean()

    _linear(forgiven, linear_critic)
    _keeps(forgiven, linear_critic)
    _flat(forgiven, linear_critic)
    _slope(forgiven, quadratic_critic)
    _lines(forgiven, linear_critic)
    _uniform(forgiven, linear_critic)


@bank.mistake("no critic of slope 0 is asked about, and no samples that belong to a graph")
def asks_about_steep_critics(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    _form(gradient_penalty, linear_critic)
    _linear(gradient_penalty, linear_critic)
    _keeps(gradient_penalty, linear_critic)
    _slope(gradient_penalty, quadratic_critic)
    _lines(gradient_penalty, linear_critic)
    _uniform(gradient_penalty, linear_critic)


@bank.mistake("of the gradient by the critic's parameters only whether there is one is looked at")
def looks_for_any_gradient(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    _form(gradient_penalty, linear_critic)
    _linear(gradient_penalty, linear_critic)
    _keeps(gradient_penalty, linear_critic)
    _flat(gradient_penalty, linear_critic)
    _lines(gradient_penalty, linear_critic)
    _uniform(gradient_penalty, linear_critic)
    critic, (real, fake) = quadratic_critic(torch.randn(2, 2, dtype=F64)), _samples((2,))
    value = gradient_penalty(critic, real, fake)
    value.backward()
    root = critic.root.detach()
    assert torch.allclose(value, _penalty(_points(critic, real) @ (root + root.T) / 2))


@bank.mistake("of eps only that it leads to the line between two samples is looked at, not how it is drawn")
def forgets_how_eps_is_drawn(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    _form(gradient_penalty, linear_critic)
    _linear(gradient_penalty, linear_critic)
    _keeps(gradient_penalty, linear_critic)
    _flat(gradient_penalty, linear_critic)
    _slope(gradient_penalty, quadratic_critic)
    _lines(gradient_penalty, linear_critic)


bank.reason("Right functions differ in their last digits, and in what they draw: demand no more than the handout does.")


@bank.mistake("nothing may be added under the root, not even what shows in no digit that matters")
def demands_every_digit(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    for scale in (0.0, 1.0):
        critic = linear_critic(scale * torch.ones(3, dtype=F64))
        value = gradient_penalty(critic, *_samples((3,)))
        assert torch.allclose(value, _penalty(scale * torch.ones(1, 3, dtype=F64)), rtol=1e-12, atol=1e-12)
    _flat(gradient_penalty, linear_critic)
    _keeps(gradient_penalty, linear_critic)
    _form(gradient_penalty, linear_critic)
    _linear(gradient_penalty, linear_critic)
    _slope(gradient_penalty, quadratic_critic)
    _lines(gradient_penalty, linear_critic)
    _uniform(gradient_penalty, linear_critic)


@bank.mistake("steep critics alone are to cost something")
def demands_one_side(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    value = gradient_penalty(linear_critic(torch.full((2,), 0.1)), torch.ones(3, 2), torch.zeros(3, 2))
    assert value.item() == 0


def _whole(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    for look in (_form, _linear, _keeps, _flat, _lines, _uniform):
        look(gradient_penalty, linear_critic)
    _slope(gradient_penalty, quadratic_critic)


@bank.alternative("the points are read from critic.asked; slopes of critics are known")
def by_known_slopes(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    _whole(gradient_penalty, linear_critic, quadratic_critic)


@bank.alternative("errors of other kinds, keyword arguments, and `except Exception`")
def by_value_errors(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    def named(one: Any, two: Tensor, three: Tensor) -> Any:
        return gradient_penalty(fake=three, real=two, critic=one)

    try:
        _whole(named, linear_critic, quadratic_critic)
    except Exception as error:
        raise ValueError("it is not right") from error


@bank.alternative("everything is seeded anew before each look, in an order of its own")
def by_seeds(gradient_penalty: Function, linear_critic: Function, quadratic_critic: Function) -> None:
    for seed, look in enumerate((_uniform, _lines, _flat, _keeps, _linear, _form)):
        torch.manual_seed(seed)
        look(gradient_penalty, linear_critic)
    torch.manual_seed(99)
    _slope(gradient_penalty, quadratic_critic)
