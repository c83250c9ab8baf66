"""Beside the student's code: what a call takes, counted and never timed, so that no busy machine changes it."""

import weakref
from collections.abc import Iterable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from .calls import Cost


class Meter(TorchDispatchMode):
    """Counts, while it is active, the bytes of new storages and the entries that operations read and write."""

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        """Start from nothing; the storages of `known` tensors are not new."""
        super().__init__()
        self.live = self.peak = self.elements = self.largest = 0
        self.known: dict[int, Any] = {tensor.untyped_storage()._cdata: None for tensor in known}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from importing its compiler, a second's work, at the first operation."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count its arguments and results."""
        result = func(*args, **(kwargs or {}))
        written = tensors_in(result)
        for tensor in written:
            self._count(tensor.untyped_storage())
        # A view reads and writes nothing. An expanded tensor is as large as what it is expanded to.
        if not func.is_view:
            sizes = [tensor.numel() for tensor in tensors_in((args, kwargs)) + written]
            self.elements += sum(sizes)
            self.largest = max(self.largest, *sizes, 0)
        return result

    @property
    def cost(self) -> Cost:
        """What was counted so far."""
        return Cost(self.peak, self.elements, self.largest)

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


def tensors_in(value: Any) -> list[Tensor]:
    """Return the tensors in a value, also those inside of sequences and dictionaries."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in tensors_in(item)]
    return tensors_in(list(value.values())) if isinstance(value, dict) else []
