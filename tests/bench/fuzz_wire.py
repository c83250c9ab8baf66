"""Sends the judge what a hostile worker might send, and looks for anything but a refusal or a verdict.

python -m tests.bench.fuzz_wire --seconds 600
python -m tests.bench.fuzz_wire --first 1234 --most 1    # one input again, by its number

An input begins as a message of replies, made up or the reference's to real calls, and is damaged in its bytes, in its
header as a tree, or in its tensors with all else kept right. It meets one of three readers: `decode` is the format
alone, `judge` judges a property on it, `socket` is a worker that sends it in pieces.

Status 1, with the bytes in a file, on any exception but WireError, on an input that takes a second of the judge's CPU
time, and on one that takes more memory than a message may.
"""

import argparse
import contextlib
import math
import os
import random
import resource
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from grading.catalogue import all_parts
from grading.engine import wire, worker, workers
from grading.engine.calls import Answer, Call, Cost, Fault
from grading.engine.implementation import Implementation, locate
from grading.judge import Judge, Profile
from tests.bench.pairs import forget_peak, memory
from tests.support.properties import Property

SECONDS = 1.0
MEGABYTES = (wire.MAX_HEADER + wire.MAX_BODY) / (1 << 20)
ROOM = 4 << 30  # of address space: an allocation of more is refused by the system, and seen in the verdict
DEADLINE, PATIENCE = 0.05, 10.0  # of a reply, and of the whole conversation on a busy machine
TEXT = 20_000  # characters of what is told of an input
EXTREME = 0.002  # of the inputs are as large as a message may be
KEPT = 8  # messages of an input, the last ones, that are written to a file
X = torch.arange(6.0, dtype=torch.float64).view(2, 3)
Tree = Any


# Messages


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


def split(message: bytes) -> tuple[bytes, bytearray]:
    """Take header and body from a message, as much of them as is there.

    Raises:
        WireError: the lengths are more than a message may have.
    """
    start = wire.PREFIX.size
    header, body = wire.lengths(message[:start].ljust(start, b"\0"))
    return message[start : start + header], bytearray(message[start + header : start + header + body])


def unpacked(message: bytes) -> Tree:
    """Read the header of a right message as lists, in which a tensor has its bytes as a fourth item."""
    header, body = split(message)
    tree, offset = msgspec.msgpack.decode(header), 0
    for node in nodes(tree):
        if is_tensor(node):
            size = math.prod(node[2]) * wire.DTYPES[node[1]].itemsize
            node.append(bytes(body[offset : offset + size]))
            offset += size + -size % wire.ALIGNMENT
    return tree


def packed(tree: Tree) -> bytes:
    """Write such a tree as a message, whose body has the bytes of all its tensors in their order."""
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
    return isinstance(node, list) and len(node) > 2 and node[0] == "tensor"


# Damage


def damaged(rng: random.Random, message: bytes) -> bytes:
    """Damage a right message in one of the ways, or in some."""
    tree = unpacked(message)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 4])):
        rng.choice([with_odd_value, with_odd_value, with_other_items, with_odd_tensors, with_odd_tensors])(rng, tree)
    message = packed(tree)
    for _ in range(rng.choice([0, 0, 0, 1, 3])):
        message = with_odd_bytes(rng, message)
    return message


NESTED = (b"\x92\xa5tuple\x91", b"\x91", b"\x81\xa1x")


def odd_values(rng: random.Random) -> Sequence[Any]:
    """Return what may stand anywhere in a header and seldom should."""
    counts = [0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)]
    floats = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308]
    words = ["", "x", "tensor", "NotImplementedError", "vae.elbo is", "\0\x1b[2J\ud7ff\uffff", "9" * 5000, "é" * 70_000]
    lists = [[], [[]], ["tuple", []], ["other", "Tensor"], ["other", "y" * 3000], ["given", "Penalty", []], ["fault"]]
    nested = msgspec.Raw(rng.choice(NESTED) * rng.choice([7, 9, 200, 100_000]) + b"\xc0")
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


SHAPES = [[], [1], [2, 3], [0], [3, 0, 2], [4], [1, 1], [3, 1], [1, 3], [1, 2, 1], [7, 2], [1] * 8, [2, 2], [0, 2**20]]
LYING: list[list[Any]] = [[-1], [2**62, 4], [2**63 - 1], [2**64 - 1], [0, 2**63 - 1], [2**20, 0, 2**20], [1] * 9]
LYING += [[2**24], [[]], [1.5]]
# Few numbers that become many when they are broadcast against each other, or against a batch.
SPREADING = [[200_000, 1, 1], [1, 200_000], [30_000, 1], [1, 30_000], [30_000], [500, 1, 500], [100_000, 2]]


def odd_tensor(rng: random.Random, like: Tree = None) -> Tree:
    """Return a tensor of another dtype, other bits, another shape, or one that is not there."""
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


def with_odd_tensors(rng: random.Random, tree: Tree) -> None:
    """Put an odd tensor in the place of one, or of each in its own or all in the same way."""
    found = [node for node in nodes(tree) if is_tensor(node)]
    if not found:
        return
    seed, alike = rng.random(), rng.random() < 0.5
    for node in found if rng.random() < 0.4 else [rng.choice(found)]:
        node[:] = odd_tensor(random.Random(seed) if alike else rng, list(node))


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


def extreme(rng: random.Random) -> bytes:
    """Write a message as large as one may be, of as many things as there is room for."""
    entries: list[Tree] = [None, ["tuple", []], ["other", ""], ["tensor", "bool", [0]], ["tensor", "bool", [1], b"\1"]]
    answer: Tree = ["answer", None, False, [], [], [], [], [0, 0, 0]]
    entry = rng.choice(entries)
    count = (wire.MAX_HEADER - 100) // len(packed(entry)[wire.PREFIX.size :])
    match rng.randrange(5):
        case 0:
            return packed([answer] * ((wire.MAX_HEADER - 100) // len(msgspec.msgpack.encode(answer))))
        case 1:
            return packed([["fault", "raised", "x" * (wire.MAX_HEADER - 100), "", "", ""]])
        case 2:
            dtype = rng.choice(["uint8", "bool", "float32", "float64"])
            itemsize = wire.DTYPES[dtype].itemsize
            return packed(
                [["answer", ["tensor", dtype, [wire.MAX_BODY // itemsize], bytes(wire.MAX_BODY)], *answer[2:]]]
            )
        case 3:
            return packed([["x" * (wire.MAX_HEADER - 100)]])
        case _:
            answer[rng.choice([1, 3, 4, 5])] = ["tuple", [entry] * count] if rng.random() < 0.5 else [entry] * count
            return packed([answer])


# Readers


@dataclass
class Trial:
    """One input on its way through the judge: what was sent, what it took, what became of it."""

    number: int
    rng: random.Random
    sent: list[bytes] = field(default_factory=list)
    reader: str = ""
    outcome: str = ""
    problem: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0
    traceback: str = ""

    def start(self) -> None:
        """Begin, or go on, to measure what is the judge's own work."""
        self._held, self._begin = forget_peak(), time.process_time()

    def stop(self) -> None:
        """Leave out what follows."""
        self.seconds += time.process_time() - self._begin
        self.megabytes = max(self.megabytes, memory("VmHWM") - self._held)

    def send(self, message: bytes, damage: float = 1.0) -> bytes:
        """Damage a right message with some chance, and keep what is sent."""
        chance = self.rng.random()
        message = extreme(self.rng) if chance < EXTREME else damaged(self.rng, message) if chance < damage else message
        self.sent.append(message)
        return message

    def expect(self, holds: bool, problem: str) -> None:
        """Note a problem where something does not hold."""
        self.problem = self.problem or ("" if holds else problem)


def decode(trial: Trial) -> None:
    """Read a message, and let what it holds travel on: a check may ask with what it was answered."""
    message = trial.send(made_up(trial.rng))
    try:
        parts = split(message)
    except wire.WireError:
        trial.outcome = "refused"
        return
    trial.start()
    try:
        replies = wire.decode_replies(*parts)
        trial.outcome = "accepted"
    except wire.WireError as error:
        replies, trial.outcome = [], "refused"
        trial.expect(len(str(error)) < TEXT, f"a refusal of {len(str(error))} characters")
    trial.stop()
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    with contextlib.suppress(wire.WireError):
        sent = wire.encode_calls([Call("vae.elbo", "f.py", (answer.value, *answer.arguments)) for answer in answers])
        wire.decode_calls(*split(sent))


def judge(trial: Trial) -> None:
    """Judge a property on what the reference replies, damaged."""
    value = trial.rng.choice(_properties())
    judging = _judge(0.05 if trial.rng.random() < 0.05 else 0.0)
    inputs = trial.rng.sample(judging.inputs(value), 1)
    exchange = workers.AtOnce(lambda calls, seconds: _forged(trial, calls))
    trial.start()
    verdict = judging.judge(value, inputs, exchange, 20)
    told = msgspec.json.encode(verdict).decode()
    trial.stop()
    trial.outcome = verdict.outcome
    trial.expect(len(told) < 4 * TEXT, f"{value.full_name}: a verdict of {len(told)} characters")
    refused = "allocate" in told or "MemoryError" in told
    trial.expect(not refused, f"{value.full_name}: asked for more memory than there may be")
    trial.expect(bool(verdict.failure) == (verdict.outcome != "right"), f"{value.full_name}: no failure told")


def _forged(trial: Trial, calls: Sequence[Call]) -> list[Answer | Fault]:
    """Answer in place of a worker; what that computes, and the damage, is not on the judge's account."""
    try:
        asked = wire.encode_calls(list(calls))
        trial.stop()
        try:
            parts = split(trial.send(_right(wire.decode_calls(*split(asked))), damage=0.6))
        finally:
            trial.start()
        replies = wire.decode_replies(*parts)
        if len(replies) != len(calls):
            raise wire.WireError("another number of replies")
        for call, reply in zip(calls, replies, strict=True):
            workers._assert_fits(call, reply)
    except wire.WireError as error:
        return [Fault("damaged", "WireError", str(error))] * len(calls)
    return replies


def _right(calls: Sequence[Call]) -> bytes:
    """Return the reference's replies; none to arguments that were made huge before."""
    entries = sum(t.numel() for call in calls for t in _tensors(call.arguments))
    if entries > 1 << 18:
        return wire.encode_replies([Fault("raised", "ValueError", "too much")] * len(calls))
    return wire.encode_replies([worker.reply(_reference(), call) for call in calls])


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors of arguments, those of given objects too."""
    if isinstance(value, Tensor):
        yield value
    for item in value if isinstance(value, tuple) else value.fields() if hasattr(value, "fields") else ():
        yield from _tensors(item)


def connection(trial: Trial) -> None:
    """Ask a worker that sends a message or two in pieces, with pauses, and then ends, lingers or prints."""
    effects = Call("vae.elbo", "f.py", (X,), watch="effects", wrt=("0",))
    asked = [effects] * trial.rng.choice([1, 1, 2])
    right = wire.encode_replies([Answer(X, True, (X,), (X,), ((X,),), (False,))] * len(asked))
    data = b"".join(trial.send(right, damage=0.7) for _ in range(2))
    starter = _FakeStarter(data, trial.rng)
    ours = workers.Worker(starter, Path("."))  # type: ignore[arg-type]
    begin = time.monotonic()
    trial.start()
    for _ in range(2):
        replies = ours(asked, DEADLINE)
        trial.expect(len(replies) == len(asked), f"{len(replies)} replies to {len(asked)} calls")
        trial.outcome += "F" if isinstance(replies[0], Fault) else "A"
    ours.close()
    trial.stop()
    starter.close()
    trial.expect(time.monotonic() - begin < PATIENCE, "no reply in time")


class _FakeStarter:
    """Starts processes that send what they are told to, once they are asked something."""

    def __init__(self, data: bytes, rng: random.Random) -> None:
        self.children: list[int] = []
        most = rng.choice([1, 7, 300, 1 << 20])
        cuts = sorted(rng.sample(range(len(data) + 1), min(most, len(data) + 1, 500)))
        self.pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        self.pauses = rng.choice([0, 0, 0.0001, 0.01])
        self.end = rng.choice(["end", "linger", "print", "close"])

    def start(self, theirs: socket.socket, output: int, request: Sequence[str]) -> None:
        """Fork a process that plays the worker."""
        child = os.fork()
        if child == 0:
            try:
                self._play(theirs, output)
            finally:
                os._exit(0)
        self.children.append(child)

    def _play(self, theirs: socket.socket, output: int) -> None:
        os.setsid()
        theirs.sendall(msgspec.json.encode(worker.Hello(os.getpid())))
        theirs.recv(1)
        for piece in self.pieces:
            theirs.sendall(piece)
            time.sleep(self.pauses)
        if self.end == "close":
            theirs.close()
        while self.end == "print":
            os.write(output, b"x" * 10_000)
        time.sleep(0 if self.end == "end" else 100)

    def close(self) -> None:
        """End all that were started."""
        for child in self.children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


READERS: dict[Callable[[Trial], None], int] = {decode: 30, judge: 30, connection: 1}  # and how often each has its turn


@cache
def _reference() -> Implementation:
    return Implementation(locate("solutions"))


@cache
def _properties() -> list[Property]:
    return [value for part in all_parts() for value in part.properties]


@cache
def _judge(shrink_seconds: float) -> Judge:
    return Judge(Profile(2, 20, 60, shrink_seconds))


# All of it


def tried(number: int, seed: int = 0, readers: Sequence[Callable[[Trial], None]] = tuple(READERS)) -> Trial:
    """Try the input of a number, the same one for the same seed; a problem is tried again before it is told.

    What comes first after the start of a process may be slow, and large, for reasons of its own.
    """
    for _ in range(2):
        trial = Trial(number, random.Random(f"{seed} {number}"))
        torch.manual_seed(trial.rng.randrange(1 << 30))
        (reader,) = trial.rng.choices(readers, [READERS[reader] for reader in readers])
        trial.reader = reader.__name__
        try:
            reader(trial)
        except Exception as error:
            trial.problem = f"{type(error).__name__}: {error}"[:500]
            trial.traceback = traceback.format_exc()
        trial.expect(trial.seconds < SECONDS, f"{trial.seconds:.1f} seconds")
        trial.expect(trial.megabytes < MEGABYTES, f"{trial.megabytes:.0f} MB")
        if not trial.problem:
            break
    return trial


def keep(trial: Trial, seed: int) -> Path:
    """Write the bytes of an input to a file, as hexadecimal digits."""
    file = Path(tempfile.gettempdir()) / f"fuzz_wire_{seed}_{trial.number}.hex"
    file.write_text("\n".join(message.hex() for message in trial.sent[-KEPT:]) + "\n")
    return file


def told(trials: Sequence[Trial], reader: str) -> str:
    """Say in a line what became of the inputs of one reader."""
    mine = [trial for trial in trials if trial.reader == reader]
    if not mine:
        return f"{reader:11s}       0 inputs"
    outcomes = ", ".join(f"{n} {name}" for name, n in Counter(t.outcome or "no outcome" for t in mine).most_common())
    slowest, largest = max(mine, key=lambda t: t.seconds), max(mine, key=lambda t: t.megabytes)
    return (
        f"{reader:11s} {len(mine):7d} inputs ({outcomes}); slowest {slowest.seconds:.3f} s (number {slowest.number}), "
        f"largest growth {largest.megabytes:.0f} MB (number {largest.number})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--most", type=int, default=sys.maxsize)
    parser.add_argument("--only", nargs="*", default=[reader.__name__ for reader in READERS], metavar="READER")
    options = parser.parse_args()
    torch.set_num_threads(1)
    held = int(memory("VmSize") * (1 << 20))
    resource.setrlimit(resource.RLIMIT_AS, (held + ROOM, resource.RLIM_INFINITY))
    readers = [reader for reader in READERS if reader.__name__ in options.only]
    end, trials = time.monotonic() + options.seconds, []
    for number in range(options.first, options.first + options.most):
        if time.monotonic() > end:
            break
        trial = tried(number, options.seed, readers)
        if trial.problem:
            print(f"number {number}, {trial.reader}: {trial.problem}; its bytes are in {keep(trial, options.seed)}")
            print(trial.traceback, flush=True)
        trial.sent.clear()
        trials.append(trial)
    for reader in readers:
        print(told(trials, reader.__name__))
    problems = sum(bool(trial.problem) for trial in trials)
    print(f"{len(trials)} inputs from seed {options.seed}, {problems} with a problem")
    sys.exit(problems > 0)


if __name__ == "__main__":
    main()
