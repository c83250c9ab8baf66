"""The two tables of a run as text: prediction and outcome, and theory beside experiment."""

import math
from collections.abc import Mapping

from ..runs import Run
from ..tables import Table
from . import theory
from .experiment import read_all
from .outcomes import Outcome, outcome
from .settings import Config, Training, without_average

SAME = 1e-6  # a difference of two radii that rounding explains


def told(run: Run, config: Config) -> tuple[list[Table], list[str]]:
    """Make the tables of a finished run, and notes on them, from its trajectories; radii and predictions are as it
    recorded them.

    Raises:
        RunError: a trajectory is missing, or none that the experiment writes.
    """
    outcomes = {training: outcome(trajectory) for training, trajectory in read_all(run.path, config).items()}
    reported = {name.removeprefix("dirac.radius."): value for name, value in run.summary().items()}
    radii = {name: value for name, value in reported.items() if isinstance(value, float)}
    predictions = run.config.get("predictions")
    predictions = predictions if isinstance(predictions, dict) else {}
    tables = prediction_and_outcome(config, outcomes, predictions), theory_and_experiment(config, outcomes, radii)
    return [*tables], notes(config, outcomes, radii)


def prediction_and_outcome(
    config: Config, outcomes: Mapping[Training, Outcome], predictions: Mapping[str, str]
) -> Table:
    """Set what was expected of each configuration beside what became of its first start."""
    rows = []
    for configuration in (c for c in config.chosen if c.training in outcomes):
        each = outcomes[configuration.training]
        average = f"{each.average_end:.2g} {each.average_word}" if configuration.averaged else ""
        expected = _marked(predictions.get(without_average(configuration).name, ""), each.word)
        rows.append([configuration.name, configuration.training.label, expected, each.word, f"{each.end:.2g}", average])
    columns = ("configuration", "game", "predicted", "outcome", "|theta|", "its average")
    return Table("Prediction and outcome, and the largest |theta| of the last tenth", columns, rows)


def _marked(predicted: str, word: str) -> str:
    return "–" if not predicted else f"{predicted} {'✓' if predicted == word else '✗'}"


def theory_and_experiment(config: Config, outcomes: Mapping[Training, Outcome], radii: Mapping[str, float]) -> Table:
    """Set the linearised update, its closed form and the limit cycle beside what was measured.

    radii: by the training's name, the spectral radius of the update that the student's functions make.
    """
    rows = []
    for training, each in outcomes.items():
        if not theory.has_equilibrium(training):
            expected = f"{theory.limit_cycle(config):.4f}" if config.order == "alternating" else "–"
            amplitudes = f"{each.end:.4f}", expected
            rows.append([training.label, "–", "–", "–", "–", *amplitudes])
            continue
        exact, measured = closed_form(training, config), radii.get(training.name, math.nan)
        differs = "" if abs(measured - exact) < SAME else " ✗"
        numbers = f"{measured:.6f}{differs}", f"{exact:.6f}", f"{each.factor:.6f}"
        rows.append([training.label, *numbers, _updates(theory.half_life(measured)), "–", "–"])
    columns = ("game", "your update", "theory", "along path", "half-life", "|theta|", "theory")
    return Table("Theory beside experiment: factor of an iteration, amplitude of a cycle", columns, rows)


def closed_form(training: Training, config: Config) -> float:
    """Return the spectral radius of an iteration near the equilibrium, by hand."""
    return theory.spectral_radius(theory.linear_update(training, config))


def _updates(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "none"


def notes(config: Config, outcomes: Mapping[Training, Outcome], radii: Mapping[str, float]) -> list[str]:
    """Say what the tables do not: where theory and experiment differ, and where a class means little."""
    found = []
    linear = [t for t in outcomes if theory.has_equilibrium(t)]
    wrong = [t.name for t in linear if t.name in radii and abs(radii[t.name] - closed_form(t, config)) >= SAME]
    if wrong:
        found.append(f"your update is not that of the theory for {', '.join(wrong)}: `elbo check gan` may say why")
    slowest = max((theory.turn(t, config) for t in outcomes), default=0.0)
    if config.iterations < 10 * slowest:
        found.append(f"classes mean little: a tenth of the iterations is less than a turn, which takes {slowest:.0f}")
    if config.starts < 2:
        found.append("one start cannot tell a limit cycle from cycles: that takes two")
    return found
