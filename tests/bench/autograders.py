"""Compares the cost of grading with nbgrader's: the same functions, judged by the same properties, in turns.

    python -m tests.bench.autograders           # some minutes; needs pip install -e '.[nbgrader]'

nbgrader runs each student's notebook in a kernel of its own. Its tests here are the kit's properties, in the process of
the notebook, on as many inputs from the kit's strategies; elbo grades the same answers as files, apart from the judge.
A run of a command has its start in it, so that a hand-in after the first is told too: what a large class pays for each.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.engine.implementation import ROOT
from tests.bench import watched
from tests.bench.costs import in_brackets
from tests.bench.course import ASSIGNMENT, FILE, Task, hand_ins, parts, test_of, write_course

ASK_FILE = """
from pathlib import Path
from grading.engine.implementation import Implementation
from grading.engine.worker import reply
implementation = Implementation(Path({folder!r}))
def ask(call):
    return reply(implementation, call)
"""


@dataclass(frozen=True)
class Spent:
    """Seconds of a run of a command."""

    wall: float
    cpu: float


def run(root: Path, *command: str) -> Spent:
    """Run a command of nbgrader or of Python to its end; it keeps what it leaves in the place."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    environment = os.environ | {"HOME": str(root), "PYTHONPATH": str(ROOT), "PATH": programs}
    begin, before = time.perf_counter(), watched.of_children()
    done = subprocess.run(
        [sys.executable, *command], cwd=root / "course", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Spent(time.perf_counter() - begin, watched.of_children() - before)


def by_nbgrader(root: Path, task: Task, students: Sequence[str]) -> Spent:
    """Grade students anew."""
    shutil.rmtree(root / "course" / "autograded", ignore_errors=True)
    (root / "course" / "gradebook.db").write_bytes((root / "empty.db").read_bytes())
    pattern = "student*" if len(students) > 1 else students[0]
    spent = run(root, "-m", "nbgrader", "autograde", ASSIGNMENT, "--create", f"--student={pattern}")
    scores = scores_in(root / "course" / "gradebook.db")
    assert scores == [1] * len(task.parts) * len(students), scores
    return spent


def scores_in(path: Path) -> list[float]:
    """Return the scores that nbgrader gave, a number for each cell of tests."""
    with sqlite3.connect(path) as connection:
        return [row[0] for row in connection.execute("select auto_score from grade where auto_score is not null")]


def by_elbo(root: Path, task: Task, students: Sequence[str], number: str) -> Spent:
    """Grade hand-ins by the command, with one process, as nbgrader has one."""
    only = [word for part in task.parts for word in ("--only", part)]
    places = [str(root / "class" / student) for student in students]
    command = ["-m", "grading.cli", "grade", *places, "--out", str(root / number), "--inputs", str(task.inputs), *only]
    spent = run(root, *command, "--jobs", "1")
    found = watched.read(root / number)
    assert len(found) == len(students)
    assert all(record.points == record.possible for record in found), [record.notes for record in found]
    return Spent(spent.wall, spent.cpu + watched.own_cpu(found))


def by_pytest(root: Path, task: Task, text: str) -> Spent:
    """Judge one hand-in by plain pytest in a fresh process."""
    (root / "one" / "vae").mkdir(parents=True, exist_ok=True)
    (root / "one" / FILE).write_text(text, encoding="utf-8")
    ask = ASK_FILE.format(folder=str(root / "one"))
    for part in task.parts:
        body = textwrap.indent(test_of(part, task.inputs, ask), "    ")
        (root / f"test_{part.split('.')[1]}.py").write_text(f"def test_it():\n{body}\n", encoding="utf-8")
    return run(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(root), str(root))


def one_round(root: Path, task: Task, students: Sequence[str], number: int) -> dict[str, Spent]:
    """Let both grade one hand-in, and then all."""
    return {
        "nbgrader one": by_nbgrader(root, task, students[:1]),
        "elbo one": by_elbo(root, task, students[:1], f"one-{number}"),
        "nbgrader all": by_nbgrader(root, task, students),
        "elbo all": by_elbo(root, task, students, f"all-{number}"),
    }


def further(found: dict[str, Spent], who: str, more: int) -> Spent:
    """Return what each hand-in after the first took."""
    one, every = found[f"{who} one"], found[f"{who} all"]
    return Spent((every.wall - one.wall) / more, (every.cpu - one.cpu) / more)


def shared(found: dict[str, Spent], who: str, count: int) -> Spent:
    """Return what each hand-in took, with its share of the start."""
    return Spent(found[f"{who} all"].wall / count, found[f"{who} all"].cpu / count)


def tell(what: str, pairs: Sequence[tuple[Spent, Spent]]) -> None:
    """Print a line for each of two, nbgrader first, and one of their ratios."""
    for who, found in zip(("nbgrader", "elbo grade"), zip(*pairs, strict=True), strict=True):
        line(f"{what}: {who}", found)
    walls = in_brackets([theirs.wall / ours.wall for theirs, ours in pairs])
    cpus = in_brackets([theirs.cpu / ours.cpu for theirs, ours in pairs])
    print(f"{what}: ratio of wall {walls}, of CPU {cpus}", flush=True)


def line(what: str, found: Sequence[Spent]) -> None:
    print(f"{what:50s} wall {in_brackets([s.wall for s in found])} s, CPU {in_brackets([s.cpu for s in found])} s")


def compare(task: Task, count: int, rounds: int) -> None:
    """Let both grade a class in turns, and pytest one of it."""
    with watched.place() as root:
        texts, students = hand_ins(count), [f"student{number}" for number in range(count)]
        write_course(root, texts, task)
        run(root, "-m", "nbgrader", "generate_assignment", ASSIGNMENT, "--create")
        shutil.copy(root / "course" / "gradebook.db", root / "empty.db")
        found = [one_round(root, task, students, number) for number in range(rounds)]
        alone = [by_pytest(root, task, texts[0]) for _ in range(rounds)]
    print(f"{count} hand-ins, {', '.join(task.parts)}, {task.inputs} inputs a property, {rounds} rounds in turns")
    tell("a hand-in of all", [(shared(f, "nbgrader", count), shared(f, "elbo", count)) for f in found])
    tell("each after the first", [(further(f, "nbgrader", count - 1), further(f, "elbo", count - 1)) for f in found])
    line("one hand-in: pytest in a fresh process", alone)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--class", type=int, dest="count", default=8, metavar="N")
    parser.add_argument("--inputs", type=int, default=50, help="for each property")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for some in (("vae.log_mean_exp",), parts()):
        compare(Task(some, options.inputs), options.count, options.rounds)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
