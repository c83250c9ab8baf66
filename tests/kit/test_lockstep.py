"""Many inputs of a property meet at each call: one message carries the calls of all, each gets its own answer."""

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from grading.engine.calls import Answer, Call, CallFailed, Fault
from grading.engine.lockstep import INPUTS_AT_ONCE, replay
from tests.support.closeness import WrongAnswer
from tests.support.properties import PARTS, Part, Property, Topic

FAULT = Fault("silent", "TimeoutError", "no answer")


class Recorded:
    """An exchange that answers in this process and keeps what it was asked."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.messages: list[list[Call]] = []
        self.seconds: list[float] = []

    def __call__(self, calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        self.messages.append(list(calls))
        self.seconds.append(seconds)
        return [Answer(self.function(*call.arguments)) for call in calls]

    def post(self, calls: Sequence[Call], seconds: float) -> Callable[[], list[Answer | Fault]]:
        replies = self(calls, seconds)
        return lambda: replies


class Silent(Recorded):
    """An exchange that nobody answers from its third message on."""

    def __call__(self, calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        replies = super().__call__(calls, seconds)
        return replies if len(self.messages) <= 2 else [FAULT] * len(calls)


@pytest.fixture
def toy() -> Iterator[Part]:
    part = Part("toy.twice", "toy.py", ("x",))
    yield part
    del PARTS[part.name]


def numbers(*values: int) -> list[dict[str, int]]:
    return [{"n": n} for n in values]


def tensor(n: int) -> Tensor:
    return torch.tensor([float(n)])


@pytest.fixture
def counts_to_n(toy: Part) -> Property:
    @toy.property("value", n=st.integers())
    def counts_to_n(topic: Topic, n: int) -> None:
        """Asks n times."""
        for i in range(n):
            if topic.twice(tensor(100 * n + i)).item() != 200 * n + 2 * i:
                raise WrongAnswer(f"{i} of {n}")

    return counts_to_n


def twice(x: Tensor) -> Tensor:
    return 2 * x


def test_the_calls_of_each_half_of_the_inputs_travel_as_one_message(counts_to_n: Property) -> None:
    exchange = Recorded(twice)
    attempts = replay(counts_to_n, numbers(*[3] * 20), exchange, 10)
    assert [len(message) for message in exchange.messages] == [10, 10] * 3
    assert [attempt.error for attempt in attempts] == [None] * 20


def test_checks_that_make_different_numbers_of_calls_each_get_their_own_answers(counts_to_n: Property) -> None:
    exchange = Recorded(twice)
    batch = numbers(2, 0, 4, 1, 2)
    attempts = replay(counts_to_n, batch, exchange, 10)
    assert [len(message) for message in exchange.messages] == [1, 3, 1, 2, 1, 1]
    assert [attempt.inputs for attempt in attempts] == batch
    assert not any(attempt.error for attempt in attempts)


def test_each_input_fails_for_itself(counts_to_n: Property) -> None:
    wrong = Recorded(lambda x: 2 * x + (x == 201))
    attempts = replay(counts_to_n, numbers(1, 2, 3), wrong, 10)
    assert [str(attempt.error) for attempt in attempts] == ["None", "1 of 2", "None"]


def test_a_batch_that_is_large_travels_in_several(counts_to_n: Property) -> None:
    exchange = Recorded(twice)
    assert len(replay(counts_to_n, numbers(*[1] * (INPUTS_AT_ONCE + 3)), exchange, 10)) == INPUTS_AT_ONCE + 3
    assert [len(message) for message in exchange.messages] == [INPUTS_AT_ONCE // 2, INPUTS_AT_ONCE // 2, 1, 2]


def test_calls_of_one_check_differ_in_their_seed_and_those_of_two_checks_agree(counts_to_n: Property) -> None:
    exchange = Recorded(twice)
    replay(counts_to_n, numbers(2, 2), exchange, 10)
    first, other, first_again, other_again = ([call.seed for call in message] for message in exchange.messages)
    assert first == other != first_again == other_again


def test_a_fault_of_a_message_is_a_fault_for_every_input_that_waited(counts_to_n: Property) -> None:
    exchange = Silent(twice)
    attempts = replay(counts_to_n, numbers(2, 1, 3), exchange, 10)
    assert len(exchange.messages) == 4
    errors = [attempt.error for attempt in attempts]
    assert errors[1] is None
    assert [error.fault for error in errors if isinstance(error, CallFailed)] == [FAULT, FAULT]


def test_every_message_has_the_seconds_that_are_left(counts_to_n: Property, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("grading.engine.lockstep.time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    exchange = Recorded(twice)
    replay(counts_to_n, numbers(5), exchange, 3)
    assert exchange.seconds == [2, 1, 0, 0, 0]


def test_inputs_are_left_out_when_the_time_is_over(counts_to_n: Property) -> None:
    exchange = Recorded(twice)
    assert len(replay(counts_to_n, numbers(*[1] * 3 * INPUTS_AT_ONCE), exchange, 0)) == INPUTS_AT_ONCE


def test_no_input_is_no_message(counts_to_n: Property) -> None:
    exchange = Recorded(twice)
    assert replay(counts_to_n, [], exchange, 10) == []
    assert exchange.messages == []


def test_a_check_that_breaks_on_an_answer_fails_on_that_input(toy: Part) -> None:
    @toy.property("value", n=st.integers())
    def breaks(topic: Topic, n: int) -> None:
        topic.twice(tensor(n))
        raise ZeroDivisionError

    attempts = replay(breaks, numbers(1, 2), Recorded(twice), 10)
    assert [type(attempt.error) for attempt in attempts] == [ZeroDivisionError] * 2
