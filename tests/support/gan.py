"""What the properties of adversarial training share: reading numbers, drawing players, and reading what they left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from .closeness import WrongAnswer, allowance, assert_close, assert_same_dtype, assert_tensor
from .players import ConvolutionalCritic, Game, LinearCritic, LinearGenerator, Objective, Penalty, QuadraticCritic
from .properties import Observation
from .strategies import reals, tensor

F64 = torch.float64
SMALL = reals(-2, 2)
Critic = LinearCritic | QuadraticCritic | ConvolutionalCritic


def number(value: Any) -> Tensor:
    """Return an answer of one number as (), whatever axes of size one it came with.

    Raises:
        WrongAnswer: not a tensor of one number.
    """
    if isinstance(value, float):
        raise WrongAnswer("returned a Python number, expected a tensor (): was it taken out with item() or float()?")
    found = assert_tensor(value, "()")
    if found.numel() != 1:
        raise WrongAnswer(
            f"returned {tuple(found.shape)}, expected one number: is a mean over the batch missing?", found
        )
    return found.reshape(())


def assert_number(value: Any) -> None:
    """Accept a tensor of the shape () only.

    Raises:
        WrongAnswer: any other shape.
    """
    found = number(value)
    if assert_tensor(value, "()").dim():
        raise WrongAnswer(
            f"returned {tuple(value.shape)}, expected (): an axis was kept (keepdim), or never reduced", found
        )


def assert_close_or_named(
    answer: Tensor, expected: Tensor, terms: Tensor | float, what: str, mistakes: Mapping[str, Tensor]
) -> None:
    """Accept an answer within rounding error of what is expected, as assert_close does.

    mistakes: what an answer is after some frequent mistakes, by what is then said of it.

    Raises:
        WrongAnswer: an entry is further away; the mistakes that lead to such an answer are named.
    """
    try:
        assert_close(answer, expected, terms, what)
    except WrongAnswer as error:
        if answer.shape != expected.shape:
            raise
        like = [
            said
            for said, wrong in mistakes.items()
            if bool(((answer - wrong).abs() <= allowance(answer, wrong, terms)).all())
        ]
        if not like:
            raise
        raise WrongAnswer(f"{error.message}: {', or '.join(like)}", answer, expected) from None


def assert_both_precisions(ask: Callable[[torch.dtype], Any], terms: float) -> None:
    """Accept answers of one number that have the precision of the arguments and agree as far as that goes.

    Raises:
        WrongAnswer: an answer has another precision, or single precision gives another number.
    """
    answers = {dtype: ask(dtype) for dtype in (F64, torch.float32)}
    for dtype, answer in answers.items():
        assert_same_dtype(answer, dtype)
    expected = number(answers[F64]).float()
    assert_close(number(answers[torch.float32]), expected, terms, "the answer in single precision")


def samples_of(draw: st.DrawFn, batch: int, shape: tuple[int, ...]) -> Tensor:
    """Draw a batch of samples of a shape."""
    return tensor(draw, (batch, *shape), SMALL)


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, ...]:
    """Draw the shape of a sample: some features, a sequence, or an image of different height and width."""
    return draw(st.sampled_from([(1,), (2,), (3,), (2, 3), (1, 2, 3), (2, 3, 2)]))


@st.composite
def linear_critics(draw: st.DrawFn, shape: tuple[int, ...]) -> LinearCritic:
    """Draw a linear critic of samples of a shape."""
    return LinearCritic(tensor(draw, shape, SMALL), tensor(draw, (), SMALL), draw(st.booleans()))


@st.composite
def quadratic_critics(draw: st.DrawFn, features: int) -> QuadraticCritic:
    """Draw a quadratic critic of vectors."""
    return QuadraticCritic(tensor(draw, (features, features), SMALL))


@st.composite
def convolutional_critics(draw: st.DrawFn) -> ConvolutionalCritic:
    """Draw a convolutional critic of images (2, 3, 3)."""
    return ConvolutionalCritic(tensor(draw, (2, 2, 2, 2), reals(-0.7, 0.7)), tensor(draw, (2,), SMALL))


IMAGE = (2, 3, 3)


def slopes(critic: Critic, x: Tensor) -> Tensor:
    """Return the critic's gradient by each sample, flattened, (batch, d); differentiable in the critic's tensors."""
    leaf = x.detach().clone().requires_grad_()
    rows = [torch.autograd.grad(critic(row[None]).sum(), leaf, create_graph=True)[0][i] for i, row in enumerate(leaf)]
    return torch.stack(rows).flatten(1)


def by_tensor(critic: Critic, name: str) -> tuple[Critic, Tensor]:
    """Return the critic with one of its tensors as a leaf to differentiate by, and that leaf."""
    leaf = getattr(critic, name).clone().requires_grad_()
    return replace(critic, **{name: leaf}), leaf


@st.composite
def games(draw: st.DrawFn, batches: int = 1, penalised: bool | None = None) -> Game:
    """Draw a game of linear players with so many batches of real samples, and one of noise more.

    Every number is away from 0 by a little, so that every parameter moves.
    """
    away = reals(-1, 1).map(lambda x: x + (0.1 if x >= 0 else -0.1))
    d, z, batch = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    average, generator = (LinearGenerator(tensor(draw, (d, z), away), tensor(draw, (d,), away)) for _ in range(2))
    with_penalty = draw(st.booleans()) if penalised is None else penalised
    return Game(
        critic=LinearCritic(tensor(draw, (d,), away), tensor(draw, (), away), draw(st.booleans())),
        generator=generator,
        average=average,
        objective=Objective(draw(away), draw(away)),
        penalty=Penalty() if with_penalty else None,
        coefficient=draw(reals(0.1, 2)),
        real=tensor(draw, (batches, batch, d), away),
        noise=tensor(draw, (batches + 1, batch, z), away),
        rates=(draw(reals(0.05, 0.2)), draw(reals(0.05, 0.2))),
        stale=draw(st.sampled_from([None, 3.0])),
    )


@dataclass(frozen=True)
class Left:
    """What a function left in a game: parameters, gradients, and the log of who was asked for what.

    ready: for the critic and the generator, whether every parameter asks for a gradient, and whether it is in training
    mode. same: whether the game still has the players that it had.
    """

    critic: tuple[Tensor, ...]
    generator: tuple[Tensor, ...]
    average: tuple[Tensor, ...]
    critic_gradients: tuple[Tensor | None, ...]
    generator_gradients: tuple[Tensor | None, ...]
    log: tuple[tuple[str, Tensor | None], ...]
    ready: tuple[tuple[bool, bool], ...]
    same: bool

    def count(self, what: str) -> int:
        """Return how often something stands in the log."""
        return sum(name == what for name, _ in self.log)

    def after(self, game: Game) -> Game:
        """Return the game with the players' parameters as they were left."""
        return replace(
            game,
            critic=replace(game.critic, weight=self.critic[0], bias=self.critic[1]),
            generator=LinearGenerator(*self.generator),
            average=LinearGenerator(*self.average),
        )


def left_of(seen: Observation) -> Left:
    """Read what a function left in the game that was its first argument."""
    critic, generator, average, log, same = seen.arguments[0]
    ready = critic[2], generator[2]
    return Left(critic[0], generator[0], average[0], critic[1], generator[1], log, ready, same)
