"""What travels between a property and the code it judges: calls one way, answers or faults the other."""

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

Watch = Literal["value", "effects", "cost"]
Weights = Tensor | tuple[Tensor | None, ...] | None


@dataclass(frozen=True)
class Call:
    """One question to an implementation.

    part: `topic.function`, in `file` of the topic's directory.
    arguments: tensors, numbers, strings, sequences, and descriptions of given objects.
    seed: the state that torch's generator starts the call with.
    watch: what to answer with beside the value.
    wrt: what to differentiate the value by, `"0"` for the first argument, `"1.weight"` for a tensor of a given object,
    `"0.2.1"` for one in a sequence of sequences.
    cotangent: weights of the result's entries in that derivative, None is all ones; for a result of several tensors
    the weights of each, where None leaves one out.
    """

    part: str
    file: str
    arguments: tuple[Any, ...]
    seed: int = 0
    watch: Watch = "value"
    wrt: tuple[str, ...] = ()
    cotangent: Weights = None


@dataclass(frozen=True)
class Cost:
    """What a call took: most memory held by new tensors at one time, entries of tensors that its operations read or
    wrote, and the entries of the largest tensor among them."""

    peak_bytes: int = 0
    elements: int = 0
    largest: int = 0


@dataclass(frozen=True)
class Answer:
    """What came back: the value, and what the call asked to be watched.

    has_graph: whether the value can be differentiated. gradients: one for each entry of wrt, None where none flows.
    arguments: tensors among the arguments as the call left them, by position, and what it left in given objects that
    tell. asked: for each given object, by position, the tensors it was called with. tracked: for each argument, by
    position, whether it is a tensor that came without a gradient and now asks for one, or has one.
    """

    value: Any
    has_graph: bool = False
    gradients: tuple[Tensor | None, ...] = ()
    arguments: tuple[Any, ...] = ()
    asked: tuple[tuple[Tensor, ...], ...] = ()
    tracked: tuple[bool, ...] = ()
    cost: Cost = Cost()


@dataclass(frozen=True)
class Fault:
    """Why there is no answer: the error's type, its message, and where in the student's file it was raised.

    kind: "raised" by the function; "import" where its file could not be imported; "missing" where the file has no
    such function; "silent" where nothing came back in time; "damaged" where what came back is not an answer.
    """

    kind: str
    error: str
    message: str
    where: str = ""
    traceback: str = ""


class CallFailed(Exception):
    """A call that ended in a fault instead of an answer."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault for whoever tells the student."""
        super().__init__(f"{fault.error}: {fault.message}")
        self.fault = fault
