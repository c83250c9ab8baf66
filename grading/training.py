"""From a command line to an experiment: the implementation's functions, the settings, the data, the run directory."""

import difflib
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import torch

import data
from exercises.experiments import runs
from exercises.experiments.runs import Run, RunError
from exercises.experiments.settings import with_settings
from exercises.experiments.vae import experiment as vae
from exercises.experiments.vae.training import PRESETS
from grading import rubric
from grading.catalogue import topic_parts
from grading.engine.calls import CallFailed
from grading.engine.implementation import Implementation, fault_of, locate

RUNS = Path("runs")
EXPERIMENTS = ("vae",)


def train(
    experiment: str,
    implementation: str,
    preset: str,
    settings: Sequence[str],
    data_dir: Path | None,
    out: Path | None,
    resume: bool,
    device: str,
) -> Run:
    """Run an experiment with the functions of an implementation.

    Raises:
        RunError: the request cannot be carried out, or training broke down.
        DataError: the data cannot be had.
    """
    _expect("experiment", experiment, EXPERIMENTS)
    _expect("preset", preset, tuple(PRESETS))
    config = with_settings(PRESETS[preset], settings)
    _expect("data set", config.data, data.NAMES)
    if resume and out is None:
        raise RunError("--resume goes on with a run; name its directory with --out")
    claim = rubric.load().claims.get("vae.elbo")
    threshold = claim.at_least.get(config.data) if claim else None
    functions = functions_of(implementation, experiment)
    images = data.load(config.data, data_dir)
    with _students_errors(implementation, experiment):
        return vae.train(
            functions,
            config,
            images,
            out or _next_run(experiment),
            resume=resume,
            device=_device(device),
            threshold=None if threshold is None else -threshold,
            name=implementation,
            preset=preset,
        )


@contextmanager
def _students_errors(name: str, topic: str) -> Iterator[None]:
    """Tell an exception that passed through a student's file by its place there."""
    try:
        yield
    except RunError:
        raise
    except Exception as error:
        fault = fault_of(error, locate(name))
        if not fault.where:
            raise
        raise RunError(
            f"{name}: raised {fault.error}: {fault.message} ({fault.where}). `elbo check {topic}` tells more."
        ) from error


def functions_of(name: str, topic: str) -> types.SimpleNamespace:
    """Load a topic's functions in this process, for training; judging never does this.

    Raises:
        RunError: a file cannot be imported, or a function is missing.
    """
    implementation = Implementation(locate(name))
    try:
        functions = {p.name.split(".")[1]: implementation.function(p.name, p.file) for p in topic_parts(topic)}
    except CallFailed as failed:
        where = f" ({failed.fault.where})" if failed.fault.where else ""
        raise RunError(f"{name}: {failed}{where}. `elbo check {topic}` tells more.") from failed
    return types.SimpleNamespace(**{topic: types.SimpleNamespace(**functions)})


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


def _expect_form(run: Run) -> None:
    """Check that a run's files are what an experiment writes, as far as a report reads them; the rest may be anything.

    Raises:
        RunError: names the file and the key.
    """
    files: dict[str, tuple[Callable[[], Any], Any]] = {
        "config.json": (lambda: run.config, _Config),
        "metrics.jsonl": (run.metrics, list[_Epoch]),
        "summary.json": (run.summary, _Summary),
    }
    for file, (read, kind) in files.items():
        try:
            msgspec.convert(read(), kind)
        except (ValueError, msgspec.ValidationError) as error:
            raise RunError(f"{run.path / file} is not what an experiment writes: {error}") from error
    _expect("experiment", run.config["experiment"], EXPERIMENTS, f"{run.path}: ")
    _expect("data set", run.config["data"]["name"], data.NAMES, f"{run.path}: ")


def _expect(what: str, found: str, known: Sequence[str], where: str = "") -> None:
    if found not in known:
        near = difflib.get_close_matches(found, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise RunError(f"{where}no {what} is called {found!r}; there are {', '.join(known)}.{hint}")


def _next_run(experiment: str) -> Path:
    number = 1
    while (path := RUNS / f"{experiment}-{number}").exists():
        number += 1
    return path


def _device(name: str) -> str:
    _expect("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda" and not torch.cuda.is_available():
        raise RunError("--device cuda: this torch finds no CUDA device; use --device auto or cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
