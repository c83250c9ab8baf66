"""Checking in a notebook: what stands in its namespace is judged as `elbo check` judges it, and points are counted."""

import functools
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
import torch
from rich.console import Console

from exercises.experiments import runs
from grading import notebook, rubric, training
from grading.diagnosis import Diagnosis, naming
from grading.engine.calls import Call
from grading.engine.implementation import Implementation, locate
from grading.engine.worker import reply
from grading.engine.workers import AtOnce, Exchange
from grading.judge import PROFILES, Judge, PartVerdict
from grading.nbgrader.notebooks import topic_notebook
from grading.notebook import check, check_answers, check_runs, checking, files, handed_in, living
from grading.selection import select
from grading.terminal import show_part
from tests.support.properties import PARTS, Part

RUBRIC = rubric.load()
SOLVED = {topic: topic_notebook(topic, RUBRIC, "") for topic in ("vae", "gan", "flows")}
WRONG = "def log_mean_exp(y):\n    return torch.exp(y).mean(1).log()"
QUICK = replace(PROFILES["student"], inputs=5, property_seconds=0.3, part_seconds=0.5)


def cells(topic: str) -> list[str]:
    found = nbformat.reads(SOLVED[topic].decode(), 4).cells
    return [cell.source for cell in found if cell.cell_type == "code" and cell.metadata.get("nbgrader")]


@functools.cache
def code_of(topic: str) -> str:
    """Return what the source notebook of a topic defines, the reference's functions."""
    return "\n".join(source for source in cells(topic) if not source.startswith("check("))


def opened(topic: str = "vae", *changes: str) -> dict[str, Any]:
    """Return the namespace of a notebook in which the reference's functions were run, and then other cells."""
    names: dict[str, Any] = {}
    for number, source in enumerate((code_of(topic), *changes)):
        exec(compile(source, f"cell{number}.py", "exec"), names)
    return names


def checked(names: dict[str, Any], name: str) -> float:
    """Run a cell that checks a part."""
    exec(f"value = check({name!r})", names)
    return names.pop("value")


def total(name: str) -> float:
    return RUBRIC.parts[name].total


@pytest.mark.parametrize("topic", SOLVED)
def test_the_source_notebook_has_the_points_of_all_parts_of_its_topic(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = select([topic], RUBRIC)
    assert checked(opened(topic), topic) == sum(total(part.name) for part in parts)
    told = capsys.readouterr().out
    assert all(f"right {part.name} " in told for part in parts)
    points = sum(total(part.name) for part in parts)
    assert told.splitlines()[-1] == f"{points:g} of {points:g} points. The number below is for nbgrader:"


def test_a_wrong_function_is_told_as_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    earned = checked(opened("vae", WRONG), "vae.log_mean_exp")
    told = capsys.readouterr().out
    part, found = PARTS["vae.log_mean_exp"], Implementation(locate("solutions"))
    names = opened("vae", WRONG)
    found.replace(part.name, names["log_mean_exp"])
    verdicts = list(Judge(PROFILES["student"]).part(part, AtOnce(lambda calls, _: [reply(found, c) for c in calls])))
    shown = io.StringIO()
    exchange = AtOnce(lambda calls, _: [reply(found, c) for c in calls])
    show_part(Console(file=shown, width=100), naming.diagnosed(part, PartVerdict(part.name, verdicts), exchange), "")
    assert told.startswith("\n".join(line.rstrip() for line in shown.getvalue().splitlines()))
    assert "called" in told
    right = sum(RUBRIC.parts[part.name].points[v.property] for v in verdicts if v.outcome == "right")
    assert 0 < earned == right < total(part.name)


def test_a_stub_of_nbgraders_is_todo(capsys: pytest.CaptureFixture[str]) -> None:
    names = opened("vae", "def log_mean_exp(y):\n    raise NotImplementedError()")
    assert checked(names, "vae.log_mean_exp") == 0
    assert "todo  vae.log_mean_exp  still to be written, in this notebook" in capsys.readouterr().out


def test_a_stub_that_another_part_waits_for_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(living, "_solutions", lambda: None)
    names = opened("flows", "def compose(layers, z):\n    raise NotImplementedError()")
    assert checked(names, "flows.log_density") == 0
    assert "waits for flows.compose, which is still to be written" in capsys.readouterr().out


def test_a_function_that_is_not_there_is_missed_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    names = opened("vae", "log_mean_exps = log_mean_exp\ndel log_mean_exp")
    assert checked(names, "vae.log_mean_exp") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "no function log_mean_exp in this notebook; the nearest name is log_mean_exps" in told


def test_a_name_that_is_none_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("log_mean_exp") == 0.0
    assert "Did you mean vae.log_mean_exp?" in capsys.readouterr().out


def test_an_error_is_told_with_the_line_of_the_cell(capsys: pytest.CaptureFixture[str]) -> None:
    names = opened("vae", "def log_mean_exp(y):\n    return helped(y)\n\ndef helped(y):\n    return y.nothing")
    checked(names, "vae.log_mean_exp")
    told = capsys.readouterr().out
    assert "raised AttributeError" in told
    assert re.search(r"in +cell1.py, line 5", told)


BROKEN_HELPER = "def kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p):\n    return mu_q.sum(1) * 0"


def test_a_part_is_judged_again_with_right_helpers_and_they_leave_no_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = opened("vae", BROKEN_HELPER)
    own = names["kl_gaussian_gaussian_analytic"]
    assert checked(names, "vae.elbo") == total("vae.elbo")
    assert "With right functions in place of those before it hold, and count: " in capsys.readouterr().out
    assert names["kl_gaussian_gaussian_analytic"] is own


WRONG_FIRST = "def constrain_u(u, w):\n    return u"
FIRST = "→ it calls flows.constrain_u, which is wrong: mend that first"


@pytest.mark.parametrize("reference", [True, False])
def test_what_a_part_calls_is_to_be_mended_first(
    reference: bool, named: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not reference:
        monkeypatch.setattr(living, "_solutions", lambda: None)
    checked(opened("flows", WRONG_FIRST), "flows.planar")
    assert FIRST in capsys.readouterr().out
    assert named == []


@pytest.mark.parametrize(
    "source",
    [
        "def log_density(layers, x):\n    return own(layers, x)\n\ndef own(l, x):\n    return compose(l, x)[1]",
        "through = compose\ndef log_density(layers, x):\n    return (lambda: through(layers, x)[1])()",
    ],
)
def test_what_is_called_through_others_and_by_another_name_is_found(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(opened("flows", "def compose(layers, z):\n    return z, z.sum(1)", source), "flows.log_density")
    assert "→ it calls flows.compose, which is wrong: mend that first" in capsys.readouterr().out


def test_what_is_not_there_is_to_be_mended_first(capsys: pytest.CaptureFixture[str]) -> None:
    checked(opened("flows", "del compose"), "flows.log_density")
    assert "→ it calls flows.compose, which is wrong" in capsys.readouterr().out


def test_what_is_right_is_not_to_be_mended(capsys: pytest.CaptureFixture[str]) -> None:
    source = "def planar(z, u, w, b):\n    return z + constrain_u(u, w), z.sum(1)"
    checked(opened("flows", source), "flows.planar")
    assert "mend that first" not in capsys.readouterr().out


USES = {
    "a function of it": "from {} import helped\ndef log_mean_exp(y):\n    return helped(y)",
    "the module": "import {} as h\ndef log_mean_exp(y):\n    return h.helped(y)",
    "where it is called": "def log_mean_exp(y):\n    import {} as h\n    return h.helped(y)",
    "through another": "from {} import helped\ndef own(y):\n    return helped(y)\nlog_mean_exp = lambda y: own(y)",
}


@pytest.mark.parametrize("uses", USES)
def test_a_file_beside_the_notebook_is_not_handed_in(
    uses: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    module = f"helper_{list(USES).index(uses)}"
    right = "import math, torch\ndef helped(y):\n    return torch.logsumexp(y, 1) - math.log(y.shape[1])\n"
    (tmp_path / f"{module}.py").write_text(right, encoding="utf-8")
    names = opened("vae", USES[uses].format(module))
    assert checked(names, "vae.log_mean_exp") == total("vae.log_mean_exp")
    told = " ".join(capsys.readouterr().out.split())
    assert f"right vae.log_mean_exp 8 of 8 properties hold ! {module}.py is not handed in: a notebook's" in told
    assert "So vae.log_mean_exp is wrong for the grader" in told
    checked(names, "vae.elbo")
    assert "not handed in" not in capsys.readouterr().out


def test_right_helpers_are_called_by_whatever_name_the_notebook_has_for_its_own() -> None:
    source = next(each for each in cells("vae") if each.startswith("def elbo"))
    renamed = source.replace("kl_gaussian_gaussian_analytic(", "kl(")
    names = opened("vae", BROKEN_HELPER, "kl = kl_gaussian_gaussian_analytic", renamed)
    assert checked(names, "vae.elbo") == total("vae.elbo")


def test_nothing_is_lent_where_there_is_no_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(living, "_solutions", lambda: None)
    assert 0 < checked(opened("vae", BROKEN_HELPER), "vae.elbo") < total("vae.elbo")


def test_a_name_that_was_lent_and_was_not_there_is_gone_afterwards() -> None:
    names = opened("vae", "del kl_gaussian_gaussian_analytic")
    assert checked(names, "vae.elbo") == total("vae.elbo")
    assert "kl_gaussian_gaussian_analytic" not in names


NOISY = "import sys\ndef log_mean_exp(y):\n    print('hello')\n    print('careful', file=sys.stderr)\n"


def test_what_the_code_prints_is_told_and_nothing_reaches_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with redirect_stderr(io.StringIO()) as errors:
        checked(opened("vae", f"{NOISY}    return y.sum(1)"), "vae.log_mean_exp")
    told = capsys.readouterr().out
    assert errors.getvalue() == ""  # nbgrader would give no points at all
    assert "your code printed" in told
    assert "hello" in told
    assert "careful" in told


def test_a_flood_of_output_is_cut() -> None:
    output = checking._Output()
    for _ in range(100):
        assert output.write("x" * 10_000) == 10_000
    assert len(output.getvalue()) <= 2 * checking.KEPT_OUTPUT


def test_torchs_generator_is_left_as_it_was() -> None:
    names = opened()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    checked(names, "vae.kl_gaussian_gaussian_mc")
    assert torch.equal(torch.get_rng_state(), before)


LOOP = """
def log_mean_exp(y):
    while True:
        try:
            pass
        except Exception:
            pass
"""


def test_an_endless_loop_ends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checking, "_profile", lambda: QUICK)
    names = opened("vae", LOOP)
    assert checked(names, "vae.log_mean_exp") == 0
    assert "is there an endless loop?" in capsys.readouterr().out


def test_an_interrupt_ends_the_check() -> None:
    with pytest.raises(KeyboardInterrupt):
        checked(opened("vae", "def log_mean_exp(y):\n    raise KeyboardInterrupt"), "vae.log_mean_exp")


@pytest.mark.parametrize("what", ["SystemExit(3)", "BaseException('no')", "GeneratorExit"])
def test_whatever_else_is_raised_is_told(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(opened("vae", f"def log_mean_exp(y):\n    raise {what}"), "vae.log_mean_exp") == 0
    assert f"raised {re.split('[(]', what)[0]}" in capsys.readouterr().out


def keep_from_students(name: str, monkeypatch: pytest.MonkeyPatch, *properties: str) -> None:
    """Let the rubric keep properties of a part from students, all where none is named."""
    worth = RUBRIC.parts[name]
    secret = msgspec.structs.replace(worth, instructor_only=list(properties or worth.points))
    changed = msgspec.structs.replace(RUBRIC, parts=RUBRIC.parts | {name: secret})
    monkeypatch.setattr(checking, "_rubric", lambda: changed)


def test_what_the_rubric_keeps_from_students_is_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_from_students("vae.log_mean_exp", monkeypatch)
    checked(opened("vae", WRONG), "vae.log_mean_exp")
    told = capsys.readouterr().out
    assert checking.HIDDEN in told
    assert "called" not in told
    assert "torch.tensor" not in told


def test_nbgrader_has_as_many_inputs_tried_as_the_rubric_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checking._profile() == PROFILES["student"]
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert checking._profile() == PROFILES["student"]
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert checking._profile().inputs == RUBRIC.grading.inputs


def test_the_saved_notebooks_give_the_files_to_train_with(tmp_path: Path) -> None:
    for topic, content in SOLVED.items():
        (tmp_path / f"{topic}.ipynb").write_bytes(content)
    (into := tmp_path / "into").mkdir()
    written = files.write_functions(tmp_path, into)
    assert set(written) == {f"{part.topic}/{part.file}" for part in select((), RUBRIC)}
    found, part = Implementation(into), PARTS["gan.train_step"]
    judge = Judge(QUICK)
    verdicts = judge.part(part, AtOnce(lambda calls, _: [reply(found, call) for call in calls]))
    assert {verdict.outcome for verdict in verdicts} == {"right"}


@pytest.fixture
def handed_in_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with notebooks, from which the cells of a report are run."""
    (tmp_path / "vae.ipynb").write_bytes(SOLVED["vae"])
    monkeypatch.chdir(tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for kept in (handed_in.measured_runs, handed_in._taken, handed_in._place):
        kept.cache_clear()


@pytest.mark.parametrize("experiment", ["vae", "dirac", "flows", "cifar10"])
def test_without_runs_there_are_no_points_and_no_error(
    experiment: str, handed_in_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_runs(experiment) == 0.0
    assert f"no run of {experiment} in runs/" in capsys.readouterr().out


def test_a_run_that_is_none_is_told(handed_in_here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (handed_in_here / "runs" / "vae-1").mkdir(parents=True)
    (handed_in_here / "runs" / "vae-1" / "config.json").write_text('{"experiment": "vae"}', encoding="utf-8")
    assert check_runs("vae") == 0.0
    told = capsys.readouterr().out
    assert "runs/vae-1: " in told
    assert "0 of 24 points" in told


REPORT = '## 3.2 The log-determinant and its cost\n\nWords.\n\n```toml\nlog_det_cost = "{}"\n```\n'


@pytest.fixture
def autograding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")


@pytest.mark.usefixtures("autograding")
@pytest.mark.parametrize(("answer", "points"), [("O(d)", 1.0), ("O(d^3)", 0.0), ("", 0.0)])
def test_an_answer_that_a_machine_reads_is_judged(
    answer: str, points: float, handed_in_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (handed_in_here / "report.md").write_text(REPORT.format(answer), encoding="utf-8")
    assert check_answers("3.2") == points
    told = capsys.readouterr().out
    assert f"{'right' if points else 'wrong' if answer else 'missing'}: log_det_cost" in told


@pytest.mark.parametrize("reference", [True, False])
def test_before_that_it_is_told_whether_it_can_be_read_and_not_whether_it_is_right(
    reference: bool, handed_in_here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not reference:
        bare = msgspec.structs.replace(RUBRIC, questions={})
        monkeypatch.setattr(handed_in, "REFERENCE", handed_in_here / "none")
        monkeypatch.setattr(rubric, "load", lambda: bare)
    told = {}
    for answer in ("O(d)", "O(d^3)", "O(d", ""):
        form = "# as a product of powers of d, between the quotes: O(1)\nlog_det_cost"
        report = REPORT.format(answer).replace("log_det_cost", form)
        (handed_in_here / "report.md").write_text(report, encoding="utf-8")
        assert check_answers("3.2") == 0.0
        told[answer] = capsys.readouterr().out.replace(answer or "nothing", "?")
    assert told["O(d)"] == told["O(d^3)"]
    assert told["O(d)"].startswith("read: log_det_cost, ?\n")
    assert "cannot be read: log_det_cost, ?; expected as a product of powers of d" in told["O(d"]
    assert "not filled in: log_det_cost" in told[""]
    assert all("until then the number below is 0" in each for each in told.values())


@pytest.mark.parametrize("whole", [True, False])
def test_a_number_that_is_beyond_all_numbers_is_no_answer(
    whole: bool, handed_in_here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde" if whole else "")
    (handed_in_here / "report.md").write_text(REPORT.format("").replace('""', f"0x{'F' * 9_000}"), encoding="utf-8")
    assert check_answers("3.2") == 0.0
    assert "log_det_cost is a number too large to be read" in capsys.readouterr().out


def test_a_question_of_which_nothing_is_saved_is_told(handed_in_here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_answers("3.2") == check_answers("9.9") == 0.0
    assert "Nothing of 3.2 stands in the saved report.ipynb" in capsys.readouterr().out


@pytest.mark.usefixtures("autograding")
def test_an_answer_without_a_run_is_told_what_makes_one(
    handed_in_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (handed_in_here / "report.md").write_text('## 1.1\n\n```toml\nelbo = "-101.2"\n```\n', encoding="utf-8")
    assert check_answers("1.1") == 0.0
    assert '`train("vae", "--preset", "paper")`' in capsys.readouterr().out


def test_a_students_kit_leaves_answers_and_runs_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handed_in, "REFERENCE", tmp_path / "none")
    assert check_answers("3.2") == check_runs("vae") == 0.0
    assert capsys.readouterr().out.count("when this is graded") == 2


def test_hints_are_given_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("grading.hints.next_hint.__defaults__", (tmp_path / "hints.json",))
    for _ in range(2):
        notebook.hint("vae.elbo")
    told = capsys.readouterr().out
    assert all(text in told for text in ("Hint 1 of 3 for vae.elbo", "Hint 2 of 3", RUBRIC.parts["vae.elbo"].hints[1]))


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were asked for their mistake, of which each has one."""
    names: list[str] = []

    def diagnosed(part: Part, verdict: PartVerdict, exchange: Exchange) -> PartVerdict:
        names.append(part.name)
        assert checking.HIDDEN not in [v.failure.message for v in verdict.verdicts if v.failure]
        exchange.post([Call(part.name, part.file, (torch.zeros(1, 2),))], 1.0)
        return msgspec.structs.replace(verdict, diagnosis=Diagnosis(["forgets"], "K is missing", "Think of K."))

    monkeypatch.setattr(naming, "diagnosed", diagnosed)
    return names


def test_the_mistake_is_named_under_the_line_of_a_wrong_part(
    named: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    checked(opened("vae", f"{NOISY}    return y.sum(1)"), "vae.log_mean_exp")
    head, line, *others = capsys.readouterr().out.splitlines()
    assert head.startswith("✗ wrong vae.log_mean_exp")
    assert line == "  → it equals what you get when K is missing"
    assert not any("K is missing" in other for other in others)


def test_no_mistake_is_named_of_what_is_right_with_right_helpers(named: list[str]) -> None:
    checked(opened("vae", BROKEN_HELPER), "vae.elbo")
    checked(opened("vae"), "vae.log_mean_exp")
    assert named == []


def test_no_mistake_is_named_where_all_that_fails_is_kept_from_students(
    named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_from_students("vae.log_mean_exp", monkeypatch)
    checked(opened("vae", WRONG), "vae.log_mean_exp")
    assert named == []


def test_what_is_kept_from_students_helps_to_name_what_is_not(
    named: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_from_students("vae.log_mean_exp", monkeypatch, "shifts_pass_through")
    checked(opened("vae", "def log_mean_exp(y):\n    return y.exp().sum(1).log()"), "vae.log_mean_exp")
    told = capsys.readouterr().out
    assert checking.HIDDEN in told
    assert "K is missing" in told


def test_the_last_hint_follows_the_mistake_of_what_stands_in_the_notebook(
    named: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("grading.hints.next_hint.__defaults__", (tmp_path / "hints.json",))
    names = opened("vae", WRONG) | {"hint": notebook.hint}
    exec("for _ in range(3): hint('vae.log_mean_exp')", names)
    assert named == ["vae.log_mean_exp"]
    told = capsys.readouterr().out
    assert told.endswith("Hint 3 of 3 for vae.log_mean_exp\nIt equals what you get when K is missing.\nThink of K.\n")


def test_a_topic_has_the_hints_of_its_first_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("grading.hints.next_hint.__defaults__", (tmp_path / "hints.json",))
    notebook.hint("vae")
    assert capsys.readouterr().out.startswith("Hint 1 of 3 for vae.log_likelihood_bernoulli\n")


def test_training_runs_on_the_functions_of_the_saved_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flows.ipynb").write_bytes(SOLVED["flows"])
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):  # as a kernel sets them
        monkeypatch.setenv(name, "1")
    notebook.train("flows", "--set", "mode=explore")
    told = capsys.readouterr().out
    assert "the figures are in runs/flows-1/figures" in told
    assert '`report("runs/flows-1")` measures the run again' in told
    assert "\x1b" not in told
    assert "elbo report" not in told
    assert (tmp_path / "runs" / "flows-1" / "figures" / "one_layer.png").is_file()


BAR = """
from exercises.experiments.progress import reporting
with reporting(2) as report:
    report.step(1, "half")
    report.line("a line")
"""


def test_a_kernel_is_no_terminal_for_what_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.setenv(name, "1")
    told = subprocess.run(
        [sys.executable, "-c", BAR], env=files._environment(), capture_output=True, text=True, check=True
    ).stdout
    assert re.fullmatch(r" +\d+\.\d s  a line\n", told)


PREDICTED = 'dirac-jsd-1 = "cycles"\n'


def test_predictions_beside_the_notebook_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gan.ipynb").write_bytes(SOLVED["gan"])
    (tmp_path / "predictions.toml").write_text(PREDICTED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    options = ("configuration=dirac-jsd-1", "starts=2", "iterations=20")
    notebook.train("dirac", *(word for option in options for word in ("--set", option)))
    told = capsys.readouterr().out
    run = runs.read(tmp_path / "runs" / "dirac-1")
    assert run.config["predictions"] == {"dirac-jsd-1": "cycles"}, told


def test_a_file_of_the_implementations_own_comes_before_one_that_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gan").mkdir()
    (tmp_path / "predictions.toml").write_text(PREDICTED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert training._predictions(tmp_path / "gan") == {"dirac-jsd-1": "cycles"}
    (tmp_path / "gan" / "predictions.toml").write_text("", encoding="utf-8")
    assert training._predictions(tmp_path / "gan") == {}
    assert "no prediction stands in" in capsys.readouterr().out


def test_the_report_is_made_of_the_saved_notebooks_and_of_the_runs_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows.ipynb").write_bytes(SOLVED["flows"])
    notebook.train("flows", "--set", "mode=explore")
    cell = nbformat.v4.new_markdown_cell("## 3.1 One layer\n\nIt bends the plane along a line.")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "report.ipynb")
    notebook.report()
    assert "wrote report.html" in capsys.readouterr().out
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "It bends the plane along a line." in page
    assert "5.5 of 5.5" in page  # of a part
    assert 'src="data:image/png' in page  # of the run


def test_without_a_saved_notebook_there_is_nothing_to_report_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook.report()
    assert "save vae.ipynb, gan.ipynb or flows.ipynb" in capsys.readouterr().out
