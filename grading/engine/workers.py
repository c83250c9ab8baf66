"""The judge's side of a worker: start it, ask it with a deadline, keep what it prints, kill it."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor

from . import wire, worker
from .calls import Answer, Call, Fault
from .implementation import ROOT

KEPT_OUTPUT = 64 << 10
FORK_SECONDS = 60  # the clean process may still be importing torch
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


Replies = list[Answer | Fault]


class Exchange(Protocol):
    """Whoever answers calls."""

    def post(self, calls: Sequence[Call], seconds: float) -> Callable[[], Replies]:
        """Send calls in one message; the function that is returned waits for their replies, so many seconds from now.

        More may be posted meanwhile; replies are waited for in the order of the messages.
        """
        ...


class AtOnce:
    """An exchange that has the replies when the calls are posted, from a function in this process."""

    def __init__(self, answer: Callable[[Sequence[Call], float], Replies]) -> None:
        """Take a function of calls and seconds."""
        self._answer = answer

    def post(self, calls: Sequence[Call], seconds: float) -> Callable[[], Replies]:
        """Answer the calls."""
        replies = self._answer(calls, seconds)
        return lambda: replies


class Starter:
    """Starts workers, by forking a clean process where that is safe and from nothing where it is not."""

    def __init__(self, control: socket.socket | None) -> None:
        """Use `forking`, `spawning_once` or `Starter(None)`, which starts every worker from nothing."""
        self._control = control
        if control is not None:
            control.settimeout(FORK_SECONDS)

    @classmethod
    def forking(cls) -> "Starter":
        """Fork the clean process from this one. Call it before any property is loaded or torch operation run."""
        if sys.platform == "darwin":
            return cls(None)
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            with contextlib.suppress(KeyboardInterrupt):
                worker.serve_forks(theirs)
            os._exit(0)
        theirs.close()
        return cls(ours)

    @classmethod
    def spawning_once(cls) -> "Starter":
        """Start the clean process from nothing: for a process that has already run operations."""
        if sys.platform == "darwin":
            return cls(None)
        ours, theirs = socket.socketpair()
        _spawn(["forks", str(theirs.fileno())], theirs.fileno())
        theirs.close()
        return cls(ours)

    @property
    def grace(self) -> float:
        """Seconds that a worker may need before its first answer: one that starts from nothing imports torch."""
        return FORK_SECONDS if self._control is None else 0.0

    def start(self, connection: socket.socket, output: int, directory: Path, bank: str) -> int:
        """Start one worker and return its process number."""
        if self._control is not None:
            try:
                request = f"{directory}\0{bank}".encode()
                socket.send_fds(self._control, [request], [connection.fileno(), output])
                return worker.PROCESS.unpack(worker.receive(self._control, worker.PROCESS.size))[0]
            except (EOFError, OSError):  # a worker may have killed or stopped the process that it was forked from
                self.close()
        arguments = [str(connection.fileno()), str(output), str(directory), bank]
        return _spawn(arguments, connection.fileno(), output).pid

    def close(self) -> None:
        """End the clean process."""
        if self._control is not None:
            self._control.close()
            self._control = None


def _spawn(arguments: list[str], *descriptors: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "grading.engine.worker", *arguments],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        start_new_session=True,
    )


def _assert_fits(call: Call, reply: Answer | Fault) -> None:
    """Accept an answer that has all that its call asked for; a property relies on it.

    Raises:
        WireError: something is missing. Only code that writes to the connection itself does that.
    """
    if isinstance(reply, Fault):
        return
    watched = len(call.arguments) if call.watch == "effects" else 0
    gradients = 0 if call.watch == "cost" else len(call.wrt)
    if (len(reply.gradients), len(reply.arguments), len(reply.asked)) != (gradients, watched, watched):
        raise wire.WireError("an answer without all that was asked for")
    tensors = (after for a, after in zip(call.arguments, reply.arguments, strict=False) if isinstance(a, Tensor))
    if not all(isinstance(after, Tensor) for after in tensors):
        raise wire.WireError("an argument that is no longer a tensor")


class Worker:
    """One implementation in a process of its own, started when first asked and again after it had to be killed."""

    def __init__(self, starter: Starter, directory: Path, bank: str = "") -> None:
        """Start nothing yet."""
        self._starter, self.directory, self._bank = starter, directory, bank
        self._process = 0
        self._unsent = bytearray()
        self._fault = Fault("silent", "NotStarted", "nothing was asked yet")
        self.output = bytearray()
        self.printed = 0

    def __call__(self, calls: Sequence[Call], seconds: float) -> Replies:
        """Send calls in one message and wait for their replies; a fault for each where none come in time."""
        return self.post(calls, seconds)()

    def post(self, calls: Sequence[Call], seconds: float) -> Callable[[], Replies]:
        """Send calls in one message, and return the function that waits for their replies."""
        try:
            if not self._process:
                self._start()
                seconds += self._starter.grace
            self._unsent += wire.encode_calls(list(calls))
            self._send()
        except (OSError, wire.WireError) as error:
            self._give_up(error)
        process, end = self._process, time.monotonic() + seconds
        return lambda: self._collect(calls, process, end)

    def _collect(self, calls: Sequence[Call], process: int, end: float) -> Replies:
        """Wait for the replies to one message; a process that was given up meanwhile gives none."""
        if process and process == self._process:
            try:
                return self._converse(end, calls)
            except (TimeoutError, EOFError, OSError, wire.WireError) as error:
                self._give_up(error)
        return [self._fault] * len(calls)

    def _give_up(self, error: Exception) -> None:
        """Kill the process, and keep the reason for whoever waits for it."""
        match error:
            case TimeoutError():
                self._fault = Fault("silent", "TimeoutError", f"no answer in time{self._flood()}")
            case wire.WireError():
                self._fault = Fault("damaged", "WireError", f"what came back is not an answer: {error}")
            case _:
                self._fault = Fault("silent", "ProcessEnded", "the process that ran this code ended during the call")
        self.close()

    def _flood(self) -> str:
        return f", and {self.printed >> 20} MB printed" if self.printed > 1 << 20 else ""

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._pipe, output = os.pipe()
        os.set_blocking(self._pipe, False)
        self._process = self._starter.start(theirs, output, self.directory, self._bank)
        theirs.close()
        os.close(output)
        self._socket.setblocking(False)
        self._unsent.clear()

    def _send(self) -> None:
        """Write as much of the messages as the worker takes now."""
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent[: 1 << 18])]

    def _converse(self, end: float, calls: Sequence[Call]) -> Replies:
        """Write the messages and read one reply as the worker takes and gives them, emptying its output meanwhile."""
        received, needed = bytearray(), wire.PREFIX.size
        header = body = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            writing = selectors.EVENT_WRITE if self._unsent else 0
            selector.register(self._socket, selectors.EVENT_READ | writing)
            while len(received) < needed:
                for key, events in self._ready(selector, end):
                    if key.fd == self._pipe:
                        if not self._drain():
                            selector.unregister(self._pipe)
                        continue
                    if events & selectors.EVENT_WRITE:
                        self._send()
                        if not self._unsent:
                            selector.modify(self._socket, selectors.EVENT_READ)
                    if events & selectors.EVENT_READ:
                        received += self._receive(needed - len(received))
                if needed == wire.PREFIX.size and len(received) == needed:
                    header, body = wire.lengths(bytes(received))
                    needed += header + body
        start = wire.PREFIX.size + header
        replies = wire.decode_replies(bytes(received[wire.PREFIX.size : start]), received[start:])
        if len(replies) != len(calls):
            raise wire.WireError(f"{len(replies)} replies to {len(calls)} calls")
        for call, reply in zip(calls, replies, strict=True):
            _assert_fits(call, reply)
        return replies

    def _ready(self, selector: selectors.BaseSelector, end: float) -> list[tuple[selectors.SelectorKey, int]]:
        left = end - time.monotonic()
        ready = selector.select(left) if left > 0 else []
        if not ready:
            raise TimeoutError
        return ready

    def _receive(self, size: int) -> bytes:
        data = self._socket.recv(min(size, 1 << 20))
        if not data:
            raise EOFError
        return data

    def _drain(self) -> bool:
        """Take what the worker printed; False when it closed its output."""
        data = os.read(self._pipe, 1 << 16)
        self.printed += len(data)
        self.output += data[: KEPT_OUTPUT - len(self.output)]
        return bool(data)

    def _drain_all(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self.printed < KEPT_OUTPUT and self._drain():
                pass

    def take_output(self) -> str:
        """Return what was printed since the last time, at most its first 64 KB."""
        if self._process:
            self._drain_all()
        text, self.output, self.printed = self.output.decode(errors="replace"), bytearray(), 0
        return text

    def close(self) -> None:
        """Kill the worker and all that it started."""
        if self._process:
            for kill in (os.killpg, os.kill):  # the group may not be there yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(self._process, signal.SIGKILL)
            self._drain_all()  # the last words
            self._socket.close()
            os.close(self._pipe)
            self._process = 0
