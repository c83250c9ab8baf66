"""Training of one Dirac GAN from many starts at once, and what happens when a parameter is not finite."""

import torch

from ..runs import RunError
from ..seeds import seed_epoch
from .players import F64, Functions, draw_starts, make_game, update_of
from .settings import Config, Training
from .trajectories import Trajectory, stride

LOOK = 100  # iterations between two looks at whether all is finite
NAMES = ("psi0", "psi1", "theta", "the moving average of theta")


class BrokenDown(RunError):
    """A parameter is not finite; `trajectory` is what there was before."""

    def __init__(self, message: str, trajectory: Trajectory) -> None:
        """Keep the trajectory."""
        super().__init__(message)
        self.trajectory = trajectory


def simulate(functions: Functions, training: Training, config: Config) -> Trajectory:
    """Train all starts for the settings' iterations.

    Raises:
        BrokenDown: a parameter is nan or infinite.
    """
    seed_epoch(config.seed, 0)  # the penalty between real and generated samples draws, though nothing depends on it
    game = make_game(functions, training, config, draw_starts(config.starts, config.seed))
    update, every = update_of(functions, game, config), stride(config)
    path = torch.empty(config.iterations + 1, 4, dtype=F64)
    starts = torch.empty(config.iterations // every + 1, config.starts, 2)
    for iteration in range(config.iterations + 1):
        if iteration:
            update()
        state = game.state()
        path[iteration] = state[:, 0]
        if iteration % every == 0:
            starts[iteration // every] = state[[0, 2]].T
        if iteration % LOOK == 0 or iteration == config.iterations:
            _expect_finite(state, path[: iteration + 1], starts[: iteration // every + 1], training, config)
    return Trajectory(path, starts)


def _expect_finite(
    state: torch.Tensor, path: torch.Tensor, starts: torch.Tensor, training: Training, config: Config
) -> None:
    """Go on only if all starts are at finite places.

    Raises:
        BrokenDown: says which parameter is not finite since which iteration, and why most likely.
    """
    largest = torch.finfo(torch.float32).max  # what the records of all starts can hold
    good = path.isfinite().all(1)
    if bool(good.all()) and bool((state.abs() < largest).all()):
        return
    first = int(good.logical_not().nonzero()[0]) if not good.all() else len(path) - 1
    kept = Trajectory(path[:first], starts[: max(1, -(-first // stride(config)))])
    raise BrokenDown(_told(path, first, bool(good.all()), training, config), kept)


def _told(path: torch.Tensor, first: int, own_is_good: bool, training: Training, config: Config) -> str:
    before = path[max(0, first - 1)]
    if own_is_good:
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
