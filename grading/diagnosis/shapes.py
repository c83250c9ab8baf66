"""What may be right about an answer of a wrong shape, and for which shapes of the inputs an answer is right."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from grading.engine.calls import Answer, Call
from tests.support.closeness import WrongAnswer
from tests.support.properties import Attempt, run_check

from .evidence import numbers_in, values_of
from .sizes import BATCH, FEATURES, first_tensor, sizes_of

LOOKED_AT = 6  # answers of a wrong shape
FEWEST = 3  # right answers, and as many wrong ones

# By what is said, how the numbers that are expected come from the answer, or the answer from them.
Reduced = dict[str, Callable[[Tensor, int], Tensor]]
TO_ONE: Reduced = {
    "the mean of what came back is what is expected": lambda t, n: t.mean(),
    "the sum of what came back is what is expected": lambda t, n: t.sum(),
}
TO_INSTANCES: Reduced = {
    "for each instance the mean of what came back is what is expected": lambda t, n: t.reshape(n, -1).mean(1),
    "for each instance the sum of what came back is what is expected": lambda t, n: t.reshape(n, -1).sum(1),
    "the diagonal of what came back is what is expected": lambda t, n: (
        t.diagonal() if t.shape == (n, n) else t.new_empty(0)
    ),
}
FROM_INSTANCES: Reduced = {
    "what came back is the mean of the numbers that are expected": lambda t, n: t.mean(),
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
    return said[0] if len(said) == 1 else ""


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
        if isinstance(trial.error, WrongAnswer) and isinstance(trial.error.answer, Tensor):
            expected = numbers_in(trial.error.expected)
            if expected is not None and expected.shape == shape and bool(trial.error.answer.isnan().all()):
                return answer, expected
    return None


def _replying(to: Call, reply: Answer) -> Callable[[Call], Answer]:
    """Answer one call, the first, and no other."""

    def ask(call: Call) -> Answer:
        if (call.part, call.seed) != (to.part, to.seed):
            raise LookupError
        return reply

    return ask


def of_some_sizes(right: Sequence[Attempt], wrong: Sequence[Attempt]) -> str:
    """Say for which sizes of the inputs a property holds, where that is all that tells right from wrong."""
    held, failed = ([_kinds(a.topic.last[0]) for a in some if a.topic.last is not None] for some in (right, wrong))
    if min(len(held), len(failed)) < FEWEST or len(failed) < len(wrong) or _trivial(right):
        return ""
    found = [said for said, is_so in held[0].items() if is_so and _apart(said, held, failed)]
    return found[0] if len(found) == 1 else ""


def _trivial(right: Sequence[Attempt]) -> bool:
    """Tell whether the right answers are all the same number, such as 0: then they are right for little."""
    values = torch.cat([values_of(attempt) for attempt in right])
    return bool((values == values[:1]).all())


def _apart(said: str, right: Sequence[dict[str, bool]], wrong: Sequence[dict[str, bool]]) -> bool:
    return all(kinds.get(said) is True for kinds in right) and all(kinds.get(said) is False for kinds in wrong)


def _kinds(call: Call) -> dict[str, bool]:
    """Return what may be said of where a property holds, and whether it would for this call."""
    sizes, first = sizes_of(call), first_tensor(call)
    conditions = {f"{name} is {value}": size == value for name, size in sizes.items() for value in (0, 1)}
    if min(sizes.get(BATCH, 1), sizes.get(FEATURES, 1)) > 1:
        conditions[f"{BATCH} is {FEATURES}"] = sizes[BATCH] == sizes[FEATURES]
    if first is not None:
        conditions |= {f"{first[0]} has {axes} axes": first[1].dim() == axes for axes in range(2, 5)}
    return {f"the property holds where {said}, and fails everywhere else": so for said, so in conditions.items()} | {
        f"the property fails where {said}, and holds everywhere else": not so for said, so in conditions.items()
    }
