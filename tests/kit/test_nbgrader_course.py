"""The course of nbgrader's: what is handed out, what nbgrader makes of hand-ins, and that nothing is written over."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grading import records, rubric
from grading.engine.implementation import ROOT, TOPICS
from grading.nbgrader import (
    ASSIGNMENT,
    NOTEBOOKS,
    NbgraderError,
    answers_id,
    check_id,
    claims_id,
    course,
    handouts,
    question_id,
    solution_id,
)
from grading.nbgrader.notebooks import experiments, topic_notebook
from grading.nbgrader.pieces import pieces
from grading.notebook.words import in_notebook
from grading.release import BEGIN, END, ReleaseError
from grading.release.handouts import for_students
from grading.release.student import TOP, student
from grading.selection import select

pytest.importorskip("nbgrader")
RUBRIC = rubric.load()
PARTS = select((), RUBRIC)
# A hand-in in which of each topic some parts are wrong in themselves, others rest on them, and one is not begun.
WRONG = {
    "vae.log_mean_exp": ("torch.logsumexp(y, dim=1)", "y.exp().sum(dim=1).log()"),
    "vae.kl_gaussian_gaussian_analytic": ("- log_ratio - 1", "- log_ratio"),
    "gan.jsd": ("math.log(4)", "math.log(2)"),
    "flows.constrain_u": ("1 + F.logsigmoid(wu)", "F.logsigmoid(wu)"),
}
UNBEGUN = "vae.log_likelihood_bernoulli"


class Course:
    """A course in a temporary directory, with a home of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root / "course", root / "home"
        self.home.mkdir(parents=True)
        course.write(self.root)

    def run(self, *command: str) -> str:
        places = {f"JUPYTER_{kind}_DIR": str(self.home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        own = {"HOME": str(self.home), "IPYTHONDIR": str(self.home / "ipython")}
        environment = os.environ | places | own | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def read(self, stage: str, name: str, student: str = "") -> Any:
        return nbformat.read(self.root / stage / student / ASSIGNMENT / f"{name}.ipynb", 4)

    def hand_in(self, student: str, name: str, changes: dict[str, str]) -> None:
        """Fill in cells of the notebook that was given out, by their grade ids."""
        made = self.read("release", name)
        for cell in made.cells:
            cell.source = changes.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
        place = self.root / "submitted" / student / ASSIGNMENT
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, place / f"{name}.ipynb")

    def scores(self, student: str) -> dict[str, tuple[float | None, float | None, bool]]:
        """Return what nbgrader keeps of each cell: points by machine, points of a person, whether it waits."""
        question = """select base_cell.name, grade.auto_score, grade.manual_score, grade.needs_manual_grade from grade
            join base_cell on base_cell.id = grade.cell_id
            join submitted_notebook on submitted_notebook.id = grade.notebook_id
            join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
            where submitted_assignment.student_id = ?"""
        with sqlite3.connect(self.root / "gradebook.db") as connection:
            return {
                name: (auto, manual, bool(waits))
                for name, auto, manual, waits in connection.execute(question, [student])
            }


def answers(topic: str) -> dict[str, str]:
    found = pieces(topic, select([topic], RUBRIC)).functions
    return {solution_id(part): source for part, source in found.items()}


def half_right(topic: str) -> dict[str, str]:
    changes = answers(topic)
    changes.pop(solution_id(UNBEGUN), None)
    for part, (right, wrong) in WRONG.items():
        if part.startswith(f"{topic}."):
            assert right in changes[solution_id(part)]
            changes[solution_id(part)] = changes[solution_id(part)].replace(right, wrong)
    return changes


@pytest.fixture(scope="module")
def given_out(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("nbgrader"))
    made.run("nbgrader", "generate_assignment", ASSIGNMENT, "--create")
    return made


@pytest.fixture(scope="module")
def graded(given_out: Course) -> Iterator[Course]:
    for topic in TOPICS:
        given_out.hand_in("solved", topic, answers(topic))
        given_out.hand_in("half", topic, half_right(topic))
    given_out.hand_in("empty", "vae", {})
    source = next(c.source for c in given_out.read("release", "report").cells if c.id == question_id("3.2"))
    words = source.replace("Write here.", "The lemma, with A = I.").replace(
        'log_det_cost = ""', 'log_det_cost = "O(d)"'
    )
    given_out.hand_in("half", "report", {question_id("3.2"): words})
    given_out.run("nbgrader", "autograde", ASSIGNMENT)
    return given_out


# What is handed out


def test_the_same_course_has_the_same_bytes() -> None:
    assert course.contents() == course.contents()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_given_out_holds_no_answer_and_no_criterion(name: str, given_out: Course) -> None:
    path = given_out.root / "release" / ASSIGNMENT / f"{name}.ipynb"
    cells = [cell.source for cell in given_out.read("release", name).cells]
    assert answers_in(cells) == set()
    assert not any(
        each.text in path.read_text(encoding="utf-8") for q in RUBRIC.questions.values() for each in q.criteria
    )
    assert "SOLUTION" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["The answer: {}", "    {}", "x = 1\n    return {}  # so", "`{}`"])
def test_an_answer_is_seen_wherever_it_stands_in_a_cell(form: str) -> None:
    answer = "torch.logsumexp(y, dim=1) - math.log(y.shape[1])"
    assert answers_in(["", form.format(answer)]) == {answer} | ({f"return {answer}"} if "return" in form else set())


def answers_in(cells: list[str]) -> set[str]:
    """Return the lines of answers, also without their `return`, that stand in cells."""
    told = {line.removeprefix(word) for line in lines_of_answers() for word in ("", "return ")}
    return {line for line in told if len(line) > 5 for cell in cells if line in cell}  # no "else:", no bracket


def lines_of_answers() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "solutions").rglob("*.py"):
        for answer in re.findall(rf"{BEGIN}\n(.*?){END}", path.read_text(encoding="utf-8"), re.DOTALL):
            found |= {line.strip() for line in answer.splitlines()}
    return {line for line in found if len(line) > 5}


def test_the_source_holds_every_line_of_every_answer(given_out: Course) -> None:
    cells = (cell for topic in TOPICS for cell in given_out.read("source", topic).cells)
    assert lines_of_answers() <= {line.strip() for cell in cells for line in cell.source.split("\n")}


def test_nbgrader_finds_every_cell_of_the_source_right(given_out: Course) -> None:
    validate = ("nbgrader", "validate")
    told = given_out.run(*validate, *(f"source/{ASSIGNMENT}/{topic}.ipynb" for topic in TOPICS))
    assert told.count("Success! Your notebook passes all the tests.") == len(TOPICS), told


def test_there_is_a_cell_for_all_that_has_points_and_its_points_are_the_rubrics(given_out: Course) -> None:
    cells = [cell for name in NOTEBOOKS for cell in given_out.read("release", name).cells]
    points = {c.id: c.metadata.nbgrader.points for c in cells if c.metadata.get("nbgrader", {}).get("grade")}
    wanted = {check_id(part.name): RUBRIC.parts[part.name].total for part in PARTS}
    wanted |= {question_id(name): question.points for name, question in RUBRIC.questions.items()}
    with_answers = {name: q.answers.values() for name, q in RUBRIC.questions.items() if q.answers}
    wanted |= {answers_id(name): sum(a.points for a in found) for name, found in with_answers.items()}
    for name in experiments(RUBRIC):
        wanted[claims_id(name)] = sum(c.points for c in RUBRIC.claims.values() if c.experiment == name)
    assert points == pytest.approx(wanted)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_notebook_can_be_run_from_top_to_bottom_and_only_functions_are_to_be_written(
    topic: str, given_out: Course
) -> None:
    cells = given_out.read("release", topic).cells
    names: dict[str, Any] = {}
    for cell in cells:
        if cell.cell_type == "code" and not cell.source.startswith("check("):
            exec(cell.source, names)
    for part in select([topic], RUBRIC):
        assert callable(names[part.name.split(".")[1]])


@pytest.mark.parametrize("topic", TOPICS)
def test_every_paragraph_of_the_handout_is_in_the_notebook(topic: str) -> None:
    text = (ROOT / "exercises" / topic / "README.md").read_text(encoding="utf-8")
    found = nbformat.reads(topic_notebook(topic, RUBRIC, "").decode(), 4)
    made = "\n".join(cell.source for cell in found.cells if cell.cell_type == "markdown")
    for words, part in handouts.ABOVE[topic].items():
        assert f"**{words}" in text
        assert f"**{words}" in made.split(f"### `{part.split('.')[1]}`")[0]
    for line in for_students(text).partition("## The functions")[2].splitlines():
        assert in_notebook(line) in made or "](" in line
    assert "elbo report" not in made
    assert "<details" not in made
    assert "](../" not in made
    about = handouts.cut(text, topic).about
    assert {part.name for part in select([topic], RUBRIC)} == about.keys()


def test_two_files_may_not_give_a_name_two_meanings(tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "a.py").write_text("Size = int\n", encoding="utf-8")
    (tmp_path / "toy" / "b.py").write_text("Size = int\n", encoding="utf-8")
    assert pieces("toy", [], tmp_path).given == "Size = int"
    (tmp_path / "toy" / "b.py").write_text("Size = float\n", encoding="utf-8")
    with pytest.raises(NbgraderError, match=r"toy/b\.py defines Size"):
        pieces("toy", [], tmp_path)


# What is written, and what stays


def test_what_an_instructor_has_changed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"source/a.ipynb": b"one", "nbgrader_config.py": b"settings"}
    monkeypatch.setattr(course, "contents", lambda kit_url: dict(files))
    assert course.write(tmp_path) == [tmp_path / name for name in files]
    assert course.write(tmp_path) == []
    (tmp_path / "nbgrader_config.py").write_bytes(b"mine")
    assert course.write(tmp_path) == []
    files["source/a.ipynb"] = b"two"
    assert course.write(tmp_path) == [tmp_path / "source/a.ipynb"]
    assert (tmp_path / "nbgrader_config.py").read_bytes() == b"mine"


def test_what_was_changed_on_both_sides_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a": b"one", "b": b"one"}
    monkeypatch.setattr(course, "contents", lambda kit_url: dict(files))
    course.write(tmp_path)
    (tmp_path / "b").write_bytes(b"mine")
    files |= {"a": b"two", "b": b"two"}
    with pytest.raises(ReleaseError, match=r"changed since it was written, .* in its place: b\. Nothing was written"):
        course.write(tmp_path)
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"one", b"mine"]


def test_a_file_that_the_kit_has_not_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "contents", lambda kit_url: {"a": b"one"})
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.raises(ReleaseError, match=r"none of the kit's, .* in its place: a\."):
        course.write(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_with_an_address_no_kit_lies_beside_the_notebooks(given_out: Course) -> None:
    with_address = course.contents("https://example.org/kit.zip")
    assert f"source/{ASSIGNMENT}/kit.zip" not in with_address
    assert b"KIT_URL = 'https://example.org/kit.zip'" in with_address[f"source/{ASSIGNMENT}/vae.ipynb"]


def test_the_kit_beside_the_notebooks_is_what_a_class_gets(given_out: Course) -> None:
    for stage in ("source", "release"):
        with zipfile.ZipFile(given_out.root / stage / ASSIGNMENT / "kit.zip") as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                f"{TOP}{path}": content for path, content in student().items()
            }


def test_the_table_of_predictions_lies_beside_the_notebooks(given_out: Course) -> None:
    given = given_out.root / "release" / ASSIGNMENT / "predictions.toml"
    assert given.read_bytes() == (ROOT / "exercises" / "gan" / "predictions.toml").read_bytes()
    assert any("`predictions.toml`" in cell.source for cell in given_out.read("release", "gan").cells)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_has_what_makes_the_report_page(name: str, given_out: Course) -> None:
    sources = [cell.source for cell in given_out.read("release", name).cells]
    assert any("import" in each and "report" in each.rpartition("from grading.notebook import")[2] for each in sources)
    assert any("`report()`" in each for each in sources)


# The first cell, where the kit is not installed


def run_first_cell(place: Path, install: str) -> subprocess.CompletedProcess[str]:
    """Run the first cell by a Python that finds no kit; pip is replaced by a line."""
    cell = next(c.source for c in nbformat.reads(topic_notebook("vae", RUBRIC, "").decode(), 4).cells if c.id == "kit")
    (place / "cell.py").write_text(
        f"import subprocess\nsubprocess.run = {install}\n{cell}\nprint(check)", encoding="utf-8"
    )
    (place / "home").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-I", "-S", "cell.py"],
        cwd=place,
        env={"HOME": str(place / "home")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_kit_the_first_cell_says_what_to_do(tmp_path: Path) -> None:
    done = run_first_cell(tmp_path, "None")
    assert done.returncode == 1
    assert "Put the kit.zip of your course there" in done.stderr


def test_the_first_cell_takes_the_kit_beside_the_notebook_and_leaves_nothing_there(
    tmp_path: Path, given_out: Course
) -> None:
    shutil.copy(given_out.root / "release" / ASSIGNMENT / "kit.zip", tmp_path)
    done = run_first_cell(tmp_path, "lambda command, check: print(command[-3:])")
    assert "--editable" in done.stdout
    assert "<function check" in done.stdout, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"kit.zip", "cell.py", "home"}


# What nbgrader makes of hand-ins


def test_a_solved_hand_in_gets_all_points_of_all_parts(graded: Course) -> None:
    scores = graded.scores("solved")
    assert {part.name: scores[check_id(part.name)][0] for part in PARTS} == {
        p.name: RUBRIC.parts[p.name].total for p in PARTS
    }


def test_an_empty_hand_in_gets_none(graded: Course) -> None:
    assert {auto for auto, _, _ in graded.scores("empty").values()} == {0.0}


def test_every_hand_in_gets_what_elbo_grade_gives_it(graded: Course, tmp_path: Path) -> None:
    options = ("--out", str(tmp_path), "--seed", "1", "--only", ",".join(TOPICS), "--jobs", "1")
    graded.run("grading.cli", "grade", str(graded.root / "submitted"), *options)
    for name in ("solved", "half", "empty"):
        found = {part.part: part.points for part in records.read(tmp_path / "records" / f"{name}.json").parts}
        scores = graded.scores(name)
        assert {part: scores[check_id(part)][0] for part in found} == found


def test_what_is_wrong_costs_its_own_points_and_not_those_of_what_rests_on_it(graded: Course) -> None:
    scores = {part.name: graded.scores("half")[check_id(part.name)][0] for part in PARTS}
    for name, earned in scores.items():
        assert earned == RUBRIC.parts[name].total or name in WRONG or (name, earned) == (UNBEGUN, 0)
    assert {part.split(".")[0] for part in WRONG} == set(TOPICS)
    assert all(0 < (scores[name] or 0) < RUBRIC.parts[name].total for name in WRONG)


def test_answers_and_runs_are_judged_and_words_wait_for_a_person(graded: Course) -> None:
    scores = graded.scores("half")
    assert scores[answers_id("3.2")] == (1.0, None, False)
    assert scores[answers_id("3.3")] == (0.0, None, False)
    assert scores[question_id("3.2")] == (None, None, True)
    assert scores[question_id("3.3")] == (0.0, None, False)  # untouched
    assert all(scores[claims_id(name)] == (0.0, None, False) for name in experiments(RUBRIC))


def test_what_a_person_reads_below_a_cell_is_text_and_says_what_the_number_is(graded: Course) -> None:
    cells = {cell.id: cell for cell in graded.read("autograded", "vae", "half").cells}
    told, value = cells[check_id("vae.log_mean_exp")].outputs
    assert (told.output_type, told.name) == ("stream", "stdout")
    assert "wrong vae.log_mean_exp" in told.text
    assert told.text.endswith("of 4.5 points. The number below is for nbgrader:\n")
    assert float(value.data["text/plain"]) == graded.scores("half")[check_id("vae.log_mean_exp")][0]


def test_feedback_shows_what_failed(graded: Course) -> None:
    graded.run("nbgrader", "generate_feedback", ASSIGNMENT, "--student", "half")
    page = (graded.root / "feedback" / "half" / ASSIGNMENT / "vae.html").read_text(encoding="utf-8")
    for words in ("wrong vae.log_mean_exp", "shifts_pass_through", "still to be written, in this notebook"):
        assert words in page
