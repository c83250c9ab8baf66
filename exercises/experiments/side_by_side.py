"""Jobs side by side on the processor's cores, each in a process of its own, with their progress in one place."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

import torch

from .progress import reporting
from .runs import RunError

LOOK_SECONDS = 0.5


def work_through(
    jobs: Mapping[str, Callable[[], None]], steps: int, progress: Callable[[], tuple[int, list[str]]]
) -> list[str]:
    """Work through jobs with as many processes as there are cores, and one thread in each.

    Args:
        jobs: by name; picklable, for a new process imports them.
        steps: of all jobs together, for the bar.
        progress: returns the steps that are done, and lines to print; asked twice a second.

    Returns:
        The messages of the jobs that ended with a RunError or without an answer; all others are done.

    Raises:
        KeyboardInterrupt: Ctrl-C; the jobs are ended where they are.
    """
    if not jobs:
        return []
    # A new process, not a fork: this one has run torch's operations, and a fork of its threads may wait for ever.
    pool = ProcessPoolExecutor(
        min(len(jobs), os.cpu_count() or 1), multiprocessing.get_context("spawn"), initializer=_alone
    )
    with reporting(steps, progress()[0]) as report:
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
    errors = []
    for future, name in futures.items():
        match future.exception():
            case RunError() as error:
                errors.append(str(error))
            case BrokenProcessPool():
                errors.append(f"{name}: its process, or one beside it, ended without an answer; was memory short?")
            case Exception() as error:
                raise error
    return errors


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
