"""Implementations of flows.planar_property: properties that let wrong functions through, or right ones not."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank

bank = Bank("flows.planar_property", named=False)
Function = Callable[..., Any]
Layer = tuple[Tensor, Tensor, Tensor, Tensor]
F64 = torch.float64


def _layers(own: bool = True, far: bool = True) -> list[Layer]:
    """Points and layers; the first is at w = 0, the second almost folds."""
    zero, one = torch.zeros(1, 1, dtype=F64), torch.ones(1, 1, dtype=F64)
    found = [(zero, one[0], zero[0], one[0, 0]), (zero, -9 * one[0], one[0], zero[0, 0])]
    for rows in ((4,), (1,), ()) if own else ((),):
        z, (u, w), b = torch.randn(*(rows or (4,)), 3, dtype=F64), torch.randn(2, *rows, 3, dtype=F64), torch.ones(rows)
        found.append((z, u, w, b.to(F64)))
    found.append((1000 * found[2][0] if far else found[2][0], *found[2][1:]))
    return found


def _right(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    dot, square = (w * u).sum(-1, keepdim=True), w.square().sum(-1, keepdim=True)
    u = u + (F.softplus(dot) - 1 - dot) * w / torch.where(square == 0, torch.ones_like(square), square)
    h = torch.tanh((w * z).sum(-1, keepdim=True) + b.unsqueeze(-1))
    wu = torch.where(square == 0, torch.zeros_like(dot), torch.expm1(F.softplus(dot).log()))
    return z + u * h, (h**2 + (1 - h**2) * (1 + wu)).log().sum(-1)


def _form(planar: Function, layer: Layer) -> None:
    for dtype in (F64, torch.float32) if layer[0].abs().max() < 100 and layer[0].any() else ():
        points, log_abs_det = planar(*(t.clone().to(dtype) for t in layer))
        assert points.dtype == log_abs_det.dtype == dtype
        assert points.shape == layer[0].shape
        assert log_abs_det.shape == (len(points),)


def _numbers(planar: Function, layer: Layer, tolerance: float = 1e-9, which: tuple[int, ...] = (0, 1)) -> None:
    given = [t.clone() for t in layer]
    found, expected = planar(*given), _right(*layer)
    for i in which:
        assert torch.allclose(found[i], expected[i], rtol=tolerance, atol=tolerance)
    assert all(map(torch.equal, given, layer))


def _gradient(planar: Function, layer: Layer) -> None:
    if bool(layer[2].any()):
        found, truth = (_slopes(function, layer) for function in (planar, _right))
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(found, truth, strict=True))


def _finite(planar: Function, layer: Layer) -> None:
    assert all(bool(slope.isfinite().all()) for slope in _slopes(planar, layer))


def _weighted(answer: tuple[Tensor, Tensor]) -> Tensor:
    """The sum of all entries of both results, no two with one weight."""
    flat = torch.cat([each.flatten() for each in answer])
    return (flat * torch.linspace(-1, 2, len(flat), dtype=flat.dtype)).sum()


def _slopes(function: Function, layer: Layer) -> list[Tensor]:
    leaves = [t.clone().requires_grad_() for t in layer]
    total = _weighted(function(*leaves))
    return list(torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True))


def _summed(planar: Function, u: Tensor, w: Tensor, b: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda points: planar(points, u, w, b)[0].sum(0)


def _all(planar: Function, layers: list[Layer]) -> None:
    for layer in layers:
        _form(planar, layer)
        _numbers(planar, layer)
        _gradient(planar, layer)


bank.reason("What does the property do for a function that returns something else? Only an exception rejects it.")


@bank.mistake("nothing is asserted of what the function answers")
def asserts_nothing(planar: Function) -> None:
    for layer in _layers():
        planar(*layer)


@bank.mistake("the function is never asked anything")
def never_asks(planar: Function) -> None:
    points, _ = _right(*_layers()[0])
    assert points.shape == (1, 1)


@bank.mistake("whether the function is right is returned, not raised")
def returns_a_bool(planar: Function) -> bool:
    layer = _layers()[2]
    return torch.allclose(planar(*layer)[0], _right(*layer)[0])


bank.reason(
    "Which wrong functions would the property let through? Look at each answer, its form and its gradient, far too."
)


@bank.mistake("only shapes and dtypes are looked at")
def looks_at_the_form_only(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)


@bank.mistake("only the points are looked at, and never their log-determinants")
def looks_at_the_points_only(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)
        _numbers(planar, layer, which=(0,))


@bank.mistake("the log-determinant is compared with the Jacobian of whatever f is, and f with nothing")
def believes_the_points(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)
    for z, u, w, b in _layers()[2:5]:
        rows = torch.autograd.functional.jacobian(_summed(planar, u, w, b), z)
        assert torch.allclose(torch.linalg.slogdet(rows.transpose(0, 1)).logabsdet, planar(z, u, w, b)[1])


@bank.mistake("shapes are made the right ones before they are looked at")
def forgives_the_form(planar: Function) -> None:
    def forgiven(*layer: Tensor) -> tuple[Tensor, Tensor]:
        points, log_abs_det = planar(*layer)
        return points, log_abs_det.reshape(-1)

    for layer in _layers():
        _numbers(forgiven, layer)
        _gradient(forgiven, layer)


@bank.mistake("numbers are compared to three digits, so that what is added or rounded a little never shows")
def compares_three_digits(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)
        _numbers(planar, layer, 1e-3)
        _gradient(planar, layer)


@bank.mistake("only points are asked about at which tanh is not flat")
def stays_near_zero(planar: Function) -> None:
    _all(planar, _layers(far=False))


@bank.mistake("no gradient is asked for")
def forgets_the_gradient(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)
        _numbers(planar, layer)


@bank.mistake("of gradients only that they are finite is looked at")
def looks_for_finite_gradients(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)
        _numbers(planar, layer)
        _finite(planar, layer)


@bank.mistake("only layers are asked about that all instances share")
def asks_about_shared_layers(planar: Function) -> None:
    _all(planar, _layers(own=False))


bank.reason("A right function may be written in many ways, each of which rounds otherwise: compare up to rounding.")


@bank.mistake("the answers have to be, to the last bit, those of one way to write it")
def demands_every_bit(planar: Function) -> None:
    _all(planar, _layers())
    for z, u, w, b in _layers()[2:]:
        wu, ww = (w * u).sum(-1, keepdim=True), (w * w).sum(-1, keepdim=True)
        moved = u - (1 + F.logsigmoid(wu)) / ww * w
        h = torch.tanh((w * z).sum(-1) + b)
        log_abs_det = torch.log(h * h + (1 - h * h) * F.softplus((w * u).sum(-1)))
        assert torch.equal(planar(z, u, w, b)[0], z + moved * h.unsqueeze(-1))
        assert torch.equal(planar(z, u, w, b)[1], log_abs_det)


@bank.mistake("u is demanded to be left without its constraint")
def demands_no_constraint(planar: Function) -> None:
    z, u, w, b = _layers()[2]
    assert torch.allclose(planar(z, u, w, b)[0], z + u * torch.tanh((w * z).sum(-1) + b).unsqueeze(-1))


@bank.alternative("the log-determinant by the Jacobian that autograd finds, gradients by finite differences")
def by_jacobian_and_differences(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)
        _numbers(planar, layer)
    z, u, w, b = _layers()[2]
    rows = torch.autograd.functional.jacobian(_summed(planar, u, w, b), z)
    assert torch.allclose(torch.linalg.slogdet(rows.transpose(0, 1)).logabsdet, planar(z, u, w, b)[1], atol=1e-8)
    steps = [1e-4 * torch.randn_like(t) for t in (z, u, w, b)]
    ends = [planar(*(t + s * d for t, d in zip((z, u, w, b), steps, strict=True))) for s in (1, -1)]
    change = (_weighted(ends[0]) - _weighted(ends[1])).item()
    slopes = _slopes(planar, (z, u, w, b))
    expected = sum((2 * s * d).sum().item() for s, d in zip(slopes, steps, strict=True))
    assert abs(change - expected) < 1e-4 * abs(expected) + 1e-9
    _finite(planar, _layers()[-1])


@bank.alternative("errors of other kinds, keyword arguments, and `except Exception`")
def by_value_errors(planar: Function) -> None:
    def named(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Any:
        return planar(b=b, w=w, u=u, z=z)

    for layer in _layers():
        try:
            _form(named, layer)
            _numbers(named, layer)
            _gradient(named, layer)
        except Exception as error:
            raise ValueError("it is not right") from error


@bank.alternative("gradients by the arguments of one layer after another, by backward()")
def by_backward(planar: Function) -> None:
    for layer in _layers():
        _form(planar, layer)
        _numbers(planar, layer)
        leaves, twins = ([t.clone().requires_grad_() for t in layer] for _ in range(2))
        for function, inputs in ((planar, leaves), (_right, twins)) if bool(layer[2].any()) else ():
            _weighted(function(*inputs)).backward()
        for leaf, twin in zip(leaves, twins, strict=True):
            left, right = (t.grad if t.grad is not None else torch.zeros_like(t) for t in (leaf, twin))
            assert torch.allclose(left, right, atol=1e-6)
