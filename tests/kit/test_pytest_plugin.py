"""The properties as pytest tests: what is counted, what a failure tells, and what ends with which status."""

import re

import pytest

FILE = "tests/vae/test_likelihoods.py"


@pytest.fixture(scope="module")
def properties(python):
    """A function that runs pytest on the properties of one file."""

    def run(*arguments):
        return python("-m", "pytest", "-p", "no:cacheprovider", FILE, *map(str, arguments))

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
