"""Given critics, generators and games of both, described by numbers. No expected value lives here.

What is built of a player is a real torch.nn.Module: it notes what it was called with, and tells at the end what became
of its parameters and of their gradients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from exercises.experiments.descent import Descent

from .given import Given

Log = list[tuple[str, Tensor | None]]


class Player(nn.Module):
    """A module whose parameters are the floating-point tensors of a given object, and whose forward is its call."""

    def __init__(self, given: Given) -> None:
        super().__init__()
        self.given = given
        self.asked: list[Tensor] = []
        self.note: Callable[[Tensor], None] = self.asked.append  # a copy of what it is called with
        for name, value in vars(given).items():
            if isinstance(value, Tensor):
                # As it is, not copied into an nn.Parameter: a property may differentiate by it.
                self._parameters[name] = value.requires_grad_()  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        # With the parameters of now, which may not be those that it began with.
        now = type(self.given)(**(vars(self.given) | self._parameters))
        answer = now(x)  # type: ignore[operator]
        self.note(_numbers_of(x))
        return answer

    def own_parameters(self) -> list[Any]:
        """Return what parameters() yields, ten times as fast: there is no module below this one."""
        return list(self._parameters.values())

    def left(self) -> tuple[Any, ...]:
        """Return the parameters, their gradients, None where there is none, and whether it is ready for the next call:
        whether every parameter asks for a gradient, and whether the module is in training mode."""
        parameters = self.own_parameters()
        ready = all(p.requires_grad for p in parameters), self.training
        return tuple(p.detach().clone() for p in parameters), tuple(_gradient_of(p) for p in parameters), ready


def _numbers_of(x: Tensor) -> Tensor:
    """Copy a tensor; out of torch.func.grad and vmap too, the axis that is mapped over then in front."""
    copy = x.detach().clone()
    while torch._C._functorch.is_functorch_wrapped_tensor(copy):
        copy = torch._C._functorch.get_unwrapped(copy)
    return copy


def _gradient_of(parameter: Tensor) -> Tensor | None:
    return None if parameter.grad is None else parameter.grad.detach().clone()


def _leave_stale(player: Player, value: float | None) -> None:
    """Let a value stand in every parameter's .grad, None for nothing."""
    for parameter in player.own_parameters():
        parameter.grad = None if value is None else torch.full_like(parameter, value)


@dataclass(frozen=True)
class _Module(Given):
    def build(self) -> Player:
        return Player(self)


@dataclass(frozen=True)
class LinearCritic(_Module):
    """The critic weight.x + bias: weight of the shape of a sample, bias (); scores (batch, 1) with `column`.

    stale: what stands in every parameter's .grad at the start, None for nothing.
    """

    weight: Tensor
    bias: Tensor
    column: bool = False
    stale: float | None = None

    def build(self) -> Player:
        player = Player(self)
        _leave_stale(player, self.stale)
        return player

    def __call__(self, x: Tensor) -> Tensor:
        scores = x.flatten(1) @ self.weight.flatten() + self.bias
        return scores.unsqueeze(1) if self.column else scores


@dataclass(frozen=True)
class QuadraticCritic(_Module):
    """The critic 1/2 x.A x of flattened samples, with A = (root + root^T) / 2: root (d, d)."""

    root: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return 0.5 * (flat * (flat @ (self.root + self.root.T) / 2)).sum(1)


@dataclass(frozen=True)
class ConvolutionalCritic(_Module):
    """A convolution, a tanh, and a weighted sum: kernel (channels, in, height, width), top (channels,)."""

    kernel: Tensor
    top: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return torch.tanh(nn.functional.conv2d(x, self.kernel)).sum((2, 3)) @ self.top


@dataclass(frozen=True)
class LinearGenerator(_Module):
    """The generator weight z + bias: weight (d, noise), bias (d,)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, z: Tensor) -> Tensor:
        return z @ self.weight.T + self.bias


@dataclass(frozen=True)
class FromGraph(Given):
    """A tensor that belongs to a graph, as what a generator returns does."""

    values: Tensor

    def build(self) -> Tensor:
        return self.values.requires_grad_() * 1.0


@dataclass(frozen=True)
class Objective(Given):
    """An objective: mean of s + a s^2 over the real scores minus mean of s + b s^2 over the generated ones."""

    a: float
    b: float

    def build(self) -> "Objective":
        return self

    def __call__(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return (real_scores + self.a * real_scores**2).mean() - (fake_scores + self.b * fake_scores**2).mean()


@dataclass(frozen=True)
class Penalty(Given):
    """A penalty: mean of critic(real)^2 plus twice the mean of critic(fake)^2."""

    def build(self) -> "Penalty":
        return self

    def __call__(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        return (critic(real) ** 2).mean() + 2 * (critic(fake) ** 2).mean()


class NotedDescent(Descent):
    """Gradient descent that notes its steps."""

    def __init__(self, parameters: list[Tensor], learning_rate: float, note: Callable[[], None]) -> None:
        super().__init__(parameters, learning_rate)
        self.note = note

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        self.note()
        return super().step(closure)


@dataclass(frozen=True)
class Game(Given):
    """Two players as exercises/gan/steps.py describes them.

    real and noise: (batches, batch, ...), handed out one after another, and again from the first. rates: learning
    rates of the critic and the generator. stale: what stands in every parameter's .grad at the start, None for nothing.
    """

    critic: LinearCritic
    generator: LinearGenerator
    average: LinearGenerator
    objective: Objective
    penalty: Penalty | None
    coefficient: float
    real: Tensor
    noise: Tensor
    rates: tuple[float, float]
    stale: float | None = None

    def build(self) -> "BuiltGame":
        return BuiltGame(self)


class BuiltGame:
    """What a function of the training step receives; it keeps a log of who was asked what, in order."""

    def __init__(self, given: Game) -> None:
        self.log: Log = []
        self.critic, self.generator, self.average = (
            self._player(name, each)
            for name, each in (("critic", given.critic), ("generator", given.generator), ("average", given.average))
        )
        self.players: tuple[Player, ...] = (self.critic, self.generator, self.average)
        self.objective, self.penalty, self.coefficient = given.objective, given.penalty, given.coefficient
        self.critic_optimizer = self._optimizer("critic", self.critic, given.rates[0])
        self.generator_optimizer = self._optimizer("generator", self.generator, given.rates[1])
        self.real_batch, self.noise_batch = self._batches("real", given.real), self._batches("noise", given.noise)
        for player in (self.critic, self.generator):
            _leave_stale(player, given.stale)

    def _player(self, name: str, given: Given) -> Player:
        player: Player = given.build()
        player.note = lambda x: self.log.append((name, x))
        return player

    def _optimizer(self, name: str, player: Player, rate: float) -> NotedDescent:
        return NotedDescent(player.own_parameters(), rate, lambda: self.log.append((f"{name} step", None)))

    def _batches(self, name: str, stacked: Tensor) -> Callable[[], Tensor]:
        count = 0

        def next_batch() -> Tensor:
            nonlocal count
            batch = stacked[count % len(stacked)].clone()
            count += 1
            self.log.append((name, batch.clone()))
            return batch

        return next_batch

    def left(self) -> tuple[Any, ...]:
        """Return what each of the first players tells, the log, and whether the game still has these players."""
        now = self.critic, self.generator, self.average
        same = all(a is b for a, b in zip(now, self.players, strict=True))
        return (*(player.left() for player in self.players), tuple(self.log), same)


KINDS: tuple[type[Given], ...] = (
    *(LinearCritic, QuadraticCritic, ConvolutionalCritic, LinearGenerator, FromGraph),
    *(Objective, Penalty, Game),
)
