"""A property as a value: the inputs it is tried on, and a check over an implementation's answers, written once.

A check is written in the direct style, `assert_close(vae.log_mean_exp(y + c), vae.log_mean_exp(y) + c)`. The first
argument stands in for a topic of the implementation: each call of a function on it is a question to whoever answers,
the student's module in this process or a worker in another.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hypothesis.strategies import SearchStrategy
from torch import Tensor

from grading.engine.calls import Answer, Call, CallFailed, Cost, Fault, Weights

from .closeness import WrongAnswer, explain_shape, per_instance

Aspect = Literal["shape", "value", "stability", "gradient", "randomness", "cost"]
Ask = Callable[[Call], Answer | Fault]


@dataclass(frozen=True)
class Property:
    """A statement that a right implementation of a part obeys.

    inputs: a strategy for each argument of the check. edges: inputs that are always tried, before any drawn ones.
    most: the largest number of inputs worth trying, where the inputs hold all there is. false_alarm: the chance that
    a right implementation fails it on one input. stays: why it is kept although no mistake needs it.
    """

    name: str
    part: str
    aspect: Aspect
    check: Callable[..., None]
    inputs: Mapping[str, SearchStrategy[Any]]
    edges: tuple[Mapping[str, Any], ...] = ()
    most: int | None = None
    false_alarm: float = 0.0
    stays: str = ""

    @property
    def sentence(self) -> str:
        """The property in one sentence."""
        return " ".join((self.check.__doc__ or "").split())

    @property
    def full_name(self) -> str:
        """Part and name, as on the command line and in the rubric."""
        return f"{self.part}.{self.name}"


@dataclass(frozen=True)
class Part:
    """One function that a student writes, and the properties that judge it.

    name: `topic.function`. file: where the function stands in the topic's directory. arguments: their names.
    tried_apart: whether an answer could be told by those before it; then some are asked of a process that knows none.
    """

    name: str
    file: str
    arguments: tuple[str, ...]
    properties: list[Property] = field(default_factory=list)
    tried_apart: bool = False

    @property
    def topic(self) -> str:
        """The topic, and the name of its directory."""
        return self.name.split(".")[0]

    def argument(self, path: str) -> str:
        """Say in words what a path such as "1.weight" or "0.2.1" names among the arguments."""
        position, *steps = path.split(".")
        name = self.arguments[int(position)]
        for step in steps:
            name = f"{name}[{step}]" if step.isdecimal() else f"{step} of {name}"
        return name

    def path_in(self, directory: Path) -> str:
        """Return the file of the part in an implementation's directory, as one would name it from where one stands."""
        path = directory / self.topic / self.file
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

    def __post_init__(self) -> None:
        """Make the part known to the stand-ins."""
        PARTS[self.name] = self

    def property(
        self,
        aspect: Aspect,
        *,
        edges: Sequence[Mapping[str, Any]] = (),
        most: int | None = None,
        false_alarm: float = 0.0,
        stays: str = "",
        **inputs: SearchStrategy[Any],
    ) -> Callable[[Callable[..., None]], Property]:
        """Make a check, named and described by the function and its docstring, a property of this part."""

        def define(check: Callable[..., None]) -> Property:
            value = Property(check.__name__, self.name, aspect, check, inputs, tuple(edges), most, false_alarm, stays)
            self.properties.append(value)
            return value

        return define


PARTS: dict[str, Part] = {}


@dataclass(frozen=True)
class Observation:
    """An answer with what was watched beside it; see `grading.engine.calls.Answer`."""

    value: Any
    has_graph: bool
    gradient: Tensor | None
    arguments: tuple[Any, ...]
    asked: tuple[tuple[Tensor, ...], ...]
    tracked: tuple[bool, ...]


class Function:
    """Stands in for one function of an implementation."""

    def __init__(self, topic: "Topic", part: Part) -> None:
        """Keep whom to ask."""
        self._topic, self._part = topic, part

    def __call__(self, *arguments: Any) -> Tensor:
        """Return the function's value as one number for each row of its first tensor, (batch,)."""
        batch = next(len(a) for a in arguments if isinstance(a, Tensor))
        return per_instance(self.raw(*arguments), batch)

    def raw(self, *arguments: Any) -> Any:
        """Return the value as it is, for a property of its shape or its type."""
        return self._ask(Call(*self._where(), arguments, self._topic.next_seed())).value

    def observe(self, *arguments: Any, wrt: str = "", cotangent: Weights = None) -> Observation:
        """Return the value as it is, with what became of the arguments and what given objects were asked.

        wrt: an argument, "0" for the first, or a tensor of a given object, "1.weight"; the observation then has the
        gradient with respect to it of the sum of the values, weighted by cotangent.
        """
        paths = (wrt,) if wrt else ()
        answer = self._ask(Call(*self._where(), arguments, self._topic.next_seed(), "effects", paths, cotangent))
        gradient = answer.gradients[0] if paths else None
        return Observation(answer.value, answer.has_graph, gradient, answer.arguments, answer.asked, answer.tracked)

    def gradient(self, *arguments: Any, wrt: str = "0", cotangent: Weights = None) -> Tensor:
        """Return the gradient of the sum of the values, weighted by cotangent, with respect to one argument.

        Raises:
            WrongAnswer: no gradient flows from the values to that argument.
        """
        (gradient,) = self.gradients(*arguments, wrt=(wrt,), cotangent=cotangent)
        return gradient

    def gradients(
        self, *arguments: Any, wrt: Sequence[str], cotangent: Weights = None, missing: bool = False
    ) -> Iterator[Any]:
        """Yield the gradients with respect to several arguments, all of one call.

        missing: where no gradient flows to an argument, None is yielded and nothing raised.

        Raises:
            WrongAnswer: no gradient flows from the values to one of them.
        """
        call = Call(*self._where(), arguments, self._topic.next_seed(), "value", tuple(wrt), cotangent)
        answer = self._ask(call)
        _expect_weighed(answer.value, cotangent)
        for path, gradient in zip(wrt, answer.gradients, strict=True):
            self._topic.last = replace(call, wrt=(path,)), answer  # a wrong one is told as if it had been asked alone
            if gradient is None and not missing:
                raise WrongAnswer(f"no gradient flows from the result to {self._part.argument(path)}")
            yield gradient

    def cost(self, *arguments: Any) -> Cost:
        """Return what the call took: memory, entries read and written, the largest tensor."""
        return self._ask(Call(*self._where(), arguments, self._topic.next_seed(), "cost")).cost

    def _where(self) -> tuple[str, str]:
        return self._part.name, self._part.file

    def _ask(self, call: Call) -> Answer:
        return self._topic.answer(call)


def _expect_weighed(value: Any, weights: Weights) -> None:
    """Accept a value whose entries can be weighted as asked.

    Raises:
        WrongAnswer: it has another number of entries.
    """
    if isinstance(value, Tensor) and isinstance(weights, Tensor) and value.numel() != weights.numel():
        raise WrongAnswer(explain_shape(value.shape, weights.shape), value)
    if isinstance(value, tuple) and isinstance(weights, tuple):
        for item, weight in zip(value, weights, strict=False):
            _expect_weighed(item, weight)


class Topic:
    """Stands in for one topic of an implementation, for the length of one check; remembers the last exchange.

    Every call has noise of its own; the same seed and the same order of calls give the same noise again.
    """

    def __init__(self, name: str, ask: Ask, seed: int = 0) -> None:
        """Ask through `ask`, which answers one call."""
        self._name, self._send, self._seed, self._count = name, ask, seed, 0
        self.last: tuple[Call, Answer | Fault | None] | None = None
        self.answered: dict[str, Answer] = {}  # the last answer of each part

    def __getattr__(self, name: str) -> Function:
        """Return the stand-in for a function."""
        part = PARTS.get(f"{self._name}.{name}")
        if part is None:
            raise AttributeError(f"no part is called {self._name}.{name}")
        return Function(self, part)

    def next_seed(self) -> int:
        """Return a seed that no other call of this check has."""
        self._count += 1
        return (self._seed * 1009 + self._count) % 2**63

    def answer(self, call: Call) -> Answer:
        """Send a call.

        Raises:
            CallFailed: a fault came back.
        """
        self.last = (call, None)
        reply = self._send(call)
        self.last = (call, reply)
        if isinstance(reply, Fault):
            raise CallFailed(reply)
        self.answered[call.part] = reply
        return reply


def run_check(value: Property, ask: Ask, inputs: Mapping[str, Any]) -> "Attempt":
    """Try a property on one input and keep what is needed to tell about it."""
    topic = Topic(value.part.split(".")[0], ask, int(inputs.get("seed", 0)))
    try:
        value.check(topic, **inputs)
    except Exception as error:  # an answer that nobody thought of may break the arithmetic of a check
        return Attempt(value, inputs, topic, error)
    return Attempt(value, inputs, topic, None)


@dataclass(frozen=True)
class Attempt:
    """One trial of a property: its inputs, the exchange it ended with, and the error if it failed."""

    tried: Property
    inputs: Mapping[str, Any]
    topic: Topic
    error: Exception | None

    @property
    def todo(self) -> str:
        """The message of a function that is still to be written, empty where that is not why the attempt failed.

        torch raises NotImplementedError too; a stub's message begins with the name of its part, or there is none.
        """
        fault = self.error.fault if isinstance(self.error, CallFailed) else None
        if fault is None or fault.error != "NotImplementedError":
            return ""
        is_stub = not fault.message or fault.message.split(" ")[0] in PARTS
        return (fault.message or self.tried.part) if is_stub else ""
