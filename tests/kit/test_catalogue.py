"""The properties as a whole: named, described in a sentence, and honest about false alarms."""

import inspect
import types

import pytest

from grading.catalogue import all_parts, topic_parts
from grading.judge import PROFILES

PROPERTIES = [value for part in all_parts() for value in part.properties]
STATISTICAL = ("assert_mean(", "assert_standard_normal(", "kstest", ".var()", ".std()")
by_name = pytest.mark.parametrize("value", PROPERTIES, ids=lambda value: value.full_name)


def reached(function, seen=None):
    """A check and the functions of its own file that it uses."""
    seen = {} if seen is None else seen
    if function.__qualname__ not in seen:
        seen[function.__qualname__] = function
        codes = [function.__code__, *(c for c in function.__code__.co_consts if isinstance(c, types.CodeType))]
        names = {name for code in codes for name in code.co_names}
        for other in (function.__globals__.get(name) for name in names):
            if isinstance(other, types.FunctionType) and other.__module__ == function.__module__:
                reached(other, seen)
    return seen.values()


def inputs(value):
    """How many inputs a grading tries."""
    count = PROFILES["grade"].inputs
    return len(value.edges) + (min(count, value.most or count) if value.inputs else 0)


def test_parts_are_in_their_topic_and_known_once():
    names = [part.name for part in all_parts()]
    assert len(set(names)) == len(names) > 0
    assert [part.name for part in topic_parts("vae")] == [name for name in names if name.startswith("vae.")]


@by_name
def test_a_property_says_what_it_states_in_a_sentence(value):
    assert value.sentence[:1].isupper() or value.sentence[:1].isdigit() or value.sentence.startswith("log")
    assert value.sentence.endswith(".")
    assert len(value.sentence) > 20


@by_name
def test_a_property_is_tried_on_something(value):
    assert inputs(value) > 0


def test_names_are_unique_within_a_part():
    names = [value.full_name for value in PROPERTIES]
    assert len(set(names)) == len(names)


@by_name
def test_a_property_that_tests_noise_states_its_false_alarm(value):
    source = "".join(inspect.getsource(function) for function in reached(value.check))
    if any(word in source for word in STATISTICAL):
        assert value.false_alarm > 0
    else:
        assert value.false_alarm == 0


def test_some_property_is_found_to_test_noise():
    assert any(value.false_alarm > 0 for value in PROPERTIES)


def test_a_right_submission_fails_by_chance_less_than_once_in_10_000_gradings():
    assert sum(value.false_alarm * inputs(value) for value in PROPERTIES) < 1e-4
