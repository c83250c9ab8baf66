"""The page: it stands alone, tells what was measured, and takes nothing from a run for markup."""

import base64
import json
import re
import shutil
from functools import partial
from html import unescape
from pathlib import Path

import pytest

import data
from exercises.experiments.runs import RunError
from grading import report
from grading.claims import measure_claims
from grading.engine.implementation import ROOT, locate
from grading.listing import Listed
from grading.pages import own_report
from grading.pages.own_report import Written
from grading.records import AnswerRecord
from grading.repeating import repeated
from grading.report import ReportError
from grading.rubric import Rubric, load
from tests.kit.reading_pages import assert_harmless, picture

AGAIN = partial(repeated, locate("solutions"))

PNG = picture()
MARKUP = '<script>alert("1")</script>'
LISTED = Listed("vae.elbo", "1.1", "exercises/vae/bounds.py", "right", 3, 3, 15)


@pytest.fixture
def page(tmp_path, images, monkeypatch):
    """A function that reports on a run and returns the page."""
    monkeypatch.setattr(data, "load", lambda name, root: images)

    def write(run):
        report.write(tmp_path / "report.html", [(run, list(measure_claims(run, load(), None, AGAIN)))], [LISTED])
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return write


def test_everything_of_a_run_is_told_as_text(page, make_run):
    run = make_run(
        name="<script>",
        config={
            "implementation": MARKUP,
            "preset": MARKUP,
            "data": {"name": "digits", "source": MARKUP},
            "settings": {MARKUP: MARKUP},
        },
        summary={"log_likelihood_by_samples": {MARKUP: -1.0}, "vae.elbo": MARKUP},
    )
    (run.path / "figures").mkdir()
    (run.path / "figures" / '"><b>.png').write_bytes(PNG)
    text = page(run)
    assert "<script" not in text
    assert "<b>" not in text
    assert text.count("&lt;script&gt;alert") >= 7


def test_the_page_stands_alone_with_its_figures_in_it(page, make_run):
    run = make_run()
    (run.path / "figures").mkdir()
    (run.path / "figures" / "learning_curve.png").write_bytes(PNG)
    text = page(run)
    assert "learning curve" in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert [source for source in sources if not source.startswith("#")] == [
        "data:image/png;base64," + base64.b64encode(PNG).decode()
    ]
    assert not re.search(r"https?://|url\(|@import|<link|<script", text)
    assert "default-src &#39;none&#39;" in text
    assert_harmless(text)


def test_a_link_in_the_place_of_the_figures_is_not_followed(page, make_run, tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "secret.png").write_bytes(PNG)
    run = make_run()
    (run.path / "figures").symlink_to(tmp_path / "private")
    assert "data:image" not in page(run)


def test_half_a_surrogate_pair_is_told_all_the_same(page, make_run):
    assert "preset \ufffd" in page(make_run(config={"preset": "\ud800"}))


def test_files_of_a_run_that_are_too_large_or_too_deep_are_refused(make_run):
    run = make_run()
    (run.path / "summary.json").write_text('{"a": ' + "[" * 200_000 + "]" * 200_000 + "}")
    with pytest.raises(RunError, match=r"summary.json is not JSON"):
        run.summary()
    with (run.path / "metrics.jsonl").open("wb") as file:
        file.truncate(6 << 30)
    with pytest.raises(RunError, match=r"metrics.jsonl has 6442450944 bytes"):
        run.metrics()


def test_thresholds_outcomes_and_points_are_told(page, make_run):
    text = page(make_run())
    for claim in load().claims.values():
        if claim.experiment == "vae":
            assert f"{claim.sentence}, {claim.unit}" in text
            assert f"≥ −{abs(claim.at_least['digits']):.3f}" in text
    assert text.count(">practice<") == 2  # points are for the data set of the assignment
    assert text.count("−500.000") == 2
    assert text.count("reported -500.000, measured -") == 2  # the reason
    assert text.count('class="word wrong"') == 2
    assert 'class="word right">right' in text
    assert "3 of 3" in text


def test_the_words_of_the_report_are_told_with_answers_and_pictures(tmp_path):
    answer = AnswerRecord("3.2", "cost", "the cost of one", "wrong", 0.0, 1.0, "O(d^2)", "O(d)", "counted O(d)")
    words = f"It is $d^2$. ![curve](a.png) {MARKUP}"
    lacking = Written("3.3", "The density", "", problems=("Question 3.3 has no words in the report.",))
    written = [Written("3.2", "The cost", words, (answer,), notes=(f"line 3: {MARKUP}",)), lacking]
    report.write(tmp_path / "report.html", [], [], written, {"a.png": PNG})
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert_harmless(text)
    assert "<msup><mi>d</mi><mn>2</mn></msup>" in text
    assert 'alt="curve"' in text
    assert "<td>O(d^2)</td><td>O(d)</td>" in text
    assert "counted O(d)" in text
    assert text.count(">Question 3.3 has no words in the report.<") == 1
    assert text.count("&lt;script&gt;") == 2


def test_a_long_training_is_told_by_ten_epochs_and_the_last(page, make_run):
    run = make_run()
    for epoch in range(2, 96):
        run.append_metrics({**run.metrics()[0], "epoch": epoch})
    rows = re.findall(r'<tr><td class="number">(\d+)</td>', page(run))
    assert rows == [str(epoch) for epoch in [*range(10, 91, 10), 95]]


def test_a_page_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ReportError, match="cannot be written"):
        report.write(tmp_path / "nowhere" / "report.html", [], [])


# From a training to the page, by the command


FEWER_DIGITS = (
    "import sys, data.digits as digits; digits.SIZES.update(train=640, valid=200, test=100); "
    "from grading.cli import main; sys.argv[0] = 'elbo'; main()"
)


def test_a_run_is_measured_again_and_agrees_with_its_own_report(python, tmp_path, facts):
    run, page = tmp_path / "run", tmp_path / "report.html"
    arguments = ("train", "vae", "--implementation", "solutions", "--set", "epochs=1", "--out", str(run))
    trained = python("-c", FEWER_DIGITS, *arguments)
    assert trained.returncode == 0, trained.stderr
    assert f"`elbo report {run}`" in trained.stdout
    done = python("-c", FEWER_DIGITS, "report", str(run), "--out", str(page), "--json", "-")
    assert done.returncode == 1  # after one epoch on few digits
    told = json.loads(done.stdout)
    (claims,) = told["runs"].values()
    summary = facts(run / "summary.json")
    for claim in claims:
        assert claim["outcome"] == "missed"
        assert claim["reported"] == summary[claim["name"]]
        assert f"{claim['measured']:.3f} ± {claim['standard_error']:.3f}" in done.stderr
        assert f"{claim['measured']:.3f}".replace("-", "−") in page.read_text(encoding="utf-8")
    assert {part["state"] for part in told["parts"]} == {"todo"}
    figures = sorted(path.name for path in (run / "figures").iterdir())
    assert page.read_text(encoding="utf-8").count("data:image/png;base64,") == len(figures) == 4


# Without a run


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """An implementation with nothing written in it, in a folder without runs, where the command runs."""
    for topic in ("vae", "gan", "flows"):
        shutil.copytree(ROOT / "exercises" / topic, tmp_path / "mine" / topic)
    shutil.copy(ROOT / "exercises" / "report.md", tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine"


def test_nothing_to_report_at_all_is_refused(call, mine):
    status, _, errors = call("report", "-i", "mine")
    assert status == 2
    assert "there is no finished run in runs/" in errors
    assert not Path("report.html").exists()


def fill_in(file, answers):
    """Write words to one question, one formula of which is none, and answers."""
    text = file.read_text(encoding="utf-8").replace("Write here.", "It falls as $\\foo d$.", 1)
    for name, answer in answers.items():
        assert f'{name} = ""' in text
        text = text.replace(f'{name} = ""', f"{name} = {answer}")
    file.write_text(text, encoding="utf-8")


def test_a_run_that_is_named_and_missing_is_refused_whatever_is_written(call, mine):
    fill_in(mine / "report.md", {})
    status, _, errors = call("report", "runs/vae-1", "-i", "mine")
    assert status == 2
    assert "runs/vae-1 is not there" in errors


def test_a_part_that_is_written_is_shown_before_there_is_a_run(call, mine):
    shutil.copy(ROOT / "solutions" / "flows" / "planar.py", mine / "flows")
    assert call("report", "-i", "mine")[0] == 1
    assert 'class="word right">right' in Path("report.html").read_text(encoding="utf-8")


def test_words_are_shown_before_there_is_a_run_with_what_cannot_be_read_of_them(call, mine):
    fill_in(mine / "report.md", {"dirac-w1-1": "3", "dirac-w1-2": '"explodes"', "density_cost": '"O(d + k)"'})
    status, output, errors = call("report", "-i", "mine")
    assert status == 1
    assert "there is no finished run in runs/" in output
    assert "judging the parts" in errors
    page = unescape(Path("report.html").read_text(encoding="utf-8"))
    assert_harmless(page)
    assert "There is no finished run yet" in page
    assert "Every part and its state" in page
    assert page.count("This formula could not be read: \\foo d") == 1
    for problem in (
        "Question 1.2 has no words in the report.",
        "Question 1.1 asks for what is not filled in: elbo.",
        "Question 2.1: dirac-w1-1 = 3.0 cannot be read; expected one of converges,",
        "Question 2.1: dirac-w1-2 = explodes cannot be read; expected one of converges,",
        "Question 3.3: density_cost = O(d + k) cannot be read; expected as a product of powers of k and d",
    ):
        assert page.count(problem) == 1, problem
    assert "Question 1.1 has no words" not in page


def test_what_each_question_lacks_is_told_as_well_where_the_rubric_has_no_questions(mine):
    fill_in(mine / "report.md", {"dirac-w1-1": "3"})
    rubric = load()
    written, _ = own_report.read(mine, Rubric(rubric.parts, rubric.claims), {})
    problems = {section.question: section.problems for section in written}
    assert problems["1.1"] == ("Question 1.1 asks for what is not filled in: elbo.",)
    assert problems["2.1"][-1].startswith("Question 2.1: dirac-w1-1 = 3.0 cannot be read; expected one of converges")
