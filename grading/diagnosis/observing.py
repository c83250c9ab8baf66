"""What is seen of a reply to a probe, as short readings: words, and a few of the numbers.

Each call gives the same readings whatever comes back: of the value its form and its numbers, whether it has a graph,
each gradient, the arguments as they were left, where given objects were asked, and the cost.
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from grading.engine.calls import Answer, Call, Fault

ENTRIES = 5  # numbers of a tensor, or of several, that are looked at
ITEMS = 8  # of a sequence whose form is told
DEPTH = 8
MESSAGE = 60  # characters of an error's message, without its numbers
Number = float | str  # JSON has no inf and no nan
Reading = str | list[Number]
NOTHING, RAISED = "", "raised "


def readings(calls: Sequence[Call], replies: Sequence[Answer | Fault]) -> list[Reading]:
    """Return what is seen of the replies to some calls, one after another."""
    return [reading for call, reply in zip(calls, replies, strict=True) for reading in _readings(call, reply)]


def _readings(call: Call, reply: Answer | Fault) -> Iterator[Reading]:
    count = 2 + 2 * len(call.wrt) + {"value": 0, "effects": 6, "cost": 1}[call.watch]
    if isinstance(reply, Fault):
        yield f"{reply.kind} {reply.error}: {re.sub('[0-9]+', '#', reply.message)[:MESSAGE]}"
        yield from [NOTHING] * (count - 1)
        return
    yield from _seen(reply.value)
    for gradient in reply.gradients:
        yield from _seen(gradient)
    if call.watch == "effects":
        yield str(reply.has_graph)
        yield " ".join(map(str, reply.tracked))
        yield from _seen(reply.arguments)
        yield from _seen(reply.asked)
    elif call.watch == "cost":
        yield [_number(math.log2(1 + x)) for x in (reply.cost.peak_bytes, reply.cost.elements, reply.cost.largest)]


def _seen(value: Any) -> Iterator[Reading]:
    """Yield the form of a value, and some of its numbers."""
    yield _form(value)
    yield _numbers(list(_tensors(value)))


def _form(value: Any, depth: int = 0) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, (tuple, list)):
        inside = [_form(item, depth + 1) for item in value[:ITEMS]] if depth < DEPTH else []
        return f"{len(value)}({' '.join(inside)})"
    if isinstance(value, float):
        return f"float {value:.9g}"
    return f"{type(value).__name__} {value}"[:60]


def _tensors(value: Any, depth: int = 0) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)) and depth < DEPTH:
        for item in value:
            yield from _tensors(item, depth + 1)


def _numbers(tensors: Sequence[Tensor]) -> list[Number]:
    """Return entries that are spread evenly over all tensors, and where these are not all a weighted mean of all."""
    real = [torch.view_as_real(t) if t.is_complex() else t for t in tensors]
    total = sum(t.numel() for t in real)
    places = sorted({round(i * (total - 1) / (ENTRIES - 1)) for i in range(ENTRIES)}) if total else []
    found, start = [], 0
    for tensor in real:
        flat = tensor.detach().reshape(-1)
        found += [_number(flat[place - start].item()) for place in places if start <= place < start + len(flat)]
        start += len(flat)
    return found if total <= ENTRIES else [*found, _number(_weighted_mean(real))]


def _weighted_mean(tensors: Sequence[Tensor]) -> float:
    flat = torch.cat([t.detach().reshape(-1).double() for t in tensors])
    weights = torch.arange(1, len(flat) + 1, dtype=torch.float64).cos()  # all different, so that an exchange shows
    return (flat * weights).nan_to_num(0.0, 0.0, 0.0).mean().item()


def _number(x: float) -> Number:
    """Round a number to what rounding errors leave alone."""
    return float(f"{x:.10g}") if math.isfinite(x) else str(float(x))
