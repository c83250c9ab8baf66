"""The two tables of a run as text: prediction and outcome, and theory beside experiment."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..runs import Run
from . import theory
from .experiment import read_all
from .outcomes import Outcome, outcome
from .settings import Config, Training


class Table(NamedTuple):
    """A title, the columns' names, and the rows as text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(run: Run, config: Config) -> list[Table]:
    """Make the tables of a finished run from its trajectories; the radii and the predictions are as it recorded them.

    Raises:
        RunError: a trajectory is missing, or none that the experiment writes.
    """
    outcomes = {training: outcome(trajectory) for training, trajectory in read_all(run.path, config).items()}
    reported = {name.removeprefix("dirac.radius."): value for name, value in run.summary().items()}
    radii = {name: value for name, value in reported.items() if isinstance(value, float)}
    predictions = run.config.get("predictions", {})
    return [prediction_and_outcome(config, outcomes, predictions), theory_and_experiment(config, outcomes, radii)]


def prediction_and_outcome(
    config: Config, outcomes: Mapping[Training, Outcome], predictions: Mapping[str, str]
) -> Table:
    """Set what was expected of each configuration beside what became of it."""
    rows = []
    for configuration in config.chosen:
        each = outcomes[configuration.training]
        # The moving average does not touch the dynamics, so what was expected without it holds with it.
        number = int(configuration.name.rpartition("-")[2])
        plain = f"dirac-{configuration.training.objective}-{(number - 1) % 5 + 1}"
        average = f"{each.average_end:.2g}: {each.average_word}" if configuration.averaged else ""
        rows.append(
            [
                configuration.name,
                configuration.training.title,
                predictions.get(plain, "–"),
                each.word,
                f"{each.begin:.2g} → {each.end:.2g}",
                average,
            ]
        )
    columns = ("configuration", "game", "predicted", "outcome", "|theta|", "its average looks like")
    return Table("Prediction and outcome", columns, rows)


def theory_and_experiment(config: Config, outcomes: Mapping[Training, Outcome], radii: Mapping[str, float]) -> Table:
    """Set the linearised update, its closed form and the limit cycle beside what was measured.

    radii: by the training's name, the spectral radius of the update that the student's functions make.
    """
    rows = []
    for training, each in outcomes.items():
        linear = theory.has_equilibrium(training)
        exact = theory.spectral_radius(theory.linear_update(training, config)) if linear else math.nan
        measured = radii.get(training.name, math.nan)
        rows.append(
            [
                training.title,
                _number(measured, 6),
                _number(exact, 6),
                _number(each.factor, 6) if linear else "–",
                _updates(theory.half_life(measured)) if linear else "–",
                f"{each.end:.4f}" if not linear else "–",
                f"{theory.LIMIT_CYCLE:.4f}" if not linear else "–",
            ]
        )
    columns = ("game", "radius of your update", "closed form", "along the path", "half-life", "amplitude", "4/π")
    return Table("Theory beside experiment", columns, rows)


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _updates(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "none"
