"""From a command line to an experiment: the implementation's functions, the settings, the data, the run directory."""

import hashlib
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

import data
from exercises.experiments.dirac import experiment as dirac
from exercises.experiments.dirac import predictions
from exercises.experiments.dirac import settings as dirac_settings
from exercises.experiments.flows import experiment as flows
from exercises.experiments.flows import settings as flows_settings
from exercises.experiments.runs import Run, RunError, first_free
from exercises.experiments.settings import with_settings
from exercises.experiments.vae import experiment as vae
from exercises.experiments.vae import training as vae_training
from grading import rubric
from grading.catalogue import topic_parts
from grading.engine.calls import CallFailed
from grading.engine.implementation import Implementation, fault_of, locate
from grading.handed_in import EXPERIMENTS, RUNS, expect_known

PRESETS: dict[str, dict[str, Any]] = {
    "vae": vae_training.PRESETS,
    "dirac": dirac_settings.PRESETS,
    "flows": flows_settings.PRESETS,
}
TOPIC_OF = {"vae": "vae", "dirac": "gan", "flows": "flows"}


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
    expect_known("experiment", experiment, EXPERIMENTS)
    expect_known("preset", preset, tuple(PRESETS[experiment]))
    config = with_settings(PRESETS[experiment][preset], settings)
    if resume and out is None:
        raise RunError("--resume goes on with a run; name its directory with --out")
    device = _device(device, experiment)
    load = partial(functions_of, implementation, TOPIC_OF[experiment])
    place = out or _next_run(experiment)
    if experiment == "flows":
        return flows.train(load, config, place, resume=resume, name=implementation, preset=preset)
    if experiment == "dirac":
        directory = locate(implementation) / "gan"
        return dirac.train(
            load,
            config,
            place,
            resume=resume,
            name=implementation,
            preset=preset,
            predictions=_predictions(directory),
            source=_source(directory),
        )
    expect_known("data set", config.data, data.NAMES)
    claim = rubric.load().claims.get("vae.elbo")
    threshold = claim.at_least.get(config.data) if claim else None
    return vae.train(
        load(),
        config,
        data.load(config.data, data_dir),
        place,
        resume=resume,
        device=device,
        threshold=None if threshold is None else -threshold,
        name=implementation,
        preset=preset,
    )


def _predictions(directory: Path) -> dict[str, str]:
    """Read what the student expects of the Dirac GAN, and tell where nothing is written down yet."""
    file = directory / predictions.FILE
    found = predictions.read(file)
    if file.is_file() and not found:
        print(f"no prediction stands in {file} yet: write down first what you expect; the report sets it beside")
    return found


def _source(directory: Path) -> str:
    """Return a hash of a topic's files, which changes when a function is mended."""
    files = sorted(path for path in directory.glob("*.py") if path.is_file())
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


@contextmanager
def _students_errors(name: str, topic: str) -> Iterator[None]:
    """Tell an exception that passed through a student's file by its place there."""
    try:
        yield
    except (RunError, NotImplementedError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit would end this process without a word
        fault = fault_of(error, locate(name))
        if not fault.where:
            raise
        raise RunError(
            f"{name}: raised {fault.error}: {fault.message} ({fault.where}). `elbo check {topic}` tells more."
        ) from error


def functions_of(name: str, topic: str) -> types.SimpleNamespace:
    """Load a topic's functions in this process, for training; judging never does this.

    What one of them raises becomes a RunError that names its place in the student's file, but for what is to do.

    Raises:
        RunError: a file cannot be imported, or a function is missing.
    """
    implementation = Implementation(locate(name))
    told = _students_errors(name, topic)
    try:
        functions = {p.name.split(".")[1]: told(implementation.function(p.name, p.file)) for p in topic_parts(topic)}
    except CallFailed as failed:
        where = f" ({failed.fault.where})" if failed.fault.where else ""
        raise RunError(f"{name}: {failed}{where}. `elbo check {topic}` tells more.") from failed
    return types.SimpleNamespace(**{topic: types.SimpleNamespace(**functions)})


def _next_run(experiment: str) -> Path:
    return first_free(lambda number: RUNS / f"{experiment}-{number}")


def _device(name: str, experiment: str) -> str:
    expect_known("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda" and experiment != "vae":
        raise RunError(f"--device cuda: {experiment} is so small that a GPU only slows it; use --device cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise RunError("--device cuda: this torch finds no CUDA device; use --device auto or cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
