"""The two players of the Dirac GAN, many independent games side by side, and the update that the student's code makes.

Row i of every batch belongs to game i, whose critic and generator have parameters of their own. The student's objective
and penalties average over the batch, so that the gradient of each game is 1 / games of what it is alone; the learning
rates are multiplied by the number of games, and all of them run as if each were alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from .settings import Config, Training

F64 = torch.float64
SPREAD = 0.7  # standard deviation of every starting coordinate


class Functions(Protocol):
    """The student's functions of Problem 2 that the experiment calls; solutions/gan says what each one does."""

    jsd: Callable[[Tensor, Tensor], Tensor]
    w1: Callable[[Tensor, Tensor], Tensor]
    r1_penalty: Callable[[nn.Module, Tensor], Tensor]
    gradient_penalty: Callable[[nn.Module, Tensor, Tensor], Tensor]
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


class Critic(nn.Module):
    """The critics psi0 x + psi1: psi (2, games)."""

    def __init__(self, psi: Tensor) -> None:
        """Begin with these parameters."""
        super().__init__()
        self.psi = nn.Parameter(psi)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of samples (games, 1), or of several such batches one below the other."""
        games = self.psi.shape[1]
        if x.numel() % games:
            raise ValueError(
                f"the critic was asked at {tuple(x.shape)}, expected a batch of {games} games, row i of game i"
            )
        return torch.addcmul(self.psi[1], self.psi[0], x.view(-1, games)).view(-1)


class Generator(nn.Module):
    """The generators delta_theta, which make the sample theta of any noise: theta (games,)."""

    def __init__(self, theta: Tensor) -> None:
        """Begin with these parameters."""
        super().__init__()
        self.theta = nn.Parameter(theta)

    def forward(self, noise: Tensor) -> Tensor:
        """Return the sample of each game, (games, 1)."""
        return self.theta.unsqueeze(1)


@dataclass
class Game:
    """Two players and what they play for, as the student's functions receive it."""

    critic: Critic
    generator: Generator
    average: Generator
    critic_optimizer: torch.optim.Optimizer
    generator_optimizer: torch.optim.Optimizer
    objective: Callable[[Tensor, Tensor], Tensor]
    penalty: Callable[[nn.Module, Tensor, Tensor], Tensor] | None
    coefficient: float
    real_batch: Callable[[], Tensor]
    noise_batch: Callable[[], Tensor]

    def state(self) -> Tensor:
        """Return (psi0, psi1, theta, average of theta) of each game, (4, games)."""
        parameters = self.critic.psi, self.generator.theta[None], self.average.theta[None]
        return torch.cat(parameters).detach()


def draw_starts(count: int, seed: int) -> Tensor:
    """Draw (psi0, psi1, theta) from N(0, 0.7^2), (3, count): the first ones are the same however many there are.

    The second start is the first one, twice as far out: whether both end alike tells a limit cycle from a cycle.
    """
    generator = torch.Generator().manual_seed(seed)
    starts = torch.stack([SPREAD * torch.randn(3, dtype=F64, generator=generator) for _ in range(count)], 1)
    if count > 1:
        starts[:, 1] = 2 * starts[:, 0]
    return starts


def make_game(functions: Functions, training: Training, config: Config, starts: Tensor) -> Game:
    """Put the games of a training at their starts, (3, games)."""
    games = starts.shape[1]
    critic, generator, average = Critic(starts[:2].clone()), Generator(starts[2].clone()), Generator(starts[2].clone())
    zeros = torch.zeros(games, 1, dtype=F64)  # the data, and noise that the generator does not look at
    return Game(
        critic=critic,
        generator=generator,
        average=average,
        critic_optimizer=torch.optim.SGD(critic.parameters(), lr=config.critic_learning_rate * games),
        generator_optimizer=torch.optim.SGD(generator.parameters(), lr=config.generator_learning_rate * games),
        objective=getattr(functions, training.objective),
        penalty=penalty_of(functions, training),
        coefficient=training.coefficient,
        real_batch=zeros.clone,
        noise_batch=zeros.clone,
    )


def penalty_of(functions: Functions, training: Training) -> Callable[..., Tensor] | None:
    """Return the student's penalty as penalty(critic, real, fake), or None."""
    if training.penalty == "none":
        return None
    if training.penalty == "gp":
        return functions.gradient_penalty
    return lambda critic, real, fake: functions.r1_penalty(critic, real)


Update = Callable[[], Any]


def update_of(functions: Functions, game: Game, config: Config) -> Update:
    """Return what makes one iteration of a game, in the order that the settings name."""
    if config.order == "alternating":
        return lambda: functions.train_step(game, config.critic_steps, config.decay)
    # Each player answers the other one as it was: against copies from before the iteration.
    critic, generator = Critic(game.critic.psi.detach().clone()), Generator(game.generator.theta.detach().clone())
    against_generator, against_critic = replace(game, generator=generator), replace(game, critic=critic)

    def update() -> None:
        critic.load_state_dict(game.critic.state_dict())
        generator.load_state_dict(game.generator.state_dict())
        for _ in range(config.critic_steps):
            functions.critic_step(against_generator, game.real_batch(), game.noise_batch())
        functions.generator_step(against_critic, game.noise_batch())
        functions.update_average(game.average, game.generator, config.decay)

    return update
