"""Implementations of vae.log_mean_exp_property: properties that let wrong functions through, or right ones not."""

import math
import random
from collections.abc import Callable

import torch
from torch import Tensor

from grading.bank import Bank

bank = Bank("vae.log_mean_exp_property", named=False)
Function = Callable[..., Tensor]
F64 = torch.float64
FAR = torch.tensor([[1e3], [-1e3], [0.0], [1e4]], dtype=F64)
HOLES = torch.tensor([[0.5, -math.inf, -math.inf], [-800.0, 0.0, 1e-3]], dtype=F64)


def _rows(far: bool = True) -> list[Tensor]:
    y = 3 * torch.randn(4, 5, dtype=F64)
    return [y, y[:1], y[1:, :1], *((y + FAR, HOLES.clone(), 1e3 * y) if far else ())]


def _right(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1) - math.log(y.shape[1])


def _close(value: Tensor, expected: Tensor, tolerance: float = 1e-9) -> None:
    assert torch.allclose(value, expected, rtol=tolerance, atol=tolerance)


def _form(log_mean_exp: Function, y: Tensor) -> None:
    assert log_mean_exp(y.clone()).shape == (len(y),)
    for dtype in (torch.float32, F64):
        assert log_mean_exp(y.clone().to(dtype)).dtype == dtype


def _numbers(log_mean_exp: Function, y: Tensor, tolerance: float = 1e-9) -> None:
    before = y.clone()
    _close(log_mean_exp(y), _right(before), tolerance)
    assert torch.equal(y, before)


def _gradient(log_mean_exp: Function, y: Tensor) -> None:
    leaf = y.clone().requires_grad_()
    log_mean_exp(leaf).sum().backward()
    assert leaf.grad is not None
    _close(leaf.grad, y.softmax(1), 1e-7)


bank.reason("What does the property do for a function that returns something else? Only an exception rejects it.")


@bank.mistake("nothing is asserted of what the function answers")
def asserts_nothing(log_mean_exp: Function) -> None:
    for y in _rows():
        log_mean_exp(y)


@bank.mistake("the function is never asked anything")
def never_asks(log_mean_exp: Function) -> None:
    y = torch.zeros(2, 3)
    _close(_right(y), torch.zeros(2))


@bank.mistake("whether the function is right is returned, not raised")
def returns_a_bool(log_mean_exp: Function) -> bool:
    y = _rows()[0]
    return torch.allclose(log_mean_exp(y), _right(y))


bank.reason(
    "Which wrong functions would the property let through? Look at each aspect: form, numbers, far away, gradient."
)


@bank.mistake("only shapes and dtypes are looked at")
def looks_at_the_form_only(log_mean_exp: Function) -> None:
    for y in _rows():
        _form(log_mean_exp, y)


@bank.mistake("the shape of the answer is made the right one before it is looked at")
def forgives_the_form(log_mean_exp: Function) -> None:
    for y in _rows():
        _close(log_mean_exp(y).reshape(-1).double(), _right(y))
        _numbers(lambda rows: log_mean_exp(rows).reshape(-1), y)
        _gradient(log_mean_exp, y)


@bank.mistake("one row is asked, so that what becomes of the others never shows")
def asks_about_one_row(log_mean_exp: Function) -> None:
    for y in _rows():
        _form(log_mean_exp, y[:1])
        _numbers(log_mean_exp, y[:1])
        _gradient(log_mean_exp, y[:1])


@bank.mistake("numbers are compared to three digits, so that what is added or rounded a little never shows")
def compares_three_digits(log_mean_exp: Function) -> None:
    for y in _rows():
        _form(log_mean_exp, y)
        _numbers(log_mean_exp, y, 1e-3)
        _gradient(log_mean_exp, y)


@bank.mistake("only small numbers are asked about, whose exponentials neither overflow nor vanish")
def stays_near_zero(log_mean_exp: Function) -> None:
    for y in _rows(far=False):
        _form(log_mean_exp, y)
        _numbers(log_mean_exp, y)
        _gradient(log_mean_exp, y)


@bank.mistake("no gradient is asked for")
def forgets_the_gradient(log_mean_exp: Function) -> None:
    for y in _rows():
        _form(log_mean_exp, y)
        _numbers(log_mean_exp, y)


bank.reason("A right function may be written in many ways, each of which rounds otherwise: compare up to rounding.")


@bank.mistake("the answer has to be, to the last bit, what torch.logsumexp gives")
def demands_every_bit(log_mean_exp: Function) -> None:
    for y in _rows():
        assert torch.equal(log_mean_exp(y), torch.logsumexp(y, dim=1) - math.log(y.shape[1]))
        _form(log_mean_exp, y)
        _numbers(log_mean_exp, y)
        _gradient(log_mean_exp, y)


@bank.mistake("the sum is demanded instead of the mean")
def demands_the_sum(log_mean_exp: Function) -> None:
    for y in _rows():
        _close(log_mean_exp(y), torch.logsumexp(y, 1))


bank.reason("Every run of the property has to ask the same questions: torch's generator starts alike, others do not.")


@bank.mistake("arguments are drawn by Python's random, which gives others each time")
def draws_elsewhere(log_mean_exp: Function) -> None:
    for _ in range(5):
        _numbers(log_mean_exp, torch.tensor([[random.random(), 1.0]], dtype=F64))


bank.reason("An exception that nobody catches is how the property says no; and how it is stopped at a question.")


@bank.mistake("whatever is raised is caught")
def catches_everything(log_mean_exp: Function) -> None:
    for y in _rows():
        try:
            _numbers(log_mean_exp, y)
        except:  # noqa: E722
            continue


@bank.alternative("no formula: shifts, repetition, rows of one value, and finite differences")
def by_invariances(log_mean_exp: Function) -> None:
    y = torch.randn(3, 4, dtype=F64)
    value = log_mean_exp(y)
    assert value.shape == (3,)
    assert log_mean_exp(y.float()).dtype == torch.float32
    assert log_mean_exp(y[:1]).shape == (1,)
    for c in (1e4, -1e4):
        shift = torch.tensor([[c], [0.0], [-c]], dtype=F64)
        _close(log_mean_exp(y + shift), value + shift[:, 0])
    _close(log_mean_exp(torch.cat([y, y], 1)), value)
    _close(log_mean_exp(torch.cat([y, y], 0)), torch.cat([value, value]))
    _close(value.exp(), y.exp().mean(1))
    low = torch.tensor([[0.0, -math.inf], [0.0, -1e4], [-1e4, 0.0], [5e3, 0.0]], dtype=F64)
    _close(log_mean_exp(low), torch.tensor([0.0, 0.0, 0.0, 5e3], dtype=F64) - math.log(2))
    leaf = y.clone().requires_grad_()
    (slope,) = torch.autograd.grad(log_mean_exp(leaf).sum(), leaf)
    h = 1e-4
    for column in range(4):
        step = torch.zeros_like(y)
        step[:, column] = h
        assert torch.allclose(slope[:, column], (log_mean_exp(y + step) - log_mean_exp(y - step)) / (2 * h), atol=1e-6)
    assert torch.equal(leaf.detach(), y)
    kept = y.clone()
    log_mean_exp(kept)
    assert torch.equal(kept, y)


@bank.alternative("errors of other kinds, keyword arguments, and `except Exception`")
def by_value_errors(log_mean_exp: Function) -> None:
    for rows in _rows():
        try:
            value = log_mean_exp(y=rows)
            if value.shape != rows.shape[:1] or value.dtype != rows.dtype:
                raise ValueError("another form")
            if not ((value - _right(rows)).abs() <= 1e-9 * (1 + value.abs())).all():
                raise ValueError("other numbers")
            _numbers(log_mean_exp, rows)
            _form(log_mean_exp, rows)
            _gradient(log_mean_exp, rows)
        except Exception as error:
            raise KeyError("it is not right") from error


@bank.alternative("all rows in one question, with the Jacobian by autograd")
def by_one_jacobian(log_mean_exp: Function) -> None:
    y = torch.randn(4, 3, dtype=F64)
    y = torch.cat([y, y + FAR, torch.tensor([[0.0, -800.0, -900.0], [-800.0, 0.0, 900.0]], dtype=F64)])
    y = torch.cat([y, torch.tensor([[1.0, -math.inf, -math.inf]], dtype=F64)])
    _form(log_mean_exp, y)
    _form(log_mean_exp, y[:1])
    _numbers(log_mean_exp, y)
    jacobian = torch.autograd.functional.jacobian(log_mean_exp, y)
    _close(jacobian.sum(0), y.softmax(1), 1e-7)
