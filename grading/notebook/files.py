"""The files that notebooks stand for: what trains with a student's functions, or reports of them, wants files."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from grading.engine.implementation import ROOT, TOPICS
from grading.intake.choosing import stub_files
from grading.intake.notebooks import read_notebook
from grading.intake.taking import read_report

from .words import in_notebook

TERMINAL = ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


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


def run(command: str, options: Sequence[str]) -> int:
    """Run a command of `elbo` on the functions and the report of the notebooks here, and return its status.

    What it prints is printed here, line by line.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "notebooks")
        place.mkdir()
        if not write_functions(Path.cwd(), place):
            print("No function stands in a saved notebook of this directory: save vae.ipynb, gan.ipynb or flows.ipynb.")
            return 2
        if command == "report":
            _write_report(place)
        line = [sys.executable, "-m", "grading.cli", command, "--implementation", str(place), *options]
        process = subprocess.Popen(line, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None
        for told in process.stdout:
            print(in_notebook(told.decode(errors="replace").replace(str(place), "the notebooks")), end="")
        return process.wait()


def _write_report(into: Path) -> None:
    for name, content in read_report(Path.cwd()).items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_bytes(content)


def _environment() -> dict[str, str]:
    """Let the process find the kit where it was found here, which need not be where modules are looked for.

    A kernel says that it is a terminal with colours; a bar would be drawn below itself there, line for line.
    """
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if name not in TERMINAL}
    return kept | {"PYTHONPATH": os.pathsep.join(places), "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
