"""`elbo grade` as a process that is watched from outside: time, processor time, memory, records."""

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grading import records
from grading.engine.implementation import ROOT
from grading.records import Record
from tests.bench import processes


@dataclass
class Watched:
    """What was seen of a grading.

    cpu: of the judges and of the clean process. largest: MB of all its processes at once. sizes: the records that there
    were, MB of the process that hands out and of those that judge, as long as there are any: what they share with it is
    its own alone afterwards.
    """

    wall: float = 0.0
    cpu: float = 0.0
    largest: float = 0.0
    sizes: list[tuple[int, float, float]] = field(default_factory=list)
    status: int = 0


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """Make a directory for hand-ins, for a grading and for its temporary files."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        (Path(name) / "tmp").mkdir()
        Path(name).chmod(0o755)  # the clean process's user reads there
        yield Path(name)


def start(root: Path, options: Sequence[str], out: str = "graded") -> subprocess.Popen[bytes]:
    """Start to grade the hand-ins in a place."""
    command = [sys.executable, "-m", "grading.cli", "grade", str(root / "class"), "--out", str(root / out), *options]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(root / "tmp")}
    with (root / "output.txt").open("ab") as output:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)


def watch(root: Path, options: Sequence[str], seconds: float = 1.0, out: str = "graded") -> Watched:
    """Grade the hand-ins in a place to the end, and look at the processes every so many seconds."""
    seen, begin, before = Watched(), time.perf_counter(), of_children()
    process, clean = start(root, options, out), dict[int, float]()
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            break
        _look(seen, root, process.pid, clean, len(record_files(root / out)))
    seen.wall, seen.status = time.perf_counter() - begin, process.returncode
    seen.cpu = of_children() - before + sum(clean.values())
    return seen


def _look(seen: Watched, root: Path, main: int, clean: dict[int, float], count: int) -> None:
    """Take down memory, and the processor time of the clean process, which nobody waits for."""
    everyone = processes.naming(root)
    sizes = {process: processes.memory(process) for process in everyone}
    seen.largest = max(seen.largest, sum(sizes.values()))
    started = [process for process in everyone if processes.parent(process) == main]
    apart = [process for process in started if processes.is_clean(process)]
    if judging := sum(sizes[process] for process in started if process not in apart):
        seen.sizes.append((count, sizes.get(main, 0.0), judging))
    for process in [*apart, *(p for p in everyone if processes.parent(p) in apart)]:
        clean[process] = processes.cpu(process) or clean.get(process, 0.0)


def of_children() -> float:
    """Return the processor seconds of all processes that were started from here, waited for and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def record_files(out: Path) -> list[Path]:
    """Return the records that a grading has left."""
    return sorted((out / "records").glob("*.json"))


def read(out: Path) -> list[Record]:
    """Read them."""
    return [records.read(path) for path in record_files(out)]


def own_cpu(found: Sequence[Record]) -> float:
    """Return the processor seconds of the hand-ins' own code, as the records tell, in hundredths for each."""
    return sum(record.budget.cpu for record in found if record.budget is not None)
