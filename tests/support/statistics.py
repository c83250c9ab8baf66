"""Tests on noisy answers, with the error rates they promise.

A z-test at six standard errors is wrong about a right answer twice in 10^9 times where the mean is normal; the means
here are of thousands of independent, light-tailed draws. A test that fails is repeated once with four times as many
fresh draws, and only a second failure counts.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .closeness import WrongAnswer

SIGMAS = 6.0
FALSE_ALARM = 2e-9  # of one z-test at SIGMAS, before the repetition; the bound that properties state


def assert_mean(sample: Callable[[int], Tensor], expected: float, draws: int, detects: float, what: str) -> None:
    """Accept draws whose mean is the expected one.

    Args:
        sample: returns so many independent draws, fresh ones at each call.
        expected: the mean that a right answer has.
        draws: how many to take at first.
        detects: a deviation that must not pass; too few draws to see it are an error of the property.
        what: names the mean in the message.

    Raises:
        WrongAnswer: the mean is further off than SIGMAS standard errors, twice.
        ValueError: SIGMAS standard errors are more than `detects`.
    """
    for count in (draws, 4 * draws):
        values = sample(count)
        mean, error = float(values.mean()), float(values.std()) / math.sqrt(count)
        if abs(mean - expected) <= SIGMAS * error + 1e-12:
            if SIGMAS * error > detects:
                raise ValueError(f"{count} draws see no deviation below {SIGMAS * error:.3g}, {detects:.3g} is wanted")
            return
    raise WrongAnswer(
        f"{what} is {abs(mean - expected) / error:.0f} standard errors ({count} draws) from what it should be",
        torch.tensor(mean),
        torch.tensor(expected),
    )
