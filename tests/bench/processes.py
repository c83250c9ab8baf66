"""Processes as /proc tells of them: those that name a place, their memory and their processor time. Linux only."""

import contextlib
import os
import signal
import time
from pathlib import Path


def naming(place: Path) -> list[int]:
    """Return the processes on whose command line a place stands.

    A grading whose hand-ins and temporary files are there is found whole, with orphans of what was killed.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if os.fsencode(place) in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def memory(process: int) -> float:
    """Return the proportional share of memory in MB: a page that many hold counts once among them; 0 if it ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu(process: int) -> float | None:
    """Return the processor seconds of a process, exact where /proc counts in hundredths; None if it ended.

    The number of its clock is made as clock_getcpuclockid(3) does.
    """
    try:
        return time.clock_gettime(~process << 3 | 2)
    except OSError:
        return None


def kill_all(place: Path) -> None:
    """Kill the processes that name a place, until there are none."""
    while found := naming(place):
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)


def parent(process: int) -> int:
    """Return the process that started another; 0 if it ended."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def is_clean(process: int) -> bool:
    """Tell the process that a grading forks the workers of hand-ins from, or one of these."""
    try:
        return b"grading.engine.worker" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
