"""A judge with a memory says what one without says; replies that are known to hold are not judged again."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from grading.bank import entries
from grading.catalogue import topic_parts
from grading.engine import remembering
from grading.engine.calls import Answer, Call, Fault
from grading.engine.checks import Checks
from grading.engine.implementation import locate
from grading.engine.lockstep import INPUTS_AT_ONCE, replay
from grading.engine.remembering import Memory
from grading.engine.workers import AtOnce, Starter, Worker
from grading.judge import Judge, Profile, Verdict
from tests.support.closeness import WrongAnswer
from tests.support.properties import PARTS, Attempt, Part, Property, Topic

PROFILE = Profile(inputs=6, property_seconds=60, part_seconds=600, shrink_seconds=0)


@pytest.fixture
def toy() -> Iterator[Part]:
    part = Part("vae.twice", "toy.py", ("x",))
    yield part
    del PARTS[part.name]


@pytest.fixture
def three_calls(toy: Part) -> Property:
    @toy.property("value", n=st.integers())
    def three_calls(topic: Topic, n: int) -> None:
        """Doubles three numbers, to six digits."""
        for i in range(3):
            x = torch.tensor([float(10 * n + i)], dtype=torch.float64)
            if not torch.allclose(topic.twice.raw(x), 2 * x, rtol=1e-6):
                raise WrongAnswer(f"{i} of {n}")

    return three_calls


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many inputs each half had whose checks were run although there is a memory."""
    counts: list[int] = []

    def counted(value: Property, batch: Sequence[Any]) -> Checks:
        counts.append(len(batch))
        return Checks(value, batch)

    monkeypatch.setattr(remembering, "Checks", counted)
    return counts


class Doubling:
    """Answers in this process by messages; keeps how many calls each of them had."""

    def __init__(self, function: Callable[[Tensor], Any] = lambda x: 2 * x) -> None:
        self.function, self.messages = function, [0][:0]

    def answer(self, calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        self.messages.append(len(calls))
        return [Answer(self.function(*call.arguments)) for call in calls]


NUMBERS = [{"n": n} for n in range(1, 11)]


def tried(value: Property, memory: Memory | None, function: Callable[[Tensor], Any] = lambda x: 2 * x) -> list[str]:
    """The errors of ten inputs, after as many messages as there always are."""
    exchange = Doubling(function)
    attempts = replay(value, NUMBERS, AtOnce(exchange.answer), 60, memory)
    assert [attempt.inputs for attempt in attempts] == NUMBERS
    assert exchange.messages == [5, 5] * 3
    return [str(attempt.error) for attempt in attempts]


def test_replies_that_held_are_not_judged_again(three_calls: Property, woken: list[int]) -> None:
    memory = Memory()
    for _ in range(3):
        assert tried(three_calls, memory) == ["None"] * 10
    assert woken == [5, 5]


@pytest.mark.parametrize("last", [0, 1, 2], ids=["first call", "second", "third"])
def test_one_other_bit_is_judged_anew_and_may_be_right(three_calls: Property, woken: list[int], last: int) -> None:
    def nearly(x: Tensor) -> Tensor:
        return 2 * x * (1 + 2.0**-52) if x.item() == 70 + last else 2 * x

    memory = Memory()
    tried(three_calls, memory)
    assert tried(three_calls, memory, nearly) == ["None"] * 10
    assert woken == [5, 5, 5]  # and only the half that has it in it
    assert tried(three_calls, memory, nearly) == tried(three_calls, memory) == ["None"] * 10
    assert woken == [5, 5, 5]


@pytest.mark.parametrize("last", [0, 1, 2], ids=["first call", "second", "third"])
def test_a_wrong_reply_after_known_ones_is_wrong_every_time(three_calls: Property, last: int) -> None:
    def wrong(x: Tensor) -> Tensor:
        return -2 * x if x.item() == 70 + last else 2 * x  # another sign is another bit

    memory = Memory()
    for _ in range(2):
        tried(three_calls, memory)
        exchange = Doubling(wrong)
        attempts = replay(three_calls, NUMBERS, AtOnce(exchange.answer), 60, memory)
        without = replay(three_calls, NUMBERS, AtOnce(Doubling(wrong).answer), 60)
        assert [str(a.error) for a in attempts] == [str(a.error) for a in without]
        assert [str(a.error) for a in attempts if a.error] == [f"{last} of 7"]


def test_what_failed_is_never_remembered(three_calls: Property, woken: list[int]) -> None:
    memory = Memory()
    for times in (1, 2):
        tried_once = replay(three_calls, NUMBERS, AtOnce(Doubling(lambda x: 3 * x).answer), 60, memory)
        assert all(isinstance(attempt.error, WrongAnswer) for attempt in tried_once)
        assert len(woken) == 2 * times
    assert memory.size == 0


def test_every_batch_of_a_property_is_remembered_for_itself(three_calls: Property, woken: list[int]) -> None:
    memory, many = Memory(), [{"n": n} for n in range(2 * INPUTS_AT_ONCE + 5)]
    for _ in range(2):
        attempts = replay(three_calls, many, AtOnce(Doubling().answer), 60, memory)
        assert len(attempts) == len(many)
        assert not any(attempt.error for attempt in attempts)
    assert woken == [32, 32, 32, 32, 2, 3]


def test_a_single_input_and_none_are_remembered(three_calls: Property, woken: list[int]) -> None:
    memory = Memory()
    for batch in (NUMBERS[:1], []):
        for _ in range(2):
            assert len(replay(three_calls, batch, AtOnce(Doubling().answer), 60, memory)) == len(batch)


def test_a_check_that_forgives_a_fault_is_not_remembered(toy: Part, woken: list[int]) -> None:
    @toy.property("value", n=st.integers())
    def forgives(topic: Topic, n: int) -> None:
        """Whatever happens."""
        try:
            topic.twice.raw(torch.ones(1))
        except Exception:
            return

    silent = AtOnce(lambda calls, seconds: [Fault("silent", "TimeoutError", "no answer")] * len(calls))
    silent.post_message = lambda message, seconds: lambda: Fault("silent", "TimeoutError", "no answer")  # type: ignore[method-assign]
    memory = Memory()
    assert not replay(forgives, NUMBERS, silent, 60, memory)[0].error
    assert memory.size == 0


def test_messages_that_cannot_be_sent_are_faults(
    three_calls: Property, write: Callable[[str], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading.engine.wire.MAX_BODY", 30)
    with_memory, without = (
        [str(a.error) for a in replay(three_calls, NUMBERS, write("return 2 * x"), 60, memory)]
        for memory in (Memory(), None)
    )
    assert with_memory == without != ["None"] * 10


# Bounds


def test_what_is_remembered_has_a_bound_and_what_is_used_stays(three_calls: Property, woken: list[int]) -> None:
    tried(three_calls, memory := Memory())
    limit = memory.size
    memory = Memory(messages=limit, chains=limit)
    woken.clear()
    for i in range(200):  # 200 submissions that differ in the last digits of all they answer
        assert tried(three_calls, memory, lambda x, i=i: 2 * x * (1 + i * 2.0**-51)) == ["None"] * 10
        assert tried(three_calls, memory) == ["None"] * 10
        assert memory.size <= 2 * limit
    assert len(woken) == 400


def test_what_was_forgotten_in_the_middle_is_learnt_again(three_calls: Property) -> None:
    for limit in range(0, 8000, 500):
        memory = Memory(chains=limit)
        assert all(tried(three_calls, memory) == ["None"] * 10 for _ in range(3))


def test_messages_are_kept_once_for_all_replies(three_calls: Property) -> None:
    memory = Memory()
    tried(three_calls, memory)
    first = memory.size
    tried(three_calls, memory, lambda x: 2 * x * (1 + 2.0**-51))
    assert memory.size < 1.4 * first


# Workers


@pytest.fixture
def write(tmp_path: Path, starter: Starter) -> Iterator[Callable[[str], Worker]]:
    """A function that returns a worker of a student's function of this body."""
    workers: list[Worker] = []

    def make(text: str) -> Worker:
        directory = tmp_path / str(len(workers))
        (directory / "vae").mkdir(parents=True)
        (directory / "vae" / "toy.py").write_text(f"import os, torch\ndef twice(x):\n    {text}\n")
        workers.append(Worker(starter, directory))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def errors(attempts: Sequence[Attempt]) -> list[str]:
    return [str(attempt.error) for attempt in attempts]


@pytest.mark.parametrize("last", [10, 11, 12, 70, 71, 72], ids=str)
@pytest.mark.parametrize("end", ["os._exit(3)", "os.write(3, b'x' * 99)", "raise ValueError('mine')"], ids=str)
def test_a_worker_that_dies_in_the_midst_of_what_is_known(
    three_calls: Property, write: Callable[[str], Worker], end: str, last: int
) -> None:
    memory, dies = Memory(), f"{end} if x.item() == {last} else None; return 2 * x"
    if "raise" in end:
        dies = f"exec({end!r}) if x.item() == {last} else None; return 2 * x"
    assert errors(replay(three_calls, NUMBERS, write("return 2 * x"), 60, memory)) == ["None"] * 10
    found = errors(replay(three_calls, NUMBERS, write(dies), 60, memory))
    assert found == errors(replay(three_calls, NUMBERS, write(dies), 60)) != ["None"] * 10
    assert errors(replay(three_calls, NUMBERS, write("return 2 * x"), 60, memory)) == ["None"] * 10


def test_a_worker_that_says_nothing_in_time(three_calls: Property, write: Callable[[str], Worker]) -> None:
    memory = Memory()
    replay(three_calls, NUMBERS, write("return 2 * x"), 60, memory)
    found = replay(three_calls, NUMBERS, write("\n    while x.item() == 71: pass\n    return 2 * x"), 1.0, memory)
    assert "TimeoutError: no answer in time" in errors(found)


# Verdicts


def plain(verdicts: Iterator[Verdict]) -> list[Verdict]:
    """Verdicts without the time that they took."""
    return [msgspec.structs.replace(verdict, seconds=0.0) for verdict in verdicts]


def candidates() -> list[tuple[str, str]]:
    """Right, wrong and differently written implementations of a few parts."""
    names = ("vae.log_mean_exp", "gan.update_average", "gan.critic_step", "flows.planar", "flows.flow_elbo")
    return [(name, entry) for name in names for entry in ("", *(e.name for e in entries(name)))]


PARTS_BY_NAME = {part.name: part for topic in ("vae", "gan", "flows") for part in topic_parts(topic)}
REMEMBERING, PLAIN = Judge(PROFILE, memory=Memory()), Judge(PROFILE)


@pytest.mark.parametrize(("part", "entry"), candidates(), ids=lambda value: value or "reference")
def test_verdicts_are_those_without_a_memory(part: str, entry: str, starter: Starter) -> None:
    worker = Worker(starter, locate("solutions"), f"{part}.{entry}" if entry else "")
    expected = plain(PLAIN.part(PARTS_BY_NAME[part], worker))
    for _ in range(2):
        assert plain(REMEMBERING.part(PARTS_BY_NAME[part], worker)) == expected
    worker.close()


def test_the_reference_is_judged_once_whatever_process_it_runs_in(starter: Starter, woken: list[int]) -> None:
    judge = Judge(PROFILE, memory=Memory())
    for times in range(3):
        worker = Worker(starter, locate("solutions"))
        for part in PARTS_BY_NAME.values():
            assert {verdict.outcome for verdict in judge.part(part, worker)} == {"right"}
        worker.close()
        if times == 0:
            first = len(woken)
    assert len(woken) == first
