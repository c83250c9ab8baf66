"""The Dirac GAN from beginning to end: rehearse, train side by side, classify, set beside theory, draw."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from .. import runs
from ..runs import Run, RunError
from ..side_by_side import work_through
from . import theory, trajectories
from .outcomes import Outcome, outcome, words
from .players import Functions, Implementation
from .settings import Config, Training
from .training import BrokenDown, simulate
from .trajectories import Trajectory

Load = Callable[[], Implementation]


def train(
    load: Load,
    config: Config,
    out: Path,
    *,
    resume: bool = False,
    name: str = "",
    preset: str = "",
    predictions: Mapping[str, str] | None = None,
) -> Run:
    """Train the configurations that the settings ask for with the student's functions, and leave a run.

    Args:
        load: loads the implementation; called in every process, so it has to be picklable.
        config: the settings; the seed is the student's own number.
        out: the run directory; new, or with `resume` an unfinished run of the same configuration.
        resume: go on with the trainings that are not done.
        name: of the implementation, for the record.
        preset: the preset that config began from, for the record.
        predictions: what the student expects of the configurations; kept with the run before anything is known.

    Returns:
        The finished run. Its summary has the class of each configuration, and for each training the spectral radius of
        the student's update and the amplitude in the end.

    Raises:
        RunError: the run cannot be made or resumed, a function is still to do, or a training broke down. Trainings
            that did not are finished all the same, and what the others had is kept.
        RunInterrupted: Ctrl-C; finished trainings are kept.
    """
    record = {
        "experiment": "dirac",
        "preset": preset,
        "implementation": name,
        "data": {"name": "dirac", "source": "a point mass at 0"},
        "settings": asdict(config),
    }
    torch.set_num_threads(1)
    functions = load().gan
    rehearse(functions, config)
    expected = {"predictions": dict(predictions or {})}
    run = runs.resume(out, record) if resume else runs.create(out, record | expected)
    try:
        train_all(load, config, run.path)
        finish(functions, config, run)
    except KeyboardInterrupt as error:
        done = sum(path_of(run.path, t).is_file() for t in config.trainings)
        raise runs.RunInterrupted(
            f"stopped; {done} of {len(config.trainings)} trainings are kept in {out}. "
            f"Go on with the same command, --out {out} and --resume."
        ) from error
    return run


def rehearse(functions: Functions, config: Config) -> None:
    """Make one iteration of every training before anything is written and any time is spent.

    Raises:
        RunError: a function is still to do, or an iteration moves nothing.
    """
    short = replace(config, iterations=1, starts=2)
    for training in config.trainings:
        try:
            path = simulate(functions, [training], short)[training].path
        except NotImplementedError as error:
            raise RunError(f"{training.name} needs a function that is still to do: {error}") from error
        except BrokenDown as error:
            raise RunError(str(error)) from error
        for column, player in ((0, "the critic"), (2, "the generator")):
            if path[0, column] == path[1, column]:
                raise RunError(
                    f"{training.name}: {player} does not move in an iteration of gan.train_step. "
                    "`elbo check gan.train_step` tells more."
                )


def train_all(load: Load, config: Config, path: Path) -> None:
    """Train what is not trained yet, side by side, and leave its trajectories in a directory.

    Raises:
        RunError: trainings broke down; says each one's reason, after all others are done.
    """
    waiting = [t for t in config.trainings if not path_of(path, t).is_file()]
    by_objective = groupby(sorted(waiting, key=lambda t: t.objective), key=lambda t: t.objective)
    jobs = {name: partial(train_together, load, tuple(group), config, path) for name, group in by_objective}
    told: set[str] = set()

    def progress() -> tuple[int, list[str]]:
        done = [t for t in config.trainings if path_of(path, t).is_file()]
        new = [t for t in done if t in waiting and t.name not in told]
        told.update(t.name for t in new)
        return len(done), [f"{t.name:12} {config.iterations} iterations from {config.starts} starts" for t in new]

    errors = work_through(jobs, len(config.trainings), progress)
    if errors:
        done = sum(path_of(path, t).is_file() for t in config.trainings)
        raise RunError(
            "\n".join(errors) + f"\n{done} of {len(config.trainings)} trainings ended well and are kept in {path}. "
            f"Mend the function; the same command with --out {path} and --resume trains the others."
        )


def path_of(run: Path, training: Training) -> Path:
    """Return where a training's trajectory lies in a run."""
    return run / "trajectories" / f"{training.name}.safetensors"


def train_together(load: Load, trainings: Sequence[Training], config: Config, run: Path) -> None:
    """Train games of one objective as one batch, in a process of its own, and leave their trajectories.

    Raises:
        RunError: some broke down. What they had is kept beside, under the name with '.broken-1'; the others are
            trained without them.
    """
    functions, left = load().gan, list(trainings)
    broken: list[str] = []
    while left:
        try:
            found = simulate(functions, left, config)
        except BrokenDown as error:
            left.remove(error.training)
            aside = _free(path_of(run, error.training))
            trajectories.write(aside, error.trajectory)
            broken.append(f"{error} What it had until then is kept in {aside}.")
            continue
        for training, trajectory in found.items():
            trajectories.write(path_of(run, training), trajectory)
        break
    if broken:
        raise RunError("\n".join(broken))


def _free(path: Path) -> Path:
    number = 1
    while (aside := path.with_suffix(f".broken-{number}.safetensors")).exists():
        number += 1
    return aside


def read_all(run: Path, config: Config) -> dict[Training, Trajectory]:
    """Read the trajectories of a run.

    Raises:
        RunError: one is missing, or none that the experiment writes.
    """
    return {t: trajectories.read(path_of(run, t), config) for t in config.trainings}


def finish(functions: Functions, config: Config, run: Run) -> None:
    """Draw the figures and write the summary."""
    # matplotlib takes a second, which the processes that train need not wait for.
    from . import animation, figures

    found = read_all(run.path, config)
    outcomes = {training: outcome(trajectory) for training, trajectory in found.items()}
    for name, figure in figures.all_figures(functions, config, found, outcomes):
        run.save_figure(name, figure)
    animation.save_animation(found, run.path / "figures" / "games.gif")
    run.write_summary(summary(functions, config, outcomes))


def summary(functions: Functions, config: Config, outcomes: Mapping[Training, Outcome]) -> dict[str, Any]:
    """Return what the run reports: classes, and numbers to set beside theory."""
    found: dict[str, Any] = dict(words(outcomes, config.chosen))
    for training, each in outcomes.items():
        if theory.has_equilibrium(training):
            radius = theory.spectral_radius(theory.measured_update(functions, training, config))
            found[f"dirac.radius.{training.name}"] = radius if math.isfinite(radius) else str(radius)
        found[f"dirac.amplitude.{training.name}"] = each.end
    return found
