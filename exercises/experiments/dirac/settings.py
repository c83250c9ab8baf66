"""The twenty configurations of the Dirac GAN, and how they are trained."""

import math
from dataclasses import dataclass
from itertools import product

from ..seeds import check_seed
from ..settings import SettingError, check_one_of, check_positive

OBJECTIVES = ("jsd", "w1")
PENALTIES = (("none", 0.0), ("r1", 0.01), ("r1", 0.1), ("gp", 0.01), ("gp", 0.1))
ORDERS = ("alternating", "simultaneous")
ALL = "all"
MOST_STEPS = 10_000_000  # iterations times starts: their parameters are in memory until the end


@dataclass(frozen=True)
class Training:
    """One game: its objective, the critic's penalty, 'none', 'r1' or 'gp', and the coefficient of that."""

    objective: str
    penalty: str
    coefficient: float

    @property
    def name(self) -> str:
        """Name, as of its file."""
        return self.objective if self.penalty == "none" else f"{self.objective}-{self.penalty}-{self.coefficient:g}"

    @property
    def title(self) -> str:
        """Name, as in a figure."""
        return f"{self.label}, no penalty" if self.penalty == "none" else self.label

    @property
    def label(self) -> str:
        """Name, as in a table."""
        paid = "" if self.penalty == "none" else f", {self.penalty.upper()} {self.coefficient:g}"
        return f"{self.objective.upper()}{paid}"


@dataclass(frozen=True)
class Configuration:
    """One of the assignment's twenty: a training, and whether the moving average of its generator is looked at."""

    name: str
    training: Training
    averaged: bool


CONFIGURATIONS = tuple(
    Configuration(f"dirac-{objective}-{number}", Training(objective, *penalty), averaged)
    for objective in OBJECTIVES
    for number, (averaged, penalty) in enumerate(product((False, True), PENALTIES), start=1)
)


def without_average(configuration: Configuration) -> Configuration:
    """Return the configuration of the same training whose moving average is not looked at."""
    return next(c for c in CONFIGURATIONS if c.training == configuration.training and not c.averaged)


@dataclass(frozen=True)
class Config:
    """Settings: one of the twenty configurations by name, or 'all'; updates; starting points; updates of the critic in
    each; the order, 'alternating' or 'simultaneous'; both learning rates; the decay of the moving average; the seed;
    whether all games are played together as rows of one batch, or one after another, for functions that take samples
    singly or in another order.
    """

    configuration: str = ALL
    iterations: int = 5000
    starts: int = 50
    critic_steps: int = 1
    order: str = "alternating"
    critic_learning_rate: float = 0.1
    generator_learning_rate: float = 0.1
    decay: float = 0.998
    seed: int = 0
    together: bool = True

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        check_one_of(self, "configuration", (ALL, *(c.name for c in CONFIGURATIONS)))
        check_one_of(self, "order", ORDERS)
        check_positive(self, "iterations", "starts", "critic_steps", "critic_learning_rate", "generator_learning_rate")
        if self.iterations * self.starts > MOST_STEPS:
            steps = self.iterations * self.starts
            raise SettingError(f"iterations times starts is {steps}, expected at most {MOST_STEPS}")
        if not 0 <= self.decay <= 1 or math.isnan(self.decay):
            raise SettingError(f"decay is {self.decay}, expected a number from 0 to 1")
        check_seed(self.seed)

    @property
    def chosen(self) -> tuple[Configuration, ...]:
        """The configurations that are asked for."""
        return tuple(c for c in CONFIGURATIONS if self.configuration in (ALL, c.name))

    @property
    def trainings(self) -> list[Training]:
        """What has to be trained for them: the average does not touch the players, so one training serves two."""
        return list(dict.fromkeys(c.training for c in self.chosen))


# The twenty take seconds, so the small preset is the assignment's own.
PRESETS = {"quick": Config(), "paper": Config()}
