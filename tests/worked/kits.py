"""The places of a worked class: an instructor's kit with a policy of its own, and the folders of its students."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from grading.engine.implementation import ROOT

ROOMS = ("data", "exercises", "grading", "solutions", "tests")
BESIDE = ("pyproject.toml", "README.md", "LICENSE", "constraints.txt", "CHANGELOG.md", "Makefile")
MADE = ("cache", "runs", "__pycache__", ".hypothesis", ".pytest_cache")
POLICY = """[policy]
due = 2026-12-01T23:59:00+01:00
free_days = 1
per_day = 0.1
latest_days = 7
extensions = { fatima = 3 }
extra_credit = ["gan.spectral_norm"]
"""


class CommandFailed(Exception):
    """A command of the worked class that ended as none should; the text holds what it said."""


class Kit:
    """A folder with a kit in it, in which commands are typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def elbo(self, *words: object, status: int = 0) -> str:
        """Type a command of the kit and return what it printed."""
        return self.python("-m", "grading.cli", *words, status=status)

    def python(self, *words: object, status: int = 0, at: Path | None = None) -> str:
        """Run Python with this kit, and no other, in the folder."""
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
        own = {"PYTHONPATH": str(self.folder), "PATH": programs, "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, *map(str, words)]
        done = subprocess.run(
            command, cwd=at or self.folder, env=os.environ | own, capture_output=True, text=True, check=False
        )
        if done.returncode != status:
            told = f"{' '.join(command[1:])}: status {done.returncode}, expected {status}"
            raise CommandFailed(f"{told}\n{done.stdout}{done.stderr}")
        return done.stdout

    def nbgrader(self, course: Path, *words: object) -> str:
        """Type a command of nbgrader in its course."""
        return self.python("-m", "nbgrader", *words, at=course)


def instructors_kit(folder: Path) -> Kit:
    """Copy the kit, as a clone of it would be, and set a policy in its rubric."""
    folder.mkdir(parents=True)
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns(*MADE))
    for name in BESIDE:
        shutil.copy(ROOT / name, folder / name)
    rubric = folder / "grading" / "rubric.toml"
    text = rubric.read_text(encoding="utf-8")
    assert text.rstrip().endswith("[policy]"), "the rubric's policy is its last table"
    rubric.write_text(text.rstrip().removesuffix("[policy]") + POLICY, encoding="utf-8")
    return Kit(folder)


def students_kit(release: Path, folder: Path) -> Kit:
    """Unpack what the class was given."""
    with zipfile.ZipFile(release) as archive:
        archive.extractall(folder)
    (top,) = folder.iterdir()
    return Kit(top)
