"""The process in which a student's code runs: it reads calls from a socket, answers them, and knows nothing else.

`serve_forks` is the clean process that has torch imported, has run no operation and holds no property; it forks a
worker for each request, so that torch is imported once. Where fork is unsafe, `python -m grading.engine.worker FD
DIRECTORY` is a worker that starts from nothing.
"""

import contextlib
import gc
import os
import signal
import socket
import struct
import sys
from pathlib import Path

import torch

from . import wire
from .answering import answer
from .calls import Answer, Call, CallFailed, Fault
from .implementation import Implementation, fault_of, message_of

MAX_REQUEST = 1 << 16
PROCESS = struct.Struct("<i")


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


def serve(connection: socket.socket, directory: Path, bank: str = "") -> None:
    """Answer messages of calls until the connection closes; bank names an entry that stands in for its part."""
    torch.set_num_threads(1)
    # Bytecode that is left beside the source would be taken for that of a file saved again within the same second.
    sys.dont_write_bytecode = True
    implementation = Implementation(directory)
    if bank:
        _replace_from_bank(implementation, bank)
    with contextlib.suppress(EOFError):
        while True:
            header, body = wire.lengths(bytes(receive(connection, wire.PREFIX.size)))
            calls = wire.decode_calls(bytes(receive(connection, header)), receive(connection, body))
            connection.sendall(_encode([reply(implementation, call) for call in calls]))


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


def reply(implementation: Implementation, call: Call) -> Answer | Fault:
    """Answer one call; whatever the student's code raises becomes a fault."""
    try:
        return answer(implementation.function(call.part, call.file), call)
    except CallFailed as failed:
        return failed.fault
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return fault_of(error, implementation.directory)


def serve_forks(control: socket.socket) -> None:
    """Fork a worker for each request (directory, bank entry, two descriptors) and answer with its process number."""
    gc.freeze()  # torch's objects stay to the end: not worth a look at every collection, and shared by all forks
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the judge, which closes the connection
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, 2)
        if not request:
            os._exit(0)
        process = os.fork()
        if process == 0:
            control.close()
            directory, bank = request.decode().split("\0")
            become_worker(descriptors[0], descriptors[1], Path(directory), bank)
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(PROCESS.pack(process))


def become_worker(connection: int, output: int, directory: Path, bank: str) -> None:
    """Turn this process into a worker: a process group of its own, no input, its output into a pipe; never returns."""
    status = 1
    try:
        if os.getpgrp() != os.getpid():
            os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="replace", closefd=False)
        serve(socket.socket(fileno=connection), directory, bank)
        status = 0
    except (BrokenPipeError, ConnectionError):
        pass  # the judge is gone, or has given this worker up
    finally:
        os._exit(status)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["forks", fd]:
            serve_forks(socket.socket(fileno=int(fd)))
        case [fd, output_fd, folder, entry]:
            become_worker(int(fd), int(output_fd), Path(folder), entry)
