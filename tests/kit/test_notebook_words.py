"""No text of a notebook, and nothing that its cells tell, names a command or a file that is not there in a notebook."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from grading import notebook, rubric
from grading.claims import Claim
from grading.cli import app
from grading.engine.implementation import ROOT
from grading.nbgrader.notebooks import report_notebook
from grading.notebook import check, checking, hint, living
from grading.notebook.telling import Told, tell_runs
from grading.notebook.words import in_notebook
from grading.records import RunRecord
from grading.release.imports import needed
from tests.kit.test_notebook_check import SOLVED, checked, opened
from tests.support import own_properties

RUBRIC = rubric.load()
COMMANDS = "|".join([command.name or command.callback.__name__ for command in app.registered_commands] + ["release"])
ELSEWHERE = re.compile(
    rf"\belbo (?:{COMMANDS})\b|\bpytest\b|grading\.cli|-e '?\.|"  # commands
    r"\b(?:exercises|grading|tests|solutions|vae|gan|flows|data)/|\b\w+\.(?:py|md)\b"  # files of the kit
)


def elsewhere(text: str) -> list[str]:
    """Return what a text names of commands and files that are not there."""
    return [found[0] for found in ELSEWHERE.finditer(text)]


def test_what_is_not_there_is_seen() -> None:
    commands = ("elbo list", "`elbo train vae`", "!elbo report", "pytest tests", "pip install -e '.[images]'")
    files = ("report.md", "in planar.py", "exercises/experiments", "vae/bounds.py, line 3")
    assert all(map(elsewhere, commands + files))
    assert not elsewhere("`elbo` checks `report.ipynb`, `runs/vae-1`, figures/sheet.png and predictions.toml")


@pytest.mark.parametrize("name", [*SOLVED, "report"])
def test_no_cell_names_what_is_not_there(name: str) -> None:
    content = report_notebook(RUBRIC, "") if name == "report" else SOLVED[name]
    cells = [cell for cell in nbformat.reads(content.decode(), 4).cells if cell.id != "kit"]
    assert {cell.id: found for cell in cells if (found := elsewhere(cell.source))} == {}


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("    elbo train dirac --seed 3\n    elbo report", '    train("dirac", "--seed", "3")\n    report()'),
        ("go into `exercises/report.md`, a", "go into `report.ipynb`, a"),
        ("First: `elbo check flows.planar`", 'First: `check("flows.planar")`'),
        ("what `elbo train` and `elbo\nreport` do", "what `train` and `elbo\nreport` do"),
        ("with pip install -e '.[images]', or", 'with %pip install "torch-fidelity>=0.3", or'),
        (
            "(`exercises/experiments/cifar10/networks.py`)",
            "(the kit's module `exercises.experiments.cifar10.networks`)",
        ),
        ("raised ValueError: no (vae/bounds.py, line 12)", "raised ValueError: no (vae.ipynb)"),
        ("The elbo is right, and a report of it.", "The elbo is right, and a report of it."),
        ("def elbo(x):\n    elbo = x  # elbo", "def elbo(x):\n    elbo = x  # elbo"),
    ],
)
def test_commands_and_files_have_the_names_of_the_notebook(text: str, there: str) -> None:
    assert in_notebook(text) == there


# What a cell calls, or runs in a process of its own.
TOLD_BY = ("grading/notebook/__init__.py", "grading/selection.py", "grading/cli/running.py", "grading/training.py")
# What of these is never told in a notebook: it grades, or packs, or serves who develops the kit.
NOT_TOLD_BY = (
    "grading/notebook/words.py",
    "grading/bank",
    "grading/cli/__init__.py",
    "grading/intake",
    "grading/pages",
    "grading/batch.py",
)


def sentences() -> Iterator[tuple[str, str]]:
    """Yield the texts that name a command in the files whose messages may reach a notebook."""
    for path in sorted(needed(ROOT, TOLD_BY, NOT_TOLD_BY)):
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        inner = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(v.value if isinstance(v, ast.Constant) else "vae.elbo" for v in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented | inner:
                text = node.value
            else:
                continue
            if re.search(rf"\belbo (?:{COMMANDS})\b|pip install", text):
                yield path, text


def test_every_command_in_a_message_has_a_name_in_the_notebook() -> None:
    found = list(sentences())
    assert {"exercises/experiments/cifar10/inception.py", "grading/handed_in.py", "grading/selection.py"} <= {
        path for path, _ in found
    }
    left = [(path, text, elsewhere(in_notebook(text))) for path, text in found]
    assert [each for each in left if each[2]] == []


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a notebook, where cells are run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows.ipynb").write_bytes(SOLVED["flows"])
    return tmp_path


@pytest.mark.parametrize("ask", [check, hint])
def test_an_unknown_part_is_answered_by_what_is_there(ask: object, capsys: pytest.CaptureFixture[str]) -> None:
    ask("planarr")  # type: ignore[operator]
    told = capsys.readouterr().out
    assert "Did you mean flows.planar? `check" in told
    assert not elsewhere(told)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: notebook.report(), 'no finished run in runs/. `train("vae")` makes one'),
        (lambda: notebook.train("vae"), 'there is no file vae.ipynb. `check("vae")` tells more.'),
        (lambda: notebook.train("flows", "--presett", "paper"), 'Try `train("--help")` for help.'),
        (lambda: notebook.train("flows", "--help"), 'train("cifar10", "--set", "config=cifar10-w1-3")'),
    ],
)
def test_what_cannot_be_run_is_answered_by_what_is_there(
    run: object, words: str, beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run()  # type: ignore[operator]
    told = capsys.readouterr().out
    assert words in told
    assert not elsewhere(told)
    assert str(beside.parent) not in told
    assert "/notebooks" not in told


def test_a_property_of_a_function_that_is_wrong_leads_to_a_cell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(living, "_solutions", lambda: None)
    part = next(part for part in checking.parts_named("vae") if part.name == "vae.log_mean_exp_property")
    first = part.properties[0]
    told = "your log_mean_exp is not right yet. First: `elbo check vae.log_mean_exp`"

    def judged(*_: object) -> None:
        raise own_properties.WrongAnswer(told)

    monkeypatch.setattr(own_properties, "_judge", judged)
    checked(opened("vae"), part.name)
    said = capsys.readouterr().out
    assert 'First: `check("vae.log_mean_exp")`' in " ".join(said.split()), first
    assert not elsewhere(said)


def test_what_a_run_is_told_leads_to_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told()
    claim = Claim(
        "vae.elbo", "The ELBO.", "nats", "1", "wrong", 1.0, "digits", "at least", message="`elbo check gan` tells more"
    )
    record = RunRecord("runs/a", [claim])
    broken = RunRecord("runs/b", reason="`elbo train vae` makes one")
    tell_runs(told, "vae", [record, broken])
    told.nothing("")
    said = capsys.readouterr().out
    assert '`check("gan")` tells more' in said
    assert '`train("vae")` makes one' in said
