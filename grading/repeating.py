"""Repeating a run of the Dirac GAN with the student's functions and seed, in a process apart from what judges it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import msgspec

from exercises.experiments.dirac.experiment import read_all, train_all
from exercises.experiments.dirac.settings import Config, Training
from exercises.experiments.dirac.trajectories import Trajectory
from exercises.experiments.runs import RunError
from grading.engine.implementation import ROOT

SECONDS = 600.0
TOLD = 600  # characters of what went wrong there


def repeated(implementation: Path, config: Config) -> Mapping[Training, Trajectory]:
    """Train again from the settings of a run, and return the trajectories; of the other process only files come back.

    Raises:
        RunError: the student's functions did not get to the end, or left no trajectories.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(implementation.resolve()), json.dumps(asdict(config)), folder]
        command = [sys.executable, "-m", "grading.repeating", *arguments]
        try:
            done = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise RunError(f"the run was not repeated within {SECONDS:.0f} seconds") from error
        if done.returncode:
            told = done.stderr.decode(errors="replace").strip()[-TOLD:]
            raise RunError(f"the run cannot be repeated: {told or f'its process ended with {done.returncode}'}")
        return read_all(Path(folder), config)


def main(implementation: str, settings: str, folder: str) -> None:
    """Train with the functions of an implementation."""
    from grading.training import functions_of

    config = msgspec.json.decode(settings, type=Config)
    train_all(partial(functions_of, implementation, "gan"), config, Path(folder))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RunError as error:
        sys.exit(str(error))
