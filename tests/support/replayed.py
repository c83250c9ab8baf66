"""A function that is elsewhere: what is built of it answers from a table, and stops at the first question without one.

What was to be asked comes back as what the call left of this argument. Whoever called finds the answer, writes both
into the table, and calls again: the same code runs to the next question. The function itself is never in this process.
"""

import inspect
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from grading.engine.metering import tensors_in

from . import described
from .described import copied, describe, leave, sources_of
from .given import Given

ENTRIES = 2_000  # of the tensors in one question
ANSWER_ENTRIES = 20_000
ASKS, CAUGHT = "asks", "caught"
Question = tuple[Any, ...]  # ("value", arguments, state), ("gradient", of which question, weights)
Answered = tuple[Any, ...]  # ("value", value, has a graph, left), ("gradient", gradients), ("error", message)


class Pending(BaseException):
    """Ends a call at a question that has no answer yet; no `except Exception` stops it."""


def run(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Call a function, one of whose arguments may stop it.

    Returns:
        Its value; ASKS where it was stopped; CAUGHT where it was, and went on or raised something else.
    """
    try:
        value = function(*arguments)
    except Pending:
        return ASKS
    except Exception:
        if not _is_stopped(arguments):
            raise
        return CAUGHT
    return CAUGHT if _is_stopped(arguments) else value


def _is_stopped(arguments: Sequence[Any]) -> bool:
    return any(isinstance(a, Replaying) and a.pending is not None for a in arguments)


@dataclass(frozen=True)
class Replayed(Given):
    """A function and what it answered so far.

    arguments: their names. draws: whether it takes random numbers. table: question, answer, question, answer, ...
    """

    name: str
    arguments: tuple[str, ...]
    draws: bool = False
    table: tuple[Any, ...] = ()

    def build(self) -> "Replaying":
        return Replaying(self)


class Replaying:
    """What a student's property receives in place of the function."""

    def __init__(self, given: Replayed) -> None:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.given, self.count = given, 0
        self.pending: Question | None = None
        self.signature = inspect.Signature([inspect.Parameter(name, kind) for name in given.arguments])

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        values = self.signature.bind(*arguments, **named).args
        number = self.count
        told = tuple(describe(self.given.name, value) for value in values)
        _, value, graphs, after = self._answer(("value", told, _state()))
        if self.given.draws:
            torch.rand(())  # as the function would have done, so that the next question begins elsewhere
        sources = [source for each in values for source in sources_of(each)]
        result = self._with_graph(value, graphs, sources, number)
        for each, left in zip(values, after, strict=True):
            leave(each, left)
        return result

    def gradients(self, number: int, weights: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
        """Ask for the gradients of the result of a question, weighted, by all that asks for one."""
        told = tuple(None if w is None else copied(self.given.name, w) for w in weights)
        return self._answer(("gradient", number, told))[1]

    def left(self) -> tuple[int, Question | None]:
        """Return how many questions were asked, and the one that waits for an answer."""
        return self.count, self.pending

    def _answer(self, question: Question) -> Answered:
        """Look a question up.

        Raises:
            Pending: it is the first without an answer, or another one than the last time.
            RuntimeError: it is what the function raised.
        """
        table, place = self.given.table, 2 * self.count
        if self.pending is None:
            self.count += 1
            if place >= len(table):
                self.pending = large(question) or question
            elif not alike(table[place], question):
                self.pending = ("differs",)
        if self.pending is not None:
            raise Pending(f"{self.given.name} answers elsewhere; let this pass: catch Exception, or nothing")
        answer = table[place + 1]
        if answer[0] == "error":
            raise RuntimeError(answer[1])
        return answer

    def _with_graph(self, value: Any, graphs: tuple[bool, ...], sources: Sequence[Tensor], number: int) -> Any:
        """Return a value whose tensors can be differentiated as the function's can."""
        items = value if isinstance(value, tuple) else (value,)
        tensors = [item for item in items if isinstance(item, Tensor)]
        made = iter(_FromTable.apply(self, number, tensors, graphs, *sources) if any(graphs) else tensors)
        items = tuple(next(made) if isinstance(item, Tensor) else item for item in items)
        return items if isinstance(value, tuple) else items[0]


class _FromTable(torch.autograd.Function):
    """Results from the table, whose gradients are questions too."""

    @staticmethod
    def forward(
        ctx: Any, asked: Replaying, number: int, results: list[Tensor], graphs: tuple[bool, ...], *sources: Tensor
    ) -> Any:
        """Return the results; those that have no graph stay without one."""
        ctx.set_materialize_grads(False)
        ctx.asked, ctx.number = asked, number
        made = tuple(result.clone() for result in results)
        ctx.mark_non_differentiable(*(result for result, has in zip(made, graphs, strict=True) if not has))
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *weights: Tensor | None) -> Any:
        """Return the gradients by the sources."""
        return None, None, None, None, *ctx.asked.gradients(ctx.number, weights)


def alike(one: Any, other: Any) -> bool:
    """Tell whether two questions are the same but for rounding."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        same = one.shape == other.shape and one.dtype == other.dtype
        return same and bool(
            torch.equal(one, other) or torch.allclose(one.double(), other.double(), 1e-4, 1e-8, equal_nan=True)
        )
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return type(one) is type(other) and bool(one == other)


def large(question: Question) -> Question | None:
    """Return what stands in place of a question that is too large to be answered; None where it is not."""
    entries = sum(tensor.numel() for tensor in tensors_in(question))
    return ("large", entries) if entries > (ENTRIES if question[0] == "value" else ANSWER_ENTRIES) else None


def _state() -> int:
    """Return a number that stands for where torch's generator is."""
    return zlib.crc32(torch.default_generator.get_state().numpy().tobytes())


KINDS: tuple[type[Given], ...] = (Replayed, *described.KINDS)
