"""Which flows are trained, on what, and how."""

from dataclasses import dataclass, replace
from itertools import product

from data.two_dimensional import TARGETS

from ..seeds import check_seed
from ..settings import SettingError, check_one_of, check_positive

MODES = ("samples", "density")
LAYERS = (2, 8, 32)
MOST_LAYERS = 1000
ALL = "all"


@dataclass(frozen=True)
class Config:
    """Settings: target, mode and k, each by name or 'all'; updates, samples an update, optimizer and its schedule; the
    start, 'assignment' or 'tuned' (see training.initial_weights).

    mode 'samples' maps the target's samples to N(0, I) and maximises their likelihood (question 3.4), 'density' maps
    N(0, I) to the target and minimises the reverse KL (3.5), 'explore' trains nothing and draws single layers (3.1).
    """

    target: str = ALL
    mode: str = ALL
    k: str = ALL
    iterations: int = 20_000
    batch_size: int = 128
    optimizer: str = "rmsprop"
    learning_rate: float = 5e-4
    schedule: str = "constant"
    start: str = "assignment"
    seed: int = 0

    @property
    def shifted(self) -> bool:
        """Whether weights are in the assignment's coordinates (see networks.layers_of)."""
        return self.start == "assignment"

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        check_positive(self, "iterations", "batch_size", "learning_rate")
        check_one_of(self, "target", (ALL, *TARGETS))
        check_one_of(self, "mode", (ALL, *MODES, "explore"))
        check_one_of(self, "optimizer", ("rmsprop", "adam"))
        check_one_of(self, "schedule", ("constant", "cosine"))
        check_one_of(self, "start", ("assignment", "tuned"))
        if self.k != ALL and not (self.k.isdecimal() and len(self.k) < 5 and 0 < int(self.k) <= MOST_LAYERS):
            raise SettingError(f"k is {self.k!r:.40}, expected a number of layers from 1 to {MOST_LAYERS}, or {ALL!r}")
        check_seed(self.seed)


BEST = Config(optimizer="adam", learning_rate=5e-3, schedule="cosine", start="tuned")
PRESETS = {
    "paper": Config(),
    "quick": replace(BEST, iterations=4_000, learning_rate=4e-2),
    "best": BEST,
}


@dataclass(frozen=True)
class Training:
    """One flow to train: the target's name, 'samples' or 'density', and the number of layers."""

    target: str
    mode: str
    k: int

    @property
    def name(self) -> str:
        """Name, as of its directory."""
        return f"{self.target}-{self.mode}-{self.k}"


def trainings(config: Config) -> list[Training]:
    """Return the trainings that a configuration asks for; none at all for 'explore'."""
    targets = tuple(TARGETS) if config.target == ALL else (config.target,)
    modes = MODES if config.mode == ALL else (config.mode,) if config.mode in MODES else ()
    layers = LAYERS if config.k == ALL else (int(config.k),)
    return [Training(*each) for each in product(targets, modes, layers)]
