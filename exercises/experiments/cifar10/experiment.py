"""The image experiment from beginning to end: rehearse, train, score, draw.

A run of this experiment has a directory `trainings/NAME/` for each configuration, which is a run by itself:
configuration, metrics, checkpoint, samples of the fixed noise, and the generator that is handed in. What is drawn
compares them, in the run's own `figures/`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from data import ColourImages

from .. import runs
from ..memory import is_short_of_memory
from ..runs import Run, RunError
from ..side_by_side import work_through
from .extractors import expect_installed
from .players import Implementation
from .rehearsal import rehearse
from .scores import check_scores, figure_name, make_scorer, order_name, pairs_in_order, score_names
from .settings import CONFIGURATIONS, Config, Configuration
from .tables import Metrics, ranks, seconds_an_update
from .training import fit, updates_done

Load = Callable[[], Implementation]
Images = Callable[[], ColourImages]
WITH_BFLOAT16 = r"\b(avx512_bf16|amx_bf16|bf16)\b"  # flags of a processor, as Linux tells them
COLOURS = 256


def train(
    load: Load,
    config: Config,
    load_images: Images,
    root: Path,
    out: Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    name: str = "",
    preset: str = "",
    source: str = "",
) -> Run:
    """Train the configurations that the settings ask for with the student's functions, and leave a run.

    On a CPU the trainings share the cores, each in a process of its own with one thread; on a GPU they come one after
    another.

    Args:
        load: loads the implementation; called in every process, so it has to be picklable.
        config: the settings.
        load_images: loads the data set that config.data names; likewise.
        root: the directory of data files, in which the weights of an extractor are looked for.
        out: the run directory; new, or with `resume` an unfinished run of the same configuration.
        resume: go on with each training after its last evaluation.
        device: where to compute, 'cpu' or 'cuda'.
        name: of the implementation, for the record.
        preset: the preset that config began from, for the record.
        source: what tells the functions from those before a change; with `resume`, a change is told.

    Returns:
        The finished run; its summary has the scores of every configuration, by the names of `score_names`.

    Raises:
        RunError: the run cannot be made or resumed, a function is still to do or answers in another shape, or a
            training broke down. Trainings that did not are finished all the same and drawn.
        DataError: the images, or the weights of the extractor, cannot be had.
        RunInterrupted: Ctrl-C; what was evaluated is kept.
    """
    config = replace(config, precision=precision_of(config, device))
    torch.set_num_threads(1)
    functions = load().gan
    rehearse(functions, config)
    expect_installed(config.extractor)
    images = load_images()
    record = runs.record("cifar10", config, preset=preset, implementation=name, data=images.name, source=images.source)
    check_scores(functions, make_scorer(config.extractor, images, root), images)
    own = {"device": device_name(device), "source": source}
    run = runs.resume(out, record) if resume else runs.create(out, record | own)
    if run.config.get("source") != source:
        print("goes on with other functions than those that it began with: what was trained before stays", flush=True)
    problems: list[str] = []
    try:
        try:
            train_all(load, config, load_images, root, run, record, device)
        except RunError as error:
            problems.append(str(error))
        finish(config, images, run)
    except KeyboardInterrupt as error:
        raise runs.RunInterrupted(
            f"stopped; {_evaluated(config, run)} of {config.updates * len(config.chosen)} updates are evaluated and "
            f"kept in {out}. Go on with the same command, --out {out} and --resume."
        ) from error
    if problems:
        done = len(finished(config, run))
        raise RunError(
            "\n".join(problems) + f"\n{done} of {len(config.chosen)} trainings ended well and are in {out}. The same "
            f"command with --out {out} and --resume goes on with the others after their last evaluation."
        )
    return run


def precision_of(config: Config, device: str) -> str:
    """Choose bfloat16 where the device computes in it, unless the settings say otherwise."""
    if config.precision != "auto":
        return config.precision
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    flags = Path("/proc/cpuinfo")
    found = flags.is_file() and re.search(WITH_BFLOAT16, flags.read_text())
    return "bfloat16" if found else "float32"


def device_name(device: str) -> str:
    """Name what computes, for the record."""
    return torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.backends.cpu.get_cpu_capability()}"


def train_all(
    load: Load, config: Config, load_images: Images, root: Path, run: Run, record: dict[str, Any], device: str
) -> None:
    """Train what is not trained yet.

    Raises:
        RunError: trainings broke down; says each one's reason, after all others are done.
    """
    # What takes longest begins first, so that no core waits for it in the end: a penalty is half as much work again.
    waiting = sorted(set(config.chosen) - set(finished(config, run)), key=lambda c: (-c.coefficient, c.name))
    one = partial(train_one, load, config, load_images, root, run, record, device)
    jobs = {c.name: partial(one, c) for c in waiting}
    told = {c: len(lines) for c, lines in begun(config, run).items()}

    def progress() -> tuple[int, list[str]]:
        lines = [line for c, metrics in begun(config, run).items() for line in _news(c, config, metrics, told)]
        return _progress(config, run), lines

    errors = work_through(jobs, config.updates * len(config.chosen), progress, most=1 if device == "cuda" else None)
    if errors:
        raise RunError("\n".join(errors))


def train_one(
    load: Load,
    config: Config,
    load_images: Images,
    root: Path,
    whole: Run,
    record: dict[str, Any],
    device: str,
    configuration: Configuration,
) -> None:
    """Train one configuration, in a process of its own, and leave its run."""
    functions, images = load().gan, load_images()
    path = whole.training(configuration.name)
    run = runs.begin(path, record | {"training": configuration.name})
    scorer = make_scorer(config.extractor, images, root)
    try:
        fit(functions, configuration, config, images, scorer, run, device)
    except OSError as error:
        raise RunError(
            f"{configuration.name}: {error.filename or path} cannot be written: {error.strerror or error}. What was "
            "evaluated is kept."
        ) from error
    except (RuntimeError, MemoryError) as error:
        if not is_short_of_memory(error):
            raise
        raise RunError(f"{configuration.name}: {_less(error, config)}") from error
    run.write_summary(summary_of(configuration, config, run.metrics()))


def _less(error: BaseException, config: Config) -> str:
    """Say what to take less of where memory is short."""
    return (
        f"memory was not enough for width {config.width} and batches of {config.batch_size}: "
        f"{str(error).partition(chr(10))[0]} Close what else uses it, or take fewer: --set batch_size="
        f"{max(1, config.batch_size // 2)} or --set width={max(1, config.width // 2)}, which is another experiment."
    )


def begun(config: Config, run: Run) -> dict[Configuration, Metrics]:
    """Read the metrics of each training that was begun."""
    found: dict[Configuration, Metrics] = {}
    for configuration in config.chosen:
        path = run.training(configuration.name)
        if (path / "config.json").is_file():
            found[configuration] = runs.read(path).metrics()
    return found


def finished(config: Config, run: Run) -> dict[Configuration, Metrics]:
    """Read the metrics of each training that came to its end."""
    found = begun(config, run)
    return {c: lines for c, lines in found.items() if (run.training(c.name) / "summary.json").is_file()}


def _evaluated(config: Config, run: Run) -> int:
    return sum(lines[-1]["update"] for lines in begun(config, run).values() if lines)


def _progress(config: Config, run: Run) -> int:
    return sum(updates_done(run.training(c.name)) for c in config.chosen)


def _news(configuration: Configuration, config: Config, lines: Metrics, told: dict[Configuration, int]) -> list[str]:
    """Say once what each evaluation found."""
    new, told[configuration] = lines[told.get(configuration, 0) :], len(lines)
    names = score_names(config.extractor, config.samples)
    return [
        f"{configuration.name:13}  update {line['update']:6d}  {configuration.objective} {line['metric']:.3f}  "
        + "  ".join(f"{name} {line[name]:.3f}" for name in names)
        + f"  ({line['seconds']:.1f} s)"
        for line in new
    ]


def summary_of(configuration: Configuration, config: Config, metrics: Metrics) -> dict[str, float]:
    """Return what a training reports, each figure with the configuration's name."""
    last = metrics[-1]
    metric, distance = ranks(metrics, config)
    figures = {key: last[key] for key in ("metric", *score_names(config.extractor, config.samples))}
    figures |= {"rank_of_metric": metric, "rank_of_distance": distance}
    figures["seconds_an_update"] = seconds_an_update(metrics)
    return {figure_name(key, configuration): value for key, value in figures.items() if value == value}


def finish(config: Config, images: ColourImages, run: Run) -> None:
    """Draw the figures of what was trained, and write the summary."""
    # matplotlib takes a second, which the processes that train need not wait for.
    from . import figures

    found = finished(config, run)
    if not found:
        return
    for name, figure in figures.all_figures(config, found, images, run):
        run.save_figure(name, figure, COLOURS)
    summaries = [runs.read(run.training(c.name)).summary() for c in found]
    merged = {name: value for summary in summaries for name, value in summary.items()}
    run.write_summary(merged | order_of(config, found, images.name))


def order_of(config: Config, metrics: Mapping[Configuration, Metrics], data: str) -> dict[str, int]:
    """Say how the five stand to each other, where all five were trained."""
    if len(metrics) < len(CONFIGURATIONS):
        return {}
    key, _ = score_names(config.extractor, config.samples)
    distances = {c.name: lines[-1][key] for c, lines in metrics.items()}
    return {order_name(config.extractor, config.samples): pairs_in_order(distances, data)}
