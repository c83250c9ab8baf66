"""Inputs that come from a worker through a socket, in pieces and with pauses."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import msgspec

from grading.engine import wire, worker, workers
from grading.engine.calls import Answer, Call, Fault
from tests.bench.fuzzing.messages import X
from tests.bench.fuzzing.trials import Trial

DEADLINE, PATIENCE = 0.05, 10.0  # of a reply, and of the whole conversation on a busy machine


def connection(trial: Trial) -> None:
    """Ask a worker that sends a message or two in pieces, with pauses, and then ends, lingers or prints."""
    asked = [Call("vae.elbo", "f.py", (X,), watch="effects", wrt=("0",))] * trial.rng.choice([1, 1, 2])
    right = wire.encode_replies([Answer(X, True, (X,), (X,), ((X,),), (False,))] * len(asked))
    pieces = _pieces(trial.rng, b"".join(trial.send(right, damage=0.7) for _ in range(2)))
    play = partial(_play, pieces, trial.rng.choice([0, 0, 0.0001, 0.01]), trial.rng.choice(ENDS))
    begin = time.monotonic()
    with _played(play) as ours:
        trial.start()
        for _ in range(2):
            replies = ours(asked, DEADLINE)
            trial.expect(len(replies) == len(asked), f"{len(replies)} replies to {len(asked)} calls")
            trial.outcome += "F" if isinstance(replies[0], Fault) else "A"
        ours.close()
        trial.stop()
    trial.expect(time.monotonic() - begin < PATIENCE, "no reply in time")


def _pieces(rng: random.Random, data: bytes) -> list[bytes]:
    most = rng.choice([1, 7, 300, 1 << 20])
    cuts = sorted(rng.sample(range(len(data) + 1), min(most, len(data) + 1, 500)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@contextmanager
def _played(play: Callable[[socket.socket, int], None]) -> Iterator[workers.Worker]:
    """Give a worker whose processes are forks that do nothing but play; end all that were started."""
    children: list[int] = []

    def start(theirs: socket.socket, output: int, request: Sequence[str]) -> None:
        children.append(os.fork())
        if children[-1] == 0:
            try:
                play(theirs, output)
            finally:
                os._exit(0)

    try:
        yield workers.Worker(SimpleNamespace(start=start), Path("."))  # type: ignore[arg-type]
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


ENDS = ("end", "linger", "print", "close")


def _play(pieces: Sequence[bytes], pause: float, end: str, theirs: socket.socket, output: int) -> None:
    """Greet as a worker does, send the pieces once something is asked, and end in one of the ways."""
    os.setsid()
    theirs.sendall(msgspec.json.encode(worker.Hello(os.getpid())))
    theirs.recv(1)
    for piece in pieces:
        theirs.sendall(piece)
        time.sleep(pause)
    if end == "close":
        theirs.close()
    while end == "print":
        os.write(output, b"x" * 10_000)
    time.sleep(0 if end == "end" else 100)
