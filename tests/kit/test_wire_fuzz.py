"""The judge refuses or judges whatever a worker might send: the inputs of tests/bench/fuzzing, some of them.

`python -m tests.bench.fuzzing --seconds 600` tries many more, and messages as large as there may be.
"""

import random
import sys

import msgspec
import pytest
import torch

from grading.engine import wire, workers
from grading.engine.calls import Answer, Call, Fault
from tests.bench.fuzzing import trials
from tests.bench.fuzzing.connecting import connection
from tests.bench.fuzzing.judging import decode, judge
from tests.bench.fuzzing.messages import made_up, packed, split, unpacked
from tests.bench.fuzzing.mutations import damaged
from tests.bench.fuzzing.trials import Trial, keep, tried

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
COUNTS = {decode: 800, judge: 300, connection: 20}


@LINUX
@pytest.mark.parametrize("reader", COUNTS, ids=lambda reader: reader.__name__)
def test_damaged_replies_are_refused_or_judged(reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "EXTREME", 0.0)
    done = [tried(number, {reader: 1}, seed=1) for number in range(COUNTS[reader])]
    assert not [(trial.number, trial.problem) for trial in done if trial.problem]
    assert len({trial.outcome for trial in done}) > 1  # neither all refused nor all accepted


# What it found


def test_a_cost_of_less_than_nothing_is_refused() -> None:
    header = msgspec.msgpack.encode([["answer", None, False, [], [], [], [], [-5, 10, -5]]])
    with pytest.raises(wire.WireError, match=">= 0"):
        wire.decode_replies(header, bytearray())


def test_no_text_of_a_worker_or_of_a_refusal_is_longer_than_a_report_can_bear() -> None:
    long = "x" * (wire.MAX_HEADER // 10)
    fault, foreign = wire.decode_replies(
        msgspec.msgpack.encode(
            [["fault", *[long] * 5], ["answer", ["other", long], False, [], [], [], [], [0, 0, 0]]],
        ),
        bytearray(),
    )
    assert isinstance(fault, Fault)
    assert max(map(len, vars(fault).values())) == wire.MAX_TEXT
    assert isinstance(foreign, Answer)
    assert len(foreign.value) == 80
    with pytest.raises(wire.WireError) as refused:
        wire.decode_replies(msgspec.msgpack.encode([[long]]), bytearray())
    assert len(str(refused.value)) < wire.MAX_TEXT


@pytest.mark.parametrize(
    "gradient",
    [
        torch.zeros(1000, 1, 1).double(),
        torch.zeros(2, 3),
        torch.zeros(2, 3, dtype=torch.int64),
        torch.empty(0).double(),
    ],
    ids=["spreads", "single precision", "whole numbers", "empty"],
)
def test_a_gradient_that_is_not_like_what_it_is_by_is_refused(gradient: torch.Tensor) -> None:
    x = torch.zeros(2, 3, dtype=torch.float64)
    call = Call("vae.elbo", "f.py", ([x], x), wrt=("0.0", "1"))
    for right in (x, None):
        workers._assert_fits(call, Answer(x, True, (right, x)))
        with pytest.raises(wire.WireError, match="a gradient"):
            workers._assert_fits(call, Answer(x, True, (right, gradient)))


# The inputs themselves


def test_right_messages_stay_what_they_are_where_nothing_is_damaged() -> None:
    for seed in range(20):
        message = made_up(random.Random(seed))
        assert packed(unpacked(message)) == message
        assert wire.decode_replies(*split(message))


def test_the_same_number_is_the_same_input() -> None:
    one, same, other = (damaged(random.Random(seed), made_up(random.Random(7))) for seed in (3, 3, 4))
    assert one == same != other


def fails(trial: Trial) -> None:
    trial.send(made_up(trial.rng))
    raise ZeroDivisionError


@LINUX
def test_an_exception_is_a_problem_and_its_bytes_are_kept(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    trial = tried(5, {fails: 1})
    assert trial.problem.startswith("ZeroDivisionError")
    assert [bytes.fromhex(line) for line in keep(trial, 0).read_text().splitlines()] == trial.sent
