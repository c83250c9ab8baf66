"""From a command line to an experiment: the implementation's functions, the settings, the data, the run directory."""

import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

import data
from exercises.experiments.cifar10 import experiment as cifar10
from exercises.experiments.cifar10 import settings as cifar10_settings
from exercises.experiments.dirac import experiment as dirac
from exercises.experiments.dirac import predictions
from exercises.experiments.dirac import settings as dirac_settings
from exercises.experiments.flows import experiment as flows
from exercises.experiments.flows import settings as flows_settings
from exercises.experiments.memory import is_short_of_memory
from exercises.experiments.runs import Run, RunError, first_free
from exercises.experiments.settings import with_settings
from exercises.experiments.vae import experiment as vae
from exercises.experiments.vae import training as vae_training
from grading import rubric
from grading.catalogue import topic_parts
from grading.engine.calls import CallFailed
from grading.engine.implementation import Implementation, fault_of, locate
from grading.handed_in import EXPERIMENTS, RUNS, expect_known
from grading.trained_with import TOPIC_OF, source_of

PRESETS: dict[str, dict[str, Any]] = {
    "vae": vae_training.PRESETS,
    "dirac": dirac_settings.PRESETS,
    "flows": flows_settings.PRESETS,
    "cifar10": cifar10_settings.PRESETS,
}


@dataclass(frozen=True)
class _Order:
    """What a command line asks for, understood: settings, where data are, where the run goes."""

    implementation: str
    experiment: str
    config: Any
    data_dir: Path | None
    out: Path
    device: str
    recorded: dict[str, Any]  # resume, and names for the record: what every experiment takes

    @property
    def load(self) -> Callable[[], Any]:
        """What loads the functions, in any process."""
        return partial(functions_of, self.implementation, TOPIC_OF[self.experiment])

    @property
    def source(self) -> str:
        """What tells the functions from those before a change."""
        return source_of(locate(self.implementation), self.experiment)


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
    recorded = {"resume": resume, "name": implementation, "preset": preset}
    place = out or _next_run(experiment)
    order = _Order(implementation, experiment, config, data_dir, place, device, recorded)
    return {"vae": _vae, "dirac": _dirac, "flows": _flows, "cifar10": _cifar10}[experiment](order)


def _vae(order: _Order) -> Run:
    expect_known("data set", order.config.data, data.NAMES)
    images = data.load(order.config.data, order.data_dir)
    claim = rubric.load().claims.get("vae.elbo")
    threshold = claim.at_least.get(images.name) if claim else None
    limit = None if threshold is None else -threshold
    more = {"device": order.device, "threshold": limit, "source": order.source, **order.recorded}
    return vae.train(order.load(), order.config, images, order.out, **more)


def _dirac(order: _Order) -> Run:
    predicted = _predictions(locate(order.implementation) / "gan")
    return dirac.train(
        order.load, order.config, order.out, predictions=predicted, source=order.source, **order.recorded
    )


def _flows(order: _Order) -> Run:
    return flows.train(order.load, order.config, order.out, source=order.source, **order.recorded)


def _cifar10(order: _Order) -> Run:
    expect_known("data set", order.config.data, data.COLOUR_NAMES)
    images = partial(data.load_colour, order.config.data, order.data_dir)
    root = data.data_root(order.data_dir)
    return cifar10.train(
        order.load, order.config, images, root, order.out, device=order.device, source=order.source, **order.recorded
    )


def _predictions(directory: Path) -> dict[str, str]:
    """Read what the student expects of the Dirac GAN, and tell where nothing is written down yet.

    Where a topic has no such file, as one that notebooks make has not, the one in the current directory counts.
    """
    file = next(filter(Path.is_file, (directory / predictions.FILE, Path(predictions.FILE))), Path(predictions.FILE))
    found = predictions.read(file)
    if file.is_file() and not found:
        print(f"no prediction stands in {file} yet: write down first what you expect; the report sets it beside")
    return found


@contextmanager
def _students_errors(name: str, topic: str) -> Iterator[None]:
    """Tell an exception that passed through a student's file by its place there."""
    try:
        yield
    except (RunError, NotImplementedError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit would end this process without a word
        fault = fault_of(error, locate(name))
        if not fault.where or is_short_of_memory(error):
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
    if name == "cuda" and experiment not in ("vae", "cifar10"):
        raise RunError(f"--device cuda: {experiment} is so small that a GPU only slows it; use --device cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise RunError("--device cuda: this torch finds no CUDA device; use --device auto or cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
