"""The process in which a student's code runs: it reads calls from a socket, answers them, and knows nothing else.

`serve_forks` is the clean process that has torch imported, has run no operation and holds no property; it forks a
worker for each request, so that torch is imported once. Where fork is unsafe, `python -m grading.engine.worker FD
DIRECTORY` is a worker that starts from nothing.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch

from . import wire
from .answering import answer
from .calls import Answer, Call, CallFailed, Fault
from .implementation import Implementation, fault_of, message_of
from .isolation import Enclosure, Limits

MAX_REQUEST = 1 << 16
CONNECTION = 3  # the descriptor of a worker's connection to the judge, the only one beside the three of all processes


class Hello(msgspec.Struct, frozen=True):
    """A worker's first words, before it loads a student's code: its process and the layers that hold around it."""

    process: int
    layers: tuple[str, ...] = ()


def receive(connection: socket.socket, size: int) -> bytearray:
    """Read exactly size bytes.

    Raises:
        EOFError: the other side closed the connection first.
    """
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError("the connection was closed")
        view = view[count:]
    return data


def serve(connection: socket.socket, directory: Path, bank: str = "", helpers: str = "", alone: bool = False) -> None:
    """Answer messages of calls until the connection closes.

    bank: an entry that stands in for its part. helpers: a part and a directory of right ones that it may call, in
    place of those beside it. alone: the student's code finds no module of the kit.
    """
    torch.set_num_threads(1)
    # Bytecode that is left beside the source would be taken for that of a file saved again within the same second.
    sys.dont_write_bytecode = True
    implementation = Implementation(directory)
    if helpers:
        implementation.lend(Path(helpers))
    if bank:
        _replace_from_bank(implementation, bank)
    if alone:
        kept = _forget_the_kit()  # noqa: F841  (or its modules would be emptied)
    with contextlib.suppress(EOFError):
        while True:
            header, body = wire.lengths(bytes(receive(connection, wire.PREFIX.size)))
            calls = wire.decode_calls(bytes(receive(connection, header)), receive(connection, body))
            connection.sendall(_encode([reply(implementation, call, own=True) for call in calls]))


def _forget_the_kit() -> list[types.ModuleType]:
    """Take the kit's modules from where an import finds them, and return them."""
    names = [name for name in sys.modules if name.split(".")[0] in ("grading", "tests", "__main__")]
    kept = [sys.modules.pop(name) for name in names]
    sys.modules["__main__"] = types.ModuleType("__main__")
    return kept


def _encode(replies: list[Answer | Fault]) -> bytes:
    for name in ("stdout", "stderr"):
        with contextlib.suppress(Exception):  # the student's code may have closed it
            getattr(sys, name).flush()
    try:
        return wire.encode_replies(replies)
    except Exception as error:  # too large, or a tensor of a kind that nobody thought of
        fault = Fault("damaged", "WireError", f"the answer cannot be sent: {message_of(error)}")
        return wire.encode_replies([fault] * len(replies))


def _replace_from_bank(implementation: Implementation, entry: str) -> None:
    from grading.bank import find

    part, _, name = entry.rpartition(".")
    implementation.replace(part, find(part, name).function)


def reply(implementation: Implementation, call: Call, own: bool = False) -> Answer | Fault:
    """Answer one call, whose arguments may be its own; whatever the student's code raises becomes a fault."""
    try:
        return answer(implementation.function(call.part, call.file), call, own)
    except CallFailed as failed:
        return failed.fault
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return fault_of(error, implementation.directory)


def serve_forks(controls: Sequence[socket.socket], enclosure: Enclosure | None = None) -> None:
    """Fork a worker for each request (directory, bank entry, helpers; two descriptors) on any of the connections."""
    gc.freeze()  # torch's objects stay to the end: not worth a look at every collection, and shared by all forks
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the judge, which closes the connection
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
    with selectors.DefaultSelector() as selector:
        for control in controls:
            selector.register(control, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if not _serve_fork(key.fileobj, enclosure):  # type: ignore[arg-type]
                    selector.unregister(key.fileobj)
    os._exit(0)


def _serve_fork(control: socket.socket, enclosure: Enclosure | None) -> bool:
    """Fork a worker for the next request; False where nobody asks any more."""
    request, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, 2)
    if not request:
        return False
    if (os.fork() if enclosure is None else enclosure.fork()) == 0:
        become_worker(descriptors[0], descriptors[1], request.decode().split("\0"), enclosure)
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def become_worker(connection: int, output: int, request: Sequence[str], enclosure: Enclosure | None = None) -> None:
    """Turn this process into a worker: a process group of its own, no input, its output into a pipe; never returns."""
    status = 1
    try:
        directory, bank, helpers = request
        _hold_only(connection, output)
        places = [Path(place) for place in (directory, helpers) if place]
        layers = () if enclosure is None else enclosure.close(places)
        socket_ = socket.socket(fileno=CONNECTION)
        socket_.sendall(msgspec.json.encode(Hello(os.getpid(), layers)))
        serve(socket_, Path(directory), bank, helpers, enclosure is not None)
        status = 0
    except (BrokenPipeError, ConnectionError):
        pass  # the judge is gone, or has given this worker up
    finally:
        os._exit(status)


def _hold_only(connection: int, output: int) -> None:
    """Leave whatever group, signals and descriptors came from elsewhere."""
    if os.getpgrp() != os.getpid():
        os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(connection, CONNECTION)
    os.closerange(CONNECTION + 1, os.sysconf("SC_OPEN_MAX"))
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="replace", closefd=False)


def main(arguments: Sequence[str]) -> None:
    """Be a clean process, `forks FD,FD LIMITS VISIBLE ...`, or a worker that starts from nothing."""
    match arguments:
        case ["forks", descriptors, limits, *visible]:
            controls = [socket.socket(fileno=int(descriptor)) for descriptor in descriptors.split(",")]
            serve_forks(controls, _enclosure(limits, visible))
        case [connection, output, limits, *request]:
            become_worker(int(connection), int(output), request, _enclosure(limits, ()))


def _enclosure(limits: str, visible: Sequence[str]) -> Enclosure | None:
    return Enclosure.prepare(msgspec.json.decode(limits, type=Limits), map(Path, visible)) if limits else None


if __name__ == "__main__":
    main(sys.argv[1:])
