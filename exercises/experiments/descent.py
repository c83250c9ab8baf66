"""Gradient descent for games so small that an optimizer's bookkeeping would take a quarter of the time."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


class Descent:
    """parameter <- parameter - learning_rate * gradient, with the interface of torch.optim.SGD."""

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        """Update these parameters."""
        self.parameters = list(parameters)
        self.param_groups = [{"params": self.parameters, "lr": learning_rate}]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for parameter in self.parameters:
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.zero_()

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Make a step; a parameter without a gradient stays. A closure is called first, and its loss returned."""
        loss = None if closure is None else closure()
        learning_rate = float(self.param_groups[0]["lr"])  # type: ignore[arg-type]
        with torch.no_grad():
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=learning_rate)
        return loss
