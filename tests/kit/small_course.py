"""A small course of nbgrader: two parts, claims, a question; what is handed in, and the record of it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

pytest.importorskip("nbgrader")

from grading import rubric as rubrics
from grading.claims import Claim
from grading.nbgrader import ASSIGNMENT
from grading.nbgrader import gradebook as view
from grading.nbgrader.course import settings
from grading.records import AnswerRecord, Circumstances, PartRecord, PropertyRecord, QuestionRecord, Record, RunRecord
from grading.rubric import Rubric
from grading.wording import Failure

PARTS = ("vae.log_mean_exp", "vae.elbo")
SCRIPT = "<script>alert(1)</script>"
MATHEMATICS = f"$${SCRIPT}$$ \\begin{{x}}<img src=x onerror=alert(1)>\\end{{x}}"
HOSTILE = f"{SCRIPT} x\n\n```\n{SCRIPT}\n{MATHEMATICS} </pre>{SCRIPT} \x1b[2J"
TIME = "2026-11-30 12:00:00.000000 UTC"
WHOLE = rubrics.load()
RUBRIC = Rubric(
    parts={name: WHOLE.parts[name] for name in PARTS},
    claims={name: claim for name, claim in WHOLE.claims.items() if claim.experiment == "vae"},
    questions={"1.1": WHOLE.questions["1.1"]},
)
POINTS = {name: part.total for name, part in RUBRIC.parts.items()}
CLAIMS = sum(claim.points for claim in RUBRIC.claims.values())
ANSWERS = sum(answer.points for answer in RUBRIC.questions["1.1"].answers.values())
WORDS = RUBRIC.questions["1.1"].points


def cell(kind: str, name: str, source: str, points: float | None = None, solution: bool = False) -> Any:
    mark = {"schema_version": 3, "grade_id": name, "grade": points is not None, "solution": solution, "task": False}
    mark |= {"locked": not solution} | ({} if points is None else {"points": points})
    made = new_code_cell(source) if kind == "code" else new_markdown_cell(source)
    made.metadata["nbgrader"] = mark
    return made


def source_notebooks() -> dict[str, Any]:
    code = []
    for part in PARTS:
        name = part.replace(".", "_")
        code.append(
            cell("code", name, f"def {part.partition('.')[2]}():\n    raise NotImplementedError", solution=True)
        )
        code.append(cell("code", f"check_{name}", f'check("{part}")', POINTS[part]))
    code.append(cell("code", "claims_vae", 'check_runs("vae")', CLAIMS))
    words = [cell("markdown", "question_1_1", "Write here.", WORDS, solution=True)]
    words.append(cell("code", "answers_1_1", 'check_answers("1.1")', ANSWERS))
    return {"vae": new_notebook(cells=code), "report": new_notebook(cells=words)}


def nbgrader(course: Path, *arguments: str) -> None:
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(course), "HOME": str(course)}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def generate(course: Path) -> Path:
    """Write a course with two notebooks and the kit's settings, and give its assignment out."""
    folder = course / "source" / ASSIGNMENT
    folder.mkdir(parents=True)
    for name, notebook in source_notebooks().items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    (course / "nbgrader_config.py").write_bytes(settings())
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    return course


def released(course: Path, name: str) -> Any:
    return nbformat.read(course / "release" / ASSIGNMENT / f"{name}.ipynb", as_version=4)


def by_id(notebook: Any) -> dict[str, Any]:
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def hand_in(course: Path, student: str, words: str = "Because it is a bound.") -> Path:
    """Hand in both notebooks, the first part solved, with outputs that claim what is not so."""
    folder = course / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    code, report = released(course, "vae"), released(course, "report")
    by_id(code)["vae_log_mean_exp"].source = "def log_mean_exp():\n    return 'mine'"
    by_id(code)["check_vae_elbo"].outputs = [new_output("execute_result", data={"text/plain": "1000.0"})]
    by_id(code)["check_vae_elbo"].source = "open('executed', 'w')"
    by_id(report)["question_1_1"].source = words
    nbformat.write(code, folder / "vae.ipynb")
    nbformat.write(report, folder / "report.ipynb")
    (folder / "timestamp.txt").write_text(TIME)
    return folder


def part_record(part: str, outcome: Any = "right", failure: Failure | None = None, secret: bool = False) -> PartRecord:
    entry, earned = RUBRIC.parts[part], 0.0 if outcome != "right" else RUBRIC.parts[part].total
    value = PropertyRecord(
        "a_property", "values", "A sentence of it.", outcome, earned, entry.total, 3, 0.1, "own", secret, failure
    )
    return PartRecord(part, entry.problem, "vae/bounds.py", outcome, earned, entry.total, [value], "printed this")


def claim(name: str, outcome: Any) -> Claim:
    entry = RUBRIC.claims[name]
    return Claim(
        name, entry.sentence, entry.unit, entry.problem, outcome, entry.points, "digits", "at least", -20.0, -19.0
    )


def answer(outcome: Any = "right") -> AnswerRecord:
    name, entry = next(iter(RUBRIC.questions["1.1"].answers.items()))
    earned = ANSWERS if outcome == "right" else 0.0
    return AnswerRecord("1.1", name, entry.sentence, outcome, earned, ANSWERS, -20.0, -19.5)


def record(name: str = "ana", **fields: Any) -> Record:
    """Make the record of a submission whose second part is wrong, with one of two claims reached."""
    circumstances = Circumstances(0, 3, list(PARTS), "r", "k", "3.11", "2", "linux")
    reached, missed = list(RUBRIC.claims)[:2]
    runs = [RunRecord("runs/vae-1", [claim(reached, "reached"), claim(missed, "missed")])]
    wrong = Failure(HOSTILE, {"y": SCRIPT}, f"elbo({SCRIPT})", SCRIPT, "1.5")
    parts = [part_record(PARTS[0]), part_record(PARTS[1], "wrong", wrong)]
    questions = [QuestionRecord("1.1", "Title", WORDS, "Because it is a bound.")]
    made = Record(name, "graded", circumstances, parts=parts, runs=runs, answers=[answer()], questions=questions)
    return msgspec.structs.replace(made, **fields)


def write(course: Path, *records: Record, rubric: Rubric = RUBRIC) -> list[str]:
    """Write records of submissions that are named as their students, and return what was odd."""
    sources = {each.submission: course / "submitted" / each.submission for each in records}
    return view.write(course, records, sources, rubric)[1]
