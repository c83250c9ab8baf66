"""Runs that somebody hands in: opened only if they have the form that an experiment writes."""

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

import data
from exercises.experiments import runs
from exercises.experiments.runs import Run, RunError

RUNS = Path("runs")
EXPERIMENTS = ("vae",)


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
    for name in (*files, run.checkpoint.name):
        path = run.path / name
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise RunError(f"{path} is a link, a directory or a pipe; expected the file that an experiment writes")
    for file, (read, kind) in files.items():
        try:
            msgspec.convert(read(), kind)
        except (ValueError, msgspec.ValidationError) as error:
            raise RunError(f"{run.path / file} is not what an experiment writes: {error}") from error
    expect_known("experiment", run.config["experiment"], EXPERIMENTS, f"{run.path}: ")
    expect_known("data set", run.config["data"]["name"], data.NAMES, f"{run.path}: ")


def expect_known(what: str, found: str, known: Sequence[str], where: str = "") -> None:
    """Refuse a name that is none of those known, and suggest the nearest.

    Raises:
        RunError: the name is unknown.
    """
    if found not in known:
        near = difflib.get_close_matches(found, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise RunError(f"{where}no {what} is called {found!r}; there are {', '.join(known)}.{hint}")
