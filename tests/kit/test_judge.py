"""What the judge says of an implementation, in which words, and that no answer makes it stumble."""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from rich.console import Console
from torch import Tensor

from grading.catalogue import all_parts, topic_parts
from grading.engine.calls import Answer, Call, CallFailed, Fault
from grading.engine.implementation import Implementation, locate
from grading.engine.inputs import draw
from grading.engine.worker import reply
from grading.engine.workers import AtOnce, Exchange
from grading.judge import Judge, PartVerdict, Profile, Verdict
from grading.terminal import show_part
from grading.wording import compare, describe, shown, typed
from tests.support.closeness import WrongAnswer, assert_close
from tests.support.models import LinearDecoder
from tests.support.players import LinearCritic
from tests.support.properties import PARTS, Part, Property, Topic, run_check

PARTS_OF_VAE = {part.name: part for part in topic_parts("vae")}
NAME = "vae.log_mean_exp"
PROFILE = Profile(inputs=10, property_seconds=60, part_seconds=600, shrink_seconds=20)


def answered_by(implementation: str = "solutions", **functions: Callable[..., Any]) -> Exchange:
    """Answer in this process, with some functions of vae or toy in place of the implementation's."""
    found = Implementation(locate(implementation))
    for name, function in functions.items():
        found.replace(f"toy.{name}" if name in ("twice", "other") else f"vae.{name}", function)
    return AtOnce(lambda calls, seconds: [reply(found, call) for call in calls])


def judged(part: Part, exchange: Exchange, profile: Profile = PROFILE) -> dict[str, Verdict]:
    return {verdict.property: verdict for verdict in Judge(profile).part(part, exchange)}


def outcome(part: Part, exchange: Exchange) -> str:
    return PartVerdict(part.name, list(judged(part, exchange).values())).outcome


def log_mean_exp(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1) - math.log(y.shape[1])


@pytest.fixture
def toy() -> Iterator[Part]:
    part = Part("toy.twice", "toy.py", ("x",))
    yield part
    del PARTS[part.name]


def doubles(topic: Topic, n: int) -> None:
    """Returns twice the number."""
    x = torch.tensor([n], dtype=torch.float64)
    assert_close(topic.twice(x), 2 * x)


@pytest.fixture
def doubling(toy: Part) -> Property:
    return toy.property("value", n=st.integers(-1000, 1000))(doubles)


# Verdicts


def test_the_reference_is_right() -> None:
    verdicts = judged(PARTS_OF_VAE[NAME], answered_by())
    assert {verdict.outcome for verdict in verdicts.values()} == {"right"}
    assert list(verdicts) == [value.name for value in PARTS_OF_VAE[NAME].properties]
    assert all(verdict.failure is None and verdict.inputs for verdict in verdicts.values())


def test_a_function_still_to_be_written_is_todo_and_asked_for_one_property_only() -> None:
    exchange, messages = answered_by("exercises"), []

    @AtOnce
    def counted(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        messages.append(calls)
        return exchange.post(calls, seconds)()

    verdicts = judged(PARTS_OF_VAE[NAME], counted)
    assert len(messages) == 2  # one for each half of the inputs
    assert {verdict.outcome for verdict in verdicts.values()} == {"todo"}
    assert {verdict.failure and verdict.failure.message for verdict in verdicts.values()} == {"still to be written"}
    assert [verdict.sentence for verdict in verdicts.values()] == [p.sentence for p in PARTS_OF_VAE[NAME].properties]


def test_a_mistake_is_wrong_by_the_properties_that_see_it() -> None:
    verdicts = judged(PARTS_OF_VAE[NAME], answered_by(log_mean_exp=lambda y: torch.logsumexp(y, 1)))
    wrong = {name for name, verdict in verdicts.items() if verdict.outcome == "wrong"}
    assert wrong
    assert "one_value_for_each_instance" not in wrong


def test_wrong_beats_todo_beats_right(doubling: Property) -> None:
    def function(x: Tensor) -> Tensor:
        if x.item() == 1:
            raise NotImplementedError
        return 2 * x + (x == 2)

    judge, exchange = Judge(PROFILE), answered_by(twice=function)
    for numbers, expected in (((3, 4), "right"), ((3, 1), "todo"), ((1, 2), "wrong"), ((2, 1), "wrong")):
        verdict = judge.judge(doubling, [{"n": n} for n in numbers], exchange, 60)
        assert verdict.outcome == expected
        assert verdict.inputs == 2


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["right", "right"], "right"),
        (["right", "todo"], "todo"),
        (["todo", "wrong", "right"], "wrong"),
        ([], "right"),
    ],
)
def test_a_part_is_as_its_worst_property(outcomes: list[Any], expected: str) -> None:
    assert PartVerdict("vae.f", [Verdict("p", "value", "", o, 1, 0.0) for o in outcomes]).outcome == expected


def test_inputs_are_drawn_once_for_every_implementation(doubling: Property) -> None:
    judge = Judge(PROFILE)
    assert judge.inputs(doubling) is judge.inputs(doubling)


def test_every_property_of_a_part_has_its_deadline_and_all_have_the_parts(
    toy: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        toy.property("value", most=1, n=st.integers())(doubles)
    clock, offered = [0.0], []
    for module in ("grading.judge", "grading.engine.lockstep"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: clock[0]))

    @AtOnce
    def slow(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        offered.append(seconds)
        clock[0] += 4
        return [Answer(2 * call.arguments[0]) for call in calls]

    list(Judge(Profile(1, property_seconds=5, part_seconds=10, shrink_seconds=0)).part(toy, slow))
    assert offered == [5, 5, 2, 0.5]


@pytest.mark.parametrize("part", all_parts(), ids=lambda part: part.name)
def test_no_property_holds_of_a_part_that_is_missing_whatever_is_drawn(part: Part) -> None:
    found = Implementation(locate("solutions"))  # with all the other parts

    def ask(call: Call) -> Answer | Fault:
        missing = Fault("missing", "FileNotFoundError", f"there is no file {call.file}")
        return missing if call.part == part.name else reply(found, call)

    for value in part.properties:
        for inputs in draw(value, 0, 3):
            assert run_check(value, ask, inputs).error is not None, value.name


# Shrinking


@pytest.mark.parametrize("least", [0, 1, 17, 256])
def test_the_input_that_is_told_is_the_smallest_that_fails(doubling: Property, least: int) -> None:
    exchange = answered_by(twice=lambda x: 2 * x + (x >= least))
    verdict = Judge(PROFILE).judge(doubling, [{"n": 900}], exchange, 60)
    assert verdict.failure is not None
    assert verdict.failure.called == f"toy.twice(torch.tensor([{least}.0], dtype=torch.float64))"


def test_an_edge_is_told_as_it_stands(toy: Part) -> None:
    value = toy.property("value", edges=[{"n": 900}], n=st.integers())(doubles)
    verdict = Judge(PROFILE).judge(value, value.edges, answered_by(twice=lambda x: 3 * x), 60)
    assert verdict.failure is not None
    assert verdict.failure.inputs == {"n": "900"}


def test_shrinking_ends_neither_in_silence_nor_in_what_is_still_to_be_written(doubling: Property) -> None:
    def function(x: Tensor) -> Tensor:
        if x.item() == 3:
            raise NotImplementedError
        return 2 * x + (x > 2)

    exchange = answered_by(twice=function)

    @AtOnce
    def silent_at_four(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        fault = Fault("silent", "TimeoutError", "no answer within 1 s")
        return [fault] * len(calls) if calls[0].arguments[0].item() == 4 else exchange.post(calls, seconds)()

    verdict = Judge(PROFILE).judge(doubling, [{"n": 900}], silent_at_four, 60)
    assert verdict.failure is not None
    assert verdict.failure.called == "toy.twice(torch.tensor([5.0], dtype=torch.float64))"


@pytest.mark.parametrize("kind", ["import", "missing", "silent", "damaged"])
def test_what_fails_on_every_input_is_not_shrunk(doubling: Property, kind: str) -> None:
    messages = []

    @AtOnce
    def faulty(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        messages.append(calls)
        return [Fault(kind, "Error", "why", "vae/f.py, line 3")] * len(calls)

    verdict = Judge(PROFILE).judge(doubling, [{"n": 1}, {"n": 2}], faulty, 60)
    assert verdict.outcome == "wrong"
    assert len(messages) == 2  # one for each half of the inputs
    assert verdict.failure is not None
    assert "why" in verdict.failure.message
    assert (verdict.failure.where, verdict.failure.inputs, verdict.failure.called) == ("vae/f.py, line 3", {}, "")


def test_a_search_stops_asking_when_its_time_is_over(doubling: Property, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = [0.0], []
    monkeypatch.setattr("grading.engine.inputs.time", SimpleNamespace(monotonic=lambda: clock[0]))

    @AtOnce
    def slow(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        asked.append(calls)
        clock[0] += 1
        return [Answer(call.arguments[0] * 3) for call in calls]

    Judge(Profile(25, 60, 60, shrink_seconds=2)).judge(doubling, [{"n": 900}], slow, 60)
    assert len(asked) == 1 + 3


# Words


def failure_of(check: Callable[..., None], toy: Part, twice: Callable[..., Any], **inputs: Any) -> Any:
    value = toy.property("value", **dict.fromkeys(inputs, st.none()))(check)
    exchange = answered_by(twice=twice)
    attempt = run_check(value, lambda call: exchange.post([call], 1)()[0], inputs)
    assert attempt.error is not None
    return describe(attempt)


def test_a_constant_offset_is_told(toy: Part) -> None:
    failure = failure_of(doubles, toy, lambda x: 2 * x + 0.5, n=3)
    assert (failure.answer, failure.expected, failure.difference) == ("6.5", "6", "0.5")
    assert "differs" in failure.message


@pytest.mark.parametrize(
    ("answer", "expected", "difference", "ratio"),
    [
        ([3.0, 5.0], [1.0, 3.0], "2", "[3, 1.66667]"),
        ([2.0, 6.0], [1.0, 3.0], "[1, 3]", "2"),
        ([math.nan, 1.0], [2.0, 1.0], "", ""),
        ([math.inf, 1.0], [2.0, 1.0], "", ""),
        ([1.0, 2.0], [0.0, 1.0], "1", ""),
        ([], [], "", ""),
        ([1.0], [1.0, 2.0], "", ""),
        ([1.5, 9.0, 3, 4, 5, 6, 7, 8, 9], [1.0] * 9, "", ""),
    ],
)
def test_difference_and_ratio_are_told_where_they_say_something(
    answer: list[float], expected: list[float], difference: str, ratio: str
) -> None:
    assert compare(torch.tensor(answer), torch.tensor(expected)) == (difference, ratio)


@pytest.mark.parametrize(("answer", "expected"), [(None, torch.ones(1)), (1.0, 2.0), (torch.ones(1), None)])
def test_what_are_not_two_tensors_has_no_difference(answer: Any, expected: Any) -> None:
    assert compare(answer, expected) == ("", "")


def test_a_wrong_shape_is_explained() -> None:
    verdicts = judged(PARTS_OF_VAE[NAME], answered_by(log_mean_exp=lambda y: log_mean_exp(y)[:, None]))
    failure = verdicts["one_value_for_each_instance"].failure
    assert failure is not None
    assert failure.message == "returned (2, 1), expected (2,): the axis that was reduced was kept (keepdim)"


def test_an_exception_is_told_with_the_smallest_input_that_raises_it(doubling: Property) -> None:
    def function(x: Tensor) -> Tensor:
        return 2 * x if x < 5 else 1 / 0  # type: ignore[return-value]

    verdict = Judge(PROFILE).judge(doubling, [{"n": 900}], answered_by(twice=function), 60)
    assert verdict.failure is not None
    assert verdict.failure.message == "raised ZeroDivisionError: division by zero"
    assert "tensor([5.0]" in verdict.failure.called
    assert "return 2 * x if x < 5 else 1 / 0" in verdict.failure.traceback


def test_an_exception_without_a_message_is_named(toy: Part) -> None:
    def function(x: Tensor) -> Tensor:
        raise KeyError

    assert failure_of(doubles, toy, function, n=3).message == "raised KeyError"


def test_an_input_is_told_unless_it_is_an_argument_of_the_call(toy: Part) -> None:
    def check(topic: Topic, x: Tensor, pair: Any, n: int, seed: int) -> None:
        """Takes the inputs it is given."""
        raise WrongAnswer(str(topic.twice.observe(x, *pair).value))

    x = torch.tensor([1.0, 20.0])
    inputs = {"x": x, "pair": (x + 1, 3), "n": 1, "seed": 0}
    assert failure_of(check, toy, lambda *a: 0, **inputs).inputs == {"n": "1", "seed": "0"}


def test_a_gradient_is_told_by_the_name_of_the_argument(toy: Part) -> None:
    def check(topic: Topic) -> None:
        """Has a gradient."""
        topic.twice.gradient(torch.ones(1))

    failure = failure_of(check, toy, lambda x: x.detach())
    assert failure.called == "gradient, by x, of toy.twice(torch.tensor([1.0]))"
    assert "no gradient flows" in failure.message


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("vae.elbo is still to be written, in vae/bounds.py", "waits for vae.elbo, which is still to be written"),
        ("toy.twice is still to be written", "still to be written"),
        ("", "still to be written"),
        (
            "\"exp_vml_cpu\" not implemented for 'Half'",
            "raised NotImplementedError: \"exp_vml_cpu\" not implemented for 'Half'",
        ),
    ],
)
def test_a_function_that_waits_for_another_says_so(toy: Part, message: str, told: str) -> None:
    def function(x: Tensor) -> Tensor:
        raise NotImplementedError(message)

    assert failure_of(doubles, toy, function, n=3).message == told


def test_a_bound_that_needs_an_unwritten_divergence_waits_for_it() -> None:
    elbo = Implementation(locate("exercises")).function("vae.kl_gaussian_gaussian_analytic", "divergences.py")
    verdicts = judged(PARTS_OF_VAE["vae.elbo"], answered_by(elbo=lambda x, *_: elbo(x, x, x, x)))
    failure = next(iter(verdicts.values())).failure
    assert failure is not None
    assert failure.message == "waits for vae.kl_gaussian_gaussian_analytic, which is still to be written"


def test_a_part_waits_where_a_property_asks_another_that_is_not_written_and_is_judged_in_all_else() -> None:
    def planar(*arguments: Any) -> Any:
        raise NotImplementedError("flows.planar is still to be written, in flows/planar.py")

    compose = next(part for part in topic_parts("flows") if part.name == "flows.compose")
    found = Implementation(locate("solutions"))
    found.replace("flows.planar", planar)
    verdicts = judged(compose, AtOnce(lambda calls, _: [reply(found, call) for call in calls]))
    waiting = {name: verdict for name, verdict in verdicts.items() if verdict.outcome != "right"}
    assert list(waiting) == ["layer_after_layer"]
    (verdict,) = waiting.values()
    assert verdict.outcome == "todo"
    assert verdict.failure is not None
    assert verdict.failure.message == "waits for flows.planar, which is still to be written"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("import", "SyntaxError", "bad"), "the file cannot be imported: SyntaxError: bad"),
        (Fault("silent", "TimeoutError", "no answer within 5 s"), "no answer within 5 s: is there an endless loop?"),
        (Fault("silent", "ProcessEnded", "the process ended"), "the process ended"),
        (Fault("missing", "AttributeError", "no function f"), "no function f"),
    ],
)
def test_what_was_not_answered_is_told_in_words(doubling: Property, fault: Fault, told: str) -> None:
    assert describe(run_check(doubling, lambda call: fault, {"n": 1})).message == told


def test_a_file_that_cannot_be_imported_is_told_once(tmp_path: Any) -> None:
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / PARTS_OF_VAE[NAME].file).write_text("def log_mean_exp(y:\n")
    verdict = PartVerdict(
        PARTS_OF_VAE[NAME].name, list(judged(PARTS_OF_VAE[NAME], answered_by(str(tmp_path))).values())
    )
    assert [v.outcome for v in verdict.verdicts] == ["wrong"] * len(PARTS_OF_VAE[NAME].properties)
    console = Console(width=200)
    with console.capture() as captured:
        show_part(console, verdict, "vae/likelihoods.py")
    assert captured.get().count("the file cannot be imported: SyntaxError: '(' was never closed") == 1
    assert f"and {len(verdict.verdicts) - 1} more for the same reason" in captured.get()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor(1.5), "torch.tensor(1.5)"),
        (torch.tensor([0.1], dtype=torch.float64), "torch.tensor([0.1], dtype=torch.float64)"),
        (torch.tensor([math.inf, -math.inf, math.nan]), "torch.tensor([math.inf, -math.inf, math.nan])"),
        (torch.tensor([1, 2]), "torch.tensor([1, 2])"),
        (torch.tensor([True]), "torch.tensor([True])"),
        (torch.zeros(0, 2), "torch.tensor([])"),
        (torch.arange(60.0), "<tensor of shape (60,)>"),
        (torch.ones(5, 6), "torch.full((5, 6), 1.0)"),
        (3, "3"),
        ("x", "'x'"),
        (None, "None"),
        ((1, 2.0), "(1, 2.0)"),
        ((1,), "1"),
        (
            LinearDecoder(torch.zeros(1, 1), torch.zeros(1), 2.0),
            "LinearDecoder(weight=[[0.0]], bias=[0.0], variance=2.0)",
        ),
        (LinearCritic(torch.zeros(1), torch.tensor(1.5)), "LinearCritic(weight=[0.0], bias=1.5)"),
        (LinearCritic(torch.zeros(60), torch.tensor(1.5), True).weight, "torch.full((60,), 0.0)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_are_written_as_one_would_type_them(value: Any, text: str) -> None:
    assert typed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (torch.tensor(math.nan), "nan"),
        (torch.tensor([1 / 3]), "0.333333"),
        (torch.tensor([1.0, math.inf]), "[1, inf]"),
        (torch.tensor([[1.0, 2.0]]), "(1, 2): [1, 2]"),
        (torch.tensor([1 + 2j]), "(1+2j)"),
        (torch.zeros(0), "[]"),
        (torch.zeros(5, 5, requires_grad=True), f"(5, 5): {', '.join('0' * 24)}, ..."),
        ("x", "'x'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_answers_are_written_in_six_digits(value: Any, text: str) -> None:
    assert shown(value) == text


# Nothing that a function returns or does makes a property stumble


def rows(x: Tensor) -> Tensor:
    return torch.ones(len(x))


def resizes(*arguments: Any) -> Tensor:
    for argument in arguments:
        if isinstance(argument, Tensor):
            argument.data = torch.zeros(7, dtype=torch.int64)
    return torch.ones(3)


def asks_at(*points: Tensor) -> Callable[..., Tensor]:
    """A bound that asks its given objects at points of its own, whatever they make of them."""

    def function(x: Tensor, *arguments: Any) -> Tensor:
        for argument in arguments:
            for point in points if callable(argument) else ():
                try:
                    argument(point)
                except Exception:
                    continue
        return rows(x)

    return function


ODD: dict[str, Callable[..., Any]] = {
    "None": lambda *_: None,
    "a float": lambda *_: 1.5,
    "nan": lambda *_: math.nan,
    "an empty tuple": lambda *_: (),
    "a tuple": lambda x, *_: (rows(x), rows(x)),
    "a list": lambda *_: [1.0],
    "an array": lambda x, *_: rows(x).numpy(),
    "a string": lambda *_: "x",
    "an object": lambda *_: object(),
    "a whole number": lambda *_: torch.tensor(3),
    "a number": lambda *_: torch.tensor(3.0),
    "nothing": lambda *_: torch.empty(0),
    "whole numbers": lambda x, *_: rows(x).long(),
    "truths": lambda x, *_: rows(x).bool(),
    "complex numbers": lambda x, *_: rows(x).to(torch.cfloat),
    "half precision": lambda x, *_: rows(x).half(),
    "nans": lambda x, *_: rows(x) * math.nan,
    "infinities": lambda x, *_: -rows(x) * math.inf,
    "a matrix": lambda x, *_: torch.ones(len(x), len(x)),
    "a column": lambda x, *_: x.flatten(1).sum(1, keepdim=True),
    "its argument": lambda *a: a[0],
    "its last argument": lambda *a: a[-1],
    "its argument resized": resizes,
    "asked at a number": asks_at(torch.tensor(0.0, dtype=torch.float64)),
    "asked at no rows": asks_at(torch.zeros(0, 2, dtype=torch.float64)),
    "asked at too many rows": asks_at(torch.zeros(90, 2, dtype=torch.float64)),
    "asked at three axes": asks_at(torch.zeros(2, 3, 2, dtype=torch.float64)),
    "asked at too many features": asks_at(torch.zeros(1, 4, dtype=torch.float64)),
    "asked at different widths": asks_at(torch.zeros(2, 2, dtype=torch.float64), torch.zeros(2, 4).double()),
    "asked at whole numbers": asks_at(torch.zeros(1, 2, dtype=torch.int64)),
    "asked at nan": asks_at(torch.full((4, 2), math.nan, dtype=torch.float64)),
    "an exception": lambda *_: 1 / 0,
}


@functools.cache
def few_inputs(part: str) -> list[tuple[Property, list[Any]]]:
    return [(value, draw(value, 0, 2)) for value in PARTS_OF_VAE[part].properties]


@pytest.mark.parametrize("function", ODD.values(), ids=ODD)
@pytest.mark.parametrize("part", PARTS_OF_VAE)
def test_every_property_answers_for_odd_functions(part: str, function: Callable[..., Any]) -> None:
    exchange = answered_by(**{part.removeprefix("vae."): function})
    attempts = [
        run_check(value, lambda call: exchange.post([call], 1)()[0], inputs)
        for value, several in few_inputs(part)
        for inputs in several
    ]
    failed = [attempt for attempt in attempts if attempt.error is not None]
    assert failed
    assert not any(attempt.todo for attempt in failed)
    for attempt in failed:
        assert isinstance(attempt.error, (WrongAnswer, CallFailed))
        assert describe(attempt).message


def test_a_wrong_gradient_of_several_is_told_as_if_it_had_been_asked_alone(toy: Part) -> None:
    @toy.property("gradient", n=st.integers(1, 5))
    def doubles_both(topic: Topic, n: int) -> None:
        """The gradients are 2 and 3."""
        x = torch.tensor([float(n)], dtype=torch.float64)
        for gradient, factor in zip(topic.twice.gradients(x, x, wrt=("0", "1")), (2, 3), strict=True):
            assert_close(gradient, factor * torch.ones_like(x))

    two = Part("toy.twice", "toy.py", ("x", "y"), toy.properties)
    said = []
    for function in (lambda x, y: 2 * x + 4 * y, lambda x, y: 2 * x + y.detach(), lambda x, y: x + 3 * y):
        failure = judged(two, answered_by(twice=function))["doubles_both"].failure
        assert failure is not None
        said.append((failure.called.split(" of ")[0], failure.message))
    assert [called for called, _ in said] == ["gradient, by y,", "gradient, by y,", "gradient, by x,"]
    assert said[1][1] == "no gradient flows from the result to y"
    assert judged(two, answered_by(twice=lambda x, y: 2 * x + 3 * y))["doubles_both"].outcome == "right"
