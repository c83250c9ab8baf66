"""The properties of a property that a student wrote: it accepts right functions, and rejects wrong ones by aspect."""

import importlib
import importlib.util
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grading.engine.calls import CallFailed
from grading.engine.inputs import Inputs, draw

from .answered import Ask, Subject, is_no_judgement
from .closeness import WrongAnswer
from .made import Made
from .properties import Aspect, Property, Topic
from .tried import why_rejected

RIGHT, OWN = "right", "yours"
INPUTS = 3  # of each property of the other part, to see that a student's own function is right
SECONDS_EACH = ("cost", "randomness")  # aspects whose properties take long
REJECTS: dict[Aspect, tuple[str, str]] = {
    "value": ("rejects_wrong_values", "It raises for each function that returns other numbers, or changes arguments."),
    "shape": ("rejects_wrong_shapes", "It raises for each function that returns another shape, form or dtype."),
    "stability": ("rejects_unstable_functions", "It raises for each function that is right for tame arguments only."),
    "gradient": ("rejects_wrong_gradients", "It raises for each function through which wrong gradients flow, or none."),
    "randomness": ("rejects_wrong_noise", "It raises for each function that draws its random numbers otherwise."),
}
ACCEPTS = "It returns None for each right function, however that is written."


@dataclass(frozen=True)
class Tried:
    """A function that a property is tried on; the sentence tells what is wrong with it, or how it is written."""

    sentence: str
    is_right: bool
    ask: Ask


def define(subject: Subject, made: Mapping[str, Made]) -> None:
    """Give a part its properties; made: by name, what stands in for wrong functions where there is no bank."""
    bank = bank_there_is()
    names = bank.names(subject.of.name) if bank else _names(made)

    def find(name: str) -> Tried:
        if bank is not None:
            return Tried(*bank.find(subject.of.name, name))
        one = made[name] if name != OWN else Made("it is your own", None)
        return Tried(one.sentence, one.aspect is None, one.ask)

    _add(subject, find, "value", "accepts_right_functions", ACCEPTS, names[RIGHT])
    for aspect, (name, sentence) in REJECTS.items():
        if aspect in names:
            # A right one among them: whoever rejects all functions has told none of them apart. A student's own comes
            # first: where it is not right, nothing made of it is what it is meant to be.
            place = zlib.crc32(f"{subject.part.name} {aspect}".encode()) % (len(names[aspect]) + 1) if bank else 0
            among = [*names[aspect][:place], names[RIGHT][0], *names[aspect][place:]]
            _add(subject, find, aspect, name, sentence, among)


def bank_there_is() -> Any:
    """Return what tells the wrong and right functions of the bank; None where there is no bank, as where one learns."""
    there = importlib.util.find_spec("grading.bank") is not None
    return importlib.import_module("grading.bank.tried") if there else None


def _names(made: Mapping[str, Made]) -> dict[str, Sequence[str]]:
    found: dict[str, list[str]] = {RIGHT: [OWN]}
    for name, each in made.items():
        found.setdefault(each.aspect or RIGHT, []).append(name)
    return dict(found)


def _add(subject: Subject, find: Any, aspect: Aspect, name: str, sentence: str, functions: Sequence[str]) -> None:
    def check(topic: Topic, tried: str) -> None:
        _judge(topic, subject, find(tried), tried)

    check.__name__, check.__doc__ = name, sentence
    subject.part.property(aspect, edges=[{"tried": each} for each in functions])(check)


def _judge(topic: Topic, subject: Subject, tried: Tried, name: str) -> None:
    """Accept a property that raises for a wrong function, or returns None for a right one.

    Raises:
        WrongAnswer: it accepts a wrong function, or is no property.
        CallFailed: what it raised for a right one.
    """
    if name == OWN:
        _expect_written(topic, subject)
        _expect_right(topic, subject)
    raised = why_rejected(topic, subject, tried.ask)
    if raised is None and not tried.is_right:
        raise WrongAnswer(f"the property accepts a function in which {tried.sentence}")
    if raised is not None and tried.is_right:
        what = f"for a function that is right ({tried.sentence})"
        message = f"{raised.fault.message}: {what}" if raised.fault.message else what
        raise CallFailed(replace(raised.fault, message=message)) from raised.__cause__


def _expect_written(topic: Topic, subject: Subject) -> None:
    """Accept a property that is there, whatever it does at its first question.

    Raises:
        CallFailed: it is still to be written, or gives no answer.
    """
    try:
        topic.answer(subject.call((), 0))
    except CallFailed as failed:
        if is_no_judgement(failed.fault):
            raise


def _expect_right(topic: Topic, subject: Subject) -> None:
    """Accept a student's own function that has the properties of its part.

    Raises:
        WrongAnswer: it has not.
        CallFailed: it is still to be written, or gives no answer.
    """
    for value in subject.of.properties:
        for inputs in _drawn(value) if value.aspect not in SECONDS_EACH else ():
            try:
                value.check(topic, **inputs)
            except Exception as error:
                if isinstance(error, CallFailed) and is_no_judgement(error.fault):
                    raise
                raise WrongAnswer(
                    f"your {subject.name} is not right yet, and a property can only be tried on a right one: "
                    f"{value.name} does not hold of it. First: `elbo check {subject.of.name}`"
                ) from error


_inputs: dict[str, list[Inputs]] = {}


def _drawn(value: Property) -> list[Inputs]:
    if value.full_name not in _inputs:
        _inputs[value.full_name] = draw(value, 0, INPUTS)
    return _inputs[value.full_name]
