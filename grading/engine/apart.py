"""Running a module of the kit in a process of its own that is clean, bounded and heard through one pipe."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO

from .implementation import ROOT
from .isolation.namespaces import FULL

MOST = 16 << 20  # bytes of an answer
HARMLESS = ("PATH", "LANG", "LC_", "LD_LIBRARY_PATH", "OPENBLAS_", "MKL_", "OMP_", "GOMP_", "VIRTUAL_ENV")
# Where torch.func and matplotlib want a directory that they may write to, or they cannot be imported.
CACHES = ("TORCHINDUCTOR_CACHE_DIR", "MPLCONFIGDIR")
ENVIRONMENT = {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class NoAnswerError(Exception):
    """The process took too long, said too much, or ended without a word."""


def clean_environment() -> dict[str, str]:
    """Return the variables that Python and torch need, and none that may be a secret."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(HARMLESS)}
    return kept | ENVIRONMENT | (dict.fromkeys(CACHES, FULL) if sys.platform.startswith("linux") else {})


def run_apart(module: str, arguments: Sequence[str], seconds: float, given: bytes = b"") -> bytes:
    """Run a module with arguments and standard input, and return its standard output; end all that is left of it.

    Raises:
        NoAnswerError: says why there is no answer.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return _conversation(process, given, time.monotonic() + seconds)
    except TimeoutError as error:
        raise NoAnswerError(f"no answer within {seconds:.0f} seconds") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def answer_pipe() -> IO[bytes]:
    """In the process that was run: take standard output for the answer, and let nothing be printed into it."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _conversation(process: subprocess.Popen[bytes], given: bytes, end: float) -> bytes:
    """Write what is given and read what is said, as the process takes and gives it."""
    assert process.stdin is not None
    assert process.stdout is not None
    left, said = memoryview(given), bytearray()
    os.set_blocking(process.stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ready = selector.select(max(end - time.monotonic(), 0.0))
            if not ready or time.monotonic() > end:
                raise TimeoutError
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    with contextlib.suppress(BrokenPipeError):
                        left = left[os.write(key.fd, left[: 1 << 16]) :] if left else left
                        if left:
                            continue
                    selector.unregister(process.stdin)
                    process.stdin.close()
                    continue
                data = os.read(key.fd, 1 << 16)
                if not data:
                    return bytes(said)
                said += data
                if len(said) > MOST:
                    raise NoAnswerError(f"an answer of more than {MOST >> 20} MB")
