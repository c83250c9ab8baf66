"""Training of Dirac GANs from many starts at once, and what happens when a parameter is not finite."""

from collections.abc import Mapping, Sequence

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
    """Parameters of some trainings are not finite; `broken` is what there was of each before."""

    def __init__(self, message: str, broken: Mapping[Training, Trajectory]) -> None:
        """Keep the trajectories."""
        super().__init__(message)
        self.broken = broken


def simulate(functions: Functions, trainings: Sequence[Training], config: Config) -> dict[Training, Trajectory]:
    """Train all starts of trainings with one objective for the settings' iterations.

    Raises:
        BrokenDown: a parameter is nan or infinite.
    """
    starts = draw_starts(config.starts, config.seed)
    if config.together:
        history = play(functions, trainings, config, starts)
    else:
        each = [play(functions, [t], config, start) for t in trainings for start in starts.split(1, 1)]
        shortest = min(map(len, each))
        history = torch.cat([h[:shortest] for h in each], 2)
    parts = dict(zip(trainings, history.split(config.starts, 2), strict=True))
    lengths = {training: _finite_length(part) for training, part in parts.items()}
    found = {training: kept(part[: lengths[training]], config) for training, part in parts.items()}
    broken = {t: found[t] for t, part in parts.items() if lengths[t] < len(part)}
    if broken:
        raise BrokenDown(_told({t: parts[t][: lengths[t] + 1, :, 0] for t in broken}, config), broken)
    return found


def _finite_length(history: Tensor) -> int:
    """Return how many states of a training's history, (iterations + 1, 4, starts), can be kept."""
    good = _can_be_kept(history.flatten(1), dim=1)
    return len(good) if good.all() else int(good.logical_not().nonzero()[0])


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


def _can_be_kept(states: Tensor, dim: int | None = None) -> Tensor:
    """Tell whether numbers are finite, also in the single precision that all starts are kept in."""
    return (states.abs() < torch.finfo(torch.float32).max).all(dim)


def kept(history: Tensor, config: Config) -> Trajectory:
    """Keep the first game's path, and some of the places (psi0, theta) of all: history (iterations + 1, 4, games)."""
    places = history[:: stride(config), [0, 2]].transpose(1, 2)
    return Trajectory(history[:, :, 0].clone(), places.float())


def _told(paths: Mapping[Training, Tensor], config: Config) -> str:
    """Say which parameter of which game is not finite since which iteration, and why most likely.

    paths: of the first start of each broken training, up to where it is broken.
    """
    first = min(paths, key=lambda t: len(paths[t]))
    others = [f"{t.name} at iteration {len(path) - 1}" for t, path in paths.items() if t != first]
    also = f" So did {', '.join(others)}." if others else ""
    return f"{first.name} broke down: {_reason(paths[first], first, config)}{also} Look with `elbo check gan`."


def _reason(path: Tensor, training: Training, config: Config) -> str:
    last, before = path[-1], path[max(0, len(path) - 2)]
    grown = float(before.abs().max()) > 1e6
    rates = max(config.critic_learning_rate, config.generator_learning_rate)
    if grown and rates > 0.5:
        cause = f"learning rates as large as {rates:g} overshoot; the given ones are {Config.critic_learning_rate:g}"
    elif grown or last.isfinite().all():
        cause = "the players run away from each other: a sign is turned, or the updates are simultaneous"
    elif training.penalty != "none":
        cause = f"0 / 0 or a root of 0 in the penalty or its gradient, at coefficient {training.coefficient:g}"
    else:
        cause = "a logarithm of 0, or 0 / 0, in the objective or its gradient"
    numbers = ", ".join(f"{name} = {value:.4g}" for name, value in zip(NAMES, before.tolist(), strict=True))
    bad = last.isfinite().logical_not().nonzero()
    what = f"{NAMES[int(bad[0])]} is {float(last[int(bad[0])])}" if len(bad) else "a start is too far out to be kept"
    return f"{what} at iteration {len(path) - 1}; before it, {numbers}. Likely cause: {cause}."
