"""For which sizes of the inputs a property holds."""

from collections.abc import Sequence

import torch
from torch import Tensor

from grading.engine.calls import Call
from tests.support.properties import Attempt

from .pairs import values_of
from .sizes import BATCH, FEATURES, first_tensor, sizes_of

FEWEST = 3  # right answers, and as many wrong ones


def of_some_sizes(right: Sequence[Attempt], wrong: Sequence[Attempt]) -> str:
    """Say for which sizes of the inputs a property holds, where that is all that tells right from wrong."""
    if wrong[-1].tried.aspect == "shape":  # it asks for several sizes one after another, and the last says little
        return ""
    held, failed = ([_kinds(a.topic.last[0]) for a in some if a.topic.last is not None] for some in (right, wrong))
    if min(len(held), len(failed)) < FEWEST or len(failed) < len(wrong):
        return ""
    if not any(map(_is_full, right)) or _trivial(right):
        return ""
    found = [said for said, is_so in held[0].items() if is_so and _apart(said, held, failed)]
    return found[0] if len(found) == 1 else ""


def _is_full(attempt: Attempt) -> bool:
    """Tell whether there was something in every argument of the last call: of nothing, everything is true."""
    arguments = attempt.topic.last[0].arguments if attempt.topic.last else ()
    return bool(arguments) and not any(_is_empty(value) for value in arguments)


def _is_empty(value: object) -> bool:
    return not (value.numel() if isinstance(value, Tensor) else len(value) if isinstance(value, (list, tuple)) else 1)


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
