"""What became of each trajectory, in one of four words, on the parameter itself and on its moving average."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .settings import Configuration, Training
from .trajectories import Trajectory

WORDS = ("converges", "cycles", "limit cycle", "diverges")
SHRUNK, SHRINKING, GROWING, ALIKE = 0.25, 0.95, 1.05, 0.25


@dataclass(frozen=True)
class Outcome:
    """What a training did with theta.

    begin, end: the largest |theta| of the first start in the first and in the last tenth of the iterations.
    average_end: of the moving average, in the last tenth. factor: by which an iteration multiplied the distance
    |(psi0, theta)| from the equilibrium on average, in the second half. word: the class of theta, average_word what
    its moving average looks like.
    """

    begin: float
    end: float
    average_end: float
    factor: float
    word: str
    average_word: str


def outcome(trajectory: Trajectory) -> Outcome:
    """Classify a trajectory by how large theta is in the first, the last but one and the last tenth.

    converges: at the end at most a quarter of what it was at first, and still shrinking, by 5 % from one tenth to the
    next. diverges: growing by 5 %. Else it goes round, and the other starts tell how: on a limit cycle the distances of
    all starts from the equilibrium have become alike, as the logarithms spread a quarter as much or less; on cycles
    each start keeps its own. The moving average looks as if it converged where it is at most a quarter of what theta
    itself was at first, shrinking or not.
    """
    theta, average = trajectory.path[:, 2].abs(), trajectory.path[:, 3].abs()
    begin = float(_tenth(theta, 0).max())
    alike = _have_become_alike(trajectory.starts)
    last = len(trajectory.path) - 1
    radius = trajectory.path[:, [0, 2]].norm(dim=1)
    factor = float((radius[last] / radius[last // 2].clamp_min(1e-300)) ** (1 / max(1, last - last // 2)))
    return Outcome(
        begin=begin,
        end=float(_tenth(theta, 9).max()),
        average_end=float(_tenth(average, 9).max()),
        factor=factor,
        word=_word(begin, theta, alike),
        average_word="converges" if _is_small(begin, average) else _word(begin, average, alike),
    )


def _tenth(values: Tensor, number: int) -> Tensor:
    edges = [len(values) * i // 10 for i in (number, number + 1)]
    return values[edges[0] : max(edges[1], edges[0] + 1)]


def _word(begin: float, size: Tensor, alike: bool) -> str:
    before, end = float(_tenth(size, 8).max()), float(_tenth(size, 9).max())
    if _is_small(begin, size) and end <= SHRINKING * before:
        return "converges"
    if end > GROWING * before:
        return "diverges"
    return "limit cycle" if alike else "cycles"


def _is_small(begin: float, size: Tensor) -> bool:
    return float(_tenth(size, 9).max()) <= SHRUNK * begin


def _have_become_alike(starts: Tensor) -> bool:
    """Tell whether all starts are at about one distance from the equilibrium in the end; one start cannot tell."""
    distance = starts.double().norm(dim=2).clamp_min(1e-300)
    if starts.shape[1] < 2:
        return False
    spread = [torch.std(d.log()) for d in (distance[0], _tenth(distance, 9).mean(0))]
    return bool(spread[1] <= ALIKE * spread[0])


def words(outcomes: Mapping[Training, Outcome], chosen: Sequence[Configuration]) -> dict[str, str]:
    """Return the class of each configuration by the name of its claim: always that of theta itself."""
    return {claim_name(c): outcomes[c.training].word for c in chosen if c.training in outcomes}


def claim_name(configuration: Configuration) -> str:
    """Return the name of a configuration's claim."""
    return f"dirac.class.{configuration.name}"
