"""The report of a submission in its record, what it counts, and what is kept of it for a person."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from grading import grader, manifest, records, rubric, written
from grading.claims import Claim
from grading.engine.workers import Starter
from grading.grader import Grader, Order
from grading.intake import Source
from grading.records import Record, RunRecord
from tests.kit.packing import RUN, VAE, directory, zipped

RUBRIC = rubric.load()
PARTS = sum(part.total for part in RUBRIC.parts.values())
CLAIMS = sum(claim.points for claim in RUBRIC.claims.values())
WORDS = sum(question.points for question in RUBRIC.questions.values())
ANSWERS = [answer for question in RUBRIC.questions.values() for answer in question.answers.values()]
COSTS = sum(answer.points for answer in ANSWERS if answer.cost)
EVERYTHING = PARTS + CLAIMS + WORDS + sum(answer.points for answer in ANSWERS)
PNG = b"\x89PNG\r\n\x1a\n1"
REPORT = (
    '## 1.1\n```toml\nelbo = -101.24\n```\n## 3.2\nMine: ![a](../a.png)\n```toml\nlog_det_cost = "O(d)"\n'
    'odd\n```\n## 3.3\n```toml\ndensity_cost = "O(d)"\n```\n'
)
MakeGrader = Callable[..., Grader]


@pytest.fixture
def make_grader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeGrader:
    """A function that makes a grader which judges no part, and measures an ELBO of -101.24 in every run."""

    def measure(into: Path, run: str, *_: Any) -> RunRecord:
        claim = Claim("vae.elbo", "", "", "", "missed", 12.0, "binarized_mnist", "at least", measured=-101.24)
        return RunRecord(run, [replace(claim, standard_error=0.01)])

    monkeypatch.setattr(grader, "layers_of", lambda *_: ("process",))
    monkeypatch.setattr(grader, "measure", measure)
    monkeypatch.setattr(Grader, "_judge", lambda *_: [])
    (tmp_path / "work").mkdir()
    return lambda **order: Grader(Order(seed=3, **order), Starter(None), tmp_path / "work")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    made = manifest.encode(manifest.make("1234567", {"exercises/report.md": "0" * 64}))
    files = VAE | RUN | {"exercises/report.md": REPORT.encode(), "a.png": PNG, "manifest.json": made}
    return Source("anna", zipped(tmp_path / "anna.zip", files))


def outcomes(record: Record) -> dict[str, str]:
    return {each.answer: each.outcome for each in record.answers if each.outcome != "missing"}


def test_answers_and_words_of_a_report_are_in_the_record(make_grader: MakeGrader, source: Source) -> None:
    record = make_grader().grade(source).record
    assert (record.outcome, record.reason, record.student) == ("graded", "", "1234567")
    assert outcomes(record) == {"elbo": "right", "log_det_cost": "right", "density_cost": "wrong"}
    assert record.points == sum(each.points for each in record.answers) == 2.0
    assert record.possible == pytest.approx(EVERYTHING)
    assert [each.question for each in record.questions] == list(RUBRIC.questions)
    (found,) = (each for each in record.questions if each.words)
    assert (found.question, found.words, found.figures) == ("3.2", "Mine: ![a](figures/a.png)", ["figures/a.png"])
    assert all(each.points is None for each in record.questions)
    notes = "\n".join(record.notes)
    assert "report.md, 3.2: line 9 is no TOML" in notes
    assert "exercises/report.md changed since it was packed" in notes
    assert records.encode(record)


def test_possible_is_what_the_record_asks_for(make_grader: MakeGrader, source: Source) -> None:
    record = make_grader().grade(source).record
    asked = sum(each.possible for each in [*record.answers, *record.questions])
    assert record.possible == pytest.approx(PARTS + CLAIMS + asked)


def test_without_a_report_everything_is_missing_and_that_is_noted_once(make_grader: MakeGrader, tmp_path: Path) -> None:
    record = make_grader().grade(Source("ben", directory(tmp_path / "ben", VAE | RUN))).record
    assert {each.outcome for each in record.answers} == {"missing"}
    assert {each.words for each in record.questions} == {""}
    assert record.possible == pytest.approx(EVERYTHING)
    assert [note for note in record.notes if "report" in note] == [written.MISSING]
    assert record.student == ""


def test_a_report_without_the_headings_is_told(make_grader: MakeGrader, tmp_path: Path) -> None:
    record = (
        make_grader().grade(Source("carl", directory(tmp_path / "carl", VAE | {"report.md": b"My report."}))).record
    )
    assert any("no section of a question; expected headings such as '## 1.1 " in note for note in record.notes)


def test_sections_that_are_missing_are_told(make_grader: MakeGrader, tmp_path: Path) -> None:
    report = "".join(f"## {name}\n\nMine.\n\n" for name in [*RUBRIC.questions][1:-1])
    place = directory(tmp_path / "carl", VAE | {"report.md": report.encode()})
    record = make_grader().grade(Source("carl", place)).record
    first, *_, last = RUBRIC.questions
    assert any(f"has no section of {first} and {last}: " in note for note in record.notes)


def test_where_the_grader_fails_at_a_report_all_else_is_graded(
    make_grader: MakeGrader, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(text: str, *_: Any) -> dict[str, Any]:
        raise ZeroDivisionError("a defect \ud800")

    monkeypatch.setattr("grading.written.grading.sections", fails)
    record = make_grader().grade(source).record
    assert (record.outcome, record.grader_failed) == ("graded", False)
    assert [run.run for run in record.runs] == ["runs/f", "runs/vae-1"]
    assert {(each.outcome, each.points) for each in record.answers} == {("unmeasured", 0.0)}
    assert {(each.words, each.points) for each in record.questions} == {("", None)}
    assert record.possible == pytest.approx(EVERYTHING)
    (note,) = (note for note in record.notes if "ZeroDivisionError" in note)
    assert "The report could not be graded, which is not the student's fault" in note
    assert records.encode(record)


def test_where_parts_alone_are_asked_for_no_question_counts(make_grader: MakeGrader, source: Source) -> None:
    record = make_grader(parts=("vae",)).grade(source).record
    assert (record.answers, record.questions) == ([], [])
    assert record.possible == sum(part.total for name, part in RUBRIC.parts.items() if name.startswith("vae."))
    assert not any("report" in note for note in record.notes if "packed" not in note)


def test_where_no_runs_are_measured_no_answer_beside_one_counts(make_grader: MakeGrader, source: Source) -> None:
    record = make_grader(evidence=False).grade(source).record
    found = {each.answer: each for each in record.answers}
    assert (found["elbo"].outcome, found["elbo"].possible, found["elbo"].points) == ("unmeasured", 0.0, 0.0)
    assert found["log_det_cost"].outcome == "right"
    assert record.possible == pytest.approx(PARTS + WORDS + COSTS)
    assert record.points == 1.0


def test_a_refused_submission_could_have_had_the_same_points(make_grader: MakeGrader, tmp_path: Path) -> None:
    record = make_grader().grade(Source("dora", directory(tmp_path / "dora", {"report.md": REPORT.encode()}))).record
    assert record.outcome == "refused"
    assert record.possible == pytest.approx(EVERYTHING)


def test_a_rubric_without_questions_grades_as_before(
    make_grader: MakeGrader, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = rubric.Rubric(RUBRIC.parts, RUBRIC.claims, RUBRIC.grading)
    monkeypatch.setattr(rubric, "load", lambda: fewer)
    record = make_grader().grade(source).record
    assert (record.answers, record.questions) == ([], [])
    assert record.possible == pytest.approx(PARTS + CLAIMS)


def test_a_cost_that_nothing_measures_is_refused_before_anything_is_graded(
    make_grader: MakeGrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = RUBRIC.questions["3.2"]
    answer = replace(question.answers["log_det_cost"], cost="vae.elbo")
    asked = replace(RUBRIC, questions={"3.2": replace(question, answers={"cost": answer})})
    monkeypatch.setattr(rubric, "load", lambda: asked)
    with pytest.raises(written.CostError, match=r"vae\.elbo"):
        make_grader()


# What is kept


def test_the_report_comes_back_with_its_pictures_as_it_was_graded(make_grader: MakeGrader, source: Source) -> None:
    marked = make_grader().grade(source)
    assert sorted(marked.report) == ["figures/a.png", "report.md"]
    assert b"![a](figures/a.png)" in marked.report["report.md"]
    assert marked.report["figures/a.png"] == PNG
    assert make_grader(parts=("vae",)).grade(source).report == marked.report


def test_of_what_cannot_be_graded_the_report_comes_back_all_the_same(
    make_grader: MakeGrader, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = make_grader().grade(Source("dora", directory(tmp_path / "dora", {"report.md": REPORT.encode()})))
    assert (words.record.outcome, words.record.grader_failed) == ("refused", False)
    assert b"Mine: " in words.report["report.md"]
    monkeypatch.setattr(Grader, "_judge", lambda *_: 1 / 0)
    failed = make_grader().grade(source)
    assert (failed.record.outcome, failed.record.grader_failed) == ("refused", True)
    assert sorted(failed.report) == ["figures/a.png", "report.md"]


def test_a_report_that_cannot_be_read_hinders_no_record(
    make_grader: MakeGrader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("grading.intake.taking.report_files", fails)
    monkeypatch.setattr("grading.grader.read_report", fails)
    for files, outcome in (({"report.md": b"1"}, "refused"), (VAE | {"report.md": b"1"}, "graded")):
        marked = make_grader().grade(Source("a", directory(tmp_path / outcome, files)))
        assert (marked.record.outcome, marked.report) == (outcome, {})


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", b"%PDF-1.7"])
def test_of_what_cannot_be_read_no_report_comes_back(
    make_grader: MakeGrader, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "a.zip").write_bytes(content)
    assert make_grader().grade(Source("a", tmp_path / "a.zip")).report == {}


FILES = {"report.md": b"![a](figures/a.png)", "figures/a.png": PNG}


def test_the_report_is_kept_with_its_pictures_for_whoever_reads_it(tmp_path: Path) -> None:
    place = tmp_path / "out" / "written" / "anna"
    written.keep(FILES, place)
    kept = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert kept == FILES
    assert written.kept_figures(place) == {"figures/a.png": PNG}


def test_what_was_kept_of_an_earlier_hand_in_goes(tmp_path: Path) -> None:
    written.keep(FILES, tmp_path)
    (tmp_path / "notes.txt").write_text("the instructor's")
    written.keep({"report.md": b"new"}, tmp_path)
    assert (tmp_path / "report.md").read_text() == "new"
    assert written.kept_figures(tmp_path) == {}
    written.keep({}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_where_there_is_no_report_nothing_is_made(tmp_path: Path) -> None:
    written.keep({}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert written.kept_figures(tmp_path / "out") == {}
