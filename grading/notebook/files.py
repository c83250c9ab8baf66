"""The stub files that notebooks stand for: what trains with a student's functions wants them as files."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from grading.engine.implementation import ROOT, TOPICS
from grading.intake.choosing import stub_files
from grading.intake.notebooks import read_notebook


def write_functions(beside: Path, into: Path) -> list[str]:
    """Write stub files from the saved notebooks vae.ipynb, gan.ipynb and flows.ipynb, and return their names.

    Raises:
        Unreadable: one of the notebooks is none.
    """
    written = []
    for topic in TOPICS:
        path = beside / f"{topic}.ipynb"
        found = read_notebook(PurePosixPath(path.name), path.read_bytes()) if path.is_file() else None
        for stub in (stub for stub in stub_files() if stub.startswith(f"{topic}/")):
            if found is not None and found.parts_of(stub):
                (into / topic).mkdir(exist_ok=True)
                (into / stub).write_text(found.file(stub), encoding="utf-8", errors="replace")
                written.append(stub)
    return written


def run_training(experiment: str, options: Sequence[str]) -> int:
    """Run `elbo train` with the functions of the notebooks in this directory, and return its status."""
    with tempfile.TemporaryDirectory() as name:
        write_functions(Path.cwd(), Path(name))
        command = [sys.executable, "-m", "grading.cli", "train", experiment, "--implementation", name, *options]
        process = subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None
        for line in process.stdout:
            print(line.decode(errors="replace"), end="")
        return process.wait()


def _environment() -> dict[str, str]:
    """Let the process find the kit where it was found here, which need not be where modules are looked for."""
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(places)}
