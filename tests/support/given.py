"""What every given object is: numbers that can travel, and the callable that they describe on the other side."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


class Asked:
    """A callable that notes what it was called with and could answer."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        self.function = function
        self.asked: list[Tensor] = []

    def __call__(self, argument: Tensor) -> Any:
        answer = self.function(argument)
        self.asked.append(argument.detach().clone())  # what it refused is not noted
        return answer


@dataclass(frozen=True)
class Given:
    """Numbers that describe an object.

    `build()` makes what a student's function receives. If that has `asked`, it is the tensors that it was called
    with; if it has `left()`, that returns what the function left behind in it.
    """

    def fields(self) -> list[Any]:
        """Return the numbers, in the order in which the class takes them."""
        return list(vars(self).values())

    def build(self) -> Any:
        return Asked(self)  # type: ignore[arg-type]
