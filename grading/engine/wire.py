"""Messages between processes: a msgpack header of fixed types, then the raw bytes of the tensors. No pickle.

    8 bytes   length of the header, length of the body (little-endian, 4 bytes each)
    header    msgpack of a list of calls, or of a list of answers and faults
    body      the tensors' bytes in the order in which the header names them, each padded to 16 bytes

What is read here may have been written by hostile code: lengths, depth, counts, dtypes and sizes are checked before
anything is allocated for them, and every violation is a WireError.
"""

import math
import struct
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
import torch
from torch import Tensor

from tests.support import models, networks, players, replayed

from .calls import Answer, Call, Cost, Fault, Watch
from .implementation import message_of

GIVEN = {kind.__name__: kind for kind in (*models.KINDS, *networks.KINDS, *players.KINDS, *replayed.KINDS)}
PREFIX = struct.Struct("<II")
MAX_HEADER = 1 << 20  # half a second's work where it is full of the smallest entries
MAX_BODY = 16 << 20  # the largest message that a property makes has 1 MB
MAX_DEPTH = 8
MAX_AXES = 8
MAX_TEXT = 4000  # characters of a fault's texts, which end up in reports
ALIGNMENT = 16
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool),
        *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.complex64, torch.complex128),
    )
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class WireError(Exception):
    """Bytes that are not a message of this format; the text says what was found and what is allowed."""


class _Tensor(msgspec.Struct, tag="tensor", array_like=True, gc=False):
    dtype: str
    shape: list[int]


class _Tuple(msgspec.Struct, tag="tuple", array_like=True, gc=False):
    items: list["Value"]


class GivenEntry(msgspec.Struct, tag="given", array_like=True, gc=False):
    """A given object in a header: the name of its kind, and its fields."""

    name: str
    fields: list["Value"]


class _Other(msgspec.Struct, tag="other", array_like=True, gc=False):
    """A value of a type that does not travel: its type's name stands for it."""

    name: str


_Count = Annotated[int, msgspec.Meta(ge=0)]  # less than nothing would be within every limit
Value = None | bool | int | float | str | _Tensor | _Tuple | GivenEntry | _Other


class _Call(msgspec.Struct, tag="call", array_like=True, gc=False):
    part: str
    file: str
    arguments: list[Value]
    seed: int
    watch: Watch
    wrt: list[str]
    cotangent: Value


class _Answer(msgspec.Struct, tag="answer", array_like=True, gc=False):
    value: Value
    has_graph: bool
    gradients: list[Value]
    arguments: list[Value]
    asked: list[Value]
    tracked: list[bool]
    cost: tuple[_Count, _Count, _Count]


class _Fault(msgspec.Struct, tag="fault", array_like=True, gc=False):
    kind: str
    error: str
    message: str
    where: str
    traceback: str


_encoder = msgspec.msgpack.Encoder()
_calls = msgspec.msgpack.Decoder(list[_Call])
_replies = msgspec.msgpack.Decoder(list[_Answer | _Fault])


class Foreign(str):
    """The name of a type whose values cannot travel, in place of such a value."""


class Writer:
    """Turns values into header entries and collects the tensors' bytes beside them."""

    def __init__(self, given: Mapping[str, Callable[..., Any]]) -> None:
        """Begin with nothing; given: the kinds of given objects that may be written."""
        self.buffers: list[bytes] = []
        self.size = 0
        self.known = given

    def value(self, value: Any, depth: int = 0) -> Value:
        """Return the entry of a value in the header."""
        if isinstance(value, Tensor):
            return self.tensor(value)
        if value is None or type(value) in (bool, float) or (type(value) is int and abs(value) < 2**63):
            return value
        if type(value) is str:
            return value.encode(errors="replace").decode()  # half a surrogate pair is no text
        if isinstance(value, (tuple, list)) and depth < MAX_DEPTH:
            return _Tuple([self.value(item, depth + 1) for item in value])
        if self.known.get(type(value).__name__) is type(value):
            return GivenEntry(type(value).__name__, [self.value(field, depth + 1) for field in value.fields()])
        return _Other(type(value).__name__[:80])

    def tensor(self, tensor: Tensor) -> Value:
        """Keep a tensor's bytes, and return its entry in the header."""
        name = NAMES.get(tensor.dtype)
        plain = tensor.layout is torch.strided and not tensor.is_nested and not tensor.is_meta
        if name is None or not plain or tensor.dim() > MAX_AXES:
            return _Other(f"{tensor.layout} tensor of {tensor.dtype}")
        self.size += tensor.numel() * tensor.itemsize  # before it is copied: an expanded tensor takes no memory yet
        if self.size > MAX_BODY:
            raise WireError(f"tensors of {self.size} bytes, at most {MAX_BODY} travel")
        # numpy has no bfloat16; its bits travel as those of another type of two bytes.
        bits = tensor.view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor
        data = bits.numpy(force=True).tobytes()
        self.buffers.append(data)
        if len(data) % ALIGNMENT:
            self.buffers.append(bytes(-len(data) % ALIGNMENT))
        return _Tensor(name, list(tensor.shape))

    def message(self, entries: list[Any]) -> bytes:
        """Return the whole message.

        Raises:
            WireError: it is larger than a message may be.
        """
        header = _encoder.encode(entries)
        body = b"".join(self.buffers)
        if len(header) > MAX_HEADER or len(body) > MAX_BODY:
            raise WireError(f"a message of {len(header)} + {len(body)} bytes, at most {MAX_HEADER} + {MAX_BODY} travel")
        return PREFIX.pack(len(header), len(body)) + header + body


class Reader:
    """Turns header entries back into values, taking the tensors' bytes in order from the body."""

    def __init__(self, body: bytearray, given: Mapping[str, Callable[..., Any]], own: bool = False) -> None:
        """Begin at the start; tensors are `own` if they are no views of the body."""
        self.body = body
        self.offset = 0
        self.known = given
        self.own = own

    def value(self, value: Value, depth: int = 0) -> Any:
        """Return the value of an entry; whatever is none raises WireError."""
        if depth > MAX_DEPTH:
            raise WireError(f"values nested more than {MAX_DEPTH} deep")
        if isinstance(value, _Tensor):
            return self.tensor(value)
        if isinstance(value, _Tuple):
            return tuple([self.value(item, depth + 1) for item in value.items])
        if isinstance(value, GivenEntry):
            return self.given(value, depth)
        if isinstance(value, _Other):
            return Foreign(value.name[:80])
        return value

    def given(self, entry: GivenEntry, depth: int) -> Any:
        """Return the given object of an entry."""
        if entry.name not in self.known:
            raise WireError(f"no given object {entry.name[:80]!r} may stand here")
        try:
            return self.known[entry.name](*(self.value(field, depth + 1) for field in entry.fields))
        except (TypeError, AttributeError, ValueError) as error:
            raise WireError(f"{entry.name} cannot be made from these fields: {error}") from error

    def tensor(self, entry: _Tensor) -> Tensor:
        """Return the tensor of an entry, whose bytes are the next ones."""
        dtype = DTYPES.get(entry.dtype)
        if dtype is None or len(entry.shape) > MAX_AXES or min(entry.shape, default=0) < 0:
            raise WireError(f"a tensor of dtype {entry.dtype[:80]!r} and shape {entry.shape[: MAX_AXES + 1]}")
        count = math.prod(entry.shape)
        size = count * dtype.itemsize
        if size > len(self.body) - self.offset:
            raise WireError(f"a tensor of {size} bytes where {len(self.body) - self.offset} are left")
        if count == 0:
            if math.prod(max(n, 1) for n in entry.shape) > MAX_BODY:  # torch's strides would overflow
                raise WireError(f"an empty tensor of shape {entry.shape}")
            return torch.empty(entry.shape, dtype=dtype)
        tensor = torch.frombuffer(self.body, dtype=dtype, count=count, offset=self.offset)
        self.offset += size + -size % ALIGNMENT
        return tensor.view(entry.shape).clone() if self.own else tensor.view(entry.shape)


def encode_calls(calls: list[Call]) -> bytes:
    """Write calls as one message."""
    write = Writer(GIVEN)
    return write.message([_call_entry(write, call) for call in calls])


def _call_entry(write: Writer, call: Call) -> _Call:
    arguments = [write.value(a) for a in call.arguments]
    return _Call(call.part, call.file, arguments, call.seed, call.watch, list(call.wrt), write.value(call.cotangent))


def encode_replies(replies: list[Answer | Fault]) -> bytes:
    """Write answers and faults as one message, in which a given object is foreign; a fault for what cannot be sent."""
    write = Writer({})
    return write.message([_entry_or_fault(write, reply) for reply in replies])


def _entry_or_fault(write: Writer, reply: Answer | Fault) -> _Answer | _Fault:
    """Write one reply; one that is too large, or of a kind that nobody thought of, does not spoil the others."""
    count, size = len(write.buffers), write.size
    try:
        return _reply_entry(write, reply)
    except Exception as error:
        del write.buffers[count:]
        write.size = size
        return _Fault("damaged", "WireError", f"the answer cannot be sent: {message_of(error)}", "", "")


def _reply_entry(write: Writer, reply: Answer | Fault) -> _Answer | _Fault:
    if isinstance(reply, Fault):
        return _Fault(reply.kind, reply.error, reply.message, reply.where, reply.traceback)
    value = write.value(reply.value)  # first, as tensors' bytes stand in the order of the header
    gradients, arguments, asked = (list(map(write.value, v)) for v in (reply.gradients, reply.arguments, reply.asked))
    cost = (reply.cost.peak_bytes, reply.cost.elements, reply.cost.largest)
    return _Answer(value, reply.has_graph, gradients, arguments, asked, list(reply.tracked), cost)


def decode_calls(header: bytes, body: bytearray) -> list[Call]:
    """Read a message of calls, whose tensors are as ones that were made here: what a student's function does to one
    reaches no other, and how it is rounded does not depend on where in the message it stood.

    Raises:
        WireError: the bytes are no such message.
    """
    read = Reader(body, GIVEN, own=True)
    return [_call(read, entry) for entry in _entries(_calls, header)]


def _call(read: Reader, entry: _Call) -> Call:
    arguments = tuple(map(read.value, entry.arguments))
    cotangent = read.value(entry.cotangent)
    return Call(entry.part, entry.file, arguments, entry.seed, entry.watch, tuple(entry.wrt), cotangent)


def decode_replies(header: bytes, body: bytearray) -> list[Answer | Fault]:
    """Read a message of answers and faults.

    Raises:
        WireError: the bytes are no such message.
    """
    read = Reader(body, {})
    return [_reply(read, entry) for entry in _entries(_replies, header)]


def _reply(read: Reader, entry: _Answer | _Fault) -> Answer | Fault:
    if isinstance(entry, _Fault):
        texts = (entry.kind, entry.error, entry.message, entry.where, entry.traceback)
        return Fault(*(text[:MAX_TEXT] for text in texts))
    value, gradients, arguments, asked = (
        read.value(entry.value),
        *(tuple(map(read.value, values)) for values in (entry.gradients, entry.arguments, entry.asked)),
    )
    if not all(g is None or isinstance(g, Tensor) for g in gradients):
        raise WireError("a gradient that is not a tensor")
    if not all(isinstance(group, tuple) and all(isinstance(t, Tensor) for t in group) for group in asked):
        raise WireError("a given object was asked at something that is not a tensor")
    return Answer(value, entry.has_graph, gradients, arguments, asked, tuple(entry.tracked), Cost(*entry.cost))


def _entries(decoder: Any, header: bytes) -> Any:
    try:
        return decoder.decode(header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise WireError(f"the header is not a message: {message_of(error)}") from error


def split(message: bytes | bytearray) -> tuple[bytes, bytearray]:
    """Return header and body of a message."""
    start = PREFIX.size + lengths(message[: PREFIX.size])[0]
    return bytes(message[PREFIX.size : start]), bytearray(message[start:])


def lengths(prefix: bytes | bytearray) -> tuple[int, int]:
    """Read how many bytes of header and body follow.

    Raises:
        WireError: more than a message may have.
    """
    header, body = PREFIX.unpack(prefix)
    if header > MAX_HEADER or body > MAX_BODY:
        raise WireError(f"a message of {header} + {body} bytes, at most {MAX_HEADER} + {MAX_BODY} travel")
    return header, body
