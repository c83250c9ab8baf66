"""Wrong functions made of the answers of a right one: what a property is tried on where there is nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from grading.engine.calls import Answer, Call

from .properties import Aspect, Topic


@dataclass(frozen=True)
class Made:
    """A function made of the student's own.

    sentence: what is wrong with it. aspect: in what it shows, None where it is right all the same. before: makes other
    arguments of the arguments. after: makes another value of the value's tensors and the arguments. seed: whether it
    always draws the same numbers.
    """

    sentence: str
    aspect: Aspect | None
    before: Callable[..., Sequence[Any]] | None = None
    after: Callable[..., Any] | None = None
    seeded: bool = False

    def ask(self, topic: Topic, call: Call) -> Answer:
        """Answer a call with what is made of the own function's answers."""
        if self.before is not None:
            call = replace(call, arguments=tuple(self.before(*call.arguments)))
        if self.seeded:
            call = replace(call, seed=0)
        if self.after is None:
            return own(topic, call)
        answer = own(topic, replace(call, cotangent=()))
        items = answer.value if isinstance(answer.value, tuple) else (answer.value,)
        if not all(isinstance(item, Tensor) for item in items):
            return answer
        leaves = [item.detach().clone().requires_grad_(item.requires_grad) for item in items]
        value = self.after(*leaves, *call.arguments)
        if call.cotangent == ():
            return replace(answer, value=value)
        weights = _pulled_back(value, leaves, call.cotangent)
        return own(topic, replace(call, cotangent=weights if isinstance(answer.value, tuple) else weights[0]))


def own(topic: Topic, call: Call) -> Answer:
    """Answer a call with the student's own function, whose value has a graph here if it had one there."""
    answer = topic.answer(call)
    items = answer.value if isinstance(answer.value, tuple) else (answer.value,)
    flagged = tuple(
        item.detach().requires_grad_(answer.has_graph and item.is_floating_point())
        if isinstance(item, Tensor)
        else item
        for item in items
    )
    return replace(answer, value=flagged if isinstance(answer.value, tuple) else flagged[0])


def _pulled_back(value: Any, leaves: Sequence[Tensor], weights: Any) -> tuple[Tensor, ...]:
    """Return the weights of the leaves in a derivative of what was made of them."""
    pairs = zip(value, weights, strict=True) if isinstance(value, tuple) else [(value, weights)]
    terms = [(v * w.to(v.dtype).reshape(v.shape)).sum() for v, w in pairs if w is not None]
    found = torch.autograd.grad(sum(terms), leaves, allow_unused=True)
    return tuple(torch.zeros_like(t) if g is None else g for t, g in zip(leaves, found, strict=True))
