"""The stubs: generated from the solutions, without any answer, and never over a student's work."""

import ast
import importlib
import shutil
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading import rubric
from grading.catalogue import all_parts
from grading.engine.implementation import ROOT
from grading.release import BEGIN, END, ReleaseError, differences, is_stub, stub, stubs, write_exercises
from grading.written import template

SOLUTION = f'''"""A file."""

import math


def double(x: float) -> float:
    """Twice x."""
    {BEGIN}
    return 2 * x
    {END}
'''


def answers():
    """Every line between markers in the solutions that says something."""
    for path in (ROOT / "solutions").rglob("*.py"):
        inside = False
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() in (BEGIN, END):
                inside = line.strip() == BEGIN
            elif inside and len(line.strip()) > 5:
                yield line.strip()


def test_a_stub_keeps_the_docstring_and_raises_with_the_name_of_the_part():
    text = stub(SOLUTION, "vae", "numbers.py")
    assert text.startswith('"""A file."""\n\nimport math\n\n\ndef double(x: float) -> float:\n    """Twice x."""\n')
    namespace = {}
    exec(text, namespace)
    with pytest.raises(NotImplementedError, match=r"^vae.double is still to be written, in vae/numbers.py$"):
        namespace["double"](1.0)


# No word of Python's is that long.
@given(st.lists(st.from_regex(r"[a-z]{9,12} = [1-9][0-9]{2,5}", fullmatch=True), min_size=1, unique=True))
def test_no_line_of_a_body_is_left(body):
    text = stub(SOLUTION.replace("return 2 * x", "\n    ".join(body)), "vae", "numbers.py")
    assert not [line for line in body if line in text]
    assert is_stub(text)


def test_what_stands_around_an_answer_stays():
    source = SOLUTION.replace(f"    {BEGIN}", f"    y = 0\n    {BEGIN}").replace(f"{END}\n", f"{END}\n    return y\n")
    text = stub(source, "vae", "numbers.py")
    assert "    y = 0\n" in text
    assert text.endswith("    return y\n")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("return 2 * x", f"{BEGIN}\n    return 2 * x", 9, "inside of the solution that begins in line 8"),
        (f"    {END}\n", "", 8, f"without an {END} after it"),
        (f"    {BEGIN}\n", "", 9, f"without a {BEGIN} before it"),
        ("import math", f"{BEGIN}\nimport math\n{END}", 3, "outside of a function"),
        (BEGIN, "### BEGIN SOLUTIONS", 8, "almost a marker"),
        (BEGIN, "## begin solution", 8, "almost a marker"),
        (f"    {BEGIN}", f"    x = x  {BEGIN}", 10, f"without a {BEGIN} before it"),
        ("return 2 * x", "return 2 *", 9, "invalid syntax"),
    ],
)
def test_a_wrong_marker_is_refused_with_file_and_line(old, new, line, words):
    with pytest.raises(ReleaseError, match=f"^solutions/vae/numbers.py, line {line}: ") as refused:
        stub(SOLUTION.replace(old, new), "vae", "numbers.py")
    assert words in str(refused.value)


# The stubs that are given out


def test_the_exercises_are_what_the_solutions_give():
    assert differences(ROOT / "exercises") == []


def test_no_answer_survives_in_any_stub():
    texts = [text for _, text in stubs()]
    assert len(set(answers())) > 10
    assert not [line for line in answers() if any(line in text for text in texts)]


def test_every_part_is_a_stub_with_the_docstring_of_the_solution_and_raises_its_name(tmp_path, monkeypatch):
    write_exercises(tmp_path / "fresh")
    monkeypatch.syspath_prepend(tmp_path)
    for part in all_parts():
        topic, name = part.name.split(".")
        module = importlib.import_module(f"fresh.{topic}.{part.file.removesuffix('.py')}")
        function = getattr(module, name)
        assert function.__doc__ == _docstring(ROOT / "solutions" / topic / part.file, name)
        with pytest.raises(NotImplementedError, match=f"^{part.name} is still to be written, in {topic}/{part.file}$"):
            function(*[None] * function.__code__.co_argcount)
    for module in [name for name in sys.modules if name.split(".")[0] == "fresh"]:
        del sys.modules[module]


def _docstring(path, name):
    (found,) = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return ast.get_docstring(found, clean=False)


# Writing


@pytest.fixture
def exercises(tmp_path):
    """A directory with all stubs."""
    write_exercises(tmp_path / "exercises")
    return tmp_path / "exercises"


def test_a_release_writes_what_is_missing_or_old_and_then_nothing(exercises):
    assert write_exercises(exercises) == []
    shutil.rmtree(exercises / "vae")
    old = "def log_mean_exp(y):\n    raise NotImplementedError\n"
    (exercises / "vae").mkdir()
    (exercises / "vae" / "likelihoods.py").write_text(old)
    told = differences(exercises)
    assert "exercises/vae/likelihoods.py differs" in told
    assert "exercises/vae/bounds.py is missing" in told
    assert len(write_exercises(exercises)) == len(told)
    assert differences(exercises) == []


@pytest.mark.parametrize(
    "work",
    [
        b"def log_mean_exp(y):\n    return y.exp().mean(1).log()\n",
        b"def log_mean_exp(y):\n    return y.exp(\n",
        "def log_mean_exp(y):\n    return y  # größer\n".encode("latin-1"),
        b"def log_mean_exp(y):\n    print(y)\n    raise NotImplementedError\n",
    ],
    ids=["whole", "syntax error", "another encoding", "begun"],
)
def test_a_students_work_is_never_overwritten_and_nothing_else_is_written_then(exercises, work):
    (exercises / "vae" / "likelihoods.py").write_bytes(work)
    (exercises / "vae" / "bounds.py").unlink()
    with pytest.raises(ReleaseError, match=r"likelihoods.py holds work .* nothing was written"):
        write_exercises(exercises)
    assert (exercises / "vae" / "likelihoods.py").read_bytes() == work
    assert not (exercises / "vae" / "bounds.py").exists()


def test_the_report_is_written_and_never_over_words(exercises):
    report = exercises / "report.md"
    assert [title in report.read_text() for title in ("## 1.1 ", "## 3.6 ")] == [True, True]
    report.write_bytes(report.read_bytes().replace(b"Write here.", b"It has converged.", 1))
    (exercises / "vae" / "bounds.py").unlink()
    assert "exercises/report.md differs" in differences(exercises)
    with pytest.raises(ReleaseError, match=r"report.md holds work"):
        write_exercises(exercises)
    assert b"It has converged." in report.read_bytes()
    assert not (exercises / "vae" / "bounds.py").exists()


def test_a_report_of_other_questions_in_which_nobody_wrote_is_written_anew(exercises):
    questions = {"1.1": rubric.load().questions["1.1"]}
    older = template(rubric.Rubric(rubric.load().parts, rubric.load().claims, questions=questions))
    (exercises / "report.md").write_text(older, encoding="utf-8")
    assert [path.name for path in write_exercises(exercises)] == ["report.md"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ReleaseError, match="cannot be written"):
        write_exercises(tmp_path / "file")


def test_the_command_checks_without_writing_and_writes_elsewhere(call, tmp_path):
    status, out, _ = call("release", "exercises", "--check", "--out", tmp_path / "fresh")
    assert status == 1
    assert "fresh/vae/bounds.py is missing" in out
    assert not (tmp_path / "fresh").exists()
    status, out, _ = call("release", "exercises", "--out", tmp_path / "fresh")
    assert status == 0
    assert f"wrote {tmp_path / 'fresh/vae/bounds.py'}" in out
    assert call("release", "exercises", "--check") == (0, "every stub is what the solutions give\n", "")
