"""The factors and differences that a wrong answer may have, each a function of the sizes of the call, in words."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import mul

from .sizes import Sizes


@dataclass(frozen=True)
class Reading:
    """One way to read a factor or a difference.

    of: from the sizes of a call to the number. words: what the number is. cause: what usually does that; of a
    difference first for too much and then for too little. size: the size that it goes with, if any.
    """

    of: Callable[[Sizes], float]
    words: str
    causes: tuple[str, ...] = ("",)
    size: str = ""


CAUSE = ": as when "


def without_cause(remark: str) -> str:
    """Return a remark without what usually does that, for where it is known what did.

    >>> without_cause("the answer is minus what is expected: as when a sign is turned round; the values are right")
    'the answer is minus what is expected; the values are right'
    """
    return re.sub(f"{CAUSE}[^;]*", "", remark)


def factors(names: Sequence[str], *, bits: bool) -> Iterator[Reading]:
    """Yield factors, as they are said of `what is expected`.

    names: of the sizes. bits: whether a number of nats may have been measured in these.
    """
    for factor, words, cause in [*FACTORS, *BITS] if bits else FACTORS:
        yield _constant(factor, words, (cause,))
    for name in names:
        for power, words, cause in POWERS:
            yield _sized(partial(_power, power), words.format(name), (cause,), name)


def differences(names: Sequence[str], *, logarithms: bool) -> Iterator[Reading]:
    """Yield differences, as they are said of `too large by`.

    names: of the sizes. logarithms: whether the answers are some.
    """
    for difference, words in [*DIFFERENCES, *LOGARITHMS] if logarithms else DIFFERENCES:
        yield _constant(difference, words)
    for name in names:
        if logarithms:
            yield _sized(math.log, f"the log of {name}", LOG_OF_SIZE, name)
        for times, words, causes in [*MULTIPLES, *LOGARITHMS_TIMES] if logarithms else MULTIPLES:
            yield _sized(partial(mul, times), words.format(name), causes, name)


def _power(power: float, n: int) -> float:
    return n**power


def _constant(value: float, words: str, causes: tuple[str, ...] = ("",)) -> Reading:
    return Reading(lambda sizes: value, words, causes)


def _sized(of: Callable[[int], float], words: str, causes: tuple[str, ...], name: str) -> Reading:
    def value(sizes: Sizes) -> float:
        return of(sizes[name]) if sizes.get(name, 0) > 0 else math.nan

    return Reading(value, words, causes, name)


E = "what is expected"
FACTORS = [
    (1, E, ""),
    (2, f"twice {E}", "a factor 1/2 is missing, or something counts twice"),
    (1 / 2, f"half of {E}", "a factor 1/2 is there once too often"),
    (4, f"4 times {E}", ""),
    (1 / 4, f"a quarter of {E}", ""),
]
BITS = [
    (1 / math.log(2), f"{E} divided by log 2", "bits stand where nats are meant"),
    (math.log(2), f"{E} times log 2", ""),
]
SUM, MEAN = "a sum stands where a mean is meant", "a mean stands where a sum is meant"
POWERS = [
    (1.0, "{} times " + E, SUM),
    (-1.0, E + " divided by {}", MEAN),
    (2.0, E + " times the square of {}", ""),
    (-2.0, E + " divided by the square of {}", ""),
    (0.5, E + " times the root of {}", ""),
    (-0.5, E + " divided by the root of {}", ""),
]
LOG_2PI = math.log(2 * math.pi)
DIFFERENCES = [
    (1, "1"),
    (1 / 2, "1/2"),
    (math.log(4), "log 4"),
]
LOGARITHMS = [
    (math.log(2), "log 2"),
    (math.log(2) / 2, "1/2 log 2"),
    (LOG_2PI / 2, "1/2 log(2 pi)"),
    (LOG_2PI, "log(2 pi)"),
]
LOG_OF_SIZE = f"{SUM}, inside of the logarithm", f"{MEAN}, inside of the logarithm"
MULTIPLES: list[tuple[float, str, tuple[str, ...]]] = [
    (1, "{}", ("",)),
    (1 / 2, "half {}", ("",)),
]
LOGARITHMS_TIMES: list[tuple[float, str, tuple[str, ...]]] = [
    (LOG_2PI / 2, "1/2 log(2 pi) times {}", ("the constant of the normal density is missing, or counts twice",)),
    (LOG_2PI, "log(2 pi) times {}", ("the sign of the normal density's constant is turned round",)),
    (math.log(2), "log 2 times {}", ("",)),
]
