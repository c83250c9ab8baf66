"""What may be right about an answer of a wrong shape."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from grading.engine.calls import Answer, Call
from tests.support.closeness import WrongAnswer
from tests.support.properties import Attempt, run_check

from .evidence import FEWEST
from .pairs import numbers_in
from .sizes import first_tensor

LOOKED_AT = 6  # answers of a wrong shape

MEAN_OF_ALL = "the mean of what came back is what is expected"
MEAN_OF_EACH = "for each instance the mean of what came back is what is expected"
MEAN_IS_BACK = "what came back is the mean of the numbers that are expected"
OF_EQUAL_NUMBERS = {
    MEAN_OF_ALL: "every number that came back is what is expected",
    MEAN_OF_EACH: "for each instance every number that came back is what is expected",
    MEAN_IS_BACK: "what came back is each of the numbers that are expected",
}
# By what is said, how the numbers that are expected come from the answer, or the answer from them.
Reduced = dict[str, Callable[[Tensor, int], Tensor]]
TO_ONE: Reduced = {
    MEAN_OF_ALL: lambda t, n: t.mean(),
    "the sum of what came back is what is expected": lambda t, n: t.sum(),
}
TO_INSTANCES: Reduced = {
    MEAN_OF_EACH: lambda t, n: t.reshape(n, -1).mean(1),
    "for each instance the sum of what came back is what is expected": lambda t, n: t.reshape(n, -1).sum(1),
    "the diagonal of what came back is what is expected": lambda t, n: (
        t.diagonal() if t.shape == (n, n) else t.new_empty(0)
    ),
}
FROM_INSTANCES: Reduced = {
    MEAN_IS_BACK: lambda t, n: t.mean(),
    "what came back is the sum of the numbers that are expected": lambda t, n: t.sum(),
}


def of_another_shape(failed: Sequence[Attempt]) -> str:
    """Say what is right about answers whose shape is not."""
    pairs: list[tuple[Tensor, Tensor]] = []
    if len(failed) < FEWEST:
        return ""
    for attempt in failed[-LOOKED_AT:]:
        pair = _expected(attempt)
        if pair is None:
            return ""
        pairs.append(pair)
    if all(answer.numel() == 1 for answer, _ in pairs):
        ways, pairs = FROM_INSTANCES, [(expected, answer) for answer, expected in pairs]
    else:
        ways = TO_ONE if all(expected.numel() == 1 for _, expected in pairs) else TO_INSTANCES
    said = [words for words, reduce in ways.items() if all(_leads(reduce, *pair) for pair in pairs)]
    if len(said) == 1 and not any(_varies(*pair) for pair in pairs):
        return OF_EQUAL_NUMBERS.get(said[0], said[0])
    return said[0] if len(said) == 1 else ""


def _varies(many: Tensor, few: Tensor) -> bool:
    """Tell whether numbers that are taken together differ: of equal ones the mean is any of them."""
    rows = many.reshape(few.numel(), -1)
    return not _close(rows, rows[:, :1])


def _leads(reduce: Callable[[Tensor, int], Tensor], many: Tensor, few: Tensor) -> bool:
    if many.numel() <= few.numel() or many.numel() % few.numel():
        return False
    reduced = reduce(many, few.numel()).reshape(-1)
    return reduced.shape == few.reshape(-1).shape and _close(reduced, few.reshape(-1))


def _close(one: Tensor, other: Tensor) -> bool:
    return bool(((one - other).abs() <= 1e-9 * (1 + other.abs())).all())


def _expected(attempt: Attempt) -> tuple[Tensor, Tensor] | None:
    """Return the answer to the first call, and what a property says is expected once the shape is right."""
    if not isinstance(attempt.error, WrongAnswer) or attempt.error.expected is not None:
        return None
    call, reply = attempt.topic.last or (None, None)
    if call is None or not isinstance(reply, Answer):
        return None
    answer, first = numbers_in(reply.value), first_tensor(call)
    if answer is None or first is None:
        return None
    for shape in ((len(first[1]),), ()):
        if torch.Size(shape).numel() == answer.numel():
            continue
        wrong = torch.full(shape, torch.nan, dtype=torch.float64)
        trial = run_check(attempt.tried, _replying(call, replace(reply, value=wrong)), attempt.inputs)
        expected = _expected_by(trial.error)
        if expected is not None and expected.shape == shape:
            return answer, expected
    return None


def _expected_by(error: Exception | None) -> Tensor | None:
    """Return what is expected instead of nothing but nan, and is no bound."""
    if not isinstance(error, WrongAnswer) or error.relation != "expected" or not isinstance(error.answer, Tensor):
        return None
    return numbers_in(error.expected) if bool(error.answer.isnan().all()) else None


def _replying(to: Call, reply: Answer) -> Callable[[Call], Answer]:
    """Answer one call, the first, and no other."""

    def ask(call: Call) -> Answer:
        if (call.part, call.seed) != (to.part, to.seed):
            raise LookupError
        return reply

    return ask
