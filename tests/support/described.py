"""Arguments that a student makes, tensors and critics: how they are described to whoever answers for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .given import Given
from .players import LinearCritic, Player, QuadraticCritic

DESCRIBED: dict[str, tuple[type[Given], tuple[str, ...]]] = {
    "LinearCritic": (LinearCritic, ("weight", "bias", "column")),
    "QuadraticCritic": (QuadraticCritic, ("root",)),
}


@dataclass(frozen=True)
class Held(Given):
    """A critic in whose parameters' .grad something stands, None for nothing."""

    critic: Given
    gradients: tuple[Tensor | None, ...]

    def build(self) -> Player:
        player: Player = self.critic.build()
        for parameter, gradient in zip(player.own_parameters(), self.gradients, strict=True):
            parameter.grad = gradient
        return player


def linear_critic(weight: Tensor, bias: Tensor | float = 0.0, column: bool = False) -> Player:
    """Make the critic weight.x + bias: weight of the shape of a sample; scores (batch, 1) with `column`."""
    numbers = torch.as_tensor(weight).detach().clone()
    return LinearCritic(numbers, torch.as_tensor(bias, dtype=numbers.dtype).detach().clone(), bool(column)).build()


def quadratic_critic(root: Tensor) -> Player:
    """Make the critic 1/2 x.A x with A = (root + root^T) / 2: root (d, d), samples (batch, d)."""
    return QuadraticCritic(torch.as_tensor(root).detach().clone()).build()


MAKERS: dict[str, Callable[..., Player]] = {"linear_critic": linear_critic, "quadratic_critic": quadratic_critic}


@dataclass(frozen=True)
class Maker(Given):
    """What makes critics of tensors, by its name."""

    name: str

    def build(self) -> Callable[..., Player]:
        return MAKERS[self.name]


KINDS: tuple[type[Given], ...] = (Held, Maker)


def describe(name: str, value: Any) -> tuple[Any, ...]:
    """Return a tensor, or a critic, as what can be sent.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, Tensor):
        state = "plain" if not value.requires_grad else "leaf" if value.is_leaf else "graph"
        return "tensor", copied(name, value), state
    kind = type(value.given).__name__ if isinstance(value, Player) else ""
    if kind not in DESCRIBED:
        raise TypeError(f"{name} takes tensors, and critics that were made by what is given; got a {type(value)}")
    now = vars(value.given) | value._parameters
    fields = tuple(copied(name, v) if isinstance(v, Tensor) else v for v in (now[n] for n in DESCRIBED[kind][1]))
    gradients = tuple(None if p.grad is None else copied(name, p.grad) for p in value.own_parameters())
    return "critic", kind, fields, gradients


def copied(name: str, tensor: Tensor) -> Tensor:
    """Return a copy of the numbers of a tensor.

    Raises:
        TypeError: it is of a kind that cannot be sent.
    """
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        raise TypeError(f"{name} cannot be asked inside of torch.func or vmap: use torch.autograd, or a loop")
    if tensor.layout is not torch.strided or tensor.is_complex():
        raise TypeError(f"{name} takes dense tensors of real numbers, got {tensor.layout} of {tensor.dtype}")
    return tensor.detach().clone()


def sources_of(value: Any) -> list[Tensor]:
    """Return what a gradient is asked by, in the order in which the answer has it."""
    return value.own_parameters() if isinstance(value, Player) else [value] if value.requires_grad else []


def leave(value: Any, left: tuple[Any, ...]) -> None:
    """Do to an argument what the function has done to it."""
    if isinstance(value, Tensor):
        numbers, tracked = left
        if numbers is not None:
            value.data.copy_(numbers)
        if tracked and value.is_leaf:
            value.requires_grad_()
        return
    numbers, gradients, (trainable, training), asked = left
    for parameter, now, gradient in zip(value.own_parameters(), numbers, gradients, strict=True):
        parameter.data.copy_(now)
        parameter.grad = gradient
        parameter.requires_grad_(trainable)
    value.training = training
    value.asked.extend(asked)
