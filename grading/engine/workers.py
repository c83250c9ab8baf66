"""The judge's side of a worker: start it, ask it with a deadline, keep what it prints, kill it."""

import contextlib
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from torch import Tensor

from . import wire, worker
from .answering import tensor_at
from .apart import ENVIRONMENT, clean_environment
from .calls import Answer, Call, Fault
from .implementation import ROOT
from .isolation import Limits

KEPT_OUTPUT = 64 << 10
FORK_SECONDS = 60  # the clean process may still be importing torch


Replies = list[Answer | Fault]
Raw = bytes | bytearray | Fault  # an encoded message of replies, or why there is none


class Exchange(Protocol):
    """Whoever answers calls."""

    def post(self, calls: Sequence[Call], seconds: float) -> Callable[[], Replies]:
        """Send calls in one message; the function that is returned waits for their replies, so many seconds from now.

        More may be posted meanwhile; replies are waited for in the order of the messages.
        """
        ...

    def post_message(self, message: bytes, seconds: float) -> Callable[[], Raw]:
        """Do the same with calls that are encoded already, for replies as they come."""
        ...

    def read(self, raw: Raw, calls: Sequence[Call]) -> Replies:
        """Decode and check the replies to calls; a fault for each where there are none."""
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

    def post_message(self, message: bytes, seconds: float) -> Callable[[], Raw]:
        """Answer the calls of a message by a message."""
        raw = wire.encode_replies(self._answer(wire.decode_calls(*wire.split(message)), seconds))
        return lambda: raw

    def read(self, raw: Raw, calls: Sequence[Call]) -> Replies:
        """Decode a message of replies."""
        return [raw] * len(calls) if isinstance(raw, Fault) else wire.decode_replies(*wire.split(raw))


class Starter:
    """Starts workers, by forking a clean process where that is safe and from nothing where it is not."""

    def __init__(
        self, control: socket.socket | None, limits: Limits | None = None, visible: Sequence[Path] = ()
    ) -> None:
        """Use `forking`, `spawning_once`, `enclosed`, or `Starter(None)`, which starts every worker from nothing."""
        self._control, self._limits, self._visible = control, limits, visible

    @classmethod
    def forking(cls) -> "Starter":
        """Fork the clean process from this one. Call it before any property is loaded or torch operation run."""
        if sys.platform == "darwin":
            return cls(None)
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            with contextlib.suppress(KeyboardInterrupt):
                worker.serve_forks([theirs])
            os._exit(0)
        theirs.close()
        return cls(ours)

    @classmethod
    def spawning_once(cls) -> "Starter":
        """Start the clean process from nothing: for a process that has already run operations."""
        return cls(None) if sys.platform == "darwin" else cls(_clean_process("", ())[0])

    @classmethod
    def enclosed(cls, limits: Limits, visible: Sequence[Path], count: int = 1) -> list["Starter"]:
        """Start one clean process with an environment of its own, whose workers close every layer that there is.

        visible: the directories in which implementations will be, and nothing else of the disk but Python's.
        count: how many judges will ask it; each takes one of the starters.
        """
        if sys.platform == "darwin":
            return [cls(None, limits, visible) for _ in range(count)]
        return [cls(control, limits, visible) for control in _clean_process(_encoded(limits), visible, count)]

    def start(self, connection: socket.socket, output: int, request: Sequence[str]) -> None:
        """Start one worker: directory, bank entry, helpers; whether it did start, its first words tell."""
        descriptors = [connection.fileno(), output]
        if self._control is not None:
            try:
                self._ask(self._control, request, descriptors)
                return
            except OSError:  # a worker may have killed or stopped the process that it was forked from
                self.close()
        if self._limits is not None and sys.platform != "darwin":  # never from nothing, where fewer layers hold
            self._control = _clean_process(_encoded(self._limits), self._visible)[0]
            self._ask(self._control, request, descriptors)
            return
        limits = _encoded(self._limits) if self._limits else ""
        _spawn([*map(str, descriptors), limits, *request], *descriptors, clean=bool(limits))

    @staticmethod
    def _ask(control: socket.socket, request: Sequence[str], descriptors: list[int]) -> None:
        control.settimeout(FORK_SECONDS)
        socket.send_fds(control, ["\0".join(request).encode()], descriptors)

    def close(self) -> None:
        """End the clean process."""
        if self._control is not None:
            self._control.close()
            self._control = None


def _encoded(limits: Limits) -> str:
    return msgspec.json.encode(limits).decode()


def _clean_process(limits: str, visible: Sequence[Path], count: int = 1) -> list[socket.socket]:
    """Start a process that imports torch and waits for requests on so many connections."""
    pairs = [socket.socketpair() for _ in range(count)]
    theirs = [pair[1].fileno() for pair in pairs]
    _spawn(["forks", ",".join(map(str, theirs)), limits, *map(str, visible)], *theirs, clean=bool(limits))
    for pair in pairs:
        pair[1].close()
    return [pair[0] for pair in pairs]


def _spawn(arguments: list[str], *descriptors: int, clean: bool = False) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "grading.engine.worker", *arguments],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env=clean_environment() if clean else os.environ | ENVIRONMENT,
        start_new_session=True,
    )


def _hello(connection: socket.socket) -> worker.Hello:
    """Wait for a worker's first words, and learn its process number as this side of a namespace sees it.

    Raises:
        OSError: it ended before, or said nothing.
    """
    connection.settimeout(FORK_SECONDS)
    data, ancillary, _, _ = connection.recvmsg(1 << 12, 1 << 10)
    if not data:
        raise EOFError("the worker ended before its first word")
    try:
        hello = msgspec.json.decode(data, type=worker.Hello)
    except msgspec.MsgspecError as error:
        raise EOFError(f"the worker did not begin as workers do: {error}") from error
    for _, kind, content in ancillary:
        if kind == getattr(socket, "SCM_CREDENTIALS", None):
            hello = msgspec.structs.replace(hello, process=struct.unpack("3i", content[:12])[0])
    return hello


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
    for path, gradient in zip(call.wrt, reply.gradients, strict=False):
        source = tensor_at(call.arguments, path)
        if gradient is not None and (gradient.shape, gradient.dtype) != (source.shape, source.dtype):
            raise wire.WireError("a gradient that is not like what it is by")
    tensors = (after for a, after in zip(call.arguments, reply.arguments, strict=False) if isinstance(a, Tensor))
    if not all(isinstance(after, Tensor) for after in tensors):
        raise wire.WireError("an argument that is no longer a tensor")


class Worker:
    """One implementation in a process of its own, started when first asked and again after it had to be killed."""

    def __init__(self, starter: Starter, directory: Path, bank: str = "", helpers: str = "") -> None:
        """Start nothing yet; see `worker.serve` for bank and helpers."""
        self._starter, self.directory, self._request = starter, directory, (str(directory), bank, helpers)
        self.layers: tuple[str, ...] = ()
        self._cpu_before = 0.0
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
            collect = self.post_message(wire.encode_calls(list(calls)), seconds)
        except wire.WireError as error:
            self._give_up(error)
            return lambda: [self._fault] * len(calls)
        return lambda: self.read(collect(), calls)

    def post_message(self, message: bytes, seconds: float) -> Callable[[], Raw]:
        """Send an encoded message, and return the function that waits for the encoded replies, or for a fault."""
        try:
            if not self._process:
                self.start()
            self._unsent += message
            self._send()
        except (EOFError, OSError) as error:
            self._give_up(error)
        process, end = self._process, time.monotonic() + seconds
        return lambda: self._collect(process, end)

    def _collect(self, process: int, end: float) -> Raw:
        """Wait for the replies to one message; a process that was given up meanwhile gives none."""
        if process and process == self._process:
            try:
                return self._converse(end)
            except (TimeoutError, EOFError, OSError, wire.WireError) as error:
                self._give_up(error)
        return self._fault

    def read(self, raw: Raw, calls: Sequence[Call]) -> Replies:
        """Decode and check replies; a fault for each call where there are none, or other ones."""
        if isinstance(raw, Fault):
            return [raw] * len(calls)
        try:
            replies = wire.decode_replies(*wire.split(raw))
            if len(replies) != len(calls):
                raise wire.WireError(f"{len(replies)} replies to {len(calls)} calls")
            for call, reply in zip(calls, replies, strict=True):
                _assert_fits(call, reply)
            return replies
        except wire.WireError as error:
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

    def start(self) -> None:
        """Start the process, and wait until it is there: a clean process may still be importing torch.

        Raises:
            EOFError, OSError: it did not start.
        """
        try:
            self._try_to_start()
        except (EOFError, OSError):  # the process that it was to be forked from had gone, and nobody knew
            self._try_to_start()

    def _try_to_start(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._pipe, output = os.pipe()
        os.set_blocking(self._pipe, False)
        self._unsent.clear()
        if hasattr(socket, "SO_PASSCRED"):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            self._starter.start(theirs, output, self._request)
            theirs.close()  # or its end would not be seen
            hello = _hello(self._socket)
        except (EOFError, OSError):
            self._socket.close()
            os.close(self._pipe)
            raise
        finally:
            theirs.close()
            os.close(output)
        self._process, self.layers = hello.process, hello.layers
        self._socket.setblocking(False)

    def _send(self) -> None:
        """Write as much of the messages as the worker takes now."""
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent[: 1 << 18])]

    def _converse(self, end: float) -> bytearray:
        """Write the messages and read one reply as the worker takes and gives them, emptying its output meanwhile."""
        received, needed = bytearray(), wire.PREFIX.size
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
                    needed += sum(wire.lengths(received))
        return received

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

    @property
    def cpu_seconds(self) -> float:
        """Processor time that its processes have used so far; 0 where the system does not tell."""
        return self._cpu_before + self._cpu_now()

    def _cpu_now(self) -> float:
        if not self._process:
            return 0.0
        try:
            fields = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Kill the worker and all that it started."""
        if self._process:
            self._cpu_before += self._cpu_now()
            for kill in (os.killpg, os.kill):  # the group may not be there yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(self._process, signal.SIGKILL)
            self._drain_all()  # the last words
            self._socket.close()
            os.close(self._pipe)
            self._process = 0


def layers_of(starter: Starter, directory: Path) -> tuple[str, ...]:
    """Return the layers that hold around a worker, as one that runs nobody's code finds them.

    Raises:
        EOFError, OSError: it did not start.
    """
    worker = Worker(starter, directory)
    try:
        worker.start()
        return worker.layers
    finally:
        worker.close()
