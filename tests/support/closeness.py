"""Comparing an answer with what is expected of it, and saying what a difference looks like."""

from typing import Any

import torch
from torch import Tensor

from grading.engine.wire import Foreign

# Rounding errors grow with the magnitudes that were added up, so a tolerance multiplies those; the factors leave
# room for some thousands of operations in double precision and for some tens in single precision.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-5}
LOWER_PRECISION = 2e-2


class WrongAnswer(AssertionError):
    """An answer that a property does not accept, with what was expected instead."""

    def __init__(self, message: str, answer: Any = None, expected: Any = None, relation: str = "expected") -> None:
        """Keep both values for the report; either may be None where there is none to show.

        relation: what the second value is to the first, "expected", "at most" or "at least".
        """
        super().__init__(message)
        self.message, self.answer, self.expected, self.relation = message, answer, expected, relation


def assert_close(
    answer: Tensor, expected: Tensor, terms: Tensor | float | None = None, what: str = "the answer"
) -> None:
    """Accept an answer within rounding error of what is expected.

    |answer - expected| <= tolerance (1 + terms), where terms is the sum of the magnitudes that were added up
    (|expected| if not given). Infinities agree with themselves; nan agrees with nothing. `what` names what is
    compared where it is not the answer itself.

    Raises:
        WrongAnswer: an entry is further away, or the shapes differ.
    """
    if answer.shape != expected.shape:
        raise WrongAnswer(explain_shape(answer.shape, expected.shape), answer, expected)
    close = (answer - expected).abs() <= allowance(answer, expected, terms)
    if not bool((close | (answer == expected)).all()):
        raise WrongAnswer(_difference(answer, expected, what), answer, expected)


def _difference(answer: Tensor, expected: Tensor, what: str) -> str:
    """Say in a sentence how two values differ."""
    if bool(answer.isnan().any()):
        return f"{what} is nan"
    difference, scale = (answer - expected).abs().max(), expected.abs().max()
    if expected.dtype == torch.float64 and difference < 1e-6 * (1 + scale):
        return f"{what} is right to six digits only: is something float32, or a small number added?"
    return f"{what} differs from what is expected"


def assert_at_most(
    answer: Tensor, bound: Tensor, terms: Tensor | float | None = None, what: str = "the answer"
) -> None:
    """Accept an answer that is at most a bound, but for rounding error (see assert_close).

    Raises:
        WrongAnswer: an entry is larger, or not a number.
    """
    if not bool((answer <= bound + allowance(answer, bound, terms)).all()):
        raise WrongAnswer(f"{what} is larger than it can be", answer, bound, "at most")


def assert_at_least(
    answer: Tensor, bound: Tensor, terms: Tensor | float | None = None, what: str = "the answer"
) -> None:
    """Accept an answer that is at least a bound, but for rounding error (see assert_close).

    Raises:
        WrongAnswer: an entry is smaller, or not a number.
    """
    if not bool((answer >= bound - allowance(answer, bound, terms)).all()):
        raise WrongAnswer(f"{what} is smaller than it can be", answer, bound, "at least")


def assert_finite(answer: Tensor, what: str = "the answer") -> None:
    """Accept finite entries only.

    Raises:
        WrongAnswer: an entry is infinite or nan.
    """
    if not bool(answer.isfinite().all()):
        raise WrongAnswer(f"{what} is not finite", answer)


def allowance(answer: Tensor, expected: Tensor, terms: Tensor | float | None) -> Tensor:
    """Return the largest difference that rounding explains; half precision only where it was asked for."""
    scale = expected.abs() if terms is None else torch.as_tensor(terms).abs()
    coarsest = LOWER_PRECISION if answer.dtype == expected.dtype else TOLERANCE[torch.float32]
    return TOLERANCE.get(answer.dtype, coarsest) * (1 + scale.nan_to_num(posinf=0.0))


def per_instance(value: Any, batch: int) -> Tensor:
    """Return an answer of one number for each instance as (batch,), whatever axes of size one it came with.

    Whether the shape is exactly (batch,) is judged by a property of its own; a wrong number of entries is not.

    Raises:
        WrongAnswer: not a tensor of numbers, or not one entry for each instance.
    """
    tensor = assert_tensor(value, f"({batch},)")
    if tensor.numel() != batch:
        raise WrongAnswer(explain_shape(tensor.shape, (batch,)), tensor)
    return tensor.reshape(batch)


def assert_tensor(value: Any, shape: str) -> Tensor:
    """Return the value if it is a tensor of real numbers.

    Raises:
        WrongAnswer: anything else, named.
    """
    if isinstance(value, Tensor) and value.is_complex():
        raise WrongAnswer(f"returned complex numbers, expected real ones, a tensor {shape}")
    if isinstance(value, Tensor):
        return value if value.is_floating_point() else value.double()
    if value is None:
        raise WrongAnswer(f"returned None, expected a tensor {shape}: is a return statement missing?")
    # A list travels as a tuple.
    kind = "tuple or a list" if isinstance(value, (tuple, list)) else type(value).__name__
    name = str(value) if isinstance(value, Foreign) else kind
    article = "an" if name[:1].lower() in "aeiou" else "a"
    raise WrongAnswer(f"returned {article} {name}, expected a tensor {shape}")


def assert_same_dtype(value: Any, dtype: torch.dtype) -> None:
    """Accept a tensor of the precision of the arguments.

    Raises:
        WrongAnswer: it has another one, or is no tensor of numbers.
    """
    assert_tensor(value, "of numbers")
    if value.dtype != dtype:
        raise WrongAnswer(f"arguments of {dtype} gave a result of {value.dtype}")


def explain_shape(actual: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Say which shape came back, which was expected, and what usually does that.

    >>> explain_shape((4, 4), (4,))
    'returned (4, 4), expected (4,): a (4, 1) and a (4,) tensor were added somewhere'
    """
    actual, expected = tuple(actual), tuple(expected)
    text = f"returned {actual}, expected {expected}"
    if len(expected) != 1:
        return text
    (n,) = expected
    causes = {
        (1, n): "an axis of size one was added in front",
        (n, 1): "the axis that was reduced was kept (keepdim)",
        (n, n): f"a ({n}, 1) and a ({n},) tensor were added somewhere",
        (1,): "the batch was reduced too; keep one value for each instance",
        (): "the batch was reduced too; keep one value for each instance",
    }
    if n == 1:
        causes = {
            (1, 1): "an axis was kept (keepdim) or added",
            (): "squeeze() without an axis also removes the batch axis of a batch of one",
        }
    if actual in causes:
        return f"{text}: {causes[actual]}"
    if actual[:1] == (n,):
        return f"{text}: some axes after the first were not reduced"
    return text
