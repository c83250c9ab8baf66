"""What counts as the same number, the same shape and a tensor at all, and in which words it is denied."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grading.engine.wire import Foreign
from tests.support.closeness import (
    TOLERANCE,
    WrongAnswer,
    assert_at_most,
    assert_close,
    assert_finite,
    assert_same_dtype,
    assert_tensor,
    explain_shape,
    per_instance,
)

F64 = torch.float64
INF, NAN = math.inf, math.nan


def numbers(*values: float, dtype: torch.dtype = F64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


@given(value=st.floats(-1e100, 1e100), sign=st.sampled_from([-1, 1]))
def test_rounding_errors_are_accepted_and_ten_times_them_are_not(value: float, sign: int) -> None:
    error = sign * TOLERANCE[F64] * (1 + abs(value))
    assert_close(numbers(value + 0.9 * error), numbers(value))
    with pytest.raises(WrongAnswer):
        assert_close(numbers(value + 10 * error), numbers(value))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_every_precision_is_close_to_itself_and_far_from_another_number(dtype: torch.dtype) -> None:
    assert_close(numbers(1 / 3, dtype=dtype), numbers(1 / 3).to(dtype))
    with pytest.raises(WrongAnswer):
        assert_close(numbers(1 / 3, dtype=dtype), numbers(0.4).to(dtype))


def test_the_terms_that_were_added_widen_the_tolerance() -> None:
    assert_close(numbers(1e-4), numbers(0.0), terms=1e6)
    assert_close(numbers(1e-4, 0), numbers(0.0, 0), terms=numbers(1e6, 0))
    for terms in (None, 1.0, numbers(0, 1e6)):
        with pytest.raises(WrongAnswer):
            assert_close(numbers(1e-4, 0), numbers(0.0, 0), terms=terms)


@pytest.mark.parametrize("terms", [None, INF, NAN])
def test_infinities_agree_with_themselves_only(terms: float | None) -> None:
    assert_close(numbers(INF, -INF), numbers(INF, -INF), terms)
    for answer, expected in ((INF, -INF), (INF, 1.0), (1.0, INF), (NAN, INF)):
        with pytest.raises(WrongAnswer):
            assert_close(numbers(answer), numbers(expected), terms)


@pytest.mark.parametrize("expected", [NAN, 0.0, INF])
def test_nan_agrees_with_nothing(expected: float) -> None:
    with pytest.raises(WrongAnswer, match="the value is nan"):
        assert_close(numbers(NAN), numbers(expected), what="the value")


def test_single_precision_in_double_is_named() -> None:
    with pytest.raises(WrongAnswer, match="six digits only"):
        assert_close(numbers(1 + 1e-7), numbers(1))
    with pytest.raises(WrongAnswer, match="the answer differs"):
        assert_close(numbers(1.1), numbers(1))


def test_other_shapes_are_never_close() -> None:
    with pytest.raises(WrongAnswer, match="some axes") as caught:
        assert_close(torch.ones(2, 3), torch.ones(2))
    assert caught.value.answer.shape == (2, 3)
    assert caught.value.expected.shape == (2,)


def test_nothing_is_close_to_nothing() -> None:
    assert_close(torch.empty(0), torch.empty(0))


def test_a_bound_is_kept_but_for_rounding() -> None:
    assert_at_most(numbers(1 + 1e-10, -5), numbers(1, 0))
    for answer in (1 + 1e-8, NAN, INF):
        with pytest.raises(WrongAnswer, match="larger than it can be") as caught:
            assert_at_most(numbers(answer), numbers(1))
        assert caught.value.relation == "at most"


def test_only_finite_numbers_are_finite() -> None:
    assert_finite(numbers(0, 1e300))
    for value in (INF, -INF, NAN):
        with pytest.raises(WrongAnswer, match="the gradient is not finite"):
            assert_finite(numbers(0, value), "the gradient")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, r"returned None, expected a tensor \(3,\): is a return statement missing\?"),
        (1.5, "returned a float"),
        ((torch.ones(3), 1), "returned a tuple"),
        ([1.0], "returned a tuple or a list"),
        ("text", "returned a str"),
        (torch.ones(3).numpy(), "returned a ndarray"),
        (Foreign("module"), "returned a module"),
        (torch.ones(3, dtype=torch.cfloat), "returned complex numbers"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_tensor_of_real_numbers_is_named(value: Any, told: str) -> None:
    with pytest.raises(WrongAnswer, match=told):
        assert_tensor(value, "(3,)")


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64])
def test_whole_numbers_are_compared_as_numbers(dtype: torch.dtype) -> None:
    assert assert_tensor(torch.ones(2, dtype=dtype), "").dtype == F64


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_precision_is_kept(dtype: torch.dtype) -> None:
    assert assert_tensor(torch.ones(2, dtype=dtype), "").dtype == dtype


@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3), (1, 3, 1)])
def test_one_number_for_each_instance_may_come_with_axes_of_size_one(shape: tuple[int, ...]) -> None:
    assert per_instance(torch.arange(3.0).reshape(shape), 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("shape", [(), (2,), (3, 3), (0,)])
def test_another_number_of_entries_is_told_by_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(WrongAnswer, match=r"expected \(3,\)"):
        per_instance(torch.zeros(shape), 3)


@pytest.mark.parametrize(
    ("actual", "expected", "cause"),
    [
        ((1, 4), (4,), "an axis of size one was added in front"),
        ((4, 1), (4,), "the axis that was reduced was kept (keepdim)"),
        ((4, 4), (4,), "a (4, 1) and a (4,) tensor were added somewhere"),
        ((1,), (4,), "the batch was reduced too"),
        ((), (4,), "the batch was reduced too"),
        ((1, 1), (1,), "an axis was kept (keepdim) or added"),
        ((), (1,), "squeeze() without an axis"),
        ((4, 3), (4,), "some axes after the first were not reduced"),
    ],
)
def test_a_shape_is_explained(actual: tuple[int, ...], expected: tuple[int, ...], cause: str) -> None:
    text = explain_shape(actual, expected)
    assert text.startswith(f"returned {actual}, expected {expected}: ")
    assert cause in text


@pytest.mark.parametrize(("actual", "expected"), [((3,), (4,)), ((2, 3), (3, 2)), ((7, 2), (4,))])
def test_a_shape_of_unknown_cause_is_only_told(actual: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert explain_shape(actual, expected) == f"returned {actual}, expected {expected}"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64])
def test_who_answers_coarsely_where_nobody_asked_for_it_gains_no_room(dtype):
    with pytest.raises(WrongAnswer):
        assert_close(torch.zeros(2, dtype=dtype), torch.full((2,), 0.015, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_whole_numbers_are_of_no_precision_that_was_asked_for(dtype):
    with pytest.raises(WrongAnswer, match=str(dtype)):
        assert_same_dtype(torch.zeros(2, dtype=dtype), torch.float64)
