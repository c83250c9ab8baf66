"""A file of a student's own is not handed in: whatever imports it is told so where it still works."""

import json
import shutil
from pathlib import Path

import pytest

from grading import own_files
from grading.catalogue import all_parts
from grading.engine.implementation import ROOT
from grading.own_files import reasons, told

PARTS = {part.name: part for part in all_parts()}
MEAN, ELBO = PARTS["vae.log_mean_exp"], PARTS["vae.elbo"]
HELPER = "def helped(y):\n    return y\n"
STUB = "def log_mean_exp(y):\n    return helped(y)\n"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An implementation that is the kit's own exercises, with files beside its stub files."""
    place = tmp_path / "exercises"
    shutil.copytree(ROOT / "solutions", place, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(own_files, "ROOT", tmp_path)
    for name in ("vae/helper.py", "vae/more/inner.py", "shared.py", "experiments/given.py"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(HELPER)
    (tmp_path / "beside.py").write_text(HELPER)
    return place


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("from .helper import helped", "vae/helper.py"),
        ("from . import helper", "vae/helper.py"),
        ("from .more import inner", "vae/more/"),
        ("from .more.inner import helped", "vae/more/inner.py"),
        ("from ..shared import helped", "shared.py"),
        ("from .. import shared", "shared.py"),
        ("from ..vae import helper", "vae/helper.py"),
        ("from exercises.vae.helper import helped", "vae/helper.py"),
        ("from exercises.vae import helper", "vae/helper.py"),
        ("import exercises.vae.helper as helper", "vae/helper.py"),
        ("import exercises.shared", "shared.py"),
        ("from helper import helped", "vae/helper.py"),
        ("import shared", "shared.py"),
        ("import beside", "beside.py"),
        ("def f():\n    from .helper import helped", "vae/helper.py"),
        ("try:\n    import numpy\nexcept ImportError:\n    pass\nelse:\n    import helper", "vae/helper.py"),
        ("try:\n    import numpy\nexcept ImportError:\n    from .helper import helped", "vae/helper.py"),
    ],
)
def test_what_is_imported_and_not_handed_in_is_named(line: str, name: str, mine: Path) -> None:
    (mine / "vae" / "likelihoods.py").write_text(f"import torch\n{line}\n{STUB}")
    found = reasons([MEAN], mine, mine)["vae.log_mean_exp"]
    assert found.startswith("vae/likelihoods.py, line ")
    assert f": {name} is not handed in: a stub file imports torch, " in found
    assert told([MEAN], mine) == [f"{found}. So vae.log_mean_exp is wrong for the grader"]


@pytest.mark.parametrize(
    "text",
    [
        "import math\nimport numpy as np\nimport torch.nn.functional as F\nfrom torch import Tensor",
        "from .divergences import kl_gaussian_gaussian_analytic\nfrom . import divergences",
        "from exercises.experiments.given import helped",
        "from .nowhere import helped\nimport nowhere",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .helper import helped",
        "try:\n    from .helper import helped\nexcept ImportError:\n    helped = abs",
        "def f(:\n    from .helper import helped",
        "# from .helper import helped",
        "from ....helper import helped",
    ],
)
def test_what_is_given_or_not_there_or_not_needed_costs_nothing(text: str, mine: Path) -> None:
    (mine / "vae" / "likelihoods.py").write_text(f"{text}\n{STUB}")
    assert told([MEAN], mine) == []


def test_a_stub_file_by_its_whole_name_is_another_for_the_grader(mine: Path) -> None:
    (mine / "vae" / "likelihoods.py").write_text(f"from exercises.vae.divergences import something\n{STUB}")
    assert "line 1: exercises.vae.divergences is the kit's own for the grader, and not yours" in told([MEAN], mine)[0]


def test_what_another_stub_file_imports_costs_the_part_too(mine: Path) -> None:
    assert reasons([ELBO], mine, mine) == {}
    stub = mine / "vae" / "divergences.py"
    stub.write_text(f"from .helper import helped\n{stub.read_text()}")
    found = reasons([ELBO], mine, mine)["vae.elbo"]
    assert found.startswith("vae/divergences.py, line 1: vae/helper.py is not handed in")
    assert told([ELBO], mine) == []  # its points are judged with a right one too


def test_the_reference_imports_what_is_handed_in_alone() -> None:
    assert reasons(PARTS.values(), ROOT / "solutions", ROOT / "solutions") == {}


# Where it is told


@pytest.fixture
def helped(submission: object) -> Path:
    """An implementation in which vae/likelihoods.py is right by a helper of its own."""
    directory = submission({"vae/likelihoods.py": [("import torch\n", "import torch\n\nfrom .helper import one\n")]})  # type: ignore[operator]
    (directory / "vae" / "helper.py").write_text("one = 1\n")
    return Path(directory)


SAYS = "vae/helper.py is not handed in: a stub file imports torch, the standard library, numpy and other stub files"


def test_a_check_says_so_under_a_right_part(call, helped, tmp_path) -> None:  # type: ignore[no-untyped-def]
    names = ("vae.log_mean_exp", "vae.importance_log_likelihood", "gan.w1")
    status, out, _ = call("check", *names, "-i", helped, "--json", tmp_path / "facts.json")
    assert status == 0
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if "right vae.log_mean_exp " in line)
    assert SAYS in lines[at + 1]
    assert lines[at + 1].endswith("So vae.log_mean_exp is wrong for the grader")
    assert out.count("not handed in") == 1  # right functions stand in where what calls these is graded
    (note,) = json.loads((tmp_path / "facts.json").read_text())["notes"]
    assert lines[at + 1].strip() == f"! {note}"


def test_a_list_says_so_once_for_a_file(call, helped) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = call("list", "-i", helped)
    assert out.count(SAYS) == 1
    names = "vae.log_likelihood_bernoulli, vae.log_likelihood_normal and vae.log_mean_exp"
    assert f"So {names} are wrong for the grader" in out


def test_a_hand_in_is_not_packed_without_a_word_where_nothing_is_judged_either(  # type: ignore[no-untyped-def]
    call, helped, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, _ = call("pack", "--student", "1", "-i", helped, "--no-check")
    assert status == 1
    assert f"{SAYS} alone. So vae.log_likelihood_bernoulli, " in out
    assert out.count(SAYS) == 1
    assert "vae.importance_log_likelihood are wrong." in out  # which imports from that file


@pytest.mark.parametrize("distribution", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_pytest_says_so_once_for_a_part(python, helped, distribution) -> None:  # type: ignore[no-untyped-def]
    chosen = ("-k", "log_mean_exp and not property or w1", "--implementation", str(helped))
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *distribution, *chosen, "tests/vae", "tests/gan")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(SAYS) == 1
    assert "So vae.log_mean_exp is wrong for the grader" in done.stdout
