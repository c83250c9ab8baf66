"""Training of Dirac GANs from many starts at once, and what happens when a parameter is not finite."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..runs import RunError
from ..seeds import seed_epoch
from .players import Functions, draw_starts, make_game, update_of
from .settings import Config, Training
from .trajectories import Trajectory, stride

LOOK = 100  # iterations between two looks at whether all is finite
NAMES = ("psi0", "psi1", "theta", "the moving average of theta")


class BrokenDown(RunError):
    """A parameter of a training is not finite; `trajectory` is what there was before."""

    def __init__(self, message: str, training: Training, trajectory: Trajectory) -> None:
        """Keep the training and its trajectory."""
        super().__init__(message)
        self.training, self.trajectory = training, trajectory


def simulate(functions: Functions, trainings: Sequence[Training], config: Config) -> dict[Training, Trajectory]:
    """Train all starts of trainings with one objective, as one batch, for the settings' iterations.

    Raises:
        BrokenDown: a parameter is nan or infinite.
    """
    history = play(functions, trainings, config, draw_starts(config.starts, config.seed))
    parts = history.split(config.starts, 2)
    return {t: _expect_finite(part, t, config) for t, part in zip(trainings, parts, strict=True)}


def play(functions: Functions, trainings: Sequence[Training], config: Config, starts: Tensor) -> Tensor:
    """Train all starts, (3, starts), and return (psi0, psi1, theta, average) of each after every iteration.

    Returns:
        (iterations + 1, 4, games), the games of one training after those of another; fewer iterations where a
        parameter is not finite any more.
    """
    seed_epoch(config.seed, 0)  # the penalty between real and generated samples draws, though nothing depends on it
    game = make_game(functions, trainings, config, starts)
    update = update_of(functions, game, config)
    states = [game.state()]
    for iteration in range(1, config.iterations + 1):
        update()
        states.append(game.state())
        if iteration % LOOK == 0 and not _can_be_kept(states[-1]):
            break
    return torch.stack(states)


def _expect_finite(history: Tensor, training: Training, config: Config) -> Trajectory:
    """Keep the history of a training, (iterations + 1, 4, starts).

    Raises:
        BrokenDown: it does not stay finite.
    """
    good = _can_be_kept(history.flatten(1), dim=1)
    if good.all():
        return kept(history, config)
    first = int(good.logical_not().nonzero()[0])
    message = _told(history[:, :, 0], first, training, config)
    raise BrokenDown(message, training, kept(history[:first], config))


def _can_be_kept(states: Tensor, dim: int | None = None) -> Tensor:
    """Tell whether numbers are finite, also in the single precision that all starts are kept in."""
    return (states.abs() < torch.finfo(torch.float32).max).all(dim)


def kept(history: Tensor, config: Config) -> Trajectory:
    """Keep the first game's path, and some of the places (psi0, theta) of all: history (iterations + 1, 4, games)."""
    places = history[:: stride(config), [0, 2]].transpose(1, 2)
    return Trajectory(history[:, :, 0].clone(), places.float())


def _told(path: Tensor, first: int, training: Training, config: Config) -> str:
    """Say which parameter of the first game is not finite since which iteration, and why most likely."""
    before = path[max(0, first - 1)]
    if path[first].isfinite().all():
        return (
            f"{training.name}: at iteration {first} a start has gone too far out to be kept. Likely cause: the game "
            "diverges; look at the signs with `elbo check gan`, or at the learning rates."
        )
    which = int(path[first].isfinite().logical_not().nonzero()[0])
    grown = float(before.abs().max()) > 1e6
    rates = max(config.critic_learning_rate, config.generator_learning_rate)
    if grown and rates > 0.5:
        cause = f"learning rates as large as {rates:g} overshoot; the given ones are {Config.critic_learning_rate:g}"
    elif grown:
        cause = "the players run away from each other: a sign is turned"
    elif training.penalty != "none":
        cause = f"0 / 0 or a root of 0 in the penalty or its gradient, at coefficient {training.coefficient:g}"
    else:
        cause = "a logarithm of 0, or 0 / 0, in the objective or its gradient"
    numbers = ", ".join(f"{name} = {value:.4g}" for name, value in zip(NAMES, before.tolist(), strict=True))
    return (
        f"{training.name}: {NAMES[which]} is {float(path[first, which])} at iteration {first}; before it, {numbers}. "
        f"Likely cause: {cause}. Look with `elbo check gan`."
    )
