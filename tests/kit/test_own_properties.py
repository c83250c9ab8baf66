"""A property that a student wrote is judged by what it accepts and rejects, whatever else it does."""

import importlib
import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from grading.bank import entries, tried
from grading.catalogue import all_parts
from grading.engine.answering import answer
from grading.engine.calls import Answer, Call, CallFailed
from grading.engine.implementation import Implementation, locate
from grading.engine.inputs import draw
from grading.engine.lockstep import replay
from grading.engine.worker import reply
from grading.engine.workers import AtOnce, Starter, Worker
from grading.judge import PROFILES, Judge, PartVerdict
from grading.terminal import show_part
from grading.wording import TO_DO, describe
from tests.support import own_properties
from tests.support.answered import STRANGE, Subject
from tests.support.closeness import WrongAnswer
from tests.support.described import Maker
from tests.support.properties import PARTS, Attempt, Part, Topic, run_check
from tests.support.replayed import ASKS, CAUGHT, Replayed
from tests.support.tried import why_rejected

ALL = {part.name: part for part in all_parts()}
MODULES = {topic: importlib.import_module(f"tests.{topic}.test_properties") for topic in ("vae", "gan", "flows")}
SUBJECTS: dict[str, Subject] = {topic: module.SUBJECT for topic, module in MODULES.items()}
VAE = SUBJECTS["vae"]
F64 = torch.float64
Y = torch.tensor([[0.0, 1.0], [2.0, 4.0]], dtype=F64)
by_topic = pytest.mark.parametrize("topic", SUBJECTS)


def beside(function: Callable[..., Any] | None, name: str = VAE.part.name) -> Callable[[Call], Any]:
    """What answers with the reference in this process, and with a function for one part."""
    implementation = Implementation(locate("solutions"))
    if function is not None:
        implementation.replace(name, function)
    return lambda call: reply(implementation, call)


def judged(function: Callable[..., Any] | None, part: Part = VAE.part) -> dict[str, str]:
    """What is told first of each property of a part that does not hold."""
    ask, told = beside(function, part.name), {}
    for value in part.properties:
        attempts = (run_check(value, ask, each) for each in value.edges)
        failed = next((attempt for attempt in attempts if attempt.error is not None), None)
        if failed is not None:
            told[value.name] = describe(failed).message
    return told


def trial(function: Callable[..., Any], of: Callable[..., Any], subject: Subject = VAE) -> CallFailed | None:
    """Why a property rejects an implementation."""
    topic = Topic(subject.part.topic, beside(function, subject.part.name))
    return why_rejected(topic, subject, lambda _, call: answer(of, call))


def right(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1) - torch.tensor(float(y.shape[1]), dtype=y.dtype).log()


# What it is tried on


@by_topic
def test_every_function_of_the_bank_is_tried_or_left_out_for_a_reason(topic: str) -> None:
    part = SUBJECTS[topic].of.name
    kinds = {each.name: each.kind for each in entries(part) if not each.pair}
    names = tried.names(part)
    told = [name for each in names.values() for name in each]
    assert names[tried.RIGHT][0] == tried.REFERENCE
    assert sorted([*told, *tried.LEFT_OUT[part]]) == sorted([tried.REFERENCE, *kinds])
    assert {kinds[name] for name in names.pop(tried.RIGHT)[1:]} == {"alternative"}
    assert {kinds[name] for each in names.values() for name in each} == {"mistake"}
    assert all(len(reason) > 20 for reason in tried.LEFT_OUT[part].values())


TRIES = {"value": 8, "shape": 2, "gradient": 8, "randomness": 1, "stability": 50}


@by_topic
def test_a_mistake_stands_under_an_aspect_in_which_it_shows(topic: str) -> None:
    part = SUBJECTS[topic].of
    for aspect, names in list(tried.names(part.name).items())[1:]:
        values = [value for value in part.properties if value.aspect == aspect]
        drawn = {value.name: draw(value, 0, TRIES[aspect]) for value in values}
        for entry in (each for each in entries(part.name) if each.name in names and each.kind == "mistake"):
            ask = beside(entry.function, part.name)
            shows = (run_check(v, ask, inputs).error is not None for v in values for inputs in drawn[v.name])
            assert any(shows), entry.full_name


@by_topic
def test_a_right_function_is_among_the_wrong_ones_of_every_aspect(topic: str) -> None:
    first, *others = SUBJECTS[topic].part.properties
    assert first.name == "accepts_right_functions"
    assert others
    for value in others:
        names = [each["tried"] for each in value.edges]
        assert names.count(tried.REFERENCE) == 1
        assert len(names) > 2


# What a property is told


def _asserts_nothing(log_mean_exp: Any) -> None:
    log_mean_exp(Y)


def test_a_property_that_asserts_nothing_accepts_each_wrong_function() -> None:
    told = judged(_asserts_nothing)
    assert set(told) == {value.name for value in VAE.part.properties[1:]}
    assert told["rejects_wrong_values"].startswith("the property accepts a function in which the division by K")


def test_a_property_that_rejects_everything_tells_nothing_apart() -> None:
    def rejects(log_mean_exp: Any) -> None:
        log_mean_exp(Y)
        raise ValueError("no")

    told = judged(rejects)
    assert set(told) == {value.name for value in VAE.part.properties}
    assert all(text == "raised ValueError: no: for a function that is right (the reference)" for text in told.values())


def _raises_first(log_mean_exp: Any) -> None:
    raise AssertionError


def _never_asks(log_mean_exp: Any) -> None:
    return None


def _returns(log_mean_exp: Any) -> bool:
    return bool(log_mean_exp(Y).isfinite().all())


def _catches_all(log_mean_exp: Any) -> None:
    try:
        log_mean_exp(Y)
    except:  # noqa: E722
        raise AssertionError from None


def _catches_and_goes_on(log_mean_exp: Any) -> None:
    for _ in range(10_000):
        try:
            log_mean_exp(Y)
        except BaseException:
            continue


def _floods(log_mean_exp: Any) -> None:
    while True:
        log_mean_exp(Y)


def _asks_for_much(log_mean_exp: Any) -> None:
    log_mean_exp(torch.zeros(2001, 1))


def _asks_for_much_in_all(log_mean_exp: Any) -> None:
    for _ in range(49):
        log_mean_exp(torch.zeros(1, 2000))


def _draws_elsewhere(log_mean_exp: Any) -> None:
    for _ in range(3):
        log_mean_exp(Y + random.random())


KEPT = Y.clone()


def _keeps_what_a_function_may_change(log_mean_exp: Any) -> None:
    log_mean_exp(KEPT)
    log_mean_exp(KEPT[:1])


def _shifts_in_place(y: Tensor) -> Tensor:
    y.data.add_(1.0)
    return y.sum(1)


def test_a_tensor_that_a_function_has_changed_before_is_told() -> None:
    with pytest.raises(WrongAnswer, match="make every tensor inside of the property"):
        trial(_keeps_what_a_function_may_change, _shifts_in_place)


COUNT = iter(range(10**9))


def _stops_sooner(log_mean_exp: Any) -> None:
    log_mean_exp(Y)
    if next(COUNT) % 2:
        log_mean_exp(Y)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (_raises_first, "the property raises AssertionError before it asks log_mean_exp anything"),
        (_never_asks, "the property never asks log_mean_exp anything"),
        (_returns, "the property returns True, expected None"),
        (_catches_all, "the property catches what stops it"),
        (_catches_and_goes_on, "the property catches what stops it"),
        (_floods, "the property asks log_mean_exp more than 50 questions"),
        (_asks_for_much, "tensors of 2,001 entries; at most 2,000"),
        (_asks_for_much_in_all, "more than 50,000 numbers in all"),
        (_draws_elsewhere, "asks something else each time: draw random numbers from torch alone"),
    ],
)
def test_what_is_no_property_is_told(function: Callable[..., Any], words: str) -> None:
    told = judged(function)
    assert set(told) == {value.name for value in VAE.part.properties}
    assert all(words in text for text in told.values()), told


def test_a_property_that_asks_less_the_next_time_is_told() -> None:
    assert "asks something else each time" in judged(_stops_sooner)["accepts_right_functions"]


def test_the_line_that_rejects_a_right_function_is_told() -> None:
    def strict(log_mean_exp: Any) -> None:
        assert float(log_mean_exp(Y)[0]) == 7

    (value, *_) = VAE.part.properties
    told = run_check(value, beside(strict), value.edges[0])
    assert isinstance(told.error, CallFailed)
    assert describe(told).called == "vae.log_mean_exp_property(log_mean_exp)"
    assert "in strict" in describe(told).traceback


# What comes from the student's process is nobody's word


def _left(junk: Any, value: Any = ASKS) -> Callable[[Call], Answer]:
    return lambda call: Answer(value, arguments=(junk,))


TENSOR = ("tensor", Y, "plain")


@pytest.mark.parametrize(
    "junk",
    [
        None,
        7,
        Y,
        (),
        ("value",),
        (0, ()),
        (0, (Y,)),
        (0, ("value", Y, 0)),
        (0, ("value", (), 0)),
        (0, ("value", (TENSOR, TENSOR), 0)),
        (0, ("value", (TENSOR,), -1)),
        (0, ("value", (("tensor", Y, "other"),), 0)),
        (0, ("value", (("tensor", "Y", "leaf"),), 0)),
        (0, ("value", (("critic", "LinearCritic", (Y,), ()),), 0)),
        (0, ("value", (("critic", "Game", (), ()),), 0)),
        (0, ("gradient", 0, (Y,))),
        (0, ("gradient", -1, ())),
        (0, ("large", "many")),
        (0, ("answers",)),
    ],
    ids=str,
)
def test_what_is_no_question_is_no_property(junk: Any) -> None:
    (value, *_) = VAE.part.properties
    told = describe(run_check(value, _left(junk), value.edges[0])).message
    assert told == STRANGE or told.startswith("the property"), told


@pytest.mark.parametrize("shape", [(1, 3000), (1, 1, 2), (0, 4)])
def test_a_question_that_is_not_bounded_by_the_student_is_bounded_by_the_judge(shape: tuple[int, ...]) -> None:
    asked = []

    def of(y: Tensor) -> Tensor:
        asked.append(y)
        return y

    topic = Topic("vae", _left((0, ("value", (("tensor", torch.zeros(shape), "plain"),), 0))))
    with pytest.raises(Exception, match="the property asks"):
        why_rejected(topic, VAE, lambda _, call: answer(of, call))
    assert not asked


SECRETS = ("forgets_to_divide", "division by K", "grading.bank", "reference")


def _looks_around(log_mean_exp: Any) -> None:
    import gc
    import sys

    log_mean_exp(Y)
    names = [name for name in sys.modules if name.startswith(("grading.bank", "solutions"))]
    seen = [text for text in gc.get_objects() if isinstance(text, str)]
    found = [secret for secret in SECRETS[:2] if any(secret == text for text in seen)]
    held = repr(vars(log_mean_exp)) + repr(vars(log_mean_exp.given))
    if names or found or any(secret in held for secret in SECRETS):
        raise ValueError(f"{names} {found} {held}")


def test_nothing_of_the_bank_is_in_the_students_process(starter: Starter, submission: Any) -> None:
    import inspect

    source = inspect.getsource(_looks_around).replace("_looks_around", "log_mean_exp_property")
    directory = submission({})
    (directory / "vae" / "properties.py").write_text(
        f"from typing import Any\nimport torch\nY = torch.zeros(2, 2)\nSECRETS = {SECRETS!r}\n{source}"
    )
    worker = Worker(starter, directory)
    (first, second, *_) = VAE.part.properties
    assert [a.error for a in replay(first, first.edges, worker, 60)] == [None] * len(first.edges)
    told = [str(a.error) for a in replay(second, second.edges, worker, 60) if a.error is not None]
    assert len(told) == len(second.edges) - 1
    assert all("accepts a function" in text for text in told)
    worker.close()


# A question is answered as the function itself would


def test_a_call_stops_at_the_first_question_without_an_answer() -> None:
    def asks(f: Any) -> None:
        f(Y)

    call = Call("a.b", "b.py", (Replayed("f", ("y",)),), watch="effects")
    seen = answer(asks, call)
    assert seen.value == ASKS
    count, (kind, ((what, numbers, state),), _) = seen.arguments[0]
    assert (count, kind, what, state) == (1, "value", "tensor", "plain")
    assert torch.equal(numbers, Y)
    assert answer(_catches_all, call).value == answer(_catches_and_goes_on, call).value == CAUGHT


def test_a_trial_sees_what_a_call_in_the_same_process_sees() -> None:
    seen: list[Any] = []

    def of(y: Tensor) -> Tensor:
        if y.shape[0] == 1:
            raise IndexError("one row")
        y.data[0, 0] = 9.0
        return y.sum(1) ** 2

    def looks(log_mean_exp: Any) -> None:
        seen.clear()
        leaf = Y.clone().requires_grad_()
        doubled = leaf * 2
        value = log_mean_exp(y=doubled)
        seen.append(value.detach().clone())
        seen.append(torch.autograd.grad((value * torch.tensor([1.0, 3.0])).sum(), leaf)[0])
        seen.append(doubled.detach().clone())
        try:
            log_mean_exp(Y[:1])
        except Exception as error:
            seen.append(str(error))
        seen.append(log_mean_exp(Y.float()).dtype)

    assert trial(looks, of) is None
    through = list(seen)
    looks(of)
    for here, there in zip(seen, through, strict=True):
        assert torch.equal(here, there) if isinstance(here, Tensor) else str(here) in str(there)


def test_a_result_without_a_graph_stays_without_one() -> None:
    def looks(planar: Any) -> None:
        z = torch.zeros(2, 3, dtype=F64, requires_grad=True)
        points, log_abs_det = planar(z, z[0].detach(), z[0].detach(), z[0, 0].detach())
        assert (points.requires_grad, log_abs_det.requires_grad) == (True, False)

    subject = SUBJECTS["flows"]
    assert trial(looks, lambda z, u, w, b: (2 * z, z.detach().sum(1)), subject) is None
    told = trial(looks, lambda z, u, w, b: (2 * z, z.sum(1)), subject)
    assert told is not None
    assert told.fault.error == "AssertionError"


def test_what_a_function_does_to_a_critic_is_done_to_the_students() -> None:
    def of(critic: Any, real: Tensor, fake: Tensor) -> Tensor:
        critic.eval()
        (2 * critic(real).sum()).backward()
        return critic.weight.sum() * fake.sum()

    def looks(gradient_penalty: Any, linear_critic: Any, quadratic_critic: Any) -> None:
        critic = linear_critic(torch.tensor([1.0, 2.0]), 3.0)
        critic.bias.grad = torch.tensor(5.0)
        value = gradient_penalty(critic, torch.ones(4, 2), torch.zeros(4, 2) + 1)
        assert not critic.training
        assert torch.equal(critic.weight.grad, torch.tensor([8.0, 8.0]))
        assert float(critic.bias.grad) == 5 + 8
        assert torch.equal(torch.cat(critic.asked), torch.ones(4, 2))
        assert torch.equal(torch.autograd.grad(value, critic.weight)[0], torch.tensor([8.0, 8.0]))

    assert trial(looks, of, SUBJECTS["gan"]) is None


def test_noise_depends_on_torchs_generator_alone() -> None:
    def of(critic: Any, real: Tensor, fake: Tensor) -> Tensor:
        return torch.rand(()) + 0 * critic(real).sum()

    def looks(gradient_penalty: Any, linear_critic: Any, quadratic_critic: Any) -> None:
        critic, x = linear_critic(torch.ones(2)), torch.ones(1, 2)
        first, second = (gradient_penalty(critic, x, x) for _ in range(2))
        assert not torch.equal(first, second)
        torch.manual_seed(3)
        third = gradient_penalty(critic, x, x)
        torch.manual_seed(3)
        assert torch.equal(third, gradient_penalty(critic, x, x))

    assert trial(looks, of, SUBJECTS["gan"]) is None


def test_a_question_of_another_kind_is_answered_by_an_error() -> None:
    def looks(log_mean_exp: Any) -> None:
        for wrong in ((Y[0],), ([1.0],), (Y, Y), (Y * 1j,), ()):
            with pytest.raises((TypeError, RuntimeError)):
                log_mean_exp(*wrong)
        with pytest.raises(TypeError, match=r"torch\.func"):
            torch.func.vmap(log_mean_exp)(Y[None])

    assert trial(looks, right) is None


# Where there is no bank


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Part]]:
    """Makes a topic's part as it is where there is no bank."""
    monkeypatch.setattr(own_properties, "bank_there_is", lambda: None)
    before = dict(PARTS)

    def make(topic: str) -> Part:
        subject = SUBJECTS[topic]
        part = Part(subject.part.name, subject.part.file, subject.part.arguments)
        own = Subject(part, subject.of, subject.fits, subject.makers, subject.draws)
        own_properties.define(own, MODULES[topic].MADE)
        return part

    yield make
    PARTS.clear()
    PARTS.update(before)


@by_topic
def test_without_a_bank_the_properties_are_the_same_and_the_reference_has_them(
    topic: str, alone: Callable[[str], Part]
) -> None:
    part = alone(topic)
    assert [v.name for v in part.properties] == [v.name for v in SUBJECTS[topic].part.properties]
    assert judged(None, part) == {}


def test_without_a_bank_wrong_functions_are_made_of_the_own_one(alone: Callable[[str], Part]) -> None:
    told = judged(_asserts_nothing, alone("vae"))
    assert set(told) == {value.name for value in VAE.part.properties[1:]}
    assert "accepts a function in which no gradient flows" in told["rejects_wrong_gradients"]


def _alone(alone: Callable[[str], Part], own: Callable[..., Any]) -> dict[str, Attempt]:
    """The first attempt at each property that fails."""
    implementation = Implementation(locate("solutions"))
    implementation.replace("vae.log_mean_exp", own)
    found = {}
    for value in alone("vae").properties:
        attempts = [run_check(value, lambda call: reply(implementation, call), each) for each in value.edges]
        found[value.name] = next(a for a in attempts if a.error is not None)
    return found


def test_without_a_bank_a_property_waits_for_the_own_function(alone: Callable[[str], Part]) -> None:
    def stub(y: Tensor) -> Tensor:
        raise NotImplementedError("vae.log_mean_exp is still to be written, in vae/likelihoods.py")

    found = _alone(alone, stub)
    assert all(attempt.todo for attempt in found.values())
    assert {describe(a).message for a in found.values()} == {"waits for vae.log_mean_exp, which is still to be written"}


def test_without_a_bank_an_own_function_that_is_wrong_is_told(alone: Callable[[str], Part]) -> None:
    found = _alone(alone, lambda y: torch.logsumexp(y, 1))
    (told,) = {describe(attempt).message for attempt in found.values()}
    assert told.startswith("your log_mean_exp is not right yet")
    assert "`elbo check vae.log_mean_exp`" in told


@pytest.mark.parametrize("is_written", [True, False])
@by_topic
def test_without_a_bank_a_property_that_is_not_written_waits_for_no_other_function(
    topic: str, is_written: bool, alone: Callable[[str], Part]
) -> None:
    implementation = Implementation(locate("exercises"))
    if is_written:  # wrong
        implementation.replace(SUBJECTS[topic].of.name, lambda *_: None)
    exchange = AtOnce(lambda calls, _: [reply(implementation, call) for call in calls])
    found = list(Judge(PROFILES["student"]).part(alone(topic), exchange))
    assert {verdict.outcome for verdict in found} == {"todo"}
    assert {verdict.failure.message for verdict in found if verdict.failure} == {TO_DO}


def test_without_a_bank_an_own_function_that_is_wrong_is_told_once_for_all_properties(
    alone: Callable[[str], Part],
) -> None:
    implementation = Implementation(locate("solutions"))
    implementation.replace("vae.log_mean_exp", lambda y: torch.logsumexp(y, 1))
    exchange = AtOnce(lambda calls, _: [reply(implementation, call) for call in calls])
    part = alone("vae")
    console = Console(file=io.StringIO(), width=200)
    show_part(console, PartVerdict(part.name, list(Judge(PROFILES["student"]).part(part, exchange))), "properties.py")
    text = console.file.getvalue()
    assert f"accepts_right_functions and {len(part.properties) - 1} more for the same reason" in text
    assert text.count("✗") == 2
    assert "the property accepts" not in text


# How it is told


def _stops_its_question(log_mean_exp: Any) -> None:
    try:
        log_mean_exp(Y)
    except BaseException as caught:
        raise ValueError("no") from caught


def _returns_a_number(log_mean_exp: Any) -> Any:
    log_mean_exp(Y)
    return 1


def _asks_much(log_mean_exp: Any) -> None:
    log_mean_exp(torch.zeros(1, 5000))


@pytest.mark.parametrize("function", [_stops_its_question, _returns_a_number, _asks_much, _raises_first, _never_asks])
def test_what_a_property_is_given_is_told_by_its_name(function: Callable[..., Any]) -> None:
    ask = beside(function)
    for value in VAE.part.properties:
        failed = next(a for a in (run_check(value, ask, each) for each in value.edges) if a.error is not None)
        assert describe(failed).called == "vae.log_mean_exp_property(log_mean_exp)"


# As it is handed out


@by_topic
def test_a_stub_is_still_to_be_written(topic: str) -> None:
    part = SUBJECTS[topic].part
    implementation = Implementation(locate("exercises"))
    for value in part.properties:
        assert all(run_check(value, lambda c: reply(implementation, c), each).todo for each in value.edges)


def test_makers_make_critics_by_name() -> None:
    critic = Maker("quadratic_critic").build()(torch.eye(2))
    assert critic(torch.tensor([[3.0, 4.0]])).item() == 12.5
    with pytest.raises(KeyError):
        Maker("eval").build()
