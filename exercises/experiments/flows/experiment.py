"""The experiment of Problem 3 from beginning to end: rehearse, train side by side, measure, draw.

A run of this experiment has a directory `trainings/NAME/` for each flow, which is a run by itself: configuration,
metrics, checkpoint, figures' numbers. What is drawn compares them, in the run's own `figures/`.
"""

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import runs
from ..runs import Run, RunError
from ..seeds import seed_epoch
from ..side_by_side import work_through
from ..sources import is_of_others, set_aside
from .evaluation import impossible, scores
from .networks import DIM, Functions, Implementation, PlanarFlow, layers_of, load_model
from .settings import Config, Training, trainings
from .training import EPOCHS, fit, initial_weights, objective_of

Load = Callable[[], Implementation]
SLOW = 5e-3, 1e-3  # seconds for a loss, and more for each layer; ten times what the reference takes, or more


def train(
    load: Load,
    config: Config,
    out: Path,
    *,
    resume: bool = False,
    name: str = "",
    preset: str = "",
    source: str = "",
) -> Run:
    """Train the flows that the settings ask for with the student's functions, and leave a run.

    The trainings share the processor's cores, each in a process of its own; every share of a training begins from
    the seed (seed, share), so a run that is resumed ends with the same bits.

    Args:
        load: loads the implementation; called in every process, so it has to be picklable.
        config: the settings.
        out: the run directory; new, or with `resume` an unfinished run of the same configuration.
        resume: go on with the trainings that are not finished.
        name: of the implementation, for the record.
        preset: the preset that config began from, for the record.
        source: what tells the functions from those before a change; with `resume`, what others trained is trained anew.

    Returns:
        The finished run; its summary has the figures of every training, named by `evaluation.score_names`.

    Raises:
        RunError: the run cannot be made or resumed, a function is still to do or answers in another shape, or a
            training broke down. Trainings that did not are finished all the same, and kept.
        RunInterrupted: Ctrl-C; the finished shares of all trainings are kept.
    """
    record = runs.record(
        "flows",
        config,
        preset=preset,
        implementation=name,
        data="two_dimensional",
        source="rejection samples of two energies",
    )
    torch.set_num_threads(1)
    functions = load().flows
    chosen = trainings(config)
    rehearse(functions, chosen)
    for line in slow_ones(functions, chosen, config):
        print(line, flush=True)
    run = runs.resume(out, record) if resume else runs.create(out, record)
    try:
        train_all(load, chosen, config, run, record, source)
        finish(functions, chosen, config, run)
    except KeyboardInterrupt as error:
        raise runs.RunInterrupted(
            f"stopped; {_shares_done(chosen, run)} of {EPOCHS * len(chosen)} shares of the trainings are kept in "
            f"{out}. Go on with the same command, --out {out} and --resume."
        ) from error
    return run


def rehearse(functions: Functions, chosen: Sequence[Training]) -> None:
    """Call every function that the experiment needs once, before anything is written and any time is spent.

    Raises:
        RunError: one is still to do, or answers with another shape.
    """
    torch.manual_seed(0)
    (layer,) = layers = layers_of(torch.randn(1, 2 * DIM + 1), shifted=False)
    z = torch.randn(2, DIM)
    calls: dict[str, tuple[Callable[[], Any], Any]] = {
        "planar": (lambda: functions.planar(z, *layer), ((2, DIM), (2,))),
    }
    for training in {t.mode: t for t in chosen}.values():
        part = "negative_log_likelihood" if training.mode == "samples" else "reverse_kl"
        calls["constrain_u"] = (lambda: functions.constrain_u(*layer[:2]), (DIM,))
        calls["compose"] = (lambda: functions.compose(layers, z), ((2, DIM), (2,)))
        calls[part] = (partial(objective_of(functions, training), layers, z), (2,))
    for part, (call, expected) in calls.items():
        try:
            found = _shape(call())
        except NotImplementedError as error:
            raise RunError(f"training needs flows.{part}, and something in it is still to do: {error}") from error
        if found != expected:
            raise RunError(f"flows.{part} gave {found} for two points of the plane, expected {expected}")


def slow_ones(functions: Functions, chosen: Sequence[Training], config: Config) -> list[str]:
    """Time the loss of one batch for each mode, and tell where the training would take very long."""
    lines = []
    for training in {t.mode: t for t in sorted(chosen, key=lambda t: t.k)}.values():
        flow = PlanarFlow(initial_weights(training, config), config.shifted)
        batch, pace = torch.randn(config.batch_size, DIM), math.inf
        for _ in range(3):  # the first time also pays for what torch does once
            begin = time.process_time()
            objective_of(functions, training)(flow.layers(), batch).mean()
            pace = min(pace, time.process_time() - begin)
        if pace > SLOW[0] + training.k * SLOW[1]:
            lines.append(
                f"slow: one loss of {training.name} takes {pace:.2g} s, so {config.iterations} take "
                f"{pace * config.iterations / 60:.0f} minutes at least; `elbo check flows` counts what a call costs"
            )
    return lines


def _shape(answer: Any) -> Any:
    if isinstance(answer, (tuple, list)):
        return tuple(map(_shape, answer))
    return tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__


def train_all(
    load: Load, chosen: Sequence[Training], config: Config, run: Run, record: dict[str, Any], source: str = ""
) -> None:
    """Train what is not trained yet by these functions, side by side.

    Raises:
        RunError: trainings broke down; says each one's reason, after all others are done.
    """
    _set_aside_of_others(chosen, run, source)
    waiting = [t for t in chosen if not (run.training(t.name) / "summary.json").is_file()]
    jobs = {t.name: partial(train_one, load, t, config, run.training(t.name), record, source) for t in waiting}
    told: set[str] = set()
    done = 0

    def progress() -> tuple[int, list[str]]:
        nonlocal done
        lines: list[str] = []
        with contextlib.suppress(FileNotFoundError):  # a training may be set aside at this moment
            for training in waiting:
                lines += _news(training, run, told)
            done = _shares_done(chosen, run)
        return done, lines

    errors = work_through(jobs, EPOCHS * len(chosen), progress)
    if errors:
        raise RunError(
            "\n".join(errors) + f"\n{len(jobs) - len(errors)} of {len(jobs)} trainings ended well and are kept in "
            f"{run.path}. Mend the function; the same command with --out {run.path} and --resume trains the others."
        )


def _set_aside_of_others(chosen: Sequence[Training], run: Run, source: str) -> None:
    """Set aside what other functions trained, and the summary of it, and say which trainings are trained anew."""
    others = [own for t in chosen if (own := trained(run, t)) is not None and is_of_others(own, source)]
    if others and run.finished:  # first, so that a run of which trainings are missing is never a finished one
        set_aside(run.path / "summary.json", "older")
    for own in others:
        aside = set_aside(own.path, "older").name
        print(f"{own.path.name} was trained by other functions: it is kept as {aside}, and trained anew", flush=True)


def train_one(
    load: Load, training: Training, config: Config, path: Path, record: dict[str, Any], source: str = ""
) -> None:
    """Train one flow, in a process of its own, and leave its run.

    Raises:
        RunError: it broke down. What it left is kept beside, under the name with '.broken-1', so that the training
            begins anew once the function is mended.
    """
    functions = load().flows
    seed_epoch(config.seed, 0)
    flow = PlanarFlow(initial_weights(training, config), config.shifted)
    own = record | {"training": training.name}
    if source and not (path / "config.json").exists():  # one that was begun before it was told goes on without it
        own["source"] = source
    run = runs.begin(path, own)
    try:
        fit(functions, flow, training, config, run)
        seed_epoch(config.seed, EPOCHS + 1)
        measured = scores(functions, flow.layers(), training)
    except RunError as error:
        raise RunError(f"{training.name}: {error} What it left is kept in {set_aside(path, 'broken')}.") from error
    seconds = sum(m["cpu_seconds"] for m in run.metrics())
    run.write_summary({name: score.value for name, score in measured.items()} | {"training_cpu_seconds": seconds})


def trained(run: Run, training: Training) -> Run | None:
    """Open a training's own run, if it was begun and whole files are there."""
    path = run.training(training.name)
    return runs.read(path) if (path / "config.json").is_file() else None


def _shares_done(chosen: Sequence[Training], run: Run) -> int:
    begun = [trained(run, t) for t in chosen]
    return sum(len(own.metrics()) for own in begun if own is not None)


def _news(training: Training, run: Run, told: set[str]) -> list[str]:
    """Say once what a training ended with, and where that cannot be."""
    own = trained(run, training)
    if own is None or not own.finished or training.name in told:
        return []
    told.add(training.name)
    *figures, seconds = own.summary().items()
    values = ", ".join(f"{name.split('.')[1].replace('_', ' ')} {value:.4f}" for name, value in figures)
    lines = [f"{training.name:18} {values}  ({seconds[1]:.1f} CPU s)"]
    reason = impossible(training, figures[0][1])
    return [*lines, f"{training.name:18} {reason}"] if reason else lines


def finish(functions: Functions, chosen: Sequence[Training], config: Config, run: Run) -> None:
    """Draw the figures and write the summary."""
    # matplotlib takes a second, which the processes that train need not wait for.
    from . import animation, exploring, figures

    if not chosen:
        run.save_figure("one_layer", exploring.one_layer(functions))
    own = {t: runs.read(run.training(t.name)) for t in chosen}
    flows = {t: load_model(own[t].checkpoint, t.k, config.shifted).layers() for t in chosen}
    for name, figure in figures.comparisons(functions, flows, {t: own[t].metrics() for t in chosen}):
        run.save_figure(name, figure)
    if chosen:
        animation.save_animation(functions, flows, run.path / "figures" / "layers.gif")
    summaries = [each.summary() for each in own.values()]
    seconds = sum(summary.pop("training_cpu_seconds") for summary in summaries)
    merged = {name: value for summary in summaries for name, value in summary.items()}
    run.write_summary(merged | {"training_cpu_seconds": seconds})
