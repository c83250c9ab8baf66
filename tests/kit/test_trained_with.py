"""Whose functions trained a run: what tells a change of them and what is none, and that older runs say nothing."""

import json
import shutil
from pathlib import Path

import pytest

from exercises.experiments import runs
from grading.engine.implementation import ROOT
from grading.trained_with import changed_since, source_of


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """An implementation that can be changed."""
    return Path(shutil.copytree(ROOT / "solutions", tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__")))


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("flows/planar.py", "\nplanar = constrain_u\n", True),
        ("flows/planar.py", "\n\n# w.u stays above -1\n", False),
        ("flows/planar.py", "\n)))\n", True),
        ("flows/posterior.py", "\nposterior = None\n", False),
        ("flows/properties.py", "\nnothing = None\n", False),
        ("vae/bounds.py", "\nelbo = None\n", False),
    ],
)
def test_a_change_is_one_of_what_the_training_calls(mine: Path, file: str, text: str, changes: bool) -> None:
    before = source_of(mine, "flows")
    add(mine / file, text)
    assert (source_of(mine, "flows") != before) == changes


def test_layout_is_no_change_but_what_stands_in_a_block_is(mine: Path) -> None:
    file, sources = mine / "flows" / "planar.py", []
    before = file.read_text(encoding="utf-8")
    for text in ("if 1:\n    a = f'{1}'\nb = 2\n", "if 1 :\n  a=f'{ 1 }' # c\n\nb=2\n"):
        file.write_text(before + text, encoding="utf-8")
        sources.append(source_of(mine, "flows"))
    assert sources[0] == sources[1]
    file.write_text(f"{before}if 1:\n    a = f'{{1}}'\n    b = 2\n", encoding="utf-8")
    assert source_of(mine, "flows") not in sources


def test_scores_are_called_for_images_and_not_in_the_dirac_gan(mine: Path) -> None:
    before = {name: source_of(mine, name) for name in ("dirac", "cifar10")}
    add(mine / "gan" / "scores.py", "\nnothing = None\n")
    assert [name for name, source in before.items() if source_of(mine, name) != source] == ["cifar10"]


def flows_run(path: Path, implementation: Path, source: str) -> runs.Run:
    """Leave a run of one training that was begun."""
    settings = {"target": "arcs", "mode": "samples", "k": "2"}
    config = {"experiment": "flows", "implementation": str(implementation), "settings": settings}
    run = runs.create(path, config)
    runs.create(run.training("arcs-samples-2"), config | ({"source": source} if source else {}))
    return run


def test_a_run_is_told_once_its_functions_have_changed(mine: Path, tmp_path: Path) -> None:
    run = flows_run(tmp_path / "run", mine, source_of(mine, "flows"))
    assert changed_since(run) == ""
    add(mine / "flows" / "planar.py", "\nplanar = constrain_u\n")
    assert changed_since(run) == f"trained with other functions than now stand in {mine}/flows: train anew"


def test_nothing_is_said_of_a_run_that_does_not_tell_or_whose_functions_are_gone(mine: Path, tmp_path: Path) -> None:
    assert changed_since(flows_run(tmp_path / "older", mine, "")) == ""
    assert changed_since(flows_run(tmp_path / "elsewhere", tmp_path / "gone", "a")) == ""


def test_a_training_records_its_functions_and_a_change_is_trained_anew_and_told(
    elbo, mine: Path, tmp_path: Path
) -> None:
    """From the command line: train, mend, report, resume, report."""
    out, page = tmp_path / "run", tmp_path / "report.html"
    settings = ["target=arcs", "mode=samples", "k=2", "iterations=20"]
    train = ["train", "flows", "-i", mine, *(f"--set={each}" for each in settings), "--out", out]
    assert elbo(*train).returncode == 0
    add(mine / "flows" / "planar.py", "\n\ndef also() -> None:\n    pass\n")
    told = f"trained with other functions than now stand in {mine}/flows: train anew"
    done = elbo("report", out, "-i", mine, "--out", page, "--json", tmp_path / "facts.json")
    assert done.stdout.count(told) == 1
    assert page.read_text(encoding="utf-8").count(told[1:]) == 1
    assert json.loads((tmp_path / "facts.json").read_text())["changed"] == {str(out): told}
    assert f"measuring {out} ..." in done.stderr.splitlines()
    done = elbo(*train, "--resume")
    assert done.stdout.splitlines()[0] == (
        "arcs-samples-2 was trained by other functions: it is kept as arcs-samples-2.older-1, and trained anew"
    )
    assert told not in elbo("report", out, "-i", mine, "--out", page).stdout
    assert "trained anew" not in elbo(*train, "--resume").stdout
