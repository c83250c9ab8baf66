"""Given modules with buffers, described by numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .given import Given

STATISTICS = ("running_mean", "scale", "u")


@dataclass(frozen=True)
class Network(Given):
    """A module in three floors, with parameters, floating-point buffers and integer buffers on each.

    frozen: its parameters ask for no gradient, as those of an average need none.
    """

    parameters: tuple[Tensor, ...]
    statistics: tuple[Tensor, ...]
    counts: tuple[Tensor, ...]
    frozen: bool = False

    def build(self) -> "BuiltNetwork":
        return BuiltNetwork(self)


class BuiltNetwork(nn.Module):
    """What update_average receives."""

    def __init__(self, given: Network) -> None:
        super().__init__()
        self.below = nn.Module()
        self.below.cellar = nn.Module()
        for i, value in enumerate(given.parameters):
            self._floor(i).register_parameter(f"weight_{i}", nn.Parameter(value, not given.frozen))
        for i, value in enumerate(given.statistics):
            self._floor(i).register_buffer(f"{STATISTICS[i]}_statistic", value)
        for i, value in enumerate(given.counts):
            self._floor(i).register_buffer(f"num_batches_{i}", value)
        self.first = self._tensors()

    def _floor(self, i: int) -> nn.Module:
        return self if i == 0 else self.below.get_submodule("cellar") if i == 1 else self.below

    def _tensors(self) -> list[Tensor]:
        return [*self.parameters(), *self.buffers()]

    def left(self, place: Callable[[Tensor], int] = id) -> tuple[Any, ...]:
        """Return the tensors by name, whether they are the ones of before, any graph, where their memory lies, and
        whether the parameters ask for a gradient and the module is in training mode.

        place: tells where the memory of a tensor lies, by a number that tensors have in common if they share it.
        """
        names = [name for name, _ in (*self.named_parameters(), *self.named_buffers())]
        now = self._tensors()
        same = len(now) == len(self.first) and all(a is b for a, b in zip(now, self.first, strict=True))
        graph = any(t.grad_fn is not None or t.grad is not None for t in now)
        values = tuple(t.detach().clone() for t in now)
        places = tuple(map(place, now))
        return (
            tuple(names),
            values,
            same,
            graph,
            places,
            (all(p.requires_grad for p in self.parameters()), self.training),
        )


KINDS: tuple[type[Given], ...] = (Network,)
