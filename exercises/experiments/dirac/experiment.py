"""The Dirac GAN from beginning to end: rehearse, train side by side, classify, set beside theory, draw."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import runs
from ..runs import Run, RunError
from ..side_by_side import work_through
from . import theory, trajectories
from .outcomes import Outcome, outcome, words
from .players import SINGLY, Functions, Implementation
from .settings import Config, Training
from .training import BrokenDown, simulate
from .trajectories import Trajectory

Load = Callable[[], Implementation]
TRAJECTORIES = "trajectories"
COLOURS = 96  # of a figure of lines


def train(
    load: Load,
    config: Config,
    out: Path,
    *,
    resume: bool = False,
    name: str = "",
    preset: str = "",
    predictions: Mapping[str, str] | None = None,
    source: str = "",
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
        source: what tells the functions from those before a change; with `resume`, what others trained is trained anew.

    Returns:
        The finished run. Its summary has the class of each configuration, and for each training the spectral radius of
        the student's update and the amplitude in the end.

    Raises:
        RunError: the run cannot be made or resumed, a function is still to do, or a training broke down. Trainings
            that did not are finished all the same and drawn, and what the others had is kept.
        RunInterrupted: Ctrl-C; finished trainings are kept.
    """
    record = runs.record("dirac", config, preset=preset, implementation=name, data="dirac", source="a point mass at 0")
    torch.set_num_threads(1)
    functions = load().gan
    playable, left_out = rehearse(functions, config)
    expected = {"predictions": dict(predictions or {})}
    run = runs.resume(out, record) if resume else runs.create(out, record | expected)
    problems = list(dict.fromkeys(left_out.values()))
    try:
        try:
            train_all(load, config, playable, out, source)
        except RunError as error:
            problems.append(str(error))
        finish(functions, config, run)  # what was trained
    except KeyboardInterrupt as error:
        done = sum(path_of(run.path, t).is_file() for t in config.trainings)
        raise runs.RunInterrupted(
            f"stopped; {done} of {len(config.trainings)} trainings are kept in {out}. "
            f"Go on with the same command, --out {out} and --resume."
        ) from error
    except OSError as error:
        raise RunError(
            f"{error.filename or out} cannot be written: {error.strerror}. What was trained is kept."
        ) from error
    if problems:
        done = sum(path_of(out, t).is_file() for t in config.trainings)
        raise RunError(
            "\n".join(problems) + f"\n{done} of {len(config.trainings)} trainings ended well and are in {out}. "
            f"Mend the function; the same command with --out {out} and --resume goes on from there."
        )
    return run


def rehearse(functions: Functions, config: Config) -> tuple[list[Training], dict[Training, str]]:
    """Make one iteration of every training before anything is written and any time is spent.

    Returns:
        The trainings that can be played, and why others cannot be.

    Raises:
        RunError: none can be played.
    """
    left_out = {t: reason for t in config.trainings if (reason := _hindrance(functions, t, config))}
    playable = [t for t in config.trainings if t not in left_out]
    if not playable:
        raise RunError("\n".join(dict.fromkeys(left_out.values())))
    return playable, left_out


def _hindrance(functions: Functions, training: Training, config: Config) -> str:
    """Say why a training cannot be played: a function is to do or broken, nothing moves, or games mix in a batch."""
    try:
        path, beside = (_first_iteration(functions, training, config, starts) for starts in (1, 2))
    except BrokenDown:
        return ""  # is told, and what it had is kept, when it is trained
    except (NotImplementedError, RunError) as error:
        return str(error)
    except Exception as error:  # a student's step may have left anything in the place of a player
        return f"an iteration of {training.name} leaves players that cannot go on: {type(error).__name__}: {error}"
    for column, player in ((0, "the critic"), (2, "the generator")):
        if path[0, column] == path[1, column]:
            return f"{training.name}: {player} does not move in an iteration: `elbo check gan.train_step` tells more"
    if not torch.allclose(path, beside, rtol=0, atol=1e-9):
        return (
            f"{training.name}: a game moves otherwise when another one is played beside it. Games are the rows of one "
            f"batch, row i of game i: are samples scored in another order, or together? {SINGLY}"
        )
    return ""


def _first_iteration(functions: Functions, training: Training, config: Config, starts: int) -> Tensor:
    """Return the first game's states before and after one iteration, with so many games in the batch."""
    return simulate(functions, [training], replace(config, iterations=1, starts=starts))[training].path


def train_all(load: Load, config: Config, trainings: Sequence[Training], path: Path, source: str = "") -> None:
    """Train what is not trained yet by these functions, side by side, and leave its trajectories in a directory.

    Raises:
        RunError: trainings broke down; says each one's reason, after all others are done.
    """
    waiting = [t for t in trainings if not _is_trained(path_of(path, t), source)]
    by_objective = groupby(sorted(waiting, key=lambda t: t.objective), key=lambda t: t.objective)
    jobs = {name: partial(train_together, load, tuple(group), config, path, source) for name, group in by_objective}
    told: set[str] = set()

    def progress() -> tuple[int, list[str]]:
        done = [t for t in trainings if path_of(path, t).is_file()]
        new = [t for t in done if t in waiting and t.name not in told]
        told.update(t.name for t in new)
        return len(done), [f"{t.name:12} {config.iterations} iterations from {config.starts} starts" for t in new]

    errors = work_through(jobs, len(trainings), progress)
    if errors:
        raise RunError("\n".join(errors))


def _is_trained(path: Path, source: str) -> bool:
    """Tell whether a training is done; what other functions did is set aside."""
    if path.is_file() and trajectories.source_of(path) != source:
        aside = path.rename(_free(path, "older"))
        print(f"{path.stem} was trained by other functions: it is kept as {aside.name}, and trained anew", flush=True)
    return path.is_file()


def path_of(run: Path, training: Training) -> Path:
    """Return where a training's trajectory lies in a run."""
    return run / TRAJECTORIES / f"{training.name}.safetensors"


def train_together(load: Load, trainings: Sequence[Training], config: Config, run: Path, source: str) -> None:
    """Train games of one objective as one batch, in a process of its own, and leave their trajectories.

    Raises:
        RunError: some broke down. What they had is kept beside, under the name with '.broken-1'; the others are
            trained without them.
    """
    functions, left = load().gan, list(trainings)
    broken: list[str] = []
    found: dict[Training, Trajectory] = {}
    while left and not found:
        try:
            found = simulate(functions, left, config)
        except BrokenDown as error:
            left = [t for t in left if t not in error.broken]
            for training, trajectory in error.broken.items():
                trajectories.write(_free(path_of(run, training), "broken"), trajectory, source)
            broken.append(f"{error} What they had is kept in {run / TRAJECTORIES}.")
    for training, trajectory in found.items():
        trajectories.write(path_of(run, training), trajectory, source)
    if broken:
        raise RunError("\n".join(broken))


def _free(path: Path, word: str) -> Path:
    """Return the first name that is free of NAME.WORD-1, NAME.WORD-2 ..."""
    return runs.first_free(lambda number: path.with_suffix(f".{word}-{number}.safetensors"))


def read_all(run: Path, config: Config) -> dict[Training, Trajectory]:
    """Read the trajectories of a run, those of the trainings that were done.

    Raises:
        RunError: one is none that the experiment writes.
    """
    places = {training: path_of(run, training) for training in config.trainings}
    return {t: trajectories.read(path, config) for t, path in places.items() if path.exists() or path.is_symlink()}


def finish(functions: Functions, config: Config, run: Run) -> None:
    """Draw the figures of what was trained, and write the summary."""
    # matplotlib takes a second, which the processes that train need not wait for.
    from . import animation, figures

    found = read_all(run.path, config)
    if not found:
        return
    outcomes = {training: outcome(trajectory) for training, trajectory in found.items()}
    for name, figure in figures.all_figures(functions, config, found, outcomes):
        run.save_figure(name, figure, COLOURS)
    animation.save_animation(config, found, run.path / "figures" / "games.gif")
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
