"""The properties as pytest tests: what is counted, what a failure tells, and what ends with which status."""

import re

import pytest

FILE = "tests/vae/test_likelihoods.py"


@pytest.fixture(scope="module")
def properties(python):
    """A function that runs pytest on the properties of one file."""

    def run(*arguments, **environment):
        return python("-m", "pytest", "-p", "no:cacheprovider", FILE, *map(str, arguments), **environment)

    return run


@pytest.mark.parametrize("distribution", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_stubs_count_as_todo_and_end_with_status_1(properties, distribution):
    done = properties("-k", "log_mean_exp", *distribution)
    assert done.returncode == 1
    assert re.fullmatch(r"=+ (\d+ deselected, )?\d+ todo in .*", done.stdout.splitlines()[-1])
    assert "Traceback" not in done.stdout


def test_the_solutions_pass(properties):
    done = properties("-k", "log_mean_exp", "--implementation", "solutions")
    assert done.returncode == 0
    assert re.fullmatch(r"=+ \d+ passed, \d+ deselected in .*", done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def failed(properties, troubled):
    """The output on a submission with troubles."""
    done = properties("-k", "log_mean_exp or ones_and_zeros", "--implementation", troubled)
    assert done.returncode == 1
    return done.stdout


def test_a_failure_tells_sentence_inputs_answer_and_expectation_and_no_traceback(failed):
    sections = [s for s in re.split(r"\n_{3,} ", failed) if s.startswith("vae.log_mean_exp.") and "expected " in s]
    for section in sections:
        places = [
            section.index(word) for word in ("_\n", ".\n", "\n  wrong ", "\n  called ", "\n  answer ", "\n  expected ")
        ]
        assert places == sorted(places)
    assert sections
    assert not re.search(r"test_likelihoods.py:\d", failed)
    assert "def test" not in failed


def test_an_exception_of_the_student_is_told_with_file_and_line(failed):
    assert re.search(r"wrong +raised ValueError", failed)
    assert re.search(r"in +vae/likelihoods.py, line \d+", failed)


def test_verbose_adds_the_traceback_after_the_facts(properties, troubled):
    done = properties("-v", "-k", "ones_and_zeros", "--implementation", troubled)
    assert done.returncode == 1
    facts, code = done.stdout.index("raised ValueError"), done.stdout.index("    raise ValueError(")
    assert facts < code
    assert re.search(r"likelihoods.py:\d+: ValueError", done.stdout)


def test_an_unknown_implementation_is_a_usage_error(properties):
    done = properties("--implementation", "solution")
    assert done.returncode == 4
    assert "Did you mean solutions?" in done.stderr
    assert "Traceback" not in done.stderr


NAMES = """
import msgspec
from grading.diagnosis import Diagnosis, naming

def diagnosed(part, verdict, exchange):
    print("asked")
    return msgspec.structs.replace(verdict, diagnosis=Diagnosis(["forgets"], f"{part.name} has forgotten K"))

naming.diagnosed = diagnosed
"""
LOADED = """
import sys

def pytest_unconfigure(config):
    print("loaded:", "grading.diagnosis.naming" in sys.modules)
"""


@pytest.mark.parametrize("distribution", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_what_a_wrong_part_looks_like_is_told_once_before_the_short_summary(
    properties, troubled, tmp_path, distribution
):
    (tmp_path / "names_all.py").write_text(NAMES, encoding="utf-8")
    chosen = ("-k", "log_mean_exp or log_likelihood_normal", "--implementation", troubled)
    done = properties("-p", "names_all", *chosen, *distribution, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    title = re.search(r"=+ what it looks like =+\n", done.stdout)
    lines = done.stdout[title.end() :].splitlines()
    names = ("vae.log_likelihood_normal", "vae.log_mean_exp")
    assert sorted(lines[:2]) == [f"{name} equals what you get when {name} has forgotten K" for name in names]
    assert "short test summary" in lines[2]
    assert done.stdout.count("has forgotten K") == 2
    assert "FAILURES" in done.stdout[: title.start()]


def test_a_part_that_calls_a_wrong_one_has_no_name(python, submission, tmp_path):
    (tmp_path / "names_all.py").write_text(NAMES, encoding="utf-8")
    wrong = submission({"vae/likelihoods.py": [("dim=1) - math.log(y.shape[1])", "dim=1)")]})
    options = ("-p", "no:cacheprovider", "-p", "names_all", "--implementation", str(wrong), "-k", "importance")
    done = python("-m", "pytest", *options, "tests/vae/test_bounds.py", PYTHONPATH=str(tmp_path))
    title = re.search(r"=+ what it looks like =+\n", done.stdout)
    told = "vae.importance_log_likelihood calls vae.log_mean_exp, which is wrong: mend that first"
    assert done.stdout[title.end() :].splitlines()[0] == told
    assert "has forgotten K" not in done.stdout


def test_where_all_is_right_no_mistake_is_loaded(properties, tmp_path):
    (tmp_path / "tells_loaded.py").write_text(LOADED, encoding="utf-8")
    chosen = ("-k", "log_mean_exp", "--implementation", "solutions")
    done = properties("-p", "tells_loaded", *chosen, PYTHONPATH=str(tmp_path))
    assert "loaded: False" in done.stdout
    assert "looks like" not in done.stdout


def test_what_is_still_to_be_written_looks_like_nothing(properties, tmp_path):
    (tmp_path / "names_all.py").write_text(NAMES, encoding="utf-8")
    done = properties("-p", "names_all", "-k", "log_mean_exp", PYTHONPATH=str(tmp_path))
    assert "looks like" not in done.stdout
