"""What arithmetic says of wrong answers: the bank's mistakes by name, toys whose numbers say nothing, odd answers."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from grading.bank import find
from grading.catalogue import topic_parts
from grading.diagnosis import Diagnosis, naming
from grading.diagnosis.arithmetic import remark
from grading.diagnosis.asked import asks_others
from grading.diagnosis.readings import without_cause
from grading.diagnosis.sizes import sizes_of
from grading.engine.calls import Answer, Call
from grading.engine.implementation import Implementation, locate
from grading.engine.remembering import Memory
from grading.engine.worker import reply
from grading.engine.workers import AtOnce, Exchange
from grading.judge import Judge, PartVerdict, Profile, Verdict
from grading.wording import describe
from tests.support.closeness import assert_close
from tests.support.properties import PARTS, Attempt, Part, Property, Topic, run_check
from tests.support.strategies import MEANS, tensors

PROFILE = Profile(inputs=25, property_seconds=60, part_seconds=600, shrink_seconds=0)
JUDGE = Judge(PROFILE)
PARTS_OF_KIT = {part.name: part for topic in ("vae", "gan", "flows") for part in topic_parts(topic)}
SUM, MEAN = "as when a sum stands where a mean is meant", "as when a mean stands where a sum is meant"
MINUS = "the answer is minus what is expected: as when a sign is turned round"
TWICE = "the answer is twice what is expected"
HALF_MISSING = "as when a factor 1/2 is missing, or something counts twice"
NORMAL = "as when the constant of the normal density is missing, or counts twice"
OF_FEATURES = f"the answer is what is expected divided by the number of features: {MEAN}"
OF_BATCH = f"the answer is the batch size times what is expected: {SUM}"


def only_where(size: str, value: int = 1) -> str:
    return f"the property holds where {size} is {value}, and fails everywhere else"


def exchange_of(part: str, function: Callable[..., Any]) -> Exchange:
    return exchange_with({part: function})


def exchange_with(functions: dict[str, Callable[..., Any]]) -> Exchange:
    found = Implementation(locate("solutions"))
    for part, function in functions.items():
        found.replace(part, function)
    return AtOnce(lambda calls, seconds: [reply(found, call) for call in calls])


def judged(part: str, mistake: str, name: str, judge: Judge = JUDGE) -> Verdict:
    value = next(value for value in PARTS_OF_KIT[part].properties if value.name == name)
    return judge.judge(value, judge.inputs(value), exchange_of(part, find(part, mistake).function), 60)


def said(verdict: Verdict) -> str:
    assert verdict.failure is not None
    return verdict.failure.remark


BANK = [
    ("vae.log_likelihood_normal", "has_the_sign_of_a_loss", "equals_torch_distributions", MINUS),
    ("vae.log_likelihood_normal", "averages_the_features", "gradients_in_all_arguments", OF_FEATURES),
    (
        "vae.log_likelihood_normal",
        "forgets_the_constant",
        "equals_torch_distributions",
        f"the answer is too large by 1/2 log(2 pi) times the number of features: {NORMAL}",
    ),
    (
        "vae.log_likelihood_normal",
        "subtracts_the_constant_once",
        "equals_torch_distributions",
        only_where("the number of features"),
    ),
    (
        "vae.log_likelihood_normal",
        "reverses_the_batch",
        "equals_torch_distributions",
        "the answer is what is expected, in the opposite order",
    ),
    (
        "vae.log_likelihood_normal",
        "sums_the_batch",
        "equals_torch_distributions",
        "what came back is the sum of the numbers that are expected",
    ),
    ("vae.log_likelihood_normal", "rounds_the_constant", "equals_torch_distributions", ""),
    ("vae.log_likelihood_normal", "forgets_the_square", "equals_torch_distributions", ""),
    ("vae.log_likelihood_normal", "has_the_sign_of_a_loss", "density_integrates_to_one", ""),
    ("vae.log_likelihood_bernoulli", "averages_the_features", "many_features", OF_FEATURES),
    (
        "vae.log_mean_exp",
        "forgets_to_divide",
        "mean_of_repeated_samples",
        f"the answer is too large by the log of the number of samples: {SUM}, inside of the logarithm",
    ),
    (
        "vae.log_mean_exp",
        "divides_by_all_entries",
        "mean_of_repeated_samples",
        f"the answer is too small by the log of the batch size: {MEAN}, inside of the logarithm",
    ),
    (
        "vae.log_mean_exp",
        "broadcasts_the_maximum",
        "mean_of_repeated_samples",
        "the diagonal of what came back is what is expected",
    ),
    ("vae.log_mean_exp", "averages_the_logarithms", "gradient_is_the_softmax", ""),  # of one sample it is always 1
    (
        "vae.importance_log_likelihood",
        "takes_the_best_weight",
        "log_mean_of_the_weights",
        only_where("the number of samples"),
    ),
    (
        "vae.kl_gaussian_gaussian_analytic",
        "forgets_the_half",
        "equals_torch_distributions",
        f"{TWICE}: {HALF_MISSING}",
    ),
    ("vae.elbo", "seeds_the_generator", "two_calls_differ", ""),
    (
        "gan.jsd",
        "measures_in_bits",
        "estimate_by_the_formula",
        "the answer is what is expected divided by log 2: as when bits stand where nats are meant",
    ),
    (
        "gan.jsd",
        "forgets_the_half",
        "extreme_scores",
        f"{TWICE}; the number of real scores and the number of generated scores are 2 here",
    ),
    ("gan.w1", "adds_log_4", "estimate_by_the_formula", "the answer is too large by log 4"),
    ("gan.jsd", "adds_log_4_outside", "estimate_by_the_formula", "the answer is too large by log 2"),
    (
        "gan.w1",
        "takes_the_absolute_value",
        "estimate_by_the_formula",
        "the answer is the absolute value of what is expected",
    ),
    ("gan.w1", "takes_the_absolute_value", "distance_of_two_points", f"{MINUS}, or an absolute value is taken"),
    ("gan.w1", "returns_the_critics_loss", "estimate_by_the_formula", MINUS),
    (
        "gan.w1",
        "clamps_at_zero",
        "estimate_by_the_formula",
        "the answer is 0 where a negative number is expected",
    ),
    ("gan.r1_penalty", "sums_the_batch", "average_over_the_real_samples", OF_BATCH),
    (
        "gan.r1_penalty",
        "takes_the_norm_of_one_axis",
        "linear_critics_of_any_shape",
        "the property holds where real has 2 axes, and fails everywhere else",
    ),
    (
        "gan.r1_penalty",
        "forgets_the_mean",
        "linear_critics_of_any_shape",
        "every number that came back is what is expected",
    ),
    (
        "vae.importance_log_likelihood",
        "averages_the_batch",
        "exact_with_the_exact_posterior",
        "what came back is the mean of the numbers that are expected",
    ),
    (
        "gan.gradient_penalty",
        "takes_the_factor",
        "linear_critics_of_any_shape",
        "the answer is 10 times what is expected, for all inputs",
    ),
    (
        "gan.critic_loss",
        "swaps_the_pair",
        "with_a_penalty",
        "what is expected came back as another item of the result: as when two of them are exchanged",
    ),
    (
        "gan.inception_score",
        "forgets_the_exponential",
        "exponential_of_the_mean_divergence",
        "the answer is the logarithm of what is expected",
    ),
    ("gan.inception_score", "compares_with_even_classes", "exponential_of_the_mean_divergence", ""),
    ("flows.negative_log_likelihood", "cuts_off_far_out", "far_out", ""),
    (
        "flows.compose",
        "stacks_nothing",
        "log_det_equals_autograd_slogdet",
        "the property fails where the number of layers is 0, and holds everywhere else",
    ),
    ("vae.importance_log_likelihood", "averages_over_the_images", "bounds_the_elbo_and_grows_with_k", ""),
    # What holds without layers holds for nothing.
    ("flows.compose", "takes_shared_layers_only", "a_pair_of_points_and_log_determinants", ""),
    ("flows.negative_log_likelihood", "overwrites_x", "leaves_its_arguments_alone", ""),
    # Without an iteration there is still something to divide by.
    (
        "gan.spectral_norm",
        "multiplies_by_the_weight_only",
        "exact_from_the_singular_vector",
        only_where("the number of iterations", 0),
    ),
    (
        "flows.log_density",
        "adds_the_constant_again",
        "far_out",
        f"the answer is too small by 1/2 log(2 pi) times the number of features: {NORMAL}",
    ),
]


@pytest.mark.parametrize(("part", "mistake", "name", "expected"), BANK, ids=lambda value: value[:40])
def test_a_mistake_of_the_bank_has_its_remark(part: str, mistake: str, name: str, expected: str) -> None:
    assert said(judged(part, mistake, name)) == expected


def test_a_remark_is_kept_with_the_smallest_input_on_which_it_could_mean_many_things() -> None:
    verdict = judged(
        "vae.log_likelihood_normal",
        "averages_the_features",
        "equals_torch_distributions",
        Judge(replace(PROFILE, shrink_seconds=20)),
    )
    assert said(verdict) == OF_FEATURES
    assert verdict.failure is not None
    assert verdict.failure.ratio == "0.5"


def test_a_memory_changes_no_remark() -> None:
    part, mistake, name = "gan.w1", "takes_the_absolute_value", "estimate_by_the_formula"
    value = next(value for value in PARTS_OF_KIT[part].properties if value.name == name)
    memory, solution = Memory(), Implementation(locate("solutions")).function(part, "objectives.py")
    reference, wrong = exchange_of(part, solution), exchange_of(part, find(part, mistake).function)
    inputs = JUDGE.inputs(value)
    first = [{"scores": (pair["scores"][0] + 50, pair["scores"][1])} for pair in inputs]  # held, and then remembered
    both = [*first, *inputs]
    assert JUDGE.judge(value, both, reference, 60, memory).outcome == "right"
    found = said(JUDGE.judge(value, both, wrong, 60, memory))
    assert found == said(JUDGE.judge(value, both, wrong, 60)) == "the answer is the absolute value of what is expected"


# Gradients


def verdicts(part: str, mistake: str) -> dict[str, Verdict]:
    exchange = exchange_of(part, find(part, mistake).function)
    return {verdict.property: verdict for verdict in JUDGE.part(PARTS_OF_KIT[part], exchange)}


def test_a_gradient_that_alone_is_wrong_is_told_so() -> None:
    found = verdicts("gan.w1", "detaches_the_real_scores")
    assert said(found["gradients_in_both_scores"]) == "the values are right, only their gradient is not"


def test_it_is_told_beside_what_arithmetic_says() -> None:
    found = said(verdicts("gan.gradient_penalty", "detaches_a_factor")["gradient_in_the_critic_between"])
    assert found == (
        "the answer is half of what is expected: as when a factor 1/2 is there once too often; the values are right"
    )


@pytest.mark.parametrize(
    ("part", "mistake", "name"),
    [
        ("vae.log_likelihood_normal", "has_the_sign_of_a_loss", "gradients_in_all_arguments"),
        # Its values pass all that is called a property of values, and fail where they are extreme.
        ("vae.log_likelihood_bernoulli", "exchanges_ones_and_zeros", "gradient_in_the_means"),
    ],
)
def test_values_that_are_wrong_as_well_are_not_called_right(part: str, mistake: str, name: str) -> None:
    assert "values" not in said(verdicts(part, mistake)[name])


REVERSED = find("flows.compose", "reverses_the_order").function


@pytest.mark.parametrize("memory", [None, Memory()])
@pytest.mark.parametrize("name", ["log_density", "negative_log_likelihood", "reverse_kl"])
def test_values_that_are_compared_with_another_part_are_not_called_right(name: str, memory: Memory | None) -> None:
    part = PARTS_OF_KIT[f"flows.{name}"]
    wrong = {"flows.compose": REVERSED, part.name: find(part.name, "reverses_the_order").function}
    found = list(Judge(PROFILE, memory=memory).part(part, exchange_with(wrong)))
    assert [verdict.aspect for verdict in found if verdict.outcome == "wrong"] == ["gradient"]
    assert "values" not in said(next(verdict for verdict in found if verdict.outcome == "wrong"))


@pytest.mark.parametrize(
    ("part", "asks"),
    [
        ("vae.elbo", False),
        ("gan.critic_step", True),
        ("gan.critic_loss", False),
        ("flows.constrain_u", False),
        ("flows.planar", True),
        ("flows.compose", True),
        ("flows.flow_elbo", False),
    ],
)
def test_a_property_is_known_to_ask_other_parts_before_it_is_tried(part: str, asks: bool) -> None:
    assert asks_others(PARTS_OF_KIT[part]) is asks


def test_a_number_that_comes_out_for_idle_layers_only_is_not_told() -> None:
    compose = PARTS_OF_KIT["flows.compose"]
    value = next(value for value in compose.properties if value.name == "gradients_in_all_layers")
    judge = Judge(replace(PROFILE, shrink_seconds=20))
    verdict = judge.judge(value, judge.inputs(value), exchange_of(compose.name, REVERSED), 60)
    assert verdict.failure is not None
    assert verdict.failure.ratio == "1.4427"  # 1 / log 2, as softplus(0) is log 2
    assert verdict.failure.remark == ""


# A mistake that has a name


@pytest.mark.parametrize(("named", "expected"), [(True, TWICE), (False, f"{TWICE}: {HALF_MISSING}")])
def test_beside_a_name_a_remark_names_no_other_cause(
    monkeypatch: pytest.MonkeyPatch, named: bool, expected: str
) -> None:
    part, mistake = PARTS_OF_KIT["vae.kl_gaussian_gaussian_analytic"], "forgets_the_half"
    monkeypatch.setattr(naming, "name", lambda *_: Diagnosis([mistake], "so") if named else None)
    verdict = judged(part.name, mistake, "equals_torch_distributions")
    exchange = exchange_of(part.name, find(part.name, mistake).function)
    told = naming.diagnosed(part, PartVerdict(part.name, [verdict]), exchange)
    assert said(verdict) == f"{TWICE}: {HALF_MISSING}"
    assert [said(each) for each in told.verdicts] == [expected]


def test_what_is_said_after_the_cause_stays() -> None:
    assert (
        without_cause(f"{MINUS}; the values are right") == "the answer is minus what is expected; the values are right"
    )


# Toys


@pytest.fixture
def toy() -> Iterator[Part]:
    part = Part("toy.summed", "toy.py", ("x", "num_draws"))
    yield part
    del PARTS[part.name]


def sums_the_rows(topic: Topic, x: tuple[Tensor], draws: int) -> None:
    """Returns the sum of each row."""
    assert_close(topic.summed(x[0], draws), x[0].sum(1))


@pytest.fixture
def summing(toy: Part) -> Property:
    return toy.property("value", x=tensors(MEANS), draws=st.integers(1, 4))(sums_the_rows)


def remark_on(value: Property, function: Callable[..., Any], count: int = 25) -> str:
    inputs = Judge(replace(PROFILE, inputs=count)).inputs(value)
    attempts = [run_check(value, lambda call: Answer(function(*call.arguments)), each) for each in inputs]
    wrong = [attempt for attempt in attempts if attempt.error is not None]
    return remark(attempts, wrong[-1])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, n: -n * x.sum(1), f"minus the number of draws times what is expected: {MINUS[38:]} and {SUM[8:]}"),
        (lambda x, n: x.sum(1) / len(x) ** 0.5, "what is expected divided by the root of the batch size"),
        (lambda x, n: x.sum(1) / len(x) ** 2, "what is expected divided by the square of the batch size"),
        (lambda x, n: x.sum(1) * 0.3, "0.3 times what is expected, for all inputs"),
        (lambda x, n: x.sum(1) + 0.3, "too large by 0.3, for all inputs"),
        (lambda x, n: x.sum(1) - n, "too small by the number of draws"),
        (lambda x, n: x.sum(1) ** 2, "the square of what is expected"),
        (lambda x, n: x.sum(1).exp(), "the exponential of what is expected"),
        (lambda x, n: x.sum(1).roll(1), "what is expected, in another order"),
    ],
)
def test_numbers_have_their_names(summing: Property, function: Callable[..., Tensor], expected: str) -> None:
    assert remark_on(summing, function) == f"the answer is {expected}"


NOTHING: list[Callable[[Tensor, int], Any]] = [
    lambda x, n: x.sum(1) * 0,
    lambda x, n: torch.full((len(x),), math.nan).double(),
    lambda x, n: torch.full((len(x),), math.inf).double(),
    lambda x, n: x.sum(1) * (1 + 1e-8),
    lambda x, n: x.sum(1) + torch.randn(len(x)),
    lambda x, n: x.sum(1) * (2 if n % 2 else 3),
    lambda x, n: x.sum(1) + torch.arange(1, len(x) + 1),
    lambda x, n: x.sum(1).long() + 1,
    lambda x, n: x.sum(1) + 0j,
    lambda x, n: x.sum(1) > 0,
    lambda x, n: torch.zeros(0),
    lambda x, n: torch.zeros(10**5),
    lambda x, n: "text",
    lambda x, n: (x, x),
    lambda x, n: None,
]


@pytest.mark.parametrize("function", NOTHING)
def test_nothing_is_said_of_what_has_no_name(summing: Property, function: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    assert remark_on(summing, function) == ""


def test_two_wrong_answers_are_no_evidence(summing: Property) -> None:
    assert remark_on(summing, lambda x, n: 2 * x.sum(1), count=2) == ""


def test_one_expected_number_is_no_evidence(toy: Part) -> None:
    def is_one(topic: Topic, x: tuple[Tensor], draws: int) -> None:
        """Returns ones."""
        assert_close(topic.summed(x[0], draws), torch.ones(len(x[0]), dtype=torch.float64))

    value = toy.property("value", x=tensors(MEANS), draws=st.integers(1, 4))(is_one)
    assert remark_on(value, lambda x, n: torch.full((len(x),), 2.0).double()) == ""


def test_a_right_answer_that_speaks_against_a_factor_is_heard(summing: Property) -> None:
    half = remark_on(summing, lambda x, n: x.sum(1) * (2 if float(x[0, 0]) > 1 else 1))
    assert half == ""


def test_what_is_computed_from_an_answer_is_no_answer(toy: Part) -> None:
    def squared(topic: Topic, x: tuple[Tensor], draws: int) -> None:
        """Returns the sum of each row."""
        assert_close(topic.summed(x[0], draws) ** 2, x[0].sum(1) ** 2)

    value = toy.property("value", x=tensors(MEANS), draws=st.integers(1, 4))(squared)
    assert remark_on(value, lambda x, n: 2 * x.sum(1)) == ""


def test_the_last_of_several_sizes_that_a_property_asks_for_says_nothing_of_those_before(toy: Part) -> None:
    def has_shape(topic: Topic, x: tuple[Tensor], draws: int) -> None:
        """There is a number for each row."""
        for rows in (torch.cat([x[0], x[0]]), x[0][:1]):
            assert_close(topic.summed(rows, draws), rows.sum(1))

    value = toy.property("shape", x=tensors(MEANS), draws=st.integers(1, 4))(has_shape)
    assert remark_on(value, lambda x, n: x.sum(1) + (1 + torch.rand(())) * (n > 2)) == ""


def test_without_the_other_attempts_nothing_is_said(summing: Property) -> None:
    attempt: Attempt = run_check(
        summing,
        lambda call: Answer(2 * call.arguments[0].sum(1)),
        {"x": (torch.tensor([[1.0], [2.0]]).double(),), "draws": 1},
    )
    assert describe(attempt).remark == ""
    assert describe(attempt, [replace(attempt) for _ in range(3)]).remark.startswith(TWICE)


def test_a_gradient_that_came_back_by_another_argument_is_told(toy: Part) -> None:
    def has_gradients(topic: Topic, x: tuple[Tensor, Tensor]) -> None:
        """The gradients of x y are y and x."""
        answers = topic.summed.gradients(*x, wrt="01")
        for answer, expected in zip(answers, (x[1], x[0]), strict=True):
            assert_close(answer, expected)

    value = toy.property("gradient", x=tensors(MEANS, MEANS))(has_gradients)
    attempts = [
        run_check(
            value,
            lambda call: Answer((call.arguments[0] * call.arguments[1]).sum(1), True, call.arguments),
            inputs,
        )
        for inputs in Judge(PROFILE).inputs(value)
    ]
    wrong = [attempt for attempt in attempts if attempt.error is not None]
    assert remark(attempts, wrong[-1]) == (
        "what is expected came back as the gradient by another argument: as when two of them are exchanged"
    )


# Sizes


@pytest.mark.parametrize(
    ("part", "arguments", "expected"),
    [
        ("vae.log_mean_exp", (torch.zeros(3, 2),), {"the batch size": 3, "the number of samples": 2}),
        (
            "vae.kl_gaussian_gaussian_mc",
            (*(torch.zeros(3, 1, 2, 2),) * 4, 5),
            {"the batch size": 3, "the number of features": 4, "the number of samples": 5},
        ),
        (
            "flows.negative_log_likelihood",
            (((torch.zeros(2),) * 3,), torch.zeros(3, 2)),
            {"the number of layers": 1, "the batch size": 3, "the number of features": 2},
        ),
        (
            "gan.w1",
            (torch.zeros(3, 1), torch.zeros(4)),
            {"the number of real scores": 3, "the number of generated scores": 4},
        ),
        ("flows.constrain_u", (torch.zeros(3), torch.zeros(3)), {"the number of features": 3}),
    ],
)
def test_sizes_have_the_names_of_the_handout(part: str, arguments: tuple[Any, ...], expected: dict[str, int]) -> None:
    assert sizes_of(Call(part, PARTS_OF_KIT[part].file, arguments)) == expected
