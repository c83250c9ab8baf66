"""Runs that somebody hands in: opened only if they have the form that an experiment writes."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

import data
from exercises.experiments import runs
from exercises.experiments.cifar10.scores import score_names
from exercises.experiments.cifar10.settings import MOST_UPDATES
from exercises.experiments.cifar10.settings import Config as ImagesConfig
from exercises.experiments.cifar10.training import SUBMITTED
from exercises.experiments.dirac.experiment import path_of, read_all
from exercises.experiments.flows.settings import trainings
from exercises.experiments.runs import Run, RunError
from grading.run_settings import cifar10_config, dirac_config, flows_config

RUNS = Path("runs")
EXPERIMENTS = ("vae", "dirac", "flows", "cifar10")


def finished_runs(paths: Sequence[Path] | None) -> list[Run]:
    """Open the runs that are named, or all finished ones in runs/.

    Raises:
        RunError: one is not a run, is not finished or was changed by hand, or there is none.
    """
    found = [runs.read(path) for path in paths or sorted(p.parent for p in RUNS.glob("*/summary.json"))]
    for run in found:
        _expect_form(run)
    if not found:
        raise RunError(f"there is no finished run in {RUNS}/. `elbo train vae` makes one; or name a run's directory.")
    return found


class _Data(msgspec.Struct):
    name: str
    source: str


class _Config(msgspec.Struct):
    experiment: str
    preset: str
    implementation: str
    data: _Data
    settings: dict[str, Any]


class _Epoch(msgspec.Struct):
    epoch: int
    train_negative_elbo: float
    valid_negative_elbo: float
    cpu_seconds: float


class _Summary(msgspec.Struct):
    log_likelihood_by_samples: dict[str, float] = {}


class _Predicting(_Config):
    predictions: dict[str, str] = {}


_Classes = dict[str, float | str]


Positive = Annotated[int, msgspec.Meta(ge=1, le=MOST_UPDATES)]
Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]  # so neither nan nor infinity


class _Evaluation(msgspec.Struct):
    epoch: Positive
    update: Positive
    metric: Number
    seconds: Number


class _Share(msgspec.Struct):
    epoch: int
    iteration: int
    train_loss: float
    held_out_loss: float
    cpu_seconds: float


def _expect_form(run: Run) -> None:
    """Check that a run's files are what an experiment writes, as far as a report reads them; the rest may be anything.

    Raises:
        RunError: names the file and the key.
    """
    _expect_files(run, {"config.json": (lambda: run.config, _Config)})
    expect_known("experiment", run.config["experiment"], EXPERIMENTS, f"{run.path}: ")
    match run.config["experiment"]:
        case "vae":
            _expect_trained(run, _Epoch)
            expect_known("data set", run.config["data"]["name"], data.NAMES, f"{run.path}: ")
        case "dirac":
            _expect_dirac(run)
        case "cifar10":
            _expect_images(run)
        case _:
            _expect_trained(run, _Epoch)
            for training in trainings(flows_config(run)):
                own = run.training(training.name)
                _expect_no_link(own.parent, own)
                _expect_trained(runs.read(own), _Share)


def _expect_dirac(run: Run) -> None:
    config = dirac_config(run)
    forms: dict[str, Form] = {"config.json": (lambda: run.config, _Predicting), "summary.json": (run.summary, _Classes)}
    _expect_files(run, forms)
    for path in (path_of(run.path, training) for training in config.trainings):
        _expect_no_link(path.parent)
        _expect_plain(path)
    read_all(run.path, config)


def _expect_images(run: Run) -> None:
    config = cifar10_config(run)
    expect_known("data set", config.data, data.COLOUR_NAMES, f"{run.path}: ")
    _expect_files(run, {"config.json": (lambda: run.config, _Config), "summary.json": (run.summary, dict[str, float])})
    if run.config["data"]["name"] != config.data:
        raise RunError(f"{run.path / 'config.json'} is not what an experiment writes: it names two data sets")
    found = [path for c in config.chosen if (path := run.training(c.name)).exists()]
    if not found:
        raise RunError(f"{run.path} has no training in trainings/; hand in what the experiment wrote there")
    for own in map(runs.read, found):
        _expect_no_link(own.path.parent, own.path)
        _expect_plain(own.path / SUBMITTED)
        _expect_lines(own, config)


def _expect_lines(own: Run, config: ImagesConfig) -> None:
    """Check the evaluations of one training, each with the scores that the settings name."""
    forms: dict[str, Form] = {"metrics.jsonl": (own.metrics, list[_Evaluation])}
    _expect_files(own, forms)
    lines, keys = own.metrics(), score_names(config.extractor, config.samples)
    try:
        msgspec.convert([line.get(key) for line in lines for key in keys], list[Number])
        if not 1 <= len(lines) <= config.evaluations:
            raise ValueError(f"found {len(lines)} evaluations, expected 1 to {config.evaluations}")
    except (ValueError, msgspec.ValidationError) as error:
        raise RunError(
            f"{own.path / 'metrics.jsonl'} is not what an experiment writes, {' and '.join(keys)} in each line: {error}"
        ) from error


def _expect_trained(run: Run, line: type) -> None:
    """Check the files of one training: its metrics, its summary and its checkpoint."""
    forms: dict[str, Form] = {
        "config.json": (lambda: run.config, _Config),
        "metrics.jsonl": (run.metrics, list[line]),  # type: ignore[valid-type]
        "summary.json": (run.summary, _Summary),
    }
    _expect_plain(run.checkpoint)
    _expect_files(run, forms)


Form = tuple[Callable[[], Any], Any]


def _expect_files(run: Run, forms: Mapping[str, Form]) -> None:
    """Check files of a run: plain ones, whose content is of these kinds."""
    for name in forms:
        _expect_plain(run.path / name)
    for name, (read, kind) in forms.items():
        try:
            msgspec.convert(read(), kind)
        except (ValueError, msgspec.ValidationError) as error:
            raise RunError(f"{run.path / name} is not what an experiment writes: {error}") from error


def _expect_plain(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise RunError(f"{path} is a link, a directory or a pipe; expected the file that an experiment writes")


def _expect_no_link(*directories: Path) -> None:
    for directory in directories:
        if directory.is_symlink():
            raise RunError(f"{directory} is a link; expected the directory that an experiment writes")


def expect_known(what: str, found: str, known: Sequence[str], where: str = "") -> None:
    """Refuse a name that is none of those known, and suggest the nearest.

    Raises:
        RunError: the name is unknown.
    """
    if found not in known:
        near = difflib.get_close_matches(found, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise RunError(f"{where}no {what} is called {found!r}; there are {', '.join(known)}.{hint}")
