"""The two players' updates, and an iteration of training that is made of them."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from .averaging import update_average


class Game(Protocol):
    """Two players and what they play for.

    average is the moving average of the generator. objective(real_scores, fake_scores) is what the critic raises and
    the generator lowers: jsd or w1. penalty(critic, real, fake) is what the critic pays times coefficient; None where
    it pays nothing. Every call of real_batch and noise_batch returns another batch; train_step is who calls them.
    """

    critic: nn.Module
    generator: nn.Module
    average: nn.Module
    critic_optimizer: torch.optim.Optimizer
    generator_optimizer: torch.optim.Optimizer
    objective: Callable[[Tensor, Tensor], Tensor]
    penalty: Callable[[nn.Module, Tensor, Tensor], Tensor] | None
    coefficient: float
    real_batch: Callable[[], Tensor]
    noise_batch: Callable[[], Tensor]


def critic_loss(game: Game, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Objective for two batches, and the loss that the critic minimises.

    loss = -objective(critic(real), critic(fake)) + coefficient * penalty(critic, real, fake)

    Args:
        game: its critic, objective, penalty and coefficient are used. Without a penalty the loss is -objective.
        real: (n, ...) samples of the data.
        fake: (n, ...) samples of the generator.

    Returns:
        (objective, loss), () each, differentiable in the critic's parameters.
    """
    ### BEGIN SOLUTION
    value = game.objective(game.critic(real), game.critic(fake))
    if game.penalty is None:
        return value, -value
    return value, game.coefficient * game.penalty(game.critic, real, fake) - value
    ### END SOLUTION


def critic_step(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    """One update of the critic on a batch; of the generator nothing changes, its gradients (.grad) included.

    The critic's optimizer makes one step on the gradient of critic_loss(game, real, generator(noise)). Gradients that
    stood in .grad before do not count.

    Args:
        game: the players.
        real: (n, ...) samples of the data.
        noise: (n, ...) what the generator makes samples of.

    Returns:
        (), the objective before the update, without a graph.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        fake = game.generator(noise)
    value, loss = critic_loss(game, real, fake)
    game.critic_optimizer.zero_grad()
    loss.backward()
    game.critic_optimizer.step()
    return value.detach()
    ### END SOLUTION


def generator_step(game: Game, noise: Tensor) -> None:
    """One update of the generator; the critic's parameters do not move, and ask for gradients as before.

    The generator's optimizer makes one step on the gradient of objective(real_scores, critic(generator(noise))), which
    the generator minimises. Its gradient does not depend on the real scores, so any constants do for them, zeros say.
    Gradients that stood in .grad before do not count.

    Args:
        game: the players.
        noise: (n, ...) what the generator makes samples of.
    """
    ### BEGIN SOLUTION
    scores = game.critic(game.generator(noise))
    loss = game.objective(torch.zeros_like(scores), scores)
    game.generator_optimizer.zero_grad()
    loss.backward(inputs=list(game.generator.parameters()))  # and not the critic's, which nobody wants
    game.generator_optimizer.step()
    ### END SOLUTION


def train_step(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    """One iteration: updates of the critic, one of the generator, and then the moving average.

    Each update has new noise, and each of the critic new real samples too. The average follows the generator by
    update_average with this decay.

    Args:
        game: the players and their data.
        num_critic_steps: updates of the critic, at least 1.
        decay: of the moving average.

    Returns:
        (), the objective of the last update of the critic.

    Source: Goodfellow et al. (2014), algorithm 1.
    """
    ### BEGIN SOLUTION
    for _ in range(num_critic_steps):
        value = critic_step(game, game.real_batch(), game.noise_batch())
    generator_step(game, game.noise_batch())
    update_average(game.average, game.generator, decay)
    return value
    ### END SOLUTION
