"""Damage to a message: in its header as a tree, in its tensors with all else kept right, or in its bytes."""

import math
import random
import struct
from collections.abc import Sequence
from typing import Any

import msgspec

from grading.engine import wire
from tests.bench.fuzzing.messages import SHAPES, Tree, is_tensor, nodes, packed, unpacked

LYING: list[list[Any]] = [[-1], [2**62, 4], [2**63 - 1], [2**64 - 1], [0, 2**63 - 1], [2**20, 0, 2**20], [1] * 9]
LYING += [[2**24], [[]], [1.5]]
# Few numbers that become many when they are broadcast against each other, or against a batch.
SPREADING = [[200_000, 1, 1], [1, 200_000], [30_000, 1], [1, 30_000], [30_000], [500, 1, 500], [100_000, 2]]


def damaged(rng: random.Random, message: bytes) -> bytes:
    """Damage a right message in one of the ways, or in some."""
    tree = unpacked(message)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 4])):
        rng.choice([with_odd_value, with_odd_value, with_other_items, with_odd_tensors, with_odd_tensors])(rng, tree)
    message = packed(tree)
    for _ in range(rng.choice([0, 0, 0, 1, 3])):
        message = with_odd_bytes(rng, message)
    return message


def odd_values(rng: random.Random) -> Sequence[Any]:
    """Return what may stand anywhere in a header and seldom should."""
    counts = [0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)]
    floats = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308]
    words = ["", "x", "tensor", "NotImplementedError", "vae.elbo is", "\0\x1b[2J\ud7ff\uffff", "9" * 5000, "é" * 70_000]
    lists = [[], [[]], ["tuple", []], ["other", "Tensor"], ["other", "y" * 3000], ["given", "Penalty", []], ["fault"]]
    deeper = rng.choice([b"\x92\xa5tuple\x91", b"\x91", b"\x81\xa1x"])
    nested = msgspec.Raw(deeper * rng.choice([7, 9, 200, 100_000]) + b"\xc0")
    one = rng.choice([None, True, "", ["tuple", []], ["other", ""]])
    # Written already, so that no damage to one of them is one to all.
    many = msgspec.Raw(msgspec.msgpack.encode(["tuple", [one] * rng.choice([100, 10_000])]))
    return [None, True, False, {}, {"x": 1}, b"x", msgspec.Raw(b"\xc7\x00\x05"), nested, many, *counts, *floats, *words,
            *lists, odd_tensor(rng)]  # fmt: skip


def with_odd_value(rng: random.Random, tree: Tree) -> None:
    """Put an odd value in the place of something."""
    node = rng.choice(list(nodes(tree)))
    if node:
        node[rng.randrange(len(node))] = rng.choice(odd_values(rng))


def with_other_items(rng: random.Random, tree: Tree) -> None:
    """Leave out, double, exchange or move items of lists."""
    one, other = rng.choices(list(nodes(tree)), k=2)
    match rng.randrange(4):
        case 0 if one:
            del one[rng.randrange(len(one))]
        case 1 if one and one is not tree:
            leaves = not any(isinstance(item, (list, bytes)) for item in one)
            one.extend(rng.choices(one, k=1000 if leaves and rng.random() < 0.2 else 1))
        case 2 if len(one) > 1:
            rng.shuffle(one)
        case 3 if one and one is not other and not any(n is one for n in nodes(other)):
            # What is in one cannot hold it: no tree ends in itself.
            item = rng.choice(other) if other and other is not tree else None
            if not any(n is one for n in nodes(item)):
                one[rng.randrange(len(one))] = item


def with_odd_tensors(rng: random.Random, tree: Tree) -> None:
    """Put an odd tensor in the place of one, or of each in its own or all in the same way."""
    found = [node for node in nodes(tree) if is_tensor(node)]
    if not found:
        return
    seed, alike = rng.random(), rng.random() < 0.5
    for node in found if rng.random() < 0.4 else [rng.choice(found)]:
        node[:] = odd_tensor(random.Random(seed) if alike else rng, list(node))


def odd_tensor(rng: random.Random, like: Tree = None) -> Tree:
    """Return an odd tensor, in some respects like another one."""
    dtype = rng.choice(sorted(wire.DTYPES)) if like is None or rng.random() < 0.4 else like[1]
    shape = [*rng.choice(SHAPES)] if like is None or rng.random() < 0.4 else like[2]
    if rng.random() < 0.15:
        shape = [*rng.choice(SPREADING)]
    elif rng.random() < 0.1:
        named = rng.choice([dtype, "float12", "", "T" * 999])
        return ["tensor", named, [*rng.choice(LYING + SHAPES)], *(like[3:] if like else ())]
    try:
        size = math.prod(shape) * wire.DTYPES[dtype].itemsize
        return ["tensor", dtype, shape, odd_bits(rng, size if 0 <= size < 1 << 22 else 0)]
    except (TypeError, KeyError):  # of a tensor that was damaged before
        return ["tensor", dtype, shape]


def odd_bits(rng: random.Random, size: int) -> bytes:
    """Return zeros, ones, any bytes, quiet and signalling nan, infinity, a huge number, or 1 in double precision."""
    numbers = [struct.pack("<d", x) for x in (1.0, 1e300, math.inf)] + [struct.pack("<e", -2.0)]
    pattern = rng.choice([b"\0", b"\1", b"\2", b"\xff", b"\1\0\0\0\0\0\xf0\x7f", rng.randbytes(64), *numbers])
    return (pattern * (size // len(pattern) + 1))[:size]


def with_odd_bytes(rng: random.Random, message: bytes) -> bytes:
    """Change, put in, cut out or double some bytes, most often of the header, and now and then the lengths."""
    if len(message) < wire.PREFIX.size:
        return message
    start = rng.randrange(min(len(message), 400 if rng.random() < 0.8 else len(message)))
    size = rng.choice([1, 1, 2, 4, 8, 100])
    end = min(start + size, len(message))
    codes = [b"\xdd\xff\xff\xff\xff", b"\xc1", b"\xcf" + b"\xff" * 8]
    new = rng.choice([rng.randbytes(size), *codes, b"", message[start:end] * 2])
    changed = message[:start] + new + message[end:]
    if rng.random() < 0.7:  # with the right length, or nearly, else what follows is cut off
        header, body = wire.PREFIX.unpack(message[: wire.PREFIX.size])
        changed = wire.PREFIX.pack((header + len(new) - (end - start)) % 2**32, body) + changed[wire.PREFIX.size :]
    return changed[: rng.randrange(len(changed) + 1)] if rng.random() < 0.05 else changed
