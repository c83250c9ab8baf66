"""A failed property in the words that a student reads: what was tried, what came back, what was expected."""

import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import torch
from torch import Tensor

from grading.catalogue import topic_parts
from grading.diagnosis.arithmetic import remark
from grading.engine.calls import Answer, CallFailed, Fault
from grading.engine.implementation import TOPICS
from tests.support.closeness import WrongAnswer
from tests.support.properties import PARTS, Attempt

SHOWN_ENTRIES = 24
TYPED_ENTRIES = 50  # of an input, which is only of use as a whole
SHOWN_EQUAL = 8
SHOWN_ITEMS = 4
TO_DO = "still to be written"


class Failure(msgspec.Struct, frozen=True):
    """What a failed property tells, as text.

    message: what is wrong. inputs: name and value, as one would type them. called: the last call. answer, expected,
    difference, ratio: values where there are any. relation: what `expected` is to the answer, "expected" or
    "at most". remark: what arithmetic says of the two. where: file and line of an error. traceback: of that error.
    """

    message: str
    inputs: dict[str, str] = {}
    called: str = ""
    answer: str = ""
    expected: str = ""
    difference: str = ""
    ratio: str = ""
    relation: str = "expected"
    remark: str = ""
    where: str = ""
    traceback: str = ""


def describe(attempt: Attempt, among: Sequence[Attempt] = ()) -> Failure:
    """Describe an attempt that failed; among: all attempts at the property, from which arithmetic says what it can."""
    error = attempt.error
    fault = error.fault if isinstance(error, CallFailed) else None
    if attempt.todo:
        return Failure(_todo(attempt))
    if fault is not None and fault.kind != "raised":
        return Failure(_unanswered(fault), where=fault.where, traceback=fault.traceback)
    called = _called(attempt)
    # What is an argument of the call, or in one, need not be told twice.
    arguments = attempt.topic.last[0].arguments if attempt.topic.last else ()
    told = {typed(value) for value in (*arguments, *tensors_of(arguments))}
    inputs = {name: typed(v) for name, v in attempt.inputs.items() if not told.issuperset(map(typed, _items(v)))}
    said = remark(among, attempt) if among else ""
    if fault is not None:
        message = f"raised {_raised(fault)}"
        return Failure(message, inputs, called, remark=said, where=fault.where, traceback=fault.traceback)
    if not isinstance(error, WrongAnswer):
        message = f"the answer cannot be worked with: {type(error).__name__}: {error}"
        return Failure(message, inputs, called, remark=said)
    answer, expected = shown_apart(error.answer, error.expected)
    difference, ratio = compare(error.answer, error.expected)
    if others := _follows_from(error.expected, attempt):
        expected, said = "", "; ".join(filter(None, (said, others)))
    return Failure(error.message, inputs, called, answer, expected, difference, ratio, error.relation, said)


def _follows_from(expected: Any, attempt: Attempt) -> str:
    """Say whose answer made what is expected no number; "" where that is one, or infinite with good reason."""
    if not isinstance(expected, Tensor) or _is_finite(expected):
        return ""
    others = [name for name, answer in attempt.topic.answered.items() if name != attempt.tried.part]
    guilty = [name for name in others if not _is_finite(attempt.topic.answered[name])]
    if guilty:
        return f"what is expected follows from {' and '.join(guilty)}, whose answer is not finite here"
    return "what is expected follows from another answer that is not a number" if bool(expected.isnan().any()) else ""


def _is_finite(answer: Answer | Tensor) -> bool:
    """Tell whether all numbers of an answer are finite, those of its gradients too."""
    values = (answer.value, answer.gradients) if isinstance(answer, Answer) else answer
    return all(bool(tensor.isfinite().all()) for tensor in tensors_of(values))


def _items(value: Any) -> Sequence[Any]:
    """Return what an input is told by: its tensors where it has any, else its items or itself."""
    return list(tensors_of(value)) or (value if isinstance(value, tuple) else (value,))


def tensors_of(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a value, also those inside of sequences and given objects."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors_of(item)
    elif dataclasses.is_dataclass(value):
        yield from tensors_of([getattr(value, field.name) for field in dataclasses.fields(value)])


def _todo(attempt: Attempt) -> str:
    """Tell a function that is still to be written from one that waits for another."""
    named = attempt.todo.split(" ")[0]
    return TO_DO if named == attempt.tried.part else f"waits for {named}, which is still to be written"


def _unanswered(fault: Fault) -> str:
    match fault.kind:
        case "import":
            return f"the file cannot be imported: {_raised(fault)}"
        case "silent" if fault.error == "TimeoutError":
            return f"{fault.message}: is there an endless loop?"
        case _:
            return fault.message


ADVICE = {
    "BdbQuit": ": a breakpoint() is left in the code",
    "EOFError": ": input() has nobody to answer it here",
    "ModuleNotFoundError": ": of your own files only the stub files are there; import from them as in "
    "`from .likelihoods import log_mean_exp`",
}
PACKAGE = re.compile(r"_implementation_\d+\.")  # under which a process imports stub files
NOT_THERE = re.compile(  # `from .divergences import ...` and `from . import divergences`
    rf"No module named '({'|'.join(TOPICS)})\.(\w+)'|cannot import name '(\w+)' from '({'|'.join(TOPICS)})' "
)


def _raised(fault: Fault) -> str:
    """Write an error with what is mostly meant by it, where it comes of where a file is run."""
    said = PACKAGE.sub("", fault.message)
    if missing := _missing_stub(said):
        return f"{fault.error}: {missing} is missing; take it from the kit again"
    return (f"{fault.error}: {said}" if said else fault.error) + ADVICE.get(fault.error, "")


def _missing_stub(message: str) -> str:
    """Return the stub file that an import did not find, "" where it was another file."""
    found = NOT_THERE.match(message)
    if found is None:
        return ""
    topic, file = (found[1], found[2]) if found[1] else (found[4], found[3])
    return f"{topic}/{file}.py" if any(part.file == f"{file}.py" for part in topic_parts(topic)) else ""


def _called(attempt: Attempt) -> str:
    if attempt.topic.last is None:
        return ""
    call = attempt.topic.last[0]
    what = f"gradient, by {PARTS[call.part].argument(call.wrt[0])}, of " if call.wrt else ""
    return f"{what}{call.part}({', '.join(typed(a) for a in call.arguments)})"


def typed(value: Any) -> str:
    """Write a value as a person would type it; a large tensor by its shape.

    >>> typed(torch.tensor([[0.0, 1.5]]))
    'torch.tensor([[0.0, 1.5]])'
    """
    if isinstance(value, Tensor):
        suffix = "" if value.dtype in (torch.float32, torch.int64, torch.bool) else f", dtype={value.dtype}"
        if value.numel() > SHOWN_EQUAL and bool((value == value.reshape(-1)[0]).all()):
            return f"torch.full({tuple(value.shape)}, {value.reshape(-1)[0].item()}{suffix})"
        if value.numel() > TYPED_ENTRIES:
            return f"<tensor of shape {tuple(value.shape)}{suffix}>"
        return f"torch.tensor({_numbers(value)}{suffix})"
    if dataclasses.is_dataclass(value):
        return _given(value)
    if isinstance(value, list):
        first = ", ".join(map(typed, value[:SHOWN_ITEMS]))
        return f"[{first}]" if len(value) <= SHOWN_ITEMS else f"[{first}, ... {len(value)} in all]"
    if isinstance(value, tuple):
        return typed(value[0]) if len(value) == 1 else f"({', '.join(map(typed, value))})"
    return repr(value)


def _given(value: Any) -> str:
    """Write a given object by its numbers, without what is as always: it is built elsewhere, and only read here."""
    fields = {f.name: (getattr(value, f.name), f.default) for f in dataclasses.fields(value)}
    told = [
        f"{name}={_bare(now)}" for name, (now, default) in fields.items() if isinstance(now, Tensor) or now != default
    ]
    return f"{type(value).__name__}({', '.join(told)})"


def _bare(value: Any) -> str:
    """Write a tensor inside of a given object as nested lists, and all else as it is typed."""
    small = isinstance(value, Tensor) and value.numel() <= TYPED_ENTRIES
    return _numbers(value) if small else typed(value)


def _numbers(value: Tensor) -> str:
    """Write nested lists with short but exact numbers; inf and nan need a name to be typed."""
    text = str(value.tolist())
    return text.replace("inf", "math.inf").replace("nan", "math.nan")


def shown_apart(answer: Any, expected: Any) -> tuple[str, str]:
    """Write two values with six digits, or with as many as it takes to see that they differ."""
    for digits in (6, 9, 12, 17):
        pair = shown(answer, digits), shown(expected, digits)
        if pair[0] != pair[1]:
            break
    return pair


def shown(value: Any, digits: int = 6) -> str:
    """Write an answer with so many digits, a large one by its shape and first entries."""
    if value is None:
        return ""
    if not isinstance(value, Tensor):
        return repr(value)
    entries = value.detach().reshape(-1)
    text = ", ".join(_short(x, digits) for x in entries[:SHOWN_ENTRIES].tolist())
    if entries.numel() > SHOWN_ENTRIES:
        return f"{tuple(value.shape)}: {text}, ..."
    if value.dim() <= 1:
        return text if value.dim() == 0 or value.numel() == 1 else f"[{text}]"
    return f"{tuple(value.shape)}: [{text}]"


def _short(x: Any, digits: int = 6) -> str:
    return f"{x:.{digits}g}" if isinstance(x, float) else str(x)


def compare(answer: Any, expected: Any) -> tuple[str, str]:
    """Return difference and ratio of two finite answers, one number each where it is the same for all entries."""
    if not (isinstance(answer, Tensor) and isinstance(expected, Tensor) and answer.shape == expected.shape):
        return "", ""
    a, b = answer.detach().double().reshape(-1), expected.detach().double().reshape(-1)
    if not bool(a.isfinite().all() and b.isfinite().all()):
        return "", ""
    ratio = a / b
    telling = bool(ratio.isfinite().all() and (ratio != 0).all() and ((ratio - 1).abs() > 1e-6).any())
    return _listed((a - b).tolist()), _listed(ratio.tolist()) if telling else ""


def _listed(values: list[float]) -> str:
    """Write one number if all are the same, a list of a few, nothing for many."""
    if all(math.isclose(v, values[0], rel_tol=1e-6, abs_tol=1e-9) for v in values):
        return _short(values[0]) if values else ""
    return f"[{', '.join(_short(v) for v in values)}]" if len(values) <= 8 else ""
