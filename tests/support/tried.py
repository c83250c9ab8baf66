"""Trying a property that a student wrote: its questions are answered here, until it returns or raises.

The student's function and the implementation that it is tried on never meet: see `replayed`.
"""

from collections.abc import Sequence
from typing import Any

from grading.engine.calls import Answer, CallFailed
from grading.engine.metering import tensors_in

from .answered import STRANGE, Ask, Subject, answered, is_no_judgement
from .closeness import WrongAnswer
from .properties import Topic
from .replayed import ASKS, ENTRIES, Question, large

QUESTIONS = 50
TOTAL_ENTRIES = 50_000  # of all questions and answers of one trial, which travel again with every further question
ANOTHER = (
    "asks something else each time: draw random numbers from torch alone, and make every tensor inside of the "
    "property, where no call before can have changed it"
)


def why_rejected(topic: Topic, subject: Subject, ask: Ask) -> CallFailed | None:
    """Return what a property raises when it is tried on an implementation, None where it accepts that.

    ask: answers a call of the implementation, or raises what that raises.

    Raises:
        WrongAnswer: the property is none, whatever the implementation.
        CallFailed: it is still to be written, or gives no answer.
    """
    table: list[Any] = []
    seed = topic.next_seed()
    while True:
        try:
            seen = _called(topic, subject, table, seed)
        except CallFailed as failed:
            if is_no_judgement(failed.fault):
                raise
            if not table:
                _refuse(f"raises {failed.fault.error} before it asks {subject.name} anything", failed)
            return failed
        question = _question(seen.arguments[0], seen.value, len(table) // 2)
        if question is None:
            _expect_accepted(seen.value, table, subject)
            return None
        if len(table) == 2 * QUESTIONS:
            _refuse(f"asks {subject.name} more than {QUESTIONS} questions")
        table += [question, answered(topic, subject, ask, question, table)]
        topic.last = (subject.shown(), None)  # the last call was perhaps of the implementation
        if sum(t.numel() for t in tensors_in(table)) > TOTAL_ENTRIES:
            _refuse(f"asks for too much: more than {TOTAL_ENTRIES:,} numbers in all questions and answers")


def _called(topic: Topic, subject: Subject, table: Sequence[Any], seed: int) -> Answer:
    """Call a property, and tell of the call as it is written: what it is given has another name here."""
    try:
        return topic.answer(subject.call(table, seed))
    finally:
        topic.last = (subject.shown(), None)


def _refuse(text: str, cause: CallFailed | None = None) -> None:
    raise WrongAnswer(f"the property {text}") from (cause and cause.__cause__)


def _question(left: Any, value: Any, answered: int) -> Question | None:
    """Read the question that a property stopped at; None where it came to an end.

    Raises:
        WrongAnswer: it is none that can be answered.
    """
    match left:
        case (int() as count, None):
            if count < answered:
                _refuse(ANOTHER)
            return None
        case (int(), ("differs",)):
            _refuse(ANOTHER)
        case (int(), ("large", int() as entries)):
            _refuse(f"asks about tensors of {entries:,} entries; at most {ENTRIES:,} in one question are answered")
        case (int(), tuple() as question):
            if not (isinstance(value, str) and value == ASKS):
                _refuse("catches what stops it at a question: write `except Exception`, or catch nothing")
            if question and question[0] in ("value", "gradient"):
                return _question((0, large(question)), value, 0) if large(question) else question
    raise WrongAnswer(STRANGE)


def _expect_accepted(value: Any, table: Sequence[Any], subject: Subject) -> None:
    """Accept None after at least one question."""
    if value is not None:
        found = repr(value) if isinstance(value, (bool, int, float)) else type(value).__name__
        _refuse(f"returns {found}, expected None: it raises where the function is not right, as assert does")
    if not table:
        _refuse(f"never asks {subject.name} anything, so it accepts every function")
