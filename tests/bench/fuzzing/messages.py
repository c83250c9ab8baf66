"""Messages of replies before any damage, and the trees in which they are damaged.

The tree of a message is its header as lists, in which a tensor has its bytes as a fourth item.
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import torch

from grading.engine import wire
from grading.engine.calls import Answer, Cost, Fault

Tree = Any

SHAPES = [[], [1], [2, 3], [0], [3, 0, 2], [4], [1, 1], [3, 1], [1, 3], [1, 2, 1], [7, 2], [1] * 8, [2, 2], [0, 2**20]]
X = torch.arange(6.0, dtype=torch.float64).view(2, 3)
ENTRIES: list[Tree] = [None, ["tuple", []], ["other", ""], ["tensor", "bool", [0]], ["tensor", "bool", [1], b"\1"]]


def made_up(rng: random.Random) -> bytes:
    """Write some answers and faults, with every dtype and every kind of value among them."""
    tensors = [(10 * torch.randn(rng.choice(SHAPES[:6]))).to(dtype) for dtype in wire.DTYPES.values()]
    values = [*tensors, None, True, 7, -2.5, math.nan, "text", object(), (X, (1, (X.float(), "x"), ()))]

    def some(of: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(rng.choices(of, k=rng.randrange(3)))

    def one() -> Answer | Fault:
        if rng.random() < 0.2:
            return Fault(rng.choice(["raised", "import", "silent"]), "NotImplementedError", "vae.elbo", "f.py", "Trace")
        asked = tuple(some(tensors) for _ in range(rng.randrange(3)))
        flags = tuple(map(bool, some([0, 1])))
        cost = Cost(*(rng.randrange(1 << 40) for _ in range(3)))
        return Answer(rng.choice(values), rng.random() < 0.5, some([None, *tensors]), some(values), asked, flags, cost)

    return wire.encode_replies([one() for _ in range(rng.randrange(1, 5))])


def extreme(rng: random.Random) -> bytes:
    """Write a message as large as one may be, of as many things as there is room for."""
    room = wire.MAX_HEADER - 100
    answer: Tree = ["answer", None, False, [], [], [], [], [0, 0, 0]]
    entry = rng.choice(ENTRIES)
    many = [entry] * (room // len(packed(entry)[wire.PREFIX.size :]))
    match rng.randrange(5):
        case 0:
            return packed([answer] * (room // len(msgspec.msgpack.encode(answer))))
        case 1:
            return packed([["fault", "raised", "x" * room, "", "", ""]])
        case 2:
            dtype = rng.choice(["uint8", "bool", "float32", "float64"])
            answer[1] = ["tensor", dtype, [wire.MAX_BODY // wire.DTYPES[dtype].itemsize], bytes(wire.MAX_BODY)]
        case 3:
            return packed([["x" * room]])
        case _:
            answer[rng.choice([1, 3, 4, 5])] = ["tuple", many] if rng.random() < 0.5 else many
    return packed([answer])


def split(message: bytes) -> tuple[bytes, bytearray]:
    """Take header and body from a damaged message, as much of them as is there, as who reads it from a socket does.

    Raises:
        WireError: the lengths are more than a message may have.
    """
    start = wire.PREFIX.size
    header, body = wire.lengths(message[:start].ljust(start, b"\0"))
    return message[start : start + header], bytearray(message[start + header : start + header + body])


def unpacked(message: bytes) -> Tree:
    """Read a right message as a tree."""
    header, body = wire.split(message)
    tree, offset = msgspec.msgpack.decode(header), 0
    for node in nodes(tree):
        if is_tensor(node):
            size = math.prod(node[2]) * wire.DTYPES[node[1]].itemsize
            node.append(bytes(body[offset : offset + size]))
            offset += size + -size % wire.ALIGNMENT
    return tree


def packed(tree: Tree) -> bytes:
    """Write a tree as a message, whose body has the bytes of all its tensors in their order."""
    buffers: list[bytes] = []

    def bare(node: Tree) -> Tree:
        if is_tensor(node) and len(node) == 4 and isinstance(node[3], bytes):
            buffers.append(node[3] + bytes(-len(node[3]) % wire.ALIGNMENT))
            return node[:3]
        return [bare(child) for child in node] if isinstance(node, list) else node

    header = msgspec.msgpack.encode(bare(tree))
    body = b"".join(buffers)
    return wire.PREFIX.pack(len(header) % 2**32, len(body) % 2**32) + header + body


def nodes(tree: Tree) -> Iterator[list[Any]]:
    """Yield all lists of a tree, each before those in it."""
    if isinstance(tree, list):
        yield tree
        for child in tree:
            yield from nodes(child)


def is_tensor(node: Tree) -> bool:
    if not (isinstance(node, list) and len(node) > 2 and node[0] == "tensor"):
        return False
    return isinstance(node[1], str) and isinstance(node[2], list)  # and no sequence that begins with that word
