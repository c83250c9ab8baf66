"""The code of submissions without comments, spaces and names, each read in a process apart that nobody waits for long.

To read and to lex what anybody hands in may take any time or all memory, or end the process: only that one is left out.
"""

import contextlib
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from grading.engine.isolation import serve
from grading.intake import Source, take

SECONDS = 30.0  # for a submission
LONGEST = 20_000  # signs of a file that are read: padding in one hides no other
BLANK = 5  # empty lines in a row that are lexed: Pygments looks at those that follow again in each
JOBS = os.cpu_count() or 1
Numbers = np.ndarray[Any, np.dtype[np.int64]]


class Lexed(msgspec.Struct, frozen=True):
    """Code as it is compared.

    signs: what copydetect leaves of it. lines: the number of the line at each place in the signs, and at their end, as
    int32.
    """

    signs: str
    lines: bytes


@dataclass(frozen=True)
class _Job:
    """A process that reads the submission of this number into a place, until it is over."""

    number: int
    process: BaseProcess
    place: Path
    over: float


def lexed_apart(sources: Sequence[Source], seconds: float = SECONDS, jobs: int = JOBS) -> list[Lexed | None]:
    """Read and lex submissions, so many at a time; None stands for each that could not be, in its time or at all."""
    found: dict[int, Lexed | None] = {}
    waiting = iter(enumerate(sources))
    working: dict[Connection, _Job] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        try:
            while len(found) < len(sources):
                for number, source in islice(waiting, jobs - len(working)):
                    pipe, job = _begin(number, source, Path(name), seconds)
                    working[pipe] = job
                for pipe in _ended(working):
                    found[working[pipe].number] = _answer_in(pipe)
                    _end(pipe, working.pop(pipe))
        finally:
            for pipe, job in working.items():
                _end(pipe, job)
    return [found[number] for number in range(len(sources))]


def _begin(number: int, source: Source, work: Path, seconds: float) -> tuple[Connection, _Job]:
    place = work / str(number)
    place.mkdir()
    # Where a fork of a process that has run torch is not safe, one begins anew.
    apart = multiprocessing.get_context
    context = apart("spawn") if sys.platform == "darwin" else apart("fork")
    receive, send = context.Pipe(duplex=False)
    with send:
        process = context.Process(target=_answer, args=(send, source.path, place), daemon=True)
        process.start()
    return receive, _Job(number, process, place, time.monotonic() + seconds)


def _ended(working: Mapping[Connection, _Job]) -> list[Connection]:
    """Wait for one that answers, that ends without a word, or that is out of time, and return all of these."""
    first = min(job.over for job in working.values())
    ready = wait(list(working), max(first - time.monotonic(), 0.0))
    now = time.monotonic()
    return [pipe for pipe, job in working.items() if pipe in ready or job.over <= now]


def _answer_in(pipe: Connection) -> Lexed | None:
    with contextlib.suppress(OSError, EOFError, msgspec.MsgspecError):
        return msgspec.msgpack.decode(pipe.recv_bytes(), type=Lexed) if pipe.poll() else None
    return None


def _end(pipe: Connection, job: _Job) -> None:
    pipe.close()
    job.process.kill()
    job.process.join()
    shutil.rmtree(job.place, ignore_errors=True)


# In the process apart


def _answer(pipe: Connection, path: Path, place: Path) -> None:
    """Send what was lexed; whatever goes wrong, nothing is said."""
    serve()
    with contextlib.suppress(Exception):
        pipe.send_bytes(msgspec.msgpack.encode(lexed(code_of(path, place))))


def code_of(path: Path, place: Path) -> list[str]:
    """Return the stub files of a submission, as the grader takes them; place: an empty directory.

    Raises:
        IntakeError: nothing in it can be graded.
    """
    files = [place / "implementation" / file for file in take(path, place).files]
    return [readable(file.read_text(encoding="utf-8", errors="replace"))[:LONGEST] for file in files]


def readable(code: str) -> str:
    """Return code without the empty lines at its beginning, and with at most a few in a row after that."""
    runs = groupby(code.lstrip("\n").split("\n"), key=lambda line: not line.strip())
    return "\n".join(line for empty, run in runs for line in (islice(run, BLANK) if empty else run))


def lexed(texts: Sequence[str]) -> Lexed:
    """Lex files by copydetect, one by one, as if they stood one after another in one file."""
    from copydetect.utils import filter_code

    code, signs = "", ""
    removed = [np.zeros((1, 2), np.int64)]  # from which place in the signs on how many of the code are left out before
    for text in texts:
        kept, offsets = filter_code(text, "", language="python")
        removed.append(offsets[1:] + np.array([len(signs), len(code) - len(signs)]))
        code, signs = f"{code}{text}\n", signs + kept
    return Lexed(signs, _lines(code, len(signs), np.concatenate(removed)).astype(np.int32).tobytes())


def _lines(code: str, length: int, removed: Numbers) -> Numbers:
    """Return the number of the line in the code at each place in the signs."""
    places = np.arange(length + 1)
    rows = np.minimum(np.searchsorted(removed[:, 0], places), len(removed) - 1)
    ends = np.array([end.start() for end in re.finditer("\n", code)], np.int64)
    return np.searchsorted(ends, places + removed[rows, 1])
