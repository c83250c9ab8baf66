"""The five configurations of the image experiment, and how they are trained."""

import math
from dataclasses import dataclass

from ..seeds import check_seed
from ..settings import SettingError, check_one_of, check_positive

ALL = "all"
EXTRACTORS = ("patches", "inception")
PRECISIONS = ("auto", "float32", "bfloat16")
FEWEST_SAMPLES = 100  # fewer say nothing of a distribution
MOST_UPDATES = 10_000_000
MOST_WIDTH, MOST_SAMPLES = 256, 100_000


@dataclass(frozen=True)
class Configuration:
    """One of the assignment's five: an objective, and what keeps the critic from being too steep.

    spectral: every convolution of the critic is spectrally normalised. coefficient: of the penalty R1; 0 for none.
    """

    name: str
    objective: str
    spectral: bool = False
    coefficient: float = 0.0

    @property
    def label(self) -> str:
        """Name, as in a table or a figure."""
        kept = "spectral norm" if self.spectral else f"R1 {self.coefficient:g}" if self.coefficient else "no constraint"
        return f"{self.objective.upper()}, {kept}"


CONFIGURATIONS = (
    Configuration("cifar10-jsd-1", "jsd"),
    Configuration("cifar10-jsd-2", "jsd", spectral=True),
    Configuration("cifar10-jsd-3", "jsd", coefficient=1.0),
    Configuration("cifar10-w1-2", "w1", spectral=True),
    Configuration("cifar10-w1-3", "w1", coefficient=1.0),
)


# The nearest to the data first: on shapes with the preset quick by the reference's means (results/cifar10), on
# CIFAR-10 with the preset paper by the FID of a hand-in of 2020.
ORDERS = {
    "shapes": ("cifar10-jsd-2", "cifar10-w1-3", "cifar10-jsd-3", "cifar10-w1-2", "cifar10-jsd-1"),
    "cifar10": ("cifar10-w1-3", "cifar10-jsd-3", "cifar10-jsd-2", "cifar10-w1-2", "cifar10-jsd-1"),
}


@dataclass(frozen=True)
class Config:
    """Settings: one of the five configurations by name, or 'all'; images by name; width h of the networks; updates of
    the generator, between two evaluations, and of the critic for one of the generator; images a batch; both learning
    rates; the decay of the moving average; what extracts features for the scores, 'patches' or 'inception', and of how
    many samples; 'float32', 'bfloat16' or, where the processor has it, 'auto'; the seed.
    """

    config: str = ALL
    data: str = "cifar10"
    width: int = 128
    updates: int = 100_000
    eval_every: int = 2_000
    critic_steps: int = 2
    batch_size: int = 64
    critic_learning_rate: float = 4e-4
    generator_learning_rate: float = 2e-4
    decay: float = 0.998
    extractor: str = "inception"
    samples: int = 10_000
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        check_one_of(self, "config", (ALL, *(c.name for c in CONFIGURATIONS)))
        check_one_of(self, "extractor", EXTRACTORS)
        check_one_of(self, "precision", PRECISIONS)
        check_positive(self, "width", "updates", "eval_every", "critic_steps", "batch_size")
        check_positive(self, "critic_learning_rate", "generator_learning_rate")
        for name, most in (("updates", MOST_UPDATES), ("width", MOST_WIDTH), ("samples", MOST_SAMPLES)):
            if getattr(self, name) > most:
                raise SettingError(f"{name} is {getattr(self, name)}, expected at most {most}")
        if self.samples < FEWEST_SAMPLES:
            raise SettingError(f"samples is {self.samples}, expected at least {FEWEST_SAMPLES}")
        if not 0 <= self.decay <= 1 or math.isnan(self.decay):
            raise SettingError(f"decay is {self.decay}, expected a number from 0 to 1")
        if self.evaluations >= 1000:  # each has a random stream of its own
            raise SettingError(f"eval_every is {self.eval_every}, expected more than a thousandth of the updates")
        check_seed(self.seed)

    @property
    def chosen(self) -> tuple[Configuration, ...]:
        """The configurations that are asked for."""
        return tuple(c for c in CONFIGURATIONS if self.config in (ALL, c.name))

    @property
    def evaluations(self) -> int:
        """How many evaluations a training has; the last one is after its last update."""
        return math.ceil(self.updates / self.eval_every)

    def updates_until(self, evaluation: int) -> int:
        """Return how many updates there have been at an evaluation, counted from 1; at 0 none."""
        return min(evaluation * self.eval_every, self.updates)


PRESETS = {
    "paper": Config(),
    # Small networks bear larger steps, and a moving average at the decay of a long training would hardly move so soon.
    "quick": Config(
        data="shapes",
        width=24,
        updates=900,
        eval_every=90,
        batch_size=32,
        critic_learning_rate=2e-3,
        generator_learning_rate=2e-3,
        decay=0.98,
        extractor="patches",
        samples=2_000,
    ),
}
