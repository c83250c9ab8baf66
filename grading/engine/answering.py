"""Beside the student's code: make one call of a function and watch what was asked for. No expected value comes here."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.support.models import Asked

from .calls import Answer, Call


class PeakMemory(TorchDispatchMode):
    """Counts the bytes of storages made while it is active, and the most that lived at one time."""

    def __init__(self) -> None:
        """Start from nothing; add storages that are not to count to `known`."""
        super().__init__()
        self.live = self.peak = 0
        self.known: dict[int, Any] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from importing its compiler, a second's work, at the first operation."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count the storages of its results."""
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.known:
            return

        def forget(_: Any) -> None:
            del self.known[key]
            self.live -= size

        # Held here, as the callback of a reference comes only while the reference lives.
        self.known[key] = weakref.ref(storage, forget)
        self.live += size
        self.peak = max(self.peak, self.live)


def answer(function: Callable[..., Any], call: Call) -> Answer:
    """Call the function with copies of the call's arguments, its given objects built, torch's generator seeded.

    Raises:
        Exception: whatever the function raises.
    """
    arguments = tuple(_copied(a) for a in call.arguments)
    sources = [_tensor_at(arguments, path).requires_grad_() for path in call.wrt]
    built = [a.build() if hasattr(a, "build") else a for a in arguments]
    # torch.manual_seed would do the same for every device that there might be, a hundred times slower.
    torch.default_generator.manual_seed(call.seed)
    _assert_torch_as_found("at import, or by another function")
    if call.watch == "memory":
        return _answer_with_peak(function, built)
    value = function(*built)
    _assert_torch_as_found("by this function")
    asked = tuple(tuple(b.asked) if isinstance(b, Asked) else () for b in built)
    gradients = _gradients(value, sources, call.cotangent)
    if call.watch == "value":
        return Answer(value, _has_graph(value), gradients)
    after = tuple(a if isinstance(a, Tensor) else None for a in arguments)
    return Answer(value, _has_graph(value), gradients, after, asked)


def _assert_torch_as_found(when: str) -> None:
    """Refuse a change of torch's global state, which would reach every function that is called later, and undo it.

    Raises:
        RuntimeError: gradients are switched off, or the default dtype is another one.
    """
    graph, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    if not graph:
        raise RuntimeError(f"gradients were switched off for all that follows, {when}; use `with torch.no_grad():`")
    if dtype != torch.float32:
        raise RuntimeError(f"the default dtype was set to {dtype} for all that follows, {when}")


def _copied(argument: Any) -> Any:
    """Copy tensors, and those of given objects, so that nothing done to them reaches whoever asked."""
    if isinstance(argument, Tensor):
        return argument.detach().clone()
    if hasattr(argument, "build"):
        return type(argument)(*map(_copied, argument.fields()))
    return argument


def _tensor_at(arguments: tuple[Any, ...], path: str) -> Tensor:
    """Find the tensor that a path such as "0" or "1.weight" names."""
    position, _, field = path.partition(".")
    argument = arguments[int(position)]
    return getattr(argument, field) if field else argument


def _has_graph(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _gradients(value: Any, sources: list[Tensor], cotangent: Tensor | None) -> tuple[Tensor | None, ...]:
    if not sources or not _has_graph(value):
        return (None,) * len(sources)
    weighted = value if cotangent is None else value * cotangent.to(value.dtype).reshape(value.shape)
    # The gradient of a sum: grad_outputs instead would import half a second of torch.fx at the first call.
    return torch.autograd.grad(weighted.sum(), sources, allow_unused=True)


def _answer_with_peak(function: Callable[..., Any], built: list[Any]) -> Answer:
    with PeakMemory() as memory:
        for argument in built:
            if isinstance(argument, Tensor):
                memory.known[argument.untyped_storage()._cdata] = None
        value = function(*built)
        return Answer(value, _has_graph(value), peak_bytes=memory.peak)
