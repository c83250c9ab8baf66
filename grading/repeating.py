"""Repeating a run of the Dirac GAN with the student's functions and seed, in a process apart from what judges it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import msgspec

from exercises.experiments.dirac import trajectories
from exercises.experiments.dirac.experiment import path_of, rehearse, train_all
from exercises.experiments.dirac.settings import Config, Training
from exercises.experiments.dirac.trajectories import Trajectory
from exercises.experiments.runs import RunError
from grading.engine.implementation import ROOT

SECONDS = 600.0
TOLD = 600  # bytes of what went wrong there
ERROR = "error.txt"
NOTHING = subprocess.DEVNULL


def repeated(implementation: Path, config: Config) -> Mapping[Training, Trajectory]:
    """Train again from the settings of a run, and return the trajectories; of the other process only files come back.

    Raises:
        RunError: the student's functions did not get to the end of any training, or left no trajectories.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        out, error = Path(folder) / "run", Path(folder) / ERROR
        out.mkdir()
        arguments = [str(implementation.resolve()), json.dumps(asdict(config)), folder]
        _run_apart([sys.executable, "-m", "grading.repeating", *arguments])
        found = {t: path_of(out, t) for t in config.trainings if path_of(out, t).is_file()}
        if not found:
            raise RunError(f"the run cannot be repeated: {_told(error)}")
        return {training: trajectories.read(path, config) for training, path in found.items()}


def _run_apart(command: list[str]) -> None:
    """Run a command in a session of its own, and end all that is left of it.

    Raises:
        RunError: it took too long.
    """
    process = subprocess.Popen(command, cwd=ROOT, stdin=NOTHING, stdout=NOTHING, stderr=NOTHING, start_new_session=True)
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"the run was not repeated within {SECONDS:.0f} seconds") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _told(error: Path) -> str:
    """Read what the other process says went wrong, without anything that a terminal would obey."""
    if error.is_symlink() or not error.is_file():
        return "its process ended without a word"
    with error.open("rb") as file:
        text = file.read(TOLD).decode(errors="replace")
    return "".join(c if c.isprintable() else " " for c in text)


def main(implementation: str, settings: str, folder: str) -> None:
    """Train with the functions of an implementation."""
    from grading.training import functions_of

    config = msgspec.json.decode(settings, type=Config)
    try:
        load = partial(functions_of, implementation, "gan")
        playable, left_out = rehearse(load().gan, config)
        if left_out:
            (Path(folder) / ERROR).write_text("; ".join(left_out.values()))
        train_all(load, config, playable, Path(folder) / "run")
    except RunError as error:
        (Path(folder) / ERROR).write_text(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
