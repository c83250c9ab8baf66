"""The sizes of a call by the words that a student knows them by: the batch size, the number of features."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from grading.engine.calls import Call
from tests.support.properties import PARTS

Sizes = Mapping[str, int]
BATCH, FEATURES = "the batch size", "the number of features"
# Arguments whose axes are not batch and features.
AXES = {
    "y": (BATCH, "the number of samples"),
    "probabilities": ("the number of images", "the number of classes"),
    "real_scores": ("the number of real scores",),
    "fake_scores": ("the number of generated scores",),
    "weight": ("the number of outputs", "the number of inputs"),
}


def sizes_of(call: Call) -> dict[str, int]:
    """Return the sizes of a call's arguments by name; of several tensors with the same axes the first counts."""
    sizes: dict[str, int] = {}
    first = first_tensor(call)
    for name, value in zip(PARTS[call.part].arguments, call.arguments, strict=False):
        for what, size in _sizes(name, value, usual=first is not None and value is first[1]):
            sizes.setdefault(what, size)
    return sizes


def first_tensor(call: Call) -> tuple[str, Tensor] | None:
    """Return the first tensor among the arguments of a call, and its name; None where there is none."""
    arguments = zip(PARTS[call.part].arguments, call.arguments, strict=False)
    return next(((name, value) for name, value in arguments if isinstance(value, Tensor)), None)


def _sizes(name: str, value: Any, *, usual: bool) -> Iterator[tuple[str, int]]:
    if isinstance(value, Tensor):
        if usual or name in AXES:
            yield from zip(AXES.get(name, _usual(value)), _folded(value), strict=False)
    elif isinstance(value, (list, tuple)):
        yield f"the number of {name}", len(value)
    elif isinstance(value, int) and name.startswith("num_"):
        yield f"the number of {name.removeprefix('num_').replace('_', ' ')}", value


def _usual(value: Tensor) -> tuple[str, ...]:
    return (BATCH, FEATURES) if value.dim() > 1 else (FEATURES,)


def _folded(value: Tensor) -> tuple[int, ...]:
    """Return the first size and the product of the others: the pixels of an image are its features."""
    return value.shape[:1] if value.dim() == 1 else (len(value), value[:1].numel())
