"""Beside the student's code: make one call of a function and watch what was asked for. No expected value comes here."""

from collections.abc import Callable
from typing import Any

import torch
from greenlet import greenlet
from torch import Tensor

from tests.support.networks import BuiltNetwork
from tests.support.replayed import run

from .calls import Answer, Call, Weights
from .metering import Meter, tensors_in


def answer(function: Callable[..., Any], call: Call, own: bool = False) -> Answer:
    """Call the function with copies of the call's arguments, its given objects built, torch's generator seeded.

    own: the arguments are nobody else's, and need not be copied.

    Raises:
        Exception: whatever the function raises.
    """
    arguments = call.arguments if own else tuple(map(_copied, call.arguments))
    sources = [tensor_at(arguments, path).requires_grad_() for path in call.wrt]
    built = [_built(a) for a in arguments]
    # torch.manual_seed would do the same for every device that there might be, a hundred times slower.
    torch.default_generator.manual_seed(call.seed)
    _assert_torch_as_found("at import, or by another function")
    if own:  # on a stack that ends with the function, so that none of its frames leads to what watches it
        function = greenlet(function).switch
    if call.watch == "cost":
        with Meter(tensors_in(built)) as meter:
            value = function(*built)
            return Answer(value, _has_graph(value), cost=meter.cost)
    value = run(function, built)
    _assert_torch_as_found("by this function")
    if call.watch == "value":
        return Answer(value, _has_graph(value), _gradients(value, sources, call.cotangent))
    asked = tuple(tuple(getattr(b, "asked", ())) for b in built)
    gradients = _gradients(value, sources, call.cotangent)
    tracked = tuple(_is_tracked(b) and not any(b is source for source in sources) for b in built)
    places: dict[int, int] = {}  # by number, in the order in which they are met: an address is another in every process
    after = tuple(_left(b, lambda t: places.setdefault(t.untyped_storage().data_ptr(), len(places))) for b in built)
    return Answer(value, _has_graph(value), gradients, after, asked, tracked)


def _assert_torch_as_found(when: str) -> None:
    """Refuse a change of torch's global state, which would reach every function that is called later, and undo it.

    Raises:
        RuntimeError: gradients are switched off, or the default dtype is another one.
    """
    graph, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    if graph and dtype is torch.float32:
        return
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    if not graph:
        raise RuntimeError(f"gradients were switched off for all that follows, {when}; use `with torch.no_grad():`")
    raise RuntimeError(f"the default dtype was set to {dtype} for all that follows, {when}")


def _copied(argument: Any) -> Any:
    """Copy tensors, and those of sequences and given objects, so that nothing done to them reaches whoever asked."""
    if isinstance(argument, Tensor):
        return argument.detach().clone()
    if isinstance(argument, (tuple, list)):
        return tuple(map(_copied, argument))
    if hasattr(argument, "build"):
        return type(argument)(*map(_copied, argument.fields()))
    return argument


def _built(argument: Any) -> Any:
    """Make what the function receives: a given object that works, a list for a sequence."""
    if isinstance(argument, tuple):
        return list(argument)
    return argument.build() if hasattr(argument, "build") else argument


def _left(built: Any, place: Callable[[Tensor], int]) -> Any:
    """Return what a call left of an argument; of a sequence the list that the function received, shorter perhaps."""
    if isinstance(built, BuiltNetwork):
        return built.left(place)
    if hasattr(built, "left"):
        return built.left()
    return built if isinstance(built, (Tensor, list)) else None


def _is_tracked(built: Any) -> bool:
    """Tell whether an argument is a leaf that asks for a gradient or has one."""
    return isinstance(built, Tensor) and built.is_leaf and (built.requires_grad or built.grad is not None)


def tensor_at(arguments: tuple[Any, ...], path: str) -> Tensor:
    """Find the tensor that a path such as "0", "1.weight" or "0.2.1" names."""
    found: Any = arguments
    for step in path.split("."):
        found = found[int(step)] if step.isdecimal() else getattr(found, step)
    return found


def _has_graph(value: Any) -> bool:
    return any(tensor.requires_grad for tensor in tensors_in(value))


def _gradients(value: Any, sources: list[Tensor], cotangent: Weights) -> tuple[Tensor | None, ...]:
    total = _weighted_sum(value, cotangent) if sources else None
    if total is None or not total.requires_grad:
        return (None,) * len(sources)
    # The gradient of a sum: grad_outputs instead would import half a second of torch.fx at the first call.
    return torch.autograd.grad(total, sources, allow_unused=True)


def _weighted_sum(value: Any, weights: Any) -> Tensor | None:
    """Sum the entries of a tensor, or of several with weights for each, times their weights; None if nothing fits."""
    if isinstance(value, Tensor) and weights is None:
        return value.sum()
    if isinstance(value, Tensor) and isinstance(weights, Tensor):
        fits = weights.numel() == value.numel()
        return (value * weights.to(value.dtype).reshape(value.shape)).sum() if fits else None
    if not (isinstance(value, (tuple, list)) and isinstance(weights, tuple) and len(value) == len(weights)):
        return None
    pairs = zip(value, weights, strict=True)
    terms = [_weighted_sum(v, w) for v, w in pairs if w is not None]
    present = [term for term in terms if term is not None]
    return sum(present[1:], present[0]) if present else None
