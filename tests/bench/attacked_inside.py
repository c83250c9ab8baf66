"""One grader and the hand-ins of attacked.py, in the namespaces where attacked.py starts it.

It prints a line of JSON for each hand-in: its name, the properties that earned it a mark, or null where there is no
grade; the exit status where it has a process of its own; whether that had to be ended.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from grading.catalogue import topic_parts
from grading.engine.implementation import ROOT
from tests.kit.attacks import ATTACKS, FILE, HONEST, PART, Files, World, all_attacks, write_files
from tests.kit.attacks.scene import SECRET, Scene, scene

(JUDGED,) = (part for part in topic_parts("vae") if part.name == PART)
ALL = tuple(value.name for value in JUDGED.properties)
SEED, INPUTS = 7, 10
ASSIGNMENT, NOTEBOOK = "one", "likelihoods.ipynb"
NOT_FOR_ALL = ("archives", "links", "notebooks")  # how a hand-in is opened, which is another thing with each grader
PYTEST_SECONDS, CELL_SECONDS, START_SECONDS, STILL_SECONDS = 30, 5, 60, 240
FAILED = {"failure", "error", "skipped"}
# Soft limits, which any code may raise: they are for this machine, and shall stop no attack.
LIMITS = {resource.RLIMIT_DATA: 8 << 30, resource.RLIMIT_FSIZE: 1 << 30, resource.RLIMIT_CORE: 0}

IMPORTS = f"""\
from grading.catalogue import topic_parts
from grading.engine.answering import answer
from grading.engine.inputs import draw
from tests.support.properties import run_check
(part,) = [part for part in topic_parts("vae") if part.name == {PART!r}]
"""
TEST = f"""\
{IMPORTS}
(value,) = [value for value in part.properties if value.name == {{name!r}}]
for inputs in draw(value, {SEED}, {INPUTS}):
    attempt = run_check(value, lambda call: answer(log_mean_exp, call), inputs)
    assert attempt.error is None, f"{{{{value.name}}}}: {{{{attempt.error}}}}"
"""
SETTINGS = f"""
c = get_config()
c.CourseDirectory.course_id = "bench"
c.Execute.timeout_func = lambda cell: {START_SECONDS} if "setup" in str(cell.metadata) else {CELL_SECONDS}
"""


@dataclass(frozen=True)
class Seen:
    """What became of a hand-in."""

    earned: list[str] | None
    status: int | None = None
    hung: bool = False


def single_files() -> list[str]:
    """Return the names of the attacks that are one file of text for one function, whoever opens it."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        nobody = World(ROOT, Path(folder), 0, 0, SECRET, Path(folder), Path(folder), "")
        for attack in all_attacks():
            if attack.batch == "plain" and attack.family not in NOT_FOR_ALL:
                path = Path(folder) / "made" / attack.name
                attack.make(path, nobody)
                if [file for file in path.rglob("*") if not file.is_dir()] == [path / FILE]:
                    found.append(attack.name)
    return found


def texts(prepared: Scene, names: Sequence[str]) -> dict[str, str]:
    """Return the file of each hand-in: the attacks, the honest ones, the right one."""
    plain = prepared.folder / "plain"
    honest = sorted({ATTACKS[name].honest for name in names} & HONEST.keys())
    for each in honest:
        files: Files = {file: text.encode() for file, text in HONEST[each].items()}
        write_files(plain / f"honest_{each}", files, prepared.world)
    wanted = ["right", *(f"honest_{each}" for each in honest), *names]
    return {name: (plain / name / FILE).read_text(encoding="utf-8") for name in wanted}


def by_pytest(prepared: Scene, files: dict[str, str]) -> Iterator[tuple[str, Seen]]:
    """Let pytest judge each in a process of its own, by a file of tests that imports it."""
    tests = [f"def test_{name}():\n{textwrap.indent(TEST.format(name=name), '    ')}" for name in ALL]
    for name, text in files.items():
        folder = prepared.folder.parent / "tested" / name
        (folder / FILE).parent.mkdir(parents=True)
        (folder / FILE).write_text(text, encoding="utf-8")
        (folder / "test_it.py").write_text("\n".join(["from vae.likelihoods import log_mean_exp", *tests]))
        status = _run(
            folder, ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", "report.xml", "test_it.py"]
        )
        # 3: an error of pytest's own, of which the report tells nothing.
        yield name, Seen(None if status in (None, 3) else _passed(folder / "report.xml"), status, status is None)
        shutil.rmtree(folder)
        _reap(prepared)


def _run(folder: Path, command: Sequence[str]) -> int | None:
    """Run Python in a folder; None if it had to be ended."""
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        return process.wait(PYTEST_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _passed(report: Path) -> list[str] | None:
    """Return the tests that a report says have passed."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    passed = {case.get("name", "").removeprefix("test_") for case in cases if not {c.tag for c in case} & FAILED}
    return [name for name in ALL if name in passed]


def _reap(prepared: Scene) -> None:
    """End what a hand-in left, which became a child of this process, and put the canaries back."""
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    for child in map(int, own.read_text().split()):
        if child != prepared.victim.pid:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    prepared.tidy()


def by_nbgrader(prepared: Scene, files: dict[str, str]) -> Iterator[tuple[str, Seen]]:
    """Let nbgrader judge all in a course."""
    course = prepared.folder.parent / "course"
    _write_notebook(files["right"], course / "source" / ASSIGNMENT)
    for name, text in files.items():
        _write_notebook(text, course / "submitted" / name / ASSIGNMENT)
    (course / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    with _nbgrader(course, "generate_assignment", ASSIGNMENT, "--create") as process:
        assert process.wait() == 0, (course / "output").read_text()
    stopped = _autograde_all(course, list(files))
    found = _scores(course / "gradebook.db")
    for name in files:
        yield name, Seen(found.get(name) if name not in stopped else None, None, name in stopped)


def _autograde_all(course: Path, names: Sequence[str]) -> list[str]:
    """Run the command to its end, again without the hand-in that it hangs at or ends early at; return those."""
    stopped: list[str] = []
    while True:
        with _nbgrader(course, "autograde", ASSIGNMENT, "--create") as process:
            _wait_while_it_goes_on(process, course)
        log = (course / "output").read_text(errors="replace")
        failed = [name for name in names if f"for student '{name}'" in log]
        *_, last = ["", *(line for line in log.splitlines() if "Converting" in line)]
        at = [name for name in names if f"/{name}/" in last and name not in failed and not _is_through(course, name)]
        if not at:
            return stopped
        stopped += at
        for name in {*at, *failed}:
            shutil.rmtree(course / "submitted" / name, ignore_errors=True)


def _is_through(course: Path, name: str) -> bool:
    return (course / "autograded" / name / ASSIGNMENT / NOTEBOOK).is_file()


def _wait_while_it_goes_on(process: subprocess.Popen[bytes], course: Path) -> None:
    """Wait for the end; end it where it does not come to another hand-in for long."""
    size, since = 0, time.monotonic()
    while process.poll() is None:
        time.sleep(1)
        count = (course / "output").read_text(errors="replace").count("Converting")
        if count != size:
            size, since = count, time.monotonic()
        if time.monotonic() - since > STILL_SECONDS:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _nbgrader(course: Path, *command: str) -> "subprocess.Popen[bytes]":
    with (course / "output").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "nbgrader", *command],
            cwd=course,
            env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(course)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _write_notebook(text: str, folder: Path) -> None:
    """Write a notebook: what the tests import, the cell to be filled in, a cell of tests for each property."""
    cells = [_cell(IMPORTS, "setup", locked=True), _cell(text, "answer", solution=True)]
    cells += [_cell(TEST.format(name=name), name, locked=True, grade=True) for name in ALL]
    made = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    folder.mkdir(parents=True)
    nbformat.write(made, folder / NOTEBOOK)


def _cell(
    source: str, name: str, locked: bool = False, solution: bool = False, grade: bool = False
) -> nbformat.NotebookNode:
    facts = {"grade_id": name, "grade": grade, "solution": solution, "locked": locked, "task": False}
    facts |= {"schema_version": 3, "cell_type": "code"} | ({"points": 1} if grade else {})
    return new_code_cell(source, metadata={"nbgrader": facts})


def _scores(gradebook: Path) -> dict[str, list[str]]:
    """Return the cells with their points in the gradebook, by student; nobody who has no score at all."""
    question = """
        select one.student_id, base_cell.name, grade.auto_score from grade
        join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment as one on submitted_notebook.assignment_id = one.id
        join base_cell on grade.cell_id = base_cell.id where grade.auto_score is not null
    """
    found: dict[str, list[str]] = {}
    with contextlib.closing(sqlite3.connect(gradebook)) as connection:
        for student, cell, score in connection.execute(question):
            found.setdefault(student, []).extend([cell] if score else [])
    return found


def by_elbo(prepared: Scene, files: dict[str, str]) -> Iterator[tuple[str, Seen]]:
    """Let elbo grade judge all as a class."""
    handed_in, out = prepared.folder.parent / "class", prepared.world.out
    for name, text in files.items():
        (handed_in / name / FILE).parent.mkdir(parents=True)
        (handed_in / name / FILE).write_text(text, encoding="utf-8")
    options = ["--only", PART, "--seed", str(SEED), "--inputs", str(INPUTS), "--budget", "5", "--jobs", "1"]
    command = [sys.executable, "-m", "grading.cli", "grade", str(handed_in), "--out", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        print(done.stdout, done.stderr, file=sys.stderr)
    for name in files:
        yield name, Seen(_points(out / "records" / f"{name}.json"))


def _points(path: Path) -> list[str] | None:
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["outcome"] != "graded":
        return None
    return [v["property"] for part in record["parts"] for v in part["properties"] if v["points"]]


GRADERS = {"pytest": by_pytest, "nbgrader": by_nbgrader, "elbo": by_elbo}


def main(grader: str, names: Sequence[str]) -> None:
    assert os.getpid() < 100, "only in a namespace of processes: see attacked.py"
    os.nice(10)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # become the parent of what hand-ins leave
    for what, limit in LIMITS.items():
        resource.setrlimit(what, (limit, resource.getrlimit(what)[1]))
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        scene(Path(folder), "elbo-bench") as prepared,
    ):
        for name, seen in GRADERS[grader](prepared, texts(prepared, names)):
            print(json.dumps([name, *astuple(seen)]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
