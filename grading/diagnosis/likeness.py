"""What a wrong answer is like that is no multiple of what was expected: a function of it, or its numbers elsewhere."""

from collections.abc import Callable

import torch
from torch import Tensor

from .evidence import Evidence
from .pairs import DIGITS
from .readings import CAUSE

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "the square of what is expected": torch.square,
    "the square root of what is expected": torch.sqrt,
    "the exponential of what is expected": torch.exp,
    "the exponential of minus what is expected": lambda t: torch.exp(-t),
    "the logarithm of what is expected": torch.log,
    "minus the logarithm of what is expected": lambda t: -torch.log(t),
    "1 divided by what is expected": torch.reciprocal,
    "1 minus what is expected": lambda t: 1 - t,
}


def told_function(evidence: Evidence) -> str:
    """Tell an answer that is a function of what is expected."""
    if not evidence.various or not bool((evidence.answer.abs() > DIGITS).any()):
        return ""
    found = [said for said, function in FUNCTIONS.items() if evidence.equal(function(evidence.expected))]
    return f"the answer is {found[0]}" if len(found) == 1 else ""


def told_cut(evidence: Evidence) -> str:
    """Tell an answer that is right where it is positive, and never negative."""
    seen = [evidence.expected, *(value for _, value in evidence.held)]
    if not any(bool((value > 0).any()) for value in seen):
        return ""
    if evidence.equal(evidence.expected.abs()):
        return "the answer is the absolute value of what is expected"
    return "the answer is 0 where a negative number is expected" if evidence.equal(evidence.expected.relu()) else ""


def told_order(evidence: Evidence) -> str:
    """Tell the right numbers in a wrong order."""
    pairs = [(pair.answer, pair.expected) for pair in evidence.pairs]
    if not all(_same(answer.flatten().sort().values, expected.flatten().sort().values) for answer, expected in pairs):
        return ""
    if all(answer.dim() == 2 and _same(answer, expected.T) for answer, expected in pairs):
        return "the answer is what is expected, transposed"
    if all(_same(answer, expected.flip(0)) for answer, expected in pairs):
        return "the answer is what is expected, in the opposite order"
    return "the answer is what is expected, in another order"


def told_elsewhere(evidence: Evidence) -> str:
    """Tell what came back in another place than where it was expected."""
    if evidence.various and all(any(_same(b, pair.expected) for b in pair.beside) for pair in evidence.pairs):
        place = "the gradient by another argument" if evidence.pairs[-1].gradient else "another item of the result"
        return f"what is expected came back as {place}{CAUSE}two of them are exchanged"
    return ""


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(((one - other).abs() <= DIGITS * other.abs().max()).all())
