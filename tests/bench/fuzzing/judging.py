"""Inputs that are read as a message, and inputs that are judged as the answers to a property's calls."""

import contextlib
from collections.abc import Sequence
from functools import cache

import msgspec

from grading.catalogue import all_parts
from grading.engine import wire, worker, workers
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import Implementation, locate
from grading.judge import Judge, Profile
from grading.wording import tensors_of
from tests.bench.fuzzing.messages import made_up, split
from tests.bench.fuzzing.trials import Trial
from tests.support.properties import Property

TEXT = 20_000  # characters of what is told of an input


def decode(trial: Trial) -> None:
    """Read a message, and let what it holds travel on: a check may ask with what it was answered."""
    message = trial.send(made_up(trial.rng))
    try:
        parts = split(message)
    except wire.WireError:
        trial.outcome = "refused"
        return
    trial.start()
    try:
        replies = wire.decode_replies(*parts)
        trial.outcome = "accepted"
    except wire.WireError as error:
        replies, trial.outcome = [], "refused"
        trial.expect(len(str(error)) < TEXT, f"a refusal of {len(str(error))} characters")
    trial.stop()
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    with contextlib.suppress(wire.WireError):
        sent = wire.encode_calls([Call("vae.elbo", "f.py", (answer.value, *answer.arguments)) for answer in answers])
        wire.decode_calls(*wire.split(sent))


def judge(trial: Trial) -> None:
    """Judge a property on what the reference replies, damaged."""
    value = trial.rng.choice(_properties())
    judging = _judge(0.05 if trial.rng.random() < 0.05 else 0.0)
    inputs = trial.rng.sample(judging.inputs(value), 1)
    exchange = workers.AtOnce(lambda calls, seconds: _forged(trial, calls))
    trial.start()
    verdict = judging.judge(value, inputs, exchange, 20)
    told = msgspec.json.encode(verdict).decode()
    trial.stop()
    trial.outcome = verdict.outcome
    trial.expect(len(told) < 4 * TEXT, f"{value.full_name}: a verdict of {len(told)} characters")
    refused = "allocate" in told or "MemoryError" in told
    trial.expect(not refused, f"{value.full_name}: asked for more memory than there may be")
    trial.expect(bool(verdict.failure) == (verdict.outcome != "right"), f"{value.full_name}: no failure told")


def _forged(trial: Trial, calls: Sequence[Call]) -> list[Answer | Fault]:
    """Answer in place of a worker; what that computes, and the damage, is not on the judge's account."""
    try:
        asked = wire.encode_calls(list(calls))
        trial.stop()
        try:
            parts = split(trial.send(_right(wire.decode_calls(*wire.split(asked))), damage=0.6))
        finally:
            trial.start()
        replies = wire.decode_replies(*parts)
        if len(replies) != len(calls):
            raise wire.WireError("another number of replies")
        for call, reply in zip(calls, replies, strict=True):
            workers._assert_fits(call, reply)
    except wire.WireError as error:
        return [Fault("damaged", "WireError", str(error))] * len(calls)
    return replies


def _right(calls: Sequence[Call]) -> bytes:
    """Return the reference's replies; none to arguments that were made huge before."""
    entries = sum(tensor.numel() for call in calls for tensor in tensors_of(call.arguments))
    if entries > 1 << 18:
        return wire.encode_replies([Fault("raised", "ValueError", "too much")] * len(calls))
    return wire.encode_replies([worker.reply(_reference(), call) for call in calls])


@cache
def _reference() -> Implementation:
    return Implementation(locate("solutions"))


@cache
def _properties() -> list[Property]:
    return [value for part in all_parts() for value in part.properties]


@cache
def _judge(shrink_seconds: float) -> Judge:
    return Judge(Profile(2, 20, 60, shrink_seconds))
