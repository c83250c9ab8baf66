"""What an implementation answers to a question of a property that a student wrote.

A question comes from the student's process: it is bounded, and taken for numbers alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grading.engine.calls import Answer, Call, CallFailed, Fault
from grading.engine.metering import tensors_in

from .closeness import WrongAnswer
from .described import DESCRIBED, Held, Maker
from .players import FromGraph
from .properties import Part, Topic
from .replayed import ANSWER_ENTRIES, Answered, Question, Replayed, alike

STRANGE = "the property left something in what it was given that is no question: it should only call that"
Ask = Callable[[Topic, Call], Answer]


@dataclass(frozen=True)
class Subject:
    """A part in which a property of another part is written.

    part: that is written. of: that the property is of. fits: says what is wrong with arguments, "" for nothing. makers:
    what else the property is given. draws: whether the other part takes random numbers.
    """

    part: Part
    of: Part
    fits: Callable[..., str]
    makers: tuple[str, ...] = ()
    draws: bool = False

    @property
    def name(self) -> str:
        """The name of the function that the property is given."""
        return self.of.name.split(".")[1]

    def call(self, table: Sequence[Any], seed: int) -> Call:
        """Return the call of the property, with what is answered so far; the same noise whatever that is."""
        replayed = Replayed(self.name, self.of.arguments, self.draws, tuple(table))
        arguments = (replayed, *map(Maker, self.makers))
        return Call(self.part.name, self.part.file, arguments, seed, "effects")

    def shown(self) -> Call:
        """Return the call as it is told."""
        return Call(self.part.name, self.part.file, tuple(map(Name, (self.name, *self.makers))))


class Name(str):
    """A name that is told without quotes."""

    def __repr__(self) -> str:
        return str(self)


def is_no_judgement(fault: Fault) -> bool:
    """Tell whether a function raised nothing of its own: it is missing, still to be written, or silent."""
    return fault.kind != "raised" or fault.error == "NotImplementedError"


def answered(topic: Topic, subject: Subject, ask: Ask, question: Question, table: Sequence[Any]) -> Answered:
    """Answer a question with an implementation; what that raises is an answer too.

    Raises:
        WrongAnswer: it is no question.
        CallFailed: the implementation is still to be written, or gives no answer.
    """
    weights: Any = ()  # of no gradient
    asked = question
    if question[0] == "gradient":
        asked, weights = _of_gradient(question, table)
    arguments, seed = _described(asked, len(subject.of.arguments))
    if complaint := subject.fits(*(a[1] if a[0] == "tensor" else _critic(a).critic for a in arguments)):
        return ("error", complaint)
    paths = tuple(path for i, each in enumerate(arguments) for path in _paths(i, each))
    call = Call(subject.of.name, subject.of.file, tuple(map(_argument, arguments)), seed, "effects", paths, weights)
    try:
        answer = ask(topic, call)
    except CallFailed as failed:
        if is_no_judgement(failed.fault):
            raise
        return ("error", f"{failed.fault.error}: {failed.fault.message}")
    except Exception as error:
        return ("error", f"{type(error).__name__}: {error}")
    if question[0] == "gradient":
        return ("gradient", tuple(answer.gradients))
    return _of_value(answer, arguments)


def _of_gradient(question: Question, table: Sequence[Any]) -> tuple[Question, Any]:
    """Return the question whose result is differentiated, and the weights of its tensors.

    Raises:
        WrongAnswer: there is no such question, or the weights are not of its result.
    """
    match question:
        case ("gradient", int() as number, tuple() as weights) if 0 <= 2 * number < len(table):
            asked, answered = table[2 * number : 2 * number + 2]
            if asked[0] == "value" and answered[0] == "value":
                left = iter(weights)
                items = answered[1] if isinstance(answered[1], tuple) else (answered[1],)
                each = tuple(next(left, None) if isinstance(item, Tensor) else None for item in items)
                if all(w is None or isinstance(w, Tensor) for w in each):
                    return asked, each if isinstance(answered[1], tuple) else each[0]
    raise WrongAnswer(STRANGE)


def _described(question: Question, count: int) -> tuple[tuple[Any, ...], int]:
    """Return the arguments of a question, and where torch's generator is.

    Raises:
        WrongAnswer: they are none.
    """
    match question:
        case ("value", tuple() as arguments, int() as seed) if seed >= 0 and len(arguments) == count:
            if all(map(_is_argument, arguments)):
                return arguments, seed
    raise WrongAnswer(STRANGE)


def _is_argument(value: Any) -> bool:
    match value:
        case ("tensor", Tensor(), "plain" | "leaf" | "graph"):
            return True
        case ("critic", "LinearCritic", (Tensor(), Tensor(), bool()), (_, _) as gradients):
            return all(g is None or isinstance(g, Tensor) for g in gradients)
        case ("critic", "QuadraticCritic", (Tensor(),), (gradient,)):
            return gradient is None or isinstance(gradient, Tensor)
    return False


def _argument(described: tuple[Any, ...]) -> Any:
    """Make an argument of a call of what was described."""
    if described[0] == "critic":
        return _critic(described)
    return FromGraph(described[1]) if described[2] == "graph" else described[1]


def _critic(described: tuple[Any, ...]) -> Held:
    _, kind, fields, gradients = described
    return Held(DESCRIBED[kind][0](*fields), gradients)


def _paths(position: int, described: tuple[Any, ...]) -> Iterator[str]:
    """Yield what a gradient is asked by in an argument, in the order of `sources_of`."""
    if described[0] == "critic":
        names = zip(DESCRIBED[described[1]][1], described[2], strict=True)
        yield from (f"{position}.critic.{name}" for name, field in names if isinstance(field, Tensor))
    elif described[2] != "plain":
        yield str(position) if described[2] == "leaf" else f"{position}.values"


def _of_value(answer: Answer, arguments: Sequence[tuple[Any, ...]]) -> Answered:
    """Return an answer as it is written into the table."""
    value = tuple(answer.value) if isinstance(answer.value, list) else answer.value
    items = value if isinstance(value, tuple) else (value,)
    graphs = tuple(item.requires_grad for item in items if isinstance(item, Tensor))
    plain = tuple(item.detach() if isinstance(item, Tensor) else item for item in items)
    left = tuple(_left(answer, i, described) for i, described in enumerate(arguments))
    entries = sum(t.numel() for t in tensors_in((plain, left)))
    if entries > ANSWER_ENTRIES:
        return ("error", f"{entries:,} numbers came back, more than {ANSWER_ENTRIES:,}: ask about less")
    return ("value", plain if isinstance(value, tuple) else plain[0], graphs, left)


def _left(answer: Answer, position: int, described: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what a call left of an argument, as `leave` takes it."""
    now = answer.arguments[position]
    if described[0] == "critic":
        match now:
            case (tuple() as parameters, tuple() as gradients, (bool(), bool()) as ready):
                return parameters, gradients, ready, _joined(answer.asked[position])
        raise WrongAnswer(STRANGE)
    numbers = now.detach()
    return None if alike_exactly(numbers, described[1]) else numbers, answer.tracked[position]


def _joined(points: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Put points one below the other, so that as much travels whether they were asked in one call or in many."""
    alike = len({(p.shape[1:], p.dtype) for p in points}) == 1 and all(p.dim() for p in points)
    return (torch.cat(list(points)),) if alike else tuple(points)


def alike_exactly(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors hold the same numbers, nan among them."""
    return alike(one, other) and torch.equal(one.nan_to_num(), other.nan_to_num())
