"""Tests on noisy answers, with the error rates they promise.

A z-test at six standard errors is wrong about a right answer twice in 10^9 times where the mean is normal. The means
here are of thousands of independent draws with light tails (polynomials of normal variables, bounded weights), not
quite normal: far out their skewness may make that some hundred times more. But a test that fails is repeated once with
four times as many fresh draws, and only a second failure counts, so the bound below holds with room to spare.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .closeness import WrongAnswer

SIGMAS = 6.0
FALSE_ALARM = 2e-9  # of one call of assert_mean; what properties state for each mean they test
SHARED = 0.75


def assert_mean(sample: Callable[[int], Tensor], expected: float, draws: int, detects: float, what: str) -> None:
    """Accept draws whose mean is the expected one.

    Args:
        sample: returns so many independent draws, fresh ones at each call.
        expected: the mean that a right answer has.
        draws: how many to take at first.
        detects: a deviation that must not pass. A right answer varies so little that it is seen with four times
            `draws`; an answer that varies more is a wrong one.
        what: names the mean in the message.

    Raises:
        WrongAnswer: twice, the mean is further off than SIGMAS standard errors, or they are more than `detects`.
    """
    for count in (draws, 4 * draws):
        values = sample(count)
        mean, error = float(values.mean()), float(values.std()) / math.sqrt(count)
        right = abs(mean - expected) <= SIGMAS * error + 1e-12
        if right and SIGMAS * error <= detects:
            return
    told = torch.tensor(mean, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64)
    if not math.isfinite(mean):
        raise WrongAnswer(f"{what}, over {count} draws, is not finite", *told)
    if right:
        spread = error * math.sqrt(count)
        raise WrongAnswer(f"{what} varies far too much: the standard deviation of {count} draws is {spread:.3g}", *told)
    if error <= 1e-9 * abs(mean - expected):
        raise WrongAnswer(f"{what} is off, and all {count} draws are the same", *told)
    off = abs(mean - expected) / error
    raise WrongAnswer(f"{what}, over {count} draws, is {off:.0f} standard errors from what it should be", *told)


def assert_not_shared(noise: Tensor) -> None:
    """Accept noise whose entries are all their own, up to sign, and not zero.

    A right answer may draw in single precision, where two of some dozen entries agree by chance in one of 10^5
    times; that a quarter of them do is shared noise.

    Raises:
        WrongAnswer: a quarter of the entries or more have the size of another, or there is no noise.
    """
    if not bool(noise.any()):
        raise WrongAnswer("there is no noise: nothing random was added to the mean of q", noise)
    if noise.abs().round(decimals=12).unique().numel() <= SHARED * noise.numel():
        raise WrongAnswer("instances, features or draws share their noise; each should have noise of its own", noise)


def assert_standard_normal(noise: Callable[[int], Tensor], rows: int) -> None:
    """Accept noise of two features with mean 0, variance 1 and no covariance, every entry its own: four tested means.

    noise: returns so many rows, (n, 2), the same ones whenever it is asked for so many.

    Raises:
        WrongAnswer: see assert_not_shared and assert_mean.
    """
    assert_not_shared(noise(rows))
    assert_mean(lambda n: noise(n)[:, 0], 0.0, rows, 0.4, "the mean of the noise")
    assert_mean(lambda n: noise(n)[:, 0] ** 2, 1.0, rows, 0.4, "the variance of the noise of the first feature")
    assert_mean(lambda n: noise(n)[:, 1] ** 2, 1.0, rows, 0.4, "the variance of the noise of the second feature")
    assert_mean(lambda n: noise(n).prod(1), 0.0, rows, 0.4, "the covariance of the noise of two features")


def assert_fresh(one: Tensor, another: Tensor) -> None:
    """Accept the values of two calls that saw different noise.

    Raises:
        WrongAnswer: both are the same to the last digit.
    """
    if torch.equal(one, another):
        raise WrongAnswer("two calls drew the same noise: it is kept, or a generator is seeded inside", one, another)
