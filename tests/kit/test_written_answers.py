"""Answers of one word or number: what they are set beside, and how forgiving that is; and costs, counted."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import torch
from msgspec.structs import replace

from grading import feedback, rubric, written
from grading.claims import Claim
from grading.engine.implementation import Implementation, locate
from grading.nbgrader.texts import answers_text
from grading.pages import feedback_page
from grading.policies import asked_for
from grading.records import AnswerRecord, Circumstances, Record, RunRecord
from grading.views.cases import cases
from grading.written import costs, orders

RUBRIC = rubric.load()
GAME = "dirac.class.dirac-jsd-4"


def measured(name: str, value: float | str | None, error: float | None = 0.01, **others: Any) -> RunRecord:
    """A run of which one figure was measured, on the data set that has points unless another is given."""
    claim = RUBRIC.claims[name]
    told = Claim(name, "", "", "", "reached", 1.0, claim.graded_on, claim.relation, measured=value)
    return RunRecord("runs/a", [replace(told, standard_error=error, **others)])


def answered(question: str, answer: str, given: Any, *runs: RunRecord) -> AnswerRecord:
    answers = {} if given is None else {answer: given}
    made = written.answer_records({question: written.Section(answers=answers)}, runs, RUBRIC)
    (found,) = (each for each in made if (each.question, each.answer) == (question, answer))
    assert found.points == (found.possible if found.outcome == "right" else 0.0)
    assert msgspec.json.decode(msgspec.json.encode(found), type=AnswerRecord) == found
    return found


# Beside runs


@pytest.mark.parametrize(
    "given",
    [
        -101.24,
        "-101.24",
        "−101,24",
        "-101.24 nats",
        "-101.24 nats an image",
        "-101.2",
        -101.27,
        "-101.240",
        "-101.24351501464844",
    ],
)
def test_a_number_that_agrees_with_the_measured_one_is_right(given: Any) -> None:
    found = answered("1.1", "elbo", given, measured("vae.elbo", -101.2435))
    assert (found.outcome, found.points, found.measured, found.message) == ("right", 1.0, -101.2435, "")
    assert found.given == given


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (-101.4, "answered -101.4, measured -101.243 ± 0.01: the two do not agree"),
        ("-101", "do not agree"),  # so far nobody rounds
        (101.24, "do not agree"),
        ("about 100", "expected a number"),
        ("-101.24 -99", "expected a number"),
        (float("nan"), "expected a number"),
        (float("inf"), "expected a number"),
        ("1e9", "expected a number"),
        ("9" * 90, "expected a number"),
    ],
)
def test_a_number_that_does_not_agree_is_wrong_and_told(given: Any, says: str) -> None:
    found = answered("1.1", "elbo", given, measured("vae.elbo", -101.2435))
    assert found.outcome == "wrong"
    assert says in found.message


def test_it_agrees_within_four_standard_errors_of_a_difference() -> None:
    error = 0.1
    line = -101.24 + 4 * 2**0.5 * error
    assert answered("1.1", "elbo", line - 0.006, measured("vae.elbo", -101.24, error)).outcome == "right"
    assert answered("1.1", "elbo", line + 0.006, measured("vae.elbo", -101.24, error)).outcome == "wrong"


def test_a_measurement_that_is_too_noisy_agrees_with_nothing() -> None:
    found = answered("1.1", "elbo", -101.24, measured("vae.elbo", -101.24, 5.0))
    assert (found.outcome, found.points) == ("wrong", 0.0)
    assert "too noisy" in found.message


def test_of_several_runs_one_has_to_agree() -> None:
    runs = [measured("vae.elbo", value) for value in (-110.0, -101.24, -90.0)]
    assert answered("1.1", "elbo", -101.24, *runs).measured == -101.24
    assert answered("1.1", "elbo", -101.24, *runs).outcome == "right"
    assert answered("1.1", "elbo", -100.0, *runs).outcome == "wrong"


@pytest.mark.parametrize("given", ["limit cycle", "Limit-Cycle", " limit_cycle. ", "limit  cycles"])
def test_a_word_is_read_whatever_its_capitals_and_spaces(given: str) -> None:
    assert answered("2.1", "dirac-jsd-4", given, measured(GAME, "limit cycle")).outcome == "right"


@pytest.mark.parametrize("given", ["cycles", "cycle", "limit", "limit cycle or cycles", 3.0, "diverges"])
def test_another_word_is_wrong(given: Any) -> None:
    found = answered("2.1", "dirac-jsd-4", given, measured(GAME, "limit cycle"))
    assert found.outcome == "wrong"
    assert "measured 'limit cycle'" in found.message


def test_what_was_not_answered_is_missing_whatever_was_measured() -> None:
    found = answered("1.1", "elbo", None, measured("vae.elbo", -101.24))
    assert (found.outcome, found.given, found.message) == ("missing", None, "")


def test_what_could_not_be_read_is_told_where_it_is_missing() -> None:
    made = written.answer_records({"1.1": written.Section(notes=("line 4 is odd",))}, [], RUBRIC)
    assert "line 4 is odd" in made[0].message


COMMANDS = [
    ("1.1", "elbo", "elbo train vae --preset paper", "binarized_mnist"),
    ("2.1", "dirac-jsd-4", "elbo train dirac", "dirac"),
    ("2.2", "cifar10-w1-3", "elbo train cifar10 --preset paper", "cifar10"),
]


@pytest.mark.parametrize(("question", "answer", "command", "data"), COMMANDS)
def test_without_a_run_the_command_that_makes_one_is_told(question: str, answer: str, command: str, data: str) -> None:
    found = answered(question, answer, "x")
    assert (found.outcome, found.given, found.measured) == ("unmeasured", "x", None)
    assert f"no run on {data} was measured; `{command}` makes one on {data}" in found.message


def test_a_run_on_other_data_is_practice() -> None:
    found = answered("1.1", "elbo", -80.0, measured("vae.elbo", -80.0, data="digits"))
    assert (found.outcome, found.points) == ("unmeasured", 0.0)
    assert "a run on digits is practice; `elbo train vae --preset paper` makes one on binarized_mnist" in found.message


def test_why_a_run_was_not_measured_is_told() -> None:
    refused = measured("vae.elbo", None, outcome="refused", message="its checkpoint is a pickle")
    assert answered("1.1", "elbo", -80.0, refused).message.endswith("its checkpoint is a pickle")
    failed = RunRecord("runs/b", reason="summary.json is a link")
    assert "(runs/b: summary.json is a link)" in answered("1.1", "elbo", -80.0, failed).message


def test_every_answer_of_the_rubric_has_a_record() -> None:
    made = written.answer_records({}, [], RUBRIC)
    expected = [(name, key) for name, question in RUBRIC.questions.items() for key in question.answers]
    assert [(each.question, each.answer) for each in made] == expected
    assert {each.outcome for each in made} == {"missing"}


# Beside the rubric


def with_key(**key: Any) -> rubric.Rubric:
    """A rubric with an answer that needs no run."""
    question = RUBRIC.questions["3.2"]
    asked = {"own": rubric.AnswerRubric("the own one", 2.0, **key)}
    return replace(RUBRIC, questions={"3.2": replace(question, answers=asked)})


def keyed(given: Any, **key: Any) -> AnswerRecord:
    (found,) = written.answer_records({"3.2": written.Section(answers={"own": given})}, [], with_key(**key))
    assert found.points == (2.0 if found.outcome == "right" else 0.0)
    return found


@pytest.mark.parametrize("given", [1.3, 1.2, 1.1, "1.25", "1,2", "1.30 nats", 1.15])
def test_a_number_within_the_tolerance_is_right(given: Any) -> None:
    found = keyed(given, equals=1.2, tolerance=0.1)
    assert (found.outcome, found.measured, found.message) == ("right", 1.2, "")


@pytest.mark.parametrize("given", [1.31, 1.09, "-1.2", "about 1.2", float("nan"), float("inf"), "1e0", "12"])
def test_another_number_is_wrong_and_the_right_one_is_not_told(given: Any) -> None:
    found = keyed(given, equals=1.2, tolerance=0.1)
    assert (found.outcome, found.measured) == ("wrong", None)
    assert found.message.startswith("answered ")
    assert "1.2" not in found.message.replace(str(given), "")


def test_a_number_without_a_tolerance_to_speak_of_is_exact() -> None:
    assert keyed("4", equals=4.0, tolerance=0.0).outcome == "right"
    assert keyed(0.3, equals=0.1 + 0.2, tolerance=0.0).outcome == "right"  # but for rounding
    assert keyed("4.001", equals=4.0, tolerance=0.0).outcome == "wrong"


@pytest.mark.parametrize("given", ["Jensen", "jensen.", " jensen's   inequality", "JENSEN'S INEQUALITY"])
def test_one_of_several_words_is_right(given: str) -> None:
    found = keyed(given, equals=["Jensen", "Jensen's inequality"])
    assert found.outcome == "right"
    assert found.measured in ("Jensen", "Jensen's inequality")
    assert keyed("Markov", equals=["Jensen", "Jensen's inequality"]).message == "answered 'Markov', expected another"
    assert keyed(given, equals="Jensen").outcome == ("right" if "'" not in given else "wrong")


def test_an_answer_beside_the_rubric_counts_where_no_runs_are_measured() -> None:
    own = with_key(equals="x")
    words = own.questions["3.2"].points
    assert written.possible(own, measured=False) == words + 2.0
    (found,) = written.grade_report('# 3.2\n```toml\nown = "x"\n```\n', (), [], own, measured=False).answers
    assert (found.outcome, found.points, found.possible) == ("right", 2.0, 2.0)
    assert list(asked_for(own, only=False, runs=False).questions["3.2"].answers) == ["own"]


def test_the_report_asks_for_what_the_key_is_and_does_not_tell_it() -> None:
    number, word = (written.section_text("3.2", with_key(**key)) for key in NUMBER_AND_WORD)
    assert "# a number, between the quotes\nown = " in number
    assert "# a word, between the quotes\nown = " in word
    assert "17" not in number
    assert "Jensen" not in word


NUMBER_AND_WORD: tuple[dict[str, Any], ...] = ({"equals": 17.0, "tolerance": 1.0}, {"equals": ["Jensen"]})


# Words


def test_words_and_their_pictures_are_kept_for_a_person() -> None:
    words = "![a](figures/a.png) ![b](b.png) <img src='figures/c.gif'>"
    made = written.question_records({"3.2": written.Section(words)}, ("figures/a.png", "figures/c.gif", "x"), RUBRIC)
    assert [each.question for each in made] == list(RUBRIC.questions)
    found = {each.question: each for each in made}
    assert (found["3.2"].words, found["3.2"].figures) == (words, ["figures/a.png", "figures/c.gif"])
    assert (found["3.2"].points, found["3.2"].possible, found["3.2"].title) == (
        None,
        3.0,
        "The log-determinant and its cost",
    )
    assert (found["3.3"].words, found["3.3"].figures) == ("", [])


# Costs, as they are written

LINEAR = [
    "O(d)", "O(d).", "Θ(d)", "$O(d)$", r"$\mathcal{O}(d)$", r"\mathcal O(d)", r"$\Theta\left(d\right)$", "d", "D",
    "O( d )", "O(2d)", "O(d + 1)", "linear in d", "Linear", "`O(d)`", "$O(d)$.", "T = O(d)", "cost: O(d)", "O(d^1)",
]  # fmt: skip
SQUARE = [
    "O(d^2)",
    "O(d²)",
    "d**2",
    "O(d*d)",
    "O(d d)",
    "$O(d^{2})$",
    "quadratic in d",
    "O(3 d^2)",
    "O(1 d^2 + d)",
    r"d \cdot d",
]
NONE = [
    "",
    "O(n)",
    "O(d log d)",
    "O()",
    "O(d",
    "fast",
    "O(d) or O(d^2)",
    "O(d2)",
    "O(d^k)",
    "O(d^-1)",
    "O(log d)",
    "d d d?",
]


@pytest.mark.parametrize(("texts", "power"), [(LINEAR, 1), (SQUARE, 2), (["O(1)", "1", "constant"], 0), (["d³"], 3)])
def test_a_cost_in_one_dimension(texts: list[str], power: int) -> None:
    assert {text: orders.exponents_in(text, ["d"]) for text in texts} == {text: {"d": power} for text in texts}


@pytest.mark.parametrize(
    "text", ["O(d k)", "O(k*d)", "$O(kd)$", "Θ(d·k)", "d*k", "O(k × d)", r"O(k \times d)", "O(kd + k + d)", "k d"]
)
def test_a_cost_in_two_dimensions(text: str) -> None:
    assert orders.exponents_in(text, ["k", "d"]) == {"k": 1, "d": 1}


@pytest.mark.parametrize("text", [*NONE, "d" * 101, "O(" * 50, "²" * 90, "\\" * 90, "linear in k"])
def test_what_is_no_single_order_is_none(text: str) -> None:
    assert orders.exponents_in(text, ["d"]) is None


@pytest.mark.parametrize(
    "text",
    [
        "o(k d) is not it, nor k^9 d^9",
        "O(k d) or k^9",
        "definitely not O(k d), it is more",
        "$O(k d)$; alternatively k d^2",
        "O(d k) vs. Ω(d^2)",
        "o(kd)",
        "Ω(k d)",
        "O(0 k^5 d + kd)",
        "O(0 k d)",
        "O(k d + 2 d)",
        "O(k d) = O(d)",
        "O(d) = k d",
        "kd = d",
        "O(k d) O(k d)",
        "O(k d)^2",
        "cost is not O(k d)",
        "cost = T = O(k d)",
    ],
)
def test_an_answer_that_says_anything_but_one_order_is_none(text: str) -> None:
    assert orders.exponents_in(text, ["k", "d"]) is None


def test_a_sum_that_nothing_dominates_is_no_product() -> None:
    assert orders.exponents_in("O(k + d)", ["k", "d"]) is None
    assert orders.exponents_in("linear in d", ["k", "d"]) is None


# Costs, as they are counted

PLANAR, COMPOSE = (costs.ARGUMENTS[part][1] for part in ("flows.planar", "flows.compose"))


def with_matrix(decompose: Callable[[Any], Any]) -> Callable[..., Any]:
    """A way to the log-determinant by the whole Jacobian, shared by all instances."""

    def planar(z: Any, u: Any, w: Any, b: Any) -> Any:
        return decompose(torch.eye(len(u)) + torch.outer(u, w))

    return planar


@pytest.mark.parametrize(
    ("way", "power"),
    [
        (torch.slogdet, 3),
        (torch.linalg.det, 3),
        (torch.linalg.inv, 3),
        (lambda matrix: matrix @ matrix, 3),
        (torch.trace, 2),
        (lambda matrix: matrix @ matrix[0], 2),
    ],
)
def test_a_dearer_way_is_counted_as_what_it_is(way: Callable[[Any], Any], power: int) -> None:
    assert costs.exponents_of(with_matrix(way), PLANAR, ("d",)) == {"d": power}
    assert abs(costs.slope(with_matrix(way), PLANAR, "d") - power) < 0.05


def test_the_references_costs_are_plain_from_their_slopes() -> None:
    functions = Implementation(locate("solutions"))
    planar, compose = (
        functions.function("flows.planar", "planar.py"),
        functions.function("flows.compose", "composition.py"),
    )
    slopes = [costs.slope(planar, PLANAR, "d"), costs.slope(compose, COMPOSE, "k"), costs.slope(compose, COMPOSE, "d")]
    assert all(abs(slope - 1) < 0.05 for slope in slopes), slopes
    assert costs.measured("flows.planar", ("d",)) == {"d": 1}
    assert costs.measured("flows.compose", ("k", "d")) == {"k": 1, "d": 1}


def test_a_cost_is_set_beside_what_was_counted_of_the_reference() -> None:
    right = answered("3.2", "log_det_cost", "O(d)")
    assert (right.outcome, right.given, right.measured) == ("right", "O(d)", "O(d)")
    assert answered("3.3", "density_cost", "$O(dk)$").outcome == "right"
    wrong = answered("3.2", "log_det_cost", "O(d^3)")
    assert (wrong.outcome, wrong.message) == ("wrong", "read as O(d^3); counted was another")
    unread = answered("3.3", "density_cost", "fast")
    assert unread.outcome == "wrong"
    assert "cannot be read as one order" in unread.message
    assert answered("3.2", "log_det_cost", 1.0).outcome == "wrong"


@pytest.mark.parametrize("given", ["O(1)", "O(d^7)", "fast", None])
def test_of_a_cost_that_was_not_answered_rightly_the_right_one_stands_nowhere(given: Any) -> None:
    """Whoever read it off a record, a page or a view would hand it in again."""
    made = answered("3.3", "density_cost", given)
    assert (made.points, made.measured) == (0.0, None)
    record = Record("anna", "graded", Circumstances(7, 5, [], "r", "k", "3.11", "2.4", "Linux"), answers=[made])
    shown = [str(case) for case in cases(record)]
    shown += [feedback.feedback(record), feedback_page.render(record, {}), answers_text([made])]
    assert not [text for text in shown if "O(k d)" in text.replace("\\", "")]
    right = replace(record, answers=[answered("3.3", "density_cost", "d k")])
    assert "O(k d)" in feedback.feedback(right).replace("\\", "")


@pytest.mark.parametrize(("part", "growing"), [("vae.elbo", ("d",)), ("flows.planar", ("k",))])
def test_a_cost_that_nothing_measures_is_refused_with_its_place(part: str, growing: tuple[str, ...]) -> None:
    question = RUBRIC.questions["3.2"]
    asked = {"cost": replace(question.answers["log_det_cost"], cost=part, growing=growing)}
    changed = replace(RUBRIC, questions={"3.2": replace(question, answers=asked)})
    with pytest.raises(written.CostError, match=r'questions\."3\.2"\.answers\.cost') as raised:
        written.expect_measured(changed)
    assert "flows.planar in d, flows.compose in k and d" in str(raised.value)
