"""What travels between processes arrives as it was; what is no message is refused before it costs anything."""

import contextlib
import math
import re
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

import grading.engine
from grading.engine import wire
from grading.engine.calls import Answer, Call, Cost, Fault
from grading.engine.metering import Meter
from tests.support.models import LinearDecoder, LinearEncoder

WORDS = st.text(max_size=5)
NUMBERS = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats()
SHAPES = st.lists(st.integers(0, 3), max_size=4)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    shape, dtype = draw(SHAPES), draw(st.sampled_from(sorted(wire.DTYPES)))
    torch.manual_seed(draw(st.integers(0, 9)))
    return (10 * torch.randn(shape)).to(wire.DTYPES[dtype])


VALUES = st.recursive(NUMBERS | WORDS | tensors(), lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)
FAULTS = st.builds(Fault, WORDS, WORDS, WORDS, WORDS, WORDS)
ANSWERS = st.builds(
    Answer,
    VALUES,
    st.booleans(),
    st.lists(st.none() | tensors(), max_size=2).map(tuple),
    st.lists(VALUES, max_size=2).map(tuple),
    st.lists(st.lists(tensors(), max_size=2).map(tuple), max_size=2).map(tuple),
    st.lists(st.booleans(), max_size=2).map(tuple),
    st.builds(Cost, st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**40)),
)
GIVEN = st.builds(LinearEncoder, tensors(), tensors(), tensors()) | st.builds(
    LinearDecoder, tensors(), tensors(), st.floats()
)
CALLS = st.builds(
    Call,
    WORDS,
    WORDS,
    st.lists(VALUES | GIVEN, max_size=3).map(tuple),
    st.integers(0, 2**63 - 1),
    st.sampled_from(["value", "effects", "cost"]),
    st.lists(WORDS, max_size=2).map(tuple),
    st.none() | tensors(),
)
REPLIES = st.lists(ANSWERS | FAULTS, max_size=2)


def split(message: bytes) -> tuple[bytes, bytearray]:
    start = wire.PREFIX.size
    header, body = wire.lengths(message[:start])
    assert len(message) == start + header + body
    return message[start : start + header], bytearray(message[start + header :])


def travelled(value: Any) -> Any:
    (answer,) = wire.decode_replies(*split(wire.encode_replies([Answer(value)])))
    assert isinstance(answer, Answer)
    return answer.value


def decoded(entry: Any, body: bytes = b"") -> Any:
    """Decode an answer whose value is a header entry written by hand."""
    header = msgspec.msgpack.encode([["answer", entry, False, [], [], [], [], [0, 0, 0]]])
    return wire.decode_replies(header, bytearray(body))


def same(a: Any, b: Any) -> bool:
    """Equal in type and to the bit, nan included."""
    if isinstance(a, Tensor):
        equal = isinstance(b, Tensor) and a.dtype == b.dtype and torch.equal(a.isnan(), b.isnan())
        return equal and torch.equal(a.nan_to_num(7), b.nan_to_num(7))
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (Answer, Call, Fault, LinearEncoder, LinearDecoder)):
        return type(a) is type(b) and same(tuple(vars(a).values()), tuple(vars(b).values()))
    return type(a) is type(b) and (a == b or (a != a and b != b))


@given(replies=REPLIES)
@settings(max_examples=30, deadline=None)
def test_answers_and_faults_arrive_as_they_were(replies: list[Answer | Fault]) -> None:
    assert same(tuple(wire.decode_replies(*split(wire.encode_replies(replies)))), tuple(replies))


@given(calls=st.lists(CALLS, max_size=2))
@settings(max_examples=30, deadline=None)
def test_calls_arrive_as_they_were_with_their_given_objects(calls: list[Call]) -> None:
    assert same(tuple(wire.decode_calls(*split(wire.encode_calls(calls)))), tuple(calls))


@pytest.mark.parametrize("dtype", wire.DTYPES.values(), ids=wire.DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (5,), (2, 3)], ids=str)
def test_every_dtype_travels_in_every_shape(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
    assert same(travelled(tensor), tensor)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6).view(2, 3).T,
        torch.arange(12).view(3, 4)[::2, 1::2],
        torch.tensor([1.0, 2.0])[:, None].expand(2, 3),
        torch.ones(2, requires_grad=True),
        torch.ones(2, requires_grad=True).exp(),
        torch.nn.Parameter(torch.ones(2)),
        torch.tensor([1 + 2j, 3 - 1j]).conj(),
        torch.tensor([1 + 2j, 3 - 1j]).conj().imag,
        torch.ones(3, 2)[:, :1],
        torch.tensor([[1.0, 2.0], [3.0, 4.0]])[:, 1:].T,
        torch.zeros(2, 3, 1).transpose(0, 2),
    ],
    ids=["transposed", "strided", "expanded", "leaf", "graph", "parameter", "conjugate", "negative", "a", "b", "c"],
)
def test_tensors_travel_whatever_their_memory_looks_like(tensor: Tensor) -> None:
    assert same(travelled(tensor), tensor.detach())
    assert not travelled(tensor).requires_grad


def test_tensors_that_arrive_can_be_written_to() -> None:
    first, second = travelled((torch.zeros(3), torch.zeros(3)))
    first += 1
    assert second.tolist() == [0, 0, 0]


def test_lists_arrive_as_tuples() -> None:
    assert travelled([1, [2.0, "x"], []]) == (1, (2.0, "x"), ())


class LinearEncoderLike:
    """A student's class with the name of a given object."""

    def fields(self) -> list[Any]:
        raise RuntimeError("no")


LinearEncoderLike.__name__ = "LinearEncoder"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (object(), "object"),
        (print, "builtin_function_or_method"),
        ({}, "dict"),
        (torch, "module"),
        (2**63, "int"),
        (-(2**63), "int"),
        (type("Long", (str,), {})("x"), "Long"),
        (torch.eye(2).to_sparse(), "torch.sparse_coo tensor of torch.float32"),
        (torch.ones(2, device="meta"), "torch.strided tensor of torch.float32"),
        (torch.ones(2).to(torch.float8_e5m2), "torch.strided tensor of torch.float8_e5m2"),
        (torch.zeros([1] * 9), "torch.strided tensor of torch.float32"),
        (LinearEncoderLike(), "LinearEncoder"),
        (LinearEncoder(*[torch.ones(1)] * 3), "LinearEncoder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_travel_is_named(value: Any, name: str) -> None:
    arrived = travelled((1, value))[1]
    assert isinstance(arrived, wire.Foreign)
    assert arrived == name


def test_lists_nested_deeper_than_the_limit_end_in_a_name() -> None:
    nested: list[Any] = []
    nested.append(nested)
    arrived = travelled(nested)
    for _ in range(wire.MAX_DEPTH - 1):
        (arrived,) = arrived
    assert arrived == (wire.Foreign("list"),)


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    assert travelled("a\ud800b") == "a?b"


def test_tensors_larger_than_a_message_are_refused_before_they_are_copied() -> None:
    half = torch.zeros(1).expand(wire.MAX_BODY // 2 // 4 + 16)
    for large in (torch.zeros(1).expand(10**15), (half[:1], half.expand(2, -1))):
        message = wire.encode_replies([Answer(large), Answer(torch.ones(2))])
        header, _ = wire.lengths(message[: wire.PREFIX.size])
        start = wire.PREFIX.size + header
        refused, sent = wire.decode_replies(message[wire.PREFIX.size : start], bytearray(message[start:]))
        assert isinstance(refused, Fault)
        assert "tensors of" in refused.message
        assert isinstance(sent, Answer)
        assert sent.value.tolist() == [1, 1]


def test_a_header_larger_than_a_message_may_have_is_refused() -> None:
    with pytest.raises(wire.WireError, match="a message of"):
        wire.encode_replies([Answer("x" * wire.MAX_HEADER)])


@pytest.mark.parametrize(("header", "body"), [(wire.MAX_HEADER + 1, 0), (0, wire.MAX_BODY + 1), (2**32 - 1, 2**32 - 1)])
def test_lengths_beyond_the_limits_are_refused(header: int, body: int) -> None:
    with pytest.raises(wire.WireError, match="at most"):
        wire.lengths(wire.PREFIX.pack(header, body))


def test_lengths_at_the_limits_are_accepted() -> None:
    limits = wire.MAX_HEADER, wire.MAX_BODY
    assert wire.lengths(wire.PREFIX.pack(*limits)) == limits


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("float32", [5]),
        ("float32", [2**62, 4]),
        ("float64", [2**63 - 1]),
        ("float32", [2**64 - 1]),
        ("float32", [-1]),
        ("float32", [-1, -4]),
        ("float32", [1] * 9),
        ("float32", [2**28, 2**28, 2**28, 0]),
        ("float32", [0, 2**28, 2**28, 2**28]),
        ("float32", [0, 2**63 - 1]),
        ("float12", [1]),
        ("torch.float32", [1]),
        ("Tensor", [1]),
    ],
    ids=str,
)
def test_tensors_of_impossible_sizes_are_refused(dtype: str, shape: list[int]) -> None:
    with pytest.raises(wire.WireError, match="tensor of"):
        decoded(["tensor", dtype, shape], bytes(16))


def test_a_tensor_may_not_begin_after_the_end_of_the_body() -> None:
    with pytest.raises(wire.WireError, match="are left"):
        decoded(["tuple", [["tensor", "uint8", [3]], ["tensor", "uint8", [1]]]], bytes(3))


@pytest.mark.parametrize("depth", [wire.MAX_DEPTH + 1, 500, 100_000])
def test_values_nested_too_deep_are_refused(depth: int) -> None:
    entry = b"\x92\xa5tuple\x91" * depth + b"\xc0"
    header = b"\x91\x98\xa6answer" + entry + b"\xc2\x90\x90\x90\x90\x00"
    with pytest.raises(wire.WireError):
        wire.decode_replies(header, bytearray())


def test_given_objects_may_not_stand_in_replies() -> None:
    fields = [["tensor", "float32", [0]]] * 3
    with pytest.raises(wire.WireError, match="no given object 'LinearEncoder'"):
        decoded(["given", "LinearEncoder", fields])


@pytest.mark.parametrize(
    "entry",
    [["given", "Other", []], ["given", "LinearEncoder", []], ["given", "__init__", [1]]],
    ids=["unknown", "too few fields", "a method"],
)
def test_calls_with_given_objects_that_cannot_be_made_are_refused(entry: Any) -> None:
    header = msgspec.msgpack.encode([["call", "vae.f", "f.py", [entry], 0, "value", [], None]])
    with pytest.raises(wire.WireError):
        wire.decode_calls(header, bytearray())


@pytest.mark.parametrize(
    ("gradients", "asked", "message"),
    [([1.0], [], "a gradient"), ([], [1], "given object was asked"), ([], [["tuple", [None]]], "given object was")],
)
def test_gradients_and_what_was_asked_are_tensors(gradients: list[Any], asked: list[Any], message: str) -> None:
    header = msgspec.msgpack.encode([["answer", None, False, gradients, [], asked, [], [0, 0, 0]]])
    with pytest.raises(wire.WireError, match=message):
        wire.decode_replies(header, bytearray())


def refused_or_decoded(header: bytes, body: bytes) -> None:
    for decode in (wire.decode_replies, wire.decode_calls):
        with contextlib.suppress(wire.WireError):
            assert isinstance(decode(header, bytearray(body)), list)


@given(header=st.binary(max_size=60), body=st.binary(max_size=40))
@example(b"", b"")
@example(b"\xdd\xff\xff\xff\xff", b"")
@example(b"\x91\x98\xa6answer\xdb\xff\xff\xff\xff", b"")
@example(b"\x91\x98\xa6answer\xa2\xff\xfe\xc2\x90\x90\x90\x90\x00", b"")
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_refused_or_decoded(header: bytes, body: bytes) -> None:
    refused_or_decoded(header, body)


X = torch.arange(6.0).view(2, 3)
MESSAGES = [
    wire.encode_replies([Answer(X), Fault("raised", "ValueError", "no", "f.py, line 3")]),
    wire.encode_replies(
        [Answer((X.bool(), (1, -2.5, None, "x")), True, (X, None), (X, 3), ((X, X), ()), (True, False), Cost(9, 8, 7))]
    ),
    wire.encode_calls([Call("vae.f", "f.py", (X, LinearEncoder(X, X, X), 2), 7, "effects", ("1.weight",), X)]),
]


@given(message=st.sampled_from(MESSAGES), data=st.data())
@settings(max_examples=400, deadline=None)
def test_damaged_messages_are_refused_or_decoded(message: bytes, data: st.DataObject) -> None:
    header, body = map(bytearray, split(message))
    damaged = header if data.draw(st.integers(0, 4)) else body
    start = data.draw(st.integers(0, len(damaged)))
    length = data.draw(st.integers(0, min(3, len(damaged) - start)))
    damaged[start : start + length] = data.draw(st.binary(max_size=3))
    refused_or_decoded(bytes(header), bytes(body))


def test_claimed_sizes_allocate_nothing() -> None:
    claims = [["tensor", "float32", [2**40]], ["tensor", "float32", [2**20, 0, 2**20]], ["tensor", "uint8", [2**27]]]
    tracemalloc.start()
    try:
        with Meter() as tensors_made:
            for claim in claims:
                with pytest.raises(wire.WireError):
                    decoded(claim)
        assert tensors_made.peak == 0
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_nothing_in_the_engine_can_unpickle() -> None:
    dangerous = re.compile(r"\b(pickle|marshal|shelve|dill|torch\.(load|save)|multiprocessing|eval|exec)\b\W")
    for file in Path(grading.engine.__file__).parent.glob("*.py"):
        code = [line for line in file.read_text().splitlines() if "No pickle." not in line]
        assert not [line for line in code if dangerous.search(line)], file
