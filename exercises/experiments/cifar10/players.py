"""Two players of a game for images, as the student's functions receive them, and where their batches come from."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from .networks import NOISE, Critic, Generator, as_input
from .settings import Config, Configuration

BETAS = (0.0, 0.99)
WEIGHT_DECAY = 1e-6  # of the critic


class Functions(Protocol):
    """The student's functions of Problem 2 that the experiment calls; exercises/gan says what each one does."""

    jsd: Callable[[Tensor, Tensor], Tensor]
    w1: Callable[[Tensor, Tensor], Tensor]
    r1_penalty: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
    spectral_norm: Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]
    train_step: Callable[..., Tensor]
    inception_score: Callable[[Tensor], Tensor]
    frechet_distance: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Implementation(Protocol):
    """What an experiment receives: an object or a package with the topic `gan`."""

    @property
    def gan(self) -> Functions:
        """The functions of Problem 2."""
        ...


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

    @property
    def networks(self) -> nn.ModuleDict:
        """All three networks, as a checkpoint has them."""
        return nn.ModuleDict({"critic": self.critic, "generator": self.generator, "average": self.average})


def make_game(
    functions: Functions, configuration: Configuration, config: Config, images: Tensor, device: str = "cpu"
) -> Game:
    """Put the players of a configuration at their start, which torch's seed fixes.

    images: (N, 3, 32, 32) uint8, on the device. config: its precision is not 'auto' any more.
    """
    reduced = config.precision == "bfloat16"
    normalise = functions.spectral_norm if configuration.spectral else None
    # The generator first: its start is then the same whatever the critic is made of.
    generator = Generator(config.width, reduced).to(device)
    critic = Critic(config.width, reduced, normalise).to(device)
    adam = partial(torch.optim.Adam, betas=BETAS, fused=True)
    return Game(
        critic=critic,
        generator=generator,
        average=deepcopy(generator),
        critic_optimizer=adam(critic.parameters(), config.critic_learning_rate, weight_decay=WEIGHT_DECAY),
        generator_optimizer=adam(generator.parameters(), config.generator_learning_rate),
        objective=getattr(functions, configuration.objective),
        penalty=(lambda critic, real, fake: functions.r1_penalty(critic, real)) if configuration.coefficient else None,
        coefficient=configuration.coefficient,
        real_batch=batches(images, config.batch_size).__next__,
        noise_batch=lambda: torch.randn(config.batch_size, NOISE, device=device),
    )


def batches(images: Tensor, size: int) -> Iterator[Tensor]:
    """Go through images in one random order after another, whole batches only, for ever.

    images: (N, 3, 32, 32) uint8; yields (size, 3, 32, 32) from -1 to 1.
    """
    while True:
        order = torch.randperm(len(images)).to(images.device)
        for rows in order.split(min(size, len(images))):
            if len(rows) == min(size, len(images)):
                yield as_input(images[rows])
