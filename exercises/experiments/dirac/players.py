"""The two players of the Dirac GAN, many independent games side by side, and the update that the student's code makes.

Row i of every batch belongs to game i, whose critic and generator have parameters of their own: first all starts of
one training, then those of the next. The student's objective averages over the batch, so that the gradient of each game
is 1 / games of what it is alone; the learning rates are multiplied by the number of games, and all of them run as if
each were alone.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..descent import Descent
from .settings import Config, Training

F64 = torch.float64
SINGLY = "`--set together=false --set starts=2` plays them one after another."
SPREAD = 0.7  # standard deviation of every starting coordinate


class Functions(Protocol):
    """The student's functions of Problem 2 that the experiment calls; exercises/gan says what each one does."""

    jsd: Callable[[Tensor, Tensor], Tensor]
    w1: Callable[[Tensor, Tensor], Tensor]
    r1_penalty: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
    gradient_penalty: Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]
    critic_step: Callable[..., Tensor]
    generator_step: Callable[..., None]
    train_step: Callable[..., Tensor]
    update_average: Callable[[nn.Module, nn.Module, float], None]


class Implementation(Protocol):
    """What an experiment receives: an object or a package with the topic `gan`."""

    @property
    def gan(self) -> Functions:
        """The functions of Problem 2."""
        ...


class Critics(nn.Module):
    """The critics psi0 x + psi1 of some games, (games,) each: tensors that may be parts of others' parameters."""

    psi0: Tensor
    psi1: Tensor

    def of(self, psi0: Tensor, psi1: Tensor) -> "Critics":
        """Take other tensors; past the bookkeeping of modules, which would take longer than a score."""
        vars(self).update(psi0=psi0, psi1=psi1)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of samples (games, 1), or of several such batches one below the other."""
        games = len(self.psi0)
        if x.numel() % games:
            raise ValueError(
                f"the critic was asked at {tuple(x.shape)}, where {games} games are the rows of one batch: it has to "
                f"be asked at whole batches, row i of game i. {SINGLY}"
            )
        return torch.addcmul(self.psi1, self.psi0, x.view(-1, games)).view(-1)


class Critic(Critics):
    """The critics of all games, with psi0 and psi1 as parameters."""

    def __init__(self, psi0: Tensor, psi1: Tensor) -> None:
        """Begin with these parameters."""
        super().__init__()
        self.psi0, self.psi1 = nn.Parameter(psi0), nn.Parameter(psi1)


class Generator(nn.Module):
    """The generators delta_theta, which make the sample theta of any noise: theta (games,)."""

    def __init__(self, theta: Tensor) -> None:
        """Begin with these parameters."""
        super().__init__()
        self.theta = nn.Parameter(theta)

    def forward(self, noise: Tensor) -> Tensor:
        """Return the sample of each game, (games, 1)."""
        return self.theta.unsqueeze(1)


Penalty = Callable[[Critic, Tensor, Tensor], Tensor]


@dataclass
class Game:
    """Two players and what they play for, as the student's functions receive it."""

    critic: Critic
    generator: Generator
    average: Generator
    critic_optimizer: Descent
    generator_optimizer: Descent
    objective: Callable[[Tensor, Tensor], Tensor]
    penalty: Penalty | None
    coefficient: float
    real_batch: Callable[[], Tensor]
    noise_batch: Callable[[], Tensor]

    def state(self) -> Tensor:
        """Return (psi0, psi1, theta, average of theta) of each game, (4, games)."""
        with torch.no_grad():
            return torch.stack([self.critic.psi0, self.critic.psi1, self.generator.theta, self.average.theta])


def draw_starts(count: int, seed: int) -> Tensor:
    """Draw (psi0, psi1, theta) from N(0, 0.7^2), (3, count): the first ones are the same however many there are.

    The second start is the first one, half as far out: whether both end alike tells a limit cycle from a cycle.
    """
    generator = torch.Generator().manual_seed(seed)
    starts = torch.stack([SPREAD * torch.randn(3, dtype=F64, generator=generator) for _ in range(count)], 1)
    if count > 1:
        starts[:, 1] = starts[:, 0] / 2
    return starts


def make_game(functions: Functions, trainings: Sequence[Training], config: Config, starts: Tensor) -> Game:
    """Put trainings of one objective at their starts, (3, starts), each at all of them."""
    (objective,) = {training.objective for training in trainings}
    psi0, psi1, theta = starts.repeat(1, len(trainings))
    critic, generator, average = Critic(psi0, psi1), Generator(theta), Generator(theta.clone())
    zeros = torch.zeros(len(theta), 1, dtype=F64)  # the data, and noise that the generator does not look at
    return Game(
        critic=critic,
        generator=generator,
        average=average,
        critic_optimizer=Descent(critic.parameters(), config.critic_learning_rate * len(theta)),
        generator_optimizer=Descent(generator.parameters(), config.generator_learning_rate * len(theta)),
        objective=getattr(functions, objective),
        penalty=penalty_of(functions, trainings, starts.shape[1]),
        coefficient=max(training.coefficient for training in trainings),
        real_batch=zeros.clone,
        noise_batch=zeros.clone,
    )


def penalty_of(functions: Functions, trainings: Sequence[Training], size: int) -> Penalty | None:
    """Make the penalty of a batch in which each training has so many rows, or None where no training has one.

    It is the sum of the student's penalties of each training's rows, weighted by the training's share of the batch, and
    by its coefficient over the largest one, which the game has as its own.
    """
    largest = max(training.coefficient for training in trainings)
    if largest == 0:
        return None
    penalised = [(i, training) for i, training in enumerate(trainings) if training.penalty != "none"]
    weights = torch.tensor([t.coefficient / largest / len(trainings) for _, t in penalised], dtype=F64)
    critics = [Critics() for _ in penalised]

    def penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        psi0, psi1, reals, fakes = (t.split(size) for t in (critic.psi0, critic.psi1, real, fake))
        each = [
            functions.r1_penalty(own.of(psi0[i], psi1[i]), reals[i])
            if training.penalty == "r1"
            else functions.gradient_penalty(own.of(psi0[i], psi1[i]), reals[i], fakes[i])
            for own, (i, training) in zip(critics, penalised, strict=True)
        ]
        return torch.stack(each) @ weights

    return penalty


def after_one(functions: Functions, training: Training, config: Config, starts: Tensor) -> Tensor:
    """Return where one iteration leads (psi0, theta) from starts, (3, starts) to (2, starts)."""
    game = make_game(functions, [training], config, starts)
    update_of(functions, game, config)()
    return game.state()[[0, 2]]


Update = Callable[[], Any]


def update_of(functions: Functions, game: Game, config: Config) -> Update:
    """Return what makes one iteration of a game, in the order that the settings name."""
    if config.order == "alternating":
        return lambda: functions.train_step(game, config.critic_steps, config.decay)
    # Each player answers the other one as it was: against copies from before the iteration.
    critic, generator = deepcopy(game.critic), deepcopy(game.generator)
    against_generator, against_critic = replace(game, generator=generator), replace(game, critic=critic)

    def update() -> None:
        critic.load_state_dict(game.critic.state_dict())
        generator.load_state_dict(game.generator.state_dict())
        for _ in range(config.critic_steps):
            functions.critic_step(against_generator, game.real_batch(), game.noise_batch())
        functions.generator_step(against_critic, game.noise_batch())
        functions.update_average(game.average, game.generator, config.decay)

    return update
