"""nbgrader's gradebook: what formgrader shows of a record, and what of a person's work stays."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.preprocessors import CheckCellMetadata

from grading.diagnosis import Diagnosis
from grading.engine.implementation import ROOT
from grading.nbgrader import ASSIGNMENT, NOTEBOOKS, NbgraderError
from grading.nbgrader import course as courses
from grading.nbgrader import gradebook as view
from grading.nbgrader.opening import course_directory
from grading.records import (
    QuestionRecord,
    Record,
    Settlement,
)
from grading.rubric import Rubric
from grading.wording import Failure
from tests.kit.small_course import (
    ANSWERS,
    CLAIMS,
    PARTS,
    POINTS,
    RUBRIC,
    SCRIPT,
    TIME,
    WORDS,
    answer,
    by_id,
    generate,
    hand_in,
    nbgrader,
    part_record,
    record,
    released,
    write,
)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("course"))


@pytest.fixture
def course(generated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(generated, tmp_path / "course"))


def shown(course: Path, student: str = "ana") -> dict[str, Any]:
    return dict(NbGraderAPI(course_directory(course)).get_submission(ASSIGNMENT, student))


def grades(course: Path, student: str = "ana") -> dict[str, Any]:
    with Gradebook(course_directory(course).db_url) as book:
        found = [grade for each in book.find_submission(ASSIGNMENT, student).notebooks for grade in each.grades]
        return {grade.name: grade.to_dict() for grade in found}


def comments(course: Path, student: str = "ana") -> dict[str, str | None]:
    with Gradebook(course_directory(course).db_url) as book:
        found = [comment for each in book.find_submission(ASSIGNMENT, student).notebooks for comment in each.comments]
        return {comment.name: comment.comment for comment in found}


def give(course: Path, name: str, points: float | None, comment: str = "", extra: float | None = None) -> None:
    """Do what formgrader does where a person gives points and writes a comment."""
    notebook = "report" if name == "question_1_1" else "vae"
    with Gradebook(course_directory(course).db_url) as book:
        grade = book.find_grade(name, notebook, ASSIGNMENT, "ana")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = points, extra, False
        if comment:
            book.find_comment(name, notebook, ASSIGNMENT, "ana").manual_comment = comment
        book.db.commit()


def autograded(course: Path, name: str = "vae", student: str = "ana") -> Any:
    return nbformat.read(course / "autograded" / student / ASSIGNMENT / f"{name}.ipynb", as_version=4)


def expect_usable(course: Path, student: str, names: Sequence[str] = ("vae", "report")) -> None:
    for name in names:
        notebook = autograded(course, name, student)
        nbformat.validate(notebook)
        CheckCellMetadata().preprocess(notebook, {})
        assert set(by_id(notebook)) == set(by_id(released(course, name)))


def test_formgrader_shows_the_points_of_the_record_and_what_waits_for_a_person(course: Path) -> None:
    hand_in(course, "ana")
    assert write(course, record()) == []
    found = shown(course)
    reached = RUBRIC.claims[next(iter(RUBRIC.claims))].points
    assert found["autograded"]
    assert found["needs_manual_grade"]
    assert found["score"] == pytest.approx(POINTS[PARTS[0]] + reached + ANSWERS)
    assert found["max_score"] == pytest.approx(sum(POINTS.values()) + CLAIMS + ANSWERS + WORDS)
    assert {name for name, grade in grades(course).items() if grade["needs_manual_grade"]} == {"question_1_1"}
    assert grades(course)["check_vae_elbo"]["auto_score"] == 0


def test_the_time_is_that_of_the_file_or_formgrader_would_ask_to_execute_the_notebooks(course: Path) -> None:
    hand_in(course, "ana")
    folder = hand_in(course, "ben")
    (folder / "timestamp.txt").unlink()
    records = [record(name, handed_in_at="2026-01-01T00:00:00+00:00") for name in ("ana", "ben")]
    write(course, *records)
    assert shown(course)["timestamp"] == "2026-11-30T12:00:00"
    assert shown(course, "ben")["timestamp"] is None
    assert shown(course)["autograded"]
    assert shown(course, "ben")["autograded"]


def test_what_a_person_gave_stays_and_is_looked_at_again_only_where_the_words_changed(course: Path) -> None:
    folder = hand_in(course, "ana")
    write(course, record())
    give(course, "question_1_1", 0.5, "Nearly.", extra=0.25)
    write(course, record())
    kept = grades(course)["question_1_1"]
    assert (kept["manual_score"], kept["extra_credit"], kept["needs_manual_grade"]) == (0.5, 0.25, False)
    report = nbformat.read(folder / "report.ipynb", as_version=4)
    by_id(report)["question_1_1"].source = "Now otherwise."
    nbformat.write(report, folder / "report.ipynb")
    write(course, record())
    again = grades(course)["question_1_1"]
    assert (again["manual_score"], again["extra_credit"], again["needs_manual_grade"]) == (0.5, 0.25, True)
    assert comments(course)["question_1_1"] == "Nearly."


def test_a_persons_points_in_place_of_the_machines_stay_and_are_told_of(course: Path) -> None:
    hand_in(course, "ana")
    write(course, record())
    give(course, "check_vae_elbo", 1.5)
    told = write(course, record())
    assert told == ["ana: vae.ipynb: a person's 1.5 points for check_vae_elbo stand in place of 0."]
    assert not grades(course)["check_vae_elbo"]["needs_manual_grade"]
    write(course, record(parts=[part_record(PARTS[0]), part_record(PARTS[1])]))
    now = grades(course)["check_vae_elbo"]
    assert (now["auto_score"], now["manual_score"], now["needs_manual_grade"]) == (POINTS[PARTS[1]], 1.5, True)


def test_a_person_s_points_come_back_by_student_and_question(course: Path) -> None:
    hand_in(course, "ana")
    hand_in(course, "ben")
    write(course, record(), record("ben"))
    assert view.manual_points(course, RUBRIC) == {}
    give(course, "question_1_1", 0.5, "Nearly.", extra=0.25)
    found = view.manual_points(course, RUBRIC)
    assert list(found) == ["ana"]
    assert list(found["ana"]) == ["1.1"]
    assert (found["ana"]["1.1"].points, found["ana"]["1.1"].comment) == (0.75, "Nearly.")


def test_words_that_nobody_wrote_wait_for_nobody(course: Path) -> None:
    hand_in(course, "ana", words=by_id(released(course, "report"))["question_1_1"].source)
    write(course, record(questions=[]))
    assert not shown(course)["needs_manual_grade"]
    assert grades(course)["question_1_1"]["auto_score"] == 0
    assert comments(course)["question_1_1"] == "No response."


def test_a_notebook_is_shown_with_locked_cells_as_released_and_outputs_from_the_record_alone(course: Path) -> None:
    folder = hand_in(course, "ana")
    write(course, record())
    cells = by_id(autograded(course))
    assert cells["vae_log_mean_exp"].source == "def log_mean_exp():\n    return 'mine'"
    assert cells["check_vae_elbo"].source == 'check("vae.elbo")'
    stream, result = cells["check_vae_elbo"].outputs
    assert stream.text.startswith(f"0 of {POINTS[PARTS[1]]:g} points\n")
    assert "a_property" in stream.text
    assert SCRIPT in stream.text
    assert "\x1b" not in stream.text
    assert result.data == {"text/plain": "0.0"}
    assert "1000" not in json.dumps(autograded(course))
    assert not (folder / "executed").exists()
    assert not Path("executed").exists()
    assert "measured" in by_id(autograded(course))["claims_vae"].outputs[0].text
    expect_usable(course, "ana")


def test_of_an_instructors_property_the_outcome_alone_is_told(course: Path) -> None:
    hand_in(course, "ana")
    failure = Failure("the secret message", {"y": "secret input"}, where="secret place")
    write(course, record(parts=[part_record(PARTS[0]), part_record(PARTS[1], "wrong", failure, secret=True)]))
    written = json.dumps(autograded(course)) + json.dumps(comments(course))
    assert "a property of the instructor's" in written
    for secret in ("secret", "a_property", "A sentence of it", "printed this"):
        assert secret not in written


def test_the_mistake_that_a_part_looks_like_is_told_unless_only_the_instructors_properties_find_it(
    course: Path,
) -> None:
    hand_in(course, "ana")
    likeness = Diagnosis(["forgets_the_prior"], "the prior is missing", "a hint")
    for secret in (False, True):
        wrong = part_record(PARTS[1], "wrong", Failure("differs"), secret)
        write(course, record(parts=[part_record(PARTS[0]), msgspec.structs.replace(wrong, diagnosis=likeness)]))
        shown_below = by_id(autograded(course))["check_vae_elbo"].outputs[0].text
        for told in (shown_below, comments(course)["vae_elbo"] or ""):
            assert ("equals what you get when the prior is missing" in told) == (not secret)
            assert "a hint" not in told


def test_feedback_holds_the_messages_and_nothing_of_them_is_more_than_text(course: Path) -> None:
    hand_in(course, "ana")
    write(course, record())
    nbgrader(course, "generate_feedback", ASSIGNMENT)
    page = (course / "feedback" / "ana" / ASSIGNMENT / "vae.html").read_text(encoding="utf-8")
    assert SCRIPT not in page
    assert "<img src=x" not in page
    assert page.count("&lt;script&gt;alert(1)") > 3
    assert "</pre>&lt;" not in page
    comment = page.partition("<b>Comments:</b>")[2].partition("</div>")[0]
    assert "A sentence of it" in comment
    assert comment.count("<code") == 1
    assert "$$" in comment


def test_the_student_is_found_again_whatever_signs_are_in_the_name(course: Path) -> None:
    student = "añá+x@y .z, 3"
    hand_in(course, student)
    told = view.write(course, [record("an-x-y")], {"an-x-y": course / "submitted" / student / ASSIGNMENT}, RUBRIC)
    assert told == (1, [])
    assert shown(course, student)["autograded"]


def test_a_submission_of_another_place_is_told_of_and_one_student_is_written_once(course: Path) -> None:
    folder = hand_in(course, "ana")
    sources = {"ana": folder, "two": folder.parent, "other": course}
    _, told = view.write(course, [record(), record("two"), record("other"), record("nowhere")], sources, RUBRIC)
    assert [text.partition(":")[0] for text in told] == ["two", "other", "nowhere"]
    assert "ana is of the same student" in told[0]


def _broken(folder: Path) -> None:
    (folder / "vae.ipynb").write_text('{"cells": [')


def _nested(folder: Path) -> None:
    (folder / "vae.ipynb").write_text("[" * 100_000)


def _no_cells(folder: Path) -> None:
    (folder / "vae.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1, null]}')


def _large(folder: Path) -> None:
    with (folder / "vae.ipynb").open("ab") as file:
        file.truncate(21 << 20)


def _a_link(folder: Path) -> None:
    shutil.move(folder / "vae.ipynb", folder / "elsewhere")
    (folder / "vae.ipynb").symlink_to(folder / "elsewhere")


def _a_directory(folder: Path) -> None:
    (folder / "vae.ipynb").unlink()
    (folder / "vae.ipynb").mkdir()
    (folder / "vae.ipynb" / "a.png").write_bytes(b"")


def _missing(folder: Path) -> None:
    (folder / "vae.ipynb").unlink()


DAMAGES = (_broken, _nested, _no_cells, _large, _a_link, _a_directory, _missing)


def test_a_notebook_that_cannot_be_read_is_told_of_and_hinders_neither_points_nor_others(course: Path) -> None:
    names = [damage.__name__.strip("_") for damage in DAMAGES]
    for damage, name in zip(DAMAGES, names, strict=True):
        damage(hand_in(course, name))
    hand_in(course, "zoe")
    told = write(course, *map(record, [*names, "zoe"]))
    assert [text.partition(": vae.ipynb")[0] for text in told] == names
    for name in [*names, "zoe"]:
        expect_usable(course, name)
        assert grades(course, name)["check_vae_log_mean_exp"]["auto_score"] == POINTS[PARTS[0]]
        assert by_id(autograded(course, "report", name))["question_1_1"].source == "Because it is a bound."


def hostile(notebook: Any) -> Any:
    """Make what a student may do to cells: metadata of any kind, an id twice, one cell less, no source of ours."""
    cells = by_id(notebook)
    notebook.cells.remove(cells["check_vae_log_mean_exp"])
    cells["check_vae_elbo"].metadata.nbgrader |= {"points": "many", "locked": False, "grade": 7, SCRIPT: SCRIPT}
    cells["claims_vae"]["cell_type"] = "markdown"
    del cells["claims_vae"]["outputs"], cells["claims_vae"]["execution_count"]
    twice = new_code_cell("the second")
    twice.metadata = cells["vae_elbo"].metadata
    odd = [new_code_cell("x"), new_markdown_cell("![p](attachment:p)"), new_markdown_cell("y")]
    odd[0].metadata["nbgrader"] = [1]
    odd[1]["attachments"] = {"p": {"image/png": f'"{SCRIPT}', "image/jpeg": "QUJD", "text/html": "QUJD"}}
    odd[2].metadata["nbgrader"] = {"grade_id": {"a": 1}, "grade": True, "points": 1000}
    notebook.cells += [twice, *odd]
    notebook.metadata = {"kernelspec": {"name": SCRIPT}}
    return notebook


def test_cells_that_are_not_as_released_are_set_right_and_told_of(course: Path) -> None:
    folder = hand_in(course, "ana")
    changed = hostile(nbformat.read(folder / "vae.ipynb", as_version=4))
    (folder / "vae.ipynb").write_text(json.dumps(changed))
    told = write(course, record())
    assert told == [
        "ana: vae.ipynb: Cells that are there several times, of which the last counts: vae_elbo.",
        "ana: vae.ipynb: Cells that are missing, and stand at the end: check_vae_log_mean_exp.",
    ]
    expect_usable(course, "ana")
    cells, whole = by_id(autograded(course)), autograded(course)
    assert cells["vae_elbo"].source == "the second"
    assert cells["check_vae_elbo"].metadata.nbgrader.points == POINTS[PARTS[1]]
    assert cells["claims_vae"].cell_type == "code"
    assert cells["check_vae_log_mean_exp"].outputs
    assert "several times" in whole.cells[0].source
    assert [c.attachments for c in whole.cells if "attachments" in c] == [{"p": {"image/jpeg": "QUJD"}}]
    assert SCRIPT not in json.dumps([c.metadata for c in whole.cells] + [whole.metadata])


def test_words_in_another_form_are_shown_in_the_cell_that_is_lacking(course: Path) -> None:
    folder = hand_in(course, "ana")
    (folder / "report.ipynb").unlink()
    write(course, record())
    assert by_id(autograded(course, "report"))["question_1_1"].source == "Because it is a bound."
    assert grades(course)["question_1_1"]["needs_manual_grade"]


def test_pictures_stand_beside_the_notebook_and_nothing_else_does(course: Path, tmp_path: Path) -> None:
    folder = hand_in(course, "ana")
    (folder / "figures").mkdir()
    (folder / "figures" / "elbo.png").write_bytes(b"picture")
    (folder / "page.html").write_text(SCRIPT)
    (folder / "drawn.svg").write_text(SCRIPT)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    told = write(course, record())
    assert told == ["ana: link.png is a link; expected a file: not shown."]
    place = course / "autograded" / "ana" / ASSIGNMENT
    found = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    assert found == {"vae.ipynb", "report.ipynb", "timestamp.txt", "figures/elbo.png"}


def test_a_time_that_is_none_is_told_of(course: Path) -> None:
    folder = hand_in(course, "ana")
    (folder / "timestamp.txt").write_text("yesterday\x1b[2J")
    told = write(course, record())
    assert len(told) == 1
    assert "timestamp.txt holds no time" in told[0]
    assert "\x1b" not in told[0]
    assert grades(course)["check_vae_log_mean_exp"]["auto_score"] == POINTS[PARTS[0]]


def test_lateness_takes_points_from_the_notebooks_by_their_share(course: Path) -> None:
    hand_in(course, "ana")
    late = Settlement(10.0, 0.0, 1, late_days=2, charged_days=2, penalty=1.5)
    write(course, record(settlement=late))

    def penalties() -> dict[str, tuple[float, float]]:
        with Gradebook(course_directory(course).db_url) as book:
            notebooks = book.find_submission(ASSIGNMENT, "ana").notebooks
            return {each.name: (each.late_submission_penalty or 0.0, each.score) for each in notebooks}

    found = penalties()
    assert sum(penalty for penalty, _ in found.values()) == pytest.approx(1.5)
    assert found["vae"][0] / found["vae"][1] == pytest.approx(found["report"][0] / found["report"][1])
    write(course, record(settlement=msgspec.structs.replace(late, penalty=1000.0)))
    assert all(penalty == pytest.approx(score) for penalty, score in penalties().values())
    write(course, record(settlement=msgspec.structs.replace(late, penalty=0.0)))
    assert all(penalty == 0 for penalty, _ in penalties().values())


def test_what_nbgrader_has_no_place_for_is_told_once(course: Path) -> None:
    hand_in(course, "ana")
    hand_in(course, "ben")
    dropped = Settlement(1.0, 0.0, 0, dropped=["vae.elbo"])
    told = write(course, record(settlement=dropped), record("ben", settlement=dropped))
    assert told == ["Dropped parts and extra credit are unknown to nbgrader: it shows the points without them."]


def test_a_refused_submission_has_no_points_and_its_reason_but_words_wait_for_a_person(course: Path) -> None:
    hand_in(course, "ana")
    empty: dict[str, Any] = {"parts": [], "runs": [], "answers": [], "questions": []}
    write(course, record(outcome="refused", reason=f"it is empty {SCRIPT}", **empty))
    found = grades(course)
    machine = {name: grade["auto_score"] for name, grade in found.items() if name != "question_1_1"}
    assert len(machine) == 4
    assert set(machine.values()) == {0.0}
    assert found["question_1_1"]["needs_manual_grade"]
    assert comments(course)["vae_elbo"] == f"    it is empty {SCRIPT}"  # a block of code
    assert "it is empty" in by_id(autograded(course))["check_vae_elbo"].outputs[0].text


WITHHELD = "ana: the cells that the kit judges have no points in nbgrader's gradebook, and wait for a person."
FAILED = {"outcome": "refused", "grader_failed": True, "reason": "a full disk", "parts": []}


def autograde(course: Path) -> None:
    """Do what nbgrader's own autograding does for outputs that claim full marks, with a penalty."""
    with Gradebook(course_directory(course).db_url) as book:
        book.update_or_create_student("ana")
        with book.db.no_autoflush:
            made = book.update_or_create_submission(ASSIGNMENT, "ana")
        for each in made.notebooks:
            each.late_submission_penalty = 1.0
            for grade in each.grades:
                grade.auto_score, grade.needs_manual_grade = grade.max_score, False
        book.db.commit()


def test_where_the_grader_failed_nobody_keeps_points_that_nbgrader_gave(course: Path) -> None:
    hand_in(course, "ana")
    autograde(course)
    told = write(course, record(**FAILED))
    assert told == ["ana: not written, a full disk. Go on with --resume.", WITHHELD]
    found = grades(course)
    assert found.pop("question_1_1")["auto_score"] == WORDS  # no cell that the kit judges
    assert len(found) == 4
    assert {(grade["auto_score"], grade["needs_manual_grade"]) for grade in found.values()} == {(None, True)}
    with Gradebook(course_directory(course).db_url) as book:
        assert book.find_submission(ASSIGNMENT, "ana").score == WORDS  # without the penalty of before
    give(course, "check_vae_elbo", 1.5)
    write(course, record(**FAILED))
    kept = grades(course)["check_vae_elbo"]
    assert (kept["manual_score"], kept["needs_manual_grade"]) == (1.5, False)
    write(course, record())
    assert grades(course)["check_vae_log_mean_exp"]["auto_score"] == POINTS[PARTS[0]]


def test_where_the_grader_failed_what_was_not_asked_for_keeps_what_it_had(course: Path) -> None:
    hand_in(course, "ana")
    write(course, record())
    before = grades(course)
    asked = msgspec.structs.replace(record().circumstances, parts=[PARTS[1]])
    write(course, record(circumstances=asked, **FAILED))
    after = grades(course)
    assert {name for name in after if after[name] != before[name]} == {"check_vae_elbo"}


def test_where_nothing_of_a_failed_one_is_in_the_gradebook_nothing_is_made(course: Path) -> None:
    hand_in(course, "ana")
    assert write(course, record(**FAILED)) == ["ana: not written, a full disk. Go on with --resume."]
    with Gradebook(course_directory(course).db_url) as book:
        assert book.assignment_submissions(ASSIGNMENT) == []


def test_whoever_cannot_be_written_keeps_no_points_either(course: Path, monkeypatch: Any) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError("no such cell")

    hand_in(course, "ana")
    autograde(course)
    monkeypatch.setattr(view, "fill", fails)
    told = write(course, record())
    assert told == ["ana: not written: ValueError: no such cell. Correct it and write again.", WITHHELD]
    assert grades(course)["check_vae_elbo"]["auto_score"] is None


def test_points_that_cannot_be_taken_back_are_told_of(course: Path, monkeypatch: Any) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError("locked\x1b")

    hand_in(course, "ana")
    autograde(course)
    monkeypatch.setattr(view, "withhold", fails)
    _, told = write(course, record(**FAILED))
    assert told == "ana: points of before may stand in nbgrader's gradebook: ValueError: locked?."


def test_only_those_that_were_written_are_counted(course: Path) -> None:
    sources = {name: hand_in(course, name) for name in ("ana", "ben", "eve")}
    made = [record("ana"), record("ben"), record("eve", **FAILED), record("nowhere")]
    assert view.write(course, made, sources, RUBRIC)[0] == 2


def test_what_was_not_asked_for_keeps_what_it_had(course: Path) -> None:
    hand_in(course, "ana")
    write(course, record())
    before = grades(course)
    asked = msgspec.structs.replace(record().circumstances, parts=[PARTS[1]])
    some = record(circumstances=asked, parts=[part_record(PARTS[1])], runs=[], answers=[], questions=[])
    write(course, some)
    after = grades(course)
    assert {name for name in after if after[name] != before[name]} == {"check_vae_elbo"}
    assert after["check_vae_elbo"]["auto_score"] == POINTS[PARTS[1]]


def test_where_no_runs_are_measured_neither_claims_nor_answers_beside_them_change(course: Path) -> None:
    hand_in(course, "ana")
    write(course, record())
    before = grades(course)
    uncounted = msgspec.structs.replace(answer("unmeasured"), possible=0.0)
    write(course, record(runs=[], answers=[uncounted], parts=[part_record(PARTS[0])]))
    assert grades(course) == before
    write(course, record(runs=[]))
    text = by_id(autograded(course))["claims_vae"].outputs[0].text
    assert (grades(course)["claims_vae"]["auto_score"], text) == (0.0, "No run of it was handed in.\n")


def test_what_holds_with_right_helpers_alone_is_told(course: Path) -> None:
    hand_in(course, "ana")
    part = part_record(PARTS[0])
    helped = msgspec.structs.replace(part.properties[0], helpers="reference", failure=Failure("of the helper"))
    write(course, record(parts=[msgspec.structs.replace(part, properties=[helped])]))
    text = by_id(autograded(course))["check_vae_log_mean_exp"].outputs[0].text
    assert "With right functions in place of those before it hold, and count: a_property" in text


def test_a_gradebook_of_another_rubric_is_told_of(course: Path) -> None:
    entry = msgspec.structs.replace(RUBRIC.parts["vae.elbo"], points={"a": 40.0})
    other = Rubric({"vae.elbo": entry, "vae.log_mean_exp": RUBRIC.parts["vae.log_mean_exp"]}, RUBRIC.claims)
    told = write(course, rubric=other)
    assert len(told) == 2
    assert "other points than nbgrader's gradebook for check_vae_elbo;" in told[0]
    assert "judges no cells answers_1_1" in told[1]


def test_one_student_whom_the_database_refuses_hinders_no_other(course: Path, monkeypatch: Any) -> None:
    for name in ("ana", "ben"):
        hand_in(course, name)
    create = Gradebook.update_or_create_submission

    def refuse(book: Gradebook, assignment: str, student: str, **fields: Any) -> Any:
        if student == "ana":
            raise ValueError("no room\x1b")
        return create(book, assignment, student, **fields)

    monkeypatch.setattr(Gradebook, "update_or_create_submission", refuse)
    told = write(course, record(), record("ben"))
    assert told == ["ana: not written: ValueError: no room?. Correct it and write again."]
    assert shown(course, "ben")["autograded"]


def test_the_database_is_where_the_courses_configuration_says(course: Path) -> None:
    hand_in(course, "ana")
    (course / "gradebook.db").rename(course / "other.db")
    with pytest.raises(NbgraderError, match=f"gradebook.db is not there.*nbgrader generate_assignment {ASSIGNMENT}"):
        write(course, record())
    config = "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///other.db'\nc.CourseDirectory.root = '/nowhere'\n"
    (course / "nbgrader_config.py").write_text(config)
    assert write(course, record()) == []
    assert shown(course)["autograded"]
    assert not (course / "gradebook.db").exists()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("this is no Python", "nbgrader_config.py cannot be loaded: SyntaxError"),
        ("c.CourseDirectory.db_url = 'no url'", "nbgrader_config.py: Could not parse"),
        ("c.CourseDirectory.db_url = 'sqlite:///source'", "source is not there"),
        ("c.CourseDirectory.db_url = 'sqlite:///nbgrader_config.py'", "cannot be used: .*not a database"),
        ("c.CourseDirectory.submitted_directory = 3", "nbgrader_config.py: .*submitted_directory"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told_of(course: Path, config: str, told: str) -> None:
    (course / "nbgrader_config.py").write_text(f"{config}\n")
    with pytest.raises(NbgraderError, match=told):
        write(course, record())


def test_a_course_without_the_assignment_or_none_at_all_is_told_of(course: Path, tmp_path: Path) -> None:
    with pytest.raises(NbgraderError, match="expected the directory of an nbgrader course"):
        write(tmp_path / "nothing")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}"):
        pass
    with pytest.raises(NbgraderError, match=f"knows no assignment {ASSIGNMENT}"):
        write(tmp_path)


def test_a_kit_without_nbgrader_says_what_to_install(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    monkeypatch.delitem(sys.modules, "grading.nbgrader.installed")
    with pytest.raises(NbgraderError, match=r"pip install -e '\.\[nbgrader\]'"):
        importlib.import_module("grading.nbgrader.installed")


def test_a_class_of_the_courses_own_notebooks_is_graded_into_its_gradebook(tmp_path: Path) -> None:
    course, out = tmp_path / "course", tmp_path / "graded"
    courses.write(course)
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    for student in ("ana", "ben b."):
        folder = course / "submitted" / student / ASSIGNMENT
        shutil.copytree(course / "release" / ASSIGNMENT, folder)
        (folder / "timestamp.txt").write_text(TIME)
    notebook = nbformat.read(folder / "vae.ipynb", as_version=4)
    body = "import torch\n\n\ndef log_mean_exp(y):\n    return torch.logsumexp(y, 1) - math.log(y.shape[1])"
    by_id(notebook)["vae_log_mean_exp"].source = f"import math\n{body}"
    nbformat.write(notebook, folder / "vae.ipynb")
    asked = ["--only", "vae.log_mean_exp", "--inputs", "2", "--jobs", "1", "--nbgrader", str(course)]
    command = ["grading.cli", "grade", str(course / "submitted"), "--out", str(out), *asked]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    points = {name: grades(course, name)["check_vae_log_mean_exp"] for name in ("ana", "ben b.")}
    assert points["ana"]["auto_score"] == 0
    assert points["ben b."]["auto_score"] == points["ben b."]["max_score"] == POINTS["vae.log_mean_exp"]
    for name in points:
        expect_usable(course, name, NOTEBOOKS)
        assert shown(course, name)["autograded"]
    assert "still to be written" in (comments(course)["vae_log_mean_exp"] or "")
    assert comments(course)["question_1_1"] == "No response."
    assert "nbgrader" not in done.stderr


def test_a_link_in_the_place_of_a_student_is_nobody(course: Path) -> None:
    folder = hand_in(course, "ana")
    (course / "submitted" / "zoe").symlink_to(course / "submitted" / "ana")
    (course / "submitted" / "yan").mkdir()
    (course / "submitted" / "yan" / ASSIGNMENT).symlink_to(folder)
    (course / "submitted" / "aaa").symlink_to(course / "submitted" / "ana")
    told = write(course, record("aaa"), record(), record("yan"), record("zoe"))
    links = [text.partition(":")[0] for text in told if "a link and nobody's" in text]
    unwritten = [text.partition(":")[0] for text in told if "not written, it is not" in text]
    assert links == ["aaa", "yan", "zoe"]
    assert unwritten == ["aaa", "yan", "zoe"]
    assert grades(course)["check_vae_log_mean_exp"]["auto_score"] == POINTS[PARTS[0]]
    with Gradebook(course_directory(course).db_url) as book:
        assert [each.student_id for each in book.assignment_submissions(ASSIGNMENT)] == ["ana"]


PICTURE = {"image/png": "QUJD"}
LINKS = [
    ("![p](attachment:p.webp)", {"p.webp": {"image/webp": "QUJD"}}, "[picture not shown: p.webp]"),
    ("![p](attachment:p.svg 't')", {"p.svg": {"image/svg+xml": "PHN2Zz4="}}, "[picture not shown: p.svg]"),
    ("![p](attachment:gone.png)", {}, "[picture not shown: gone.png]"),
    ("![p](<attachment:gone (1).png>)", {}, "[picture not shown: gone (1).png]"),
    ("![p][q]\n\n[q]: attachment:gone.png", {}, "attachment :gone.png"),
    ("![p](attachment&#58;gone.png)", {}, "    ![p](attachment&#58;gone.png)"),
    ("![p](attachment\\:gone.png)", {}, "    ![p](attachment\\:gone.png)"),
    ("![p](&\\#97;ttachment:gone.png)", {}, "    ![p](&\\#97;ttachment:gone.png)"),
    ("![p](attachment:p.png)", {"p.png": PICTURE}, "![p](attachment:p.png)"),
    ("![p](attachment:p%20q.png)", {"p q.png": PICTURE}, "![p](attachment:p%20q.png)"),
    ("![p](<attachment:p (1).png>)", {"p (1).png": PICTURE}, "![p](<attachment:p (1).png>)"),
]


def test_a_picture_that_cannot_be_shown_hides_no_feedback(course: Path) -> None:
    folder = hand_in(course, "ana")
    report = nbformat.read(folder / "report.ipynb", as_version=4)
    for source, attachments, _ in LINKS:
        report.cells.append(new_markdown_cell(source, attachments=attachments))
    nbformat.write(report, folder / "report.ipynb")
    write(course, record())
    cells = autograded(course, "report").cells[-len(LINKS) :]
    for cell_, (_, _, expected) in zip(cells, LINKS, strict=True):
        assert expected in cell_.source
        assert all(cell_.get("attachments", {"": PICTURE}).values())
    nbgrader(course, "generate_feedback", ASSIGNMENT)
    page = (course / "feedback" / "ana" / ASSIGNMENT / "report.html").read_text(encoding="utf-8")
    assert "[picture not shown: gone.png]" in page
    assert page.count('src="data:image/png;base64,QUJD"') == 3


def test_words_in_another_form_stand_in_a_cell_that_is_as_released(course: Path) -> None:
    hand_in(course, "ana", words=by_id(released(course, "report"))["question_1_1"].source + "\n")
    write(course, record())
    assert by_id(autograded(course, "report"))["question_1_1"].source == "Because it is a bound."
    assert grades(course)["question_1_1"]["needs_manual_grade"]
    assert comments(course)["question_1_1"] is None
    some = msgspec.structs.replace(RUBRIC, questions={})  # a grading that was not asked for words
    write(course, record(answers=[], questions=[]), rubric=some)
    assert by_id(autograded(course, "report"))["question_1_1"].source == "Because it is a bound."
    assert grades(course)["question_1_1"]["needs_manual_grade"]


def given(points: float | None, comment: str = "", penalty: float = 0.0) -> Record:
    questions = [QuestionRecord("1.1", "Title", WORDS, "Because it is a bound.", [], points, comment)]
    return record(questions=questions, settlement=Settlement(10.0, points or 0.0, 0, penalty=penalty))


def test_points_of_manual_csv_are_in_nbgrader_and_are_never_taken_for_formgrader_s(course: Path) -> None:
    hand_in(course, "ana")
    write(course, given(None))
    before = shown(course)["score"]
    assert write(course, given(0.5, "Nearly.")) == []
    assert shown(course)["score"] == pytest.approx(before + 0.5)
    assert not shown(course)["needs_manual_grade"]
    assert comments(course)["question_1_1"] == "Nearly."
    assert view.manual_points(course, RUBRIC) == {}
    some = msgspec.structs.replace(RUBRIC, questions={})  # a grading that was not asked for words
    write(course, record(answers=[], questions=[]), rubric=some)
    assert shown(course)["score"] == pytest.approx(before + 0.5)
    assert comments(course)["question_1_1"] == "Nearly."
    write(course, given(0.75, "Better."))
    assert shown(course)["score"] == pytest.approx(before + 0.75)
    assert comments(course)["question_1_1"] == "Better."
    write(course, given(None))
    assert (shown(course)["score"], shown(course)["needs_manual_grade"]) == (pytest.approx(before), True)
    assert comments(course)["question_1_1"] is None


def test_what_a_person_gave_in_formgrader_goes_before_manual_csv(course: Path) -> None:
    hand_in(course, "ana")
    write(course, given(0.5, "Of the table."))
    give(course, "question_1_1", 0.25, "Of formgrader.", extra=0.25)
    assert write(course, given(0.5, "Of formgrader.")) == []
    told = write(course, given(0.75, "Of the table."))
    assert told == ["ana: report.ipynb: formgrader's 0.5 points for question_1_1 stand in place of 0.75 in manual.csv."]
    kept = grades(course)["question_1_1"]
    assert (kept["manual_score"], kept["extra_credit"], kept["auto_score"]) == (0.25, 0.25, None)
    assert comments(course)["question_1_1"] == "Of formgrader."


def test_the_penalty_is_taken_from_the_points_of_manual_csv_too(course: Path) -> None:
    hand_in(course, "ana")
    write(course, given(None))
    machine = shown(course)["score"]
    write(course, given(WORDS, penalty=machine + WORDS))
    with Gradebook(course_directory(course).db_url) as book:
        notebooks = book.find_submission(ASSIGNMENT, "ana").notebooks
        assert sum(each.late_submission_penalty for each in notebooks) == pytest.approx(machine + WORDS)
