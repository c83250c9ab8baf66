"""Hints: one more each time, and none that gives the answer away word for word."""

import pytest

from grading.hints import next_hint
from grading.rubric import load
from tests.kit.test_release import answers

PART = "vae.log_mean_exp"


def ask(notes, part=PART):
    number, text = next_hint(load(), part, notes)
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


def test_no_hint_has_a_line_of_an_answer():
    hints = [hint for part in load().parts.values() for hint in part.hints]
    assert not [(line, hint) for line in answers() for hint in hints if len(line) > 20 and line in hint]


def test_hints_get_no_shorter_than_a_sentence():
    for name, part in load().parts.items():
        for hint in part.hints:
            assert len(hint) > 40, name
            assert hint.endswith((".", "?")), name
