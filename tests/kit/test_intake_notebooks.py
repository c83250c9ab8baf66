"""Stub files that are made from notebooks."""

import json
import sys

import pytest

from grading.engine.calls import CallFailed
from grading.engine.implementation import Implementation
from grading.intake import IntakeError, take

STUB = 'def log_mean_exp(y):\n    raise NotImplementedError("to do")\n'
CELLS = [
    "%matplotlib inline\n!pip install torch\nimport math, torch\nimport seaborn as sns\nfrom google.colab import drive",
    "from __future__ import annotations\nfrom .likelihoods import nothing\nHALF = math.log(2 * math.pi) / 2",
    "T = tuple[int]",
    "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\nmodel = train()\nsize = model.size",
    "# a comment\ndef helper(y, device=device):\n    # inside\n    return y.exp()  # after",
    "@torch.no_grad()\ndef log_mean_exp(y: Tensor) -> T:\n    ?y\n    !ls\n    return helper(y).log()\nwhile 1: pass",
    "log_mean_exp = 3\nfor epoch in range(10 ** 9):\n    raise SystemExit\nsns.set()",
    "def log_likelihood_normal(x, mu, logvar):\n    return x + + \n\ndef elbo(",
    "this is no Python",
    "def jsd(a, b):\n    return 1",
    "def jsd(a, b):\n    return 2",
]


def notebook(*cells, **others):
    code = [{"cell_type": "code", "source": c, "outputs": [], "metadata": {}, "execution_count": None} for c in cells]
    text = [{"cell_type": "markdown", "source": "# def kl", "metadata": {}}]
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": text + code} | others)


@pytest.fixture
def taken(tmp_path):
    """A function that takes a directory with these files, and returns what it says and what it wrote."""

    def run(**files):
        source, into = tmp_path / "hand-in", tmp_path / "into"
        for name, content in files.items():
            path = source / name.replace("__", "/").replace("_ipynb", ".ipynb").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        into.mkdir()
        return take(source, into), into / "implementation"

    return run


def test_the_functions_of_a_notebook_are_taken_and_its_training_is_not(taken):
    result, implementation = taken(work_ipynb=notebook(*CELLS))
    assert result.files == ("gan/objectives.py", "vae/bounds.py", "vae/likelihoods.py")
    text = (implementation / "vae/likelihoods.py").read_text(encoding="utf-8")
    assert text.startswith("from __future__ import annotations\n")
    assert "    # inside\n    return y.exp()  # after" in text
    for dropped in ("seaborn", "colab", "while", "epoch", "model", "HALF", "nothing", "!ls", "log_mean_exp = 3"):
        assert dropped not in text
    own = Implementation(implementation)
    torch = sys.modules["torch"]
    assert own.function("vae.log_mean_exp", "likelihoods.py")(torch.zeros(1)).item() == 0
    assert own.function("gan.jsd", "objectives.py")(0, 0) == 2
    notes = "\n".join(result.notes)
    assert "jsd stands in code cells 10 and 11 of work.ipynb; the last one counts" in notes
    assert "work.ipynb, code cell 9, line 1: invalid syntax: skipped" in notes
    assert "gan/objectives.py, vae/bounds.py" in notes or "made from the functions in work.ipynb" in notes


def test_a_cell_that_is_no_python_spoils_only_its_own_parts(taken):
    result, implementation = taken(work_ipynb=notebook(*CELLS))
    own = Implementation(implementation)
    assert own.function("vae.log_mean_exp", "likelihoods.py")
    with pytest.raises(SyntaxError, match="code cell 8, line 2: invalid syntax"):
        own.function("vae.log_likelihood_normal", "likelihoods.py")(1, 2, 3)
    with pytest.raises(CallFailed, match="no function log_likelihood_bernoulli"):
        own.function("vae.log_likelihood_bernoulli", "likelihoods.py")
    assert "elbo in work.ipynb is no Python: code cell 8, line 2" in "\n".join(result.notes)


def test_a_stub_file_wins_over_a_notebook_unless_nothing_is_written_in_it(taken):
    result, implementation = taken(
        work_ipynb=notebook(*CELLS), vae__likelihoods_py=STUB, gan__objectives_py="def jsd(a, b):\n    return 3\n"
    )
    assert "helper" in (implementation / "vae/likelihoods.py").read_text(encoding="utf-8")
    assert "return 3" in (implementation / "gan/objectives.py").read_text(encoding="utf-8")
    assert "gan/objectives.py stand in a notebook and as files; the files were taken" in "\n".join(result.notes)


def test_a_notebook_alone(tmp_path):
    (tmp_path / "into").mkdir()
    (tmp_path / "work.ipynb").write_text(notebook("def w1(a, b):\n  return 0"), encoding="utf-8")
    assert take(tmp_path / "work.ipynb", tmp_path / "into").files == ("gan/objectives.py",)


def test_a_notebook_of_an_old_version(taken):
    cell = {
        "cell_type": "code",
        "input": "def w1(a, b):\n  return 0",
        "outputs": [],
        "metadata": {},
        "language": "python",
    }
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }
    assert taken(work_ipynb=json.dumps(old))[0].files == ("gan/objectives.py",)


@pytest.mark.parametrize(
    "content",
    [
        "", "{}", "[]", "null", "[" * 100_000, '{"nbformat": 99}', notebook(cells=3), notebook(cells=[3]),
        notebook(cells=[{"cell_type": "code"}]), notebook(5), notebook("x = 1\n" * 200_000), "1" * 10_000,
    ],
)  # fmt: skip
def test_a_malformed_notebook_is_named(taken, content):
    with pytest.raises(IntakeError, match=r"work\.ipynb is no notebook"):
        taken(work_ipynb=content)


@pytest.mark.parametrize(
    "cell",
    [
        "\ud800",
        "x = '\0'",
        "-" * 100_000 + "1",
        "(" * 1000,
        "a" + ".a" * 100_000,
        "1" + "+1" * 100_000,
        "x = " + "9" * 5000,
    ],
)
def test_a_hostile_cell_hinders_no_other(taken, cell):
    assert taken(work_ipynb=notebook(cell, "def w1(a, b):\n  return 0"))[0].files == ("gan/objectives.py",)


def test_a_notebook_without_parts(taken):
    with pytest.raises(IntakeError, match=r"found was work.ipynb, expected"):
        taken(work_ipynb=notebook("x = 1"))
