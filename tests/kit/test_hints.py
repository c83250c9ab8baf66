"""Hints: one more each time, and none that gives the answer away word for word."""

import pytest

from grading.diagnosis import Diagnosis
from grading.hints import next_hint
from grading.rubric import load
from tests.kit.test_release import answers

PART = "vae.log_mean_exp"


def ask(notes, part=PART):
    number, text = next_hint(load(), part, lambda: None, notes)
    assert text == load().parts[part].hints[number - 1]
    return number


def test_hints_of_a_part_come_one_after_another_and_the_last_stays(tmp_path):
    notes = tmp_path / "cache" / "hints.json"
    assert [ask(notes) for _ in range(5)] == [1, 2, 3, 3, 3]
    assert ask(notes, "vae.elbo") == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"vae.log_mean_exp": "two"}', '{"vae.log_mean_exp": null}'])
def test_damaged_notes_cost_a_hint_told_twice(tmp_path, content):
    notes = tmp_path / "hints.json"
    notes.write_text(content)
    assert [ask(notes), ask(notes)] == [1, 2]


FORGETS = Diagnosis(["forgets_the_mean"], "the division by K is missing", "What is a division in logarithms?")


def test_where_to_think_again_takes_the_place_of_the_last_hint_alone(tmp_path):
    given = load().parts[PART].hints
    reasoning = "It equals what you get when the division by K is missing.\nWhat is a division in logarithms?"
    told = [next_hint(load(), PART, lambda: FORGETS, tmp_path / "hints.json") for _ in range(4)]
    assert told == [(1, given[0]), (2, given[1]), (3, reasoning), (3, reasoning)]
    assert next_hint(load(), PART, lambda: None, tmp_path / "hints.json") == (3, given[2])  # once it is another mistake


def test_a_mistake_without_a_word_on_it_leaves_the_hint(tmp_path):
    silent = Diagnosis(["forgets_the_mean"], "the division by K is missing")
    told = [next_hint(load(), PART, lambda: silent, tmp_path / "hints.json") for _ in range(3)]
    assert told[-1] == (3, load().parts[PART].hints[2])


def test_nothing_is_judged_for_the_first_hints(tmp_path):
    asked = []
    for _ in range(3):
        next_hint(load(), PART, lambda: asked.append(PART), tmp_path / "hints.json")
    assert asked == [PART]


def test_no_hint_has_a_line_of_an_answer():
    hints = [hint for part in load().parts.values() for hint in part.hints]
    assert not [(line, hint) for line in answers() for hint in hints if len(line) > 20 and line in hint]


def test_hints_get_no_shorter_than_a_sentence():
    for name, part in load().parts.items():
        for hint in part.hints:
            assert len(hint) > 40, name
            assert hint.endswith((".", "?")), name
