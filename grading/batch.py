"""Grading a class: many submissions on the cores of one machine or on a cluster, one record each, come what may."""

import contextlib
import fcntl
import multiprocessing
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import IO

import msgspec
import torch

from grading import rubric
from grading.engine.implementation import ROOT
from grading.engine.isolation import serve
from grading.engine.isolation.namespaces import python_directories
from grading.engine.workers import Starter
from grading.grader import Grader, IsolationError, Marked, Order, limits
from grading.intake import Source

PREFIX, WORK, LOCK = "elbo-", "work", "lock"
WAITING = 2  # submissions for each process that are handed out at a time: memory does not grow with the class
Unit = Callable[[Source], bytes]


class BatchError(Exception):
    """A class that cannot be graded; the text says why and what to do."""


@contextlib.contextmanager
def at_work(order: Order, jobs: int) -> Iterator[tuple[Grader, list[Starter]]]:
    """Start the clean process, which workers of so many judges are forked from, and a grader.

    Raises:
        IsolationError: fewer layers hold than the order requires.
        BatchError: the kit lies where a student's code may read.
    """
    if any(ROOT.is_relative_to(place.resolve()) for place in python_directories()):
        raise BatchError(
            f"the kit is installed in {ROOT}, among what a student's code has to read, with the answers in it. Install "
            "it from its own directory: pip install -e ."
        )
    torch.set_num_threads(1)  # the processes share the cores, and a fork would wait for threads that it has not
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        work = Path(name).resolve()
        work.chmod(0o711)  # whoever knows a submission's place may read it; nobody may look for one
        starters = Starter.enclosed(limits(rubric.load()), [work], jobs)
        try:
            yield Grader(order, starters[0], work), starters
        finally:
            for starter in starters:
                starter.close()


def grade_here(sources: Sequence[Source], order: Order, jobs: int, place: Path | None = None) -> Iterator[Marked]:
    """Grade on this machine, with so many processes, and yield the submissions as they come back.

    place: where the inputs are kept for another time.
    """
    with at_work(order, jobs) as (grader, starters), _noted(grader.work, place):
        grader.draw(jobs, place)  # once, before the processes that judge are forked
        pool = partial(_pool, grader, starters)
        yield from _through(pool, _unit, sources, jobs, grader)


@contextlib.contextmanager
def _noted(work: Path, place: Path | None) -> Iterator[None]:
    """Note where submissions lie while they are graded, and remove what a grading left that was killed."""
    if place is None:
        yield
        return
    note = place / WORK
    try:
        place.mkdir(parents=True, exist_ok=True)
        held = _only_one(place)
        before = note.read_text(encoding="utf-8") if note.is_file() else ""
        note.write_text(str(work), encoding="utf-8")
    except OSError as error:
        raise BatchError(f"--out {place}: cannot be written: {error.strerror}") from error
    with held:
        _remove_left(Path(before), work)
        yield
        note.unlink(missing_ok=True)


def _only_one(place: Path) -> IO[bytes]:
    """Hold a directory for this grading, until the file that is returned is closed or this process ends.

    Raises:
        BatchError: another grading holds it.
    """
    lock = (place / LOCK).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise BatchError(f"--out {place}: another grading is under way there; wait for its end") from error
    return lock


def _remove_left(before: Path, work: Path) -> None:
    """Remove the directory of a grading that was killed, if it is one."""
    if before.name.startswith(PREFIX) and before.parent == work.parent and before != work:
        shutil.rmtree(before, ignore_errors=True)


def grade_on_cluster(sources: Sequence[Source], order: Order, address: str) -> Iterator[Marked]:
    """Grade on the workers of a Dask scheduler, which need the kit installed and the submissions at the same paths.

    Raises:
        BatchError: dask.distributed is not installed, or nothing answers at the address.
    """
    try:
        from distributed import Client

        client = Client(address, timeout="10s", set_as_default=False)
    except ImportError as error:
        raise BatchError("--scheduler needs dask.distributed: pip install -e '.[cluster]'") from error
    except (OSError, ValueError) as error:
        raise BatchError(f"--scheduler {address}: no Dask scheduler answers there ({error})") from error
    with client:
        jobs = max(1, sum(client.nthreads().values()))
        with at_work(order, 1) as (grader, _):
            yield from _through(client.get_executor, partial(_unit_of, order), sources, jobs, grader)


def _through(
    executor: Callable[[], Executor], unit: Unit, sources: Sequence[Source], jobs: int, grader: Grader
) -> Iterator[Marked]:
    """Hand out submissions a few at a time. Those that were under way when a process died are graded one by one."""
    suspects: list[Source] = []
    waiting = iter(sources)
    more = True
    while more:
        more = False
        for source, encoded in _hand_out(executor, unit, waiting, WAITING * jobs):
            if encoded is None:
                suspects.append(source)
                more = True
            else:
                yield msgspec.json.decode(encoded, type=Marked)
    for source in suspects:
        ((_, encoded),) = _hand_out(executor, unit, iter([source]), 1)
        reason = "the process that judged it ended: is it out of memory?"
        yield (
            Marked(grader.refuse(source, reason, grader_failed=True))
            if encoded is None
            else msgspec.json.decode(encoded, type=Marked)
        )


def _hand_out(
    executor: Callable[[], Executor], unit: Unit, sources: Iterator[Source], most: int
) -> Iterator[tuple[Source, bytes | None]]:
    """Yield each submission with what comes back, or with None where the process ended; then no more are handed out."""
    ended = False
    with executor() as pool:
        try:
            futures: dict[Future[bytes], Source] = {}
            while True:
                while not ended and len(futures) < most and (source := next(sources, None)) is not None:
                    futures[pool.submit(unit, source)] = source
                if not futures:
                    return
                for future in wait(futures, return_when=FIRST_COMPLETED).done:
                    source, error = futures.pop(future), future.exception()
                    if isinstance(error, IsolationError):
                        raise error
                    ended |= error is not None
                    yield source, None if error else future.result()
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()
            raise


# In the processes that judge

_grader: Grader | None = None
_held = contextlib.ExitStack()  # what a grader of this process's own stands on, until the process ends
_one_at_a_time = threading.Lock()


def _pool(grader: Grader, starters: Sequence[Starter]) -> Executor:
    """Make processes that judge with what was drawn; each takes one of the starters."""
    if sys.platform == "darwin":  # where a fork is not safe each draws for itself
        return ProcessPoolExecutor(len(starters), initializer=_begin, initargs=(grader.order,))
    numbers: SimpleQueue[int] = multiprocessing.SimpleQueue()
    for number in range(len(starters)):
        numbers.put(number)
    context = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(len(starters), context, initializer=_adopt, initargs=(grader, starters, numbers))


def _adopt(grader: Grader, starters: Sequence[Starter], numbers: SimpleQueue[int]) -> None:
    global _grader
    serve()
    grader.starter = starters[numbers.get()]
    _grader = grader


def _begin(order: Order) -> None:
    """Make a grader of one's own, which lives as long as the process."""
    global _grader
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _grader, _ = _held.enter_context(at_work(order, 1))


def _unit(source: Source) -> bytes:
    assert _grader is not None
    return msgspec.json.encode(_grader.grade(source))


def _unit_of(order: Order, source: Source) -> bytes:
    """Grade a submission in a process of a cluster, which may have graded others, for another order even."""
    global _grader
    with _one_at_a_time:
        if _grader is None or _grader.order != order:
            _held.close()
            _grader, _ = _held.enter_context(at_work(order, 1))
        return _unit(source)
