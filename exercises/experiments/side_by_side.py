"""Jobs side by side on the processor's cores, each in a process of its own, with their progress in one place."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

import torch

from .progress import Reporter, reporting
from .runs import RunError

LOOK_SECONDS = 0.5


Jobs = Mapping[str, Callable[[], None]]
Progress = Callable[[], tuple[int, list[str]]]


def work_through(jobs: Jobs, steps: int, progress: Progress, most: int | None = None) -> list[str]:
    """Work through jobs with as many processes as there are cores, and one thread in each.

    Args:
        jobs: by name; picklable, for a new process imports them.
        steps: of all jobs together, for the bar.
        progress: returns the steps that are done, and lines to print; asked twice a second.
        most: processes at a time; as many as there are cores if not given.

    Returns:
        What went wrong in each job that raised an exception or ended its process; all others are done.

    Raises:
        KeyboardInterrupt: Ctrl-C; the jobs are ended where they are.
    """
    with reporting(steps, progress()[0]) as report:
        errors = _in_a_pool(jobs, report, progress, most)
        # A process that ends takes its pool with it. Each job is tried once more, in a pool of its own.
        for name in [name for name, error in errors.items() if isinstance(error, BrokenProcessPool)]:
            del errors[name]
            errors |= _in_a_pool({name: jobs[name]}, report, progress, most)
    return [_told(name, error) for name, error in errors.items()]


def _in_a_pool(
    jobs: Mapping[str, Callable[[], None]], report: Reporter, progress: Progress, most: int | None
) -> dict[str, BaseException]:
    """Work through jobs and return the exceptions of those that failed."""
    if not jobs:
        return {}
    # A new process, not a fork: this one has run torch's operations, and a fork of its threads may wait for ever.
    pool = ProcessPoolExecutor(
        min(len(jobs), most or os.cpu_count() or 1), multiprocessing.get_context("spawn"), initializer=_alone
    )
    futures = {pool.submit(job): name for name, job in jobs.items()}
    waiting = set(futures)
    try:
        while waiting:
            _, waiting = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
            done, lines = progress()
            for line in lines:
                report.line(line)
            report.step(done, f"{len(futures) - len(waiting)} of {len(futures)} done")
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    pool.shutdown()
    found = {name: future.exception() for future, name in futures.items()}
    return {name: error for name, error in found.items() if error is not None}


def _told(name: str, error: BaseException) -> str:
    match error:
        case RunError():
            return str(error)
        case BrokenProcessPool():
            return f"{name}: its process ended without an answer; was memory short?"
        case _:
            return f"{name}: raised {type(error).__name__}: {error}"


def _alone() -> None:
    """Prepare a process for one job at a time: one thread, Ctrl-C left to the process that waits, an end with it."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the end of the process that waits for this one, and end too: else this one would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
