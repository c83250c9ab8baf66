"""Recording what `elbo check` prints, as text for a page and as SVG for the README."""

import io
import re
import shutil
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from grading import rubric
from grading.cli.judging import check_part
from grading.engine.implementation import ROOT
from grading.engine.workers import Starter, Worker
from grading.judge import PROFILES, Judge, PartVerdict
from grading.selection import select
from grading.terminal import show_summary

from .failures import Wrong

WIDTH = 100
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # they would be fetched from a network


def write(wrong: Wrong, root: Path) -> Path:
    """Copy the solutions, write a wrong answer into the copy, and return it."""
    directory = root / "exercises"
    shutil.copytree(ROOT / "solutions", directory, ignore=shutil.ignore_patterns("__pycache__"))
    file = directory / wrong.file
    text = file.read_text(encoding="utf-8")
    if text.count(wrong.right) != 1:
        raise ValueError(f"{wrong.right!r} stands {text.count(wrong.right)} times in solutions/{wrong.file}, not once")
    file.write_text(text.replace(wrong.right, wrong.written), encoding="utf-8")
    return directory


def check(names: list[str], directory: Path, starter: Starter) -> tuple[Console, list[PartVerdict]]:
    """Do what `elbo check` does, and return the console that it was printed to, which has recorded it."""
    console = Console(record=True, width=WIDTH, force_terminal=True, highlight=False, file=io.StringIO())
    console.print(f"[bold]$ elbo check {' '.join(names)}[/]")
    judge, worker = Judge(PROFILES["student"]), Worker(starter, directory)
    known: dict[str, PartVerdict] = {}
    verdicts = [check_part(part, judge, worker, known, console) for part in select(names, rubric.load())]
    show_summary(console, verdicts)
    worker.close()
    return console, verdicts


def text(console: Console) -> str:
    """Return what was recorded as plain text."""
    return "\n".join(line.rstrip() for line in console.export_text(clear=False).rstrip().splitlines())


def svg(console: Console, name: str) -> str:
    """Return what was recorded as a picture of a terminal, which needs no network."""
    picture = console.export_svg(title="elbo-room", theme=MONOKAI, unique_id=name, clear=False)
    return "\n".join(line.rstrip() for line in FONTS.sub("", picture).splitlines()) + "\n"
