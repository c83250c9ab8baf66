"""Processor time of a hand-in: of the judge, of the worker until it has ended, and of the process that forks it.

Each is measured on a judge that remembers nothing, then on one that knows the replies, then on variants, in turns.
"""

import contextlib
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from grading.batch import at_work
from grading.engine.implementation import TOPICS
from grading.engine.remembering import Memory
from grading.engine.workers import Worker
from grading.grader import Grader, Order
from grading.intake import Source
from tests.bench import hand_ins, processes

WORDS = {"cold": "a judge that remembers nothing", "copy": "replies that it knows", "variant": "a variant"}


@dataclass(frozen=True)
class Cost:
    """Seconds of a hand-in: of the judge, of its worker and of the process that forks it; and of the clock."""

    judge: float
    worker: float
    fork: float
    wall: float

    @property
    def cpu(self) -> float:
        """Processor time in all."""
        return self.judge + self.worker + self.fork


class Ends:
    """Stands between the judge and the end of its workers: the processor time of each until it is gone."""

    def __init__(self) -> None:
        self.workers = self.waiting = 0.0  # waiting: what this side took, to look

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """See all workers that end in here. The kernel reaps them, so that no other process is told of their time."""
        close = Worker.close

        def look_and_close(worker: Worker) -> None:
            process = worker._process
            close(worker)
            self._look(process)

        with mock.patch.object(Worker, "close", look_and_close):
            yield

    def _look(self, process: int) -> None:
        begin, last, until = time.process_time(), 0.0, time.monotonic() + 1
        while process and time.monotonic() < until and (now := processes.cpu(process)) is not None:
            last = now
            time.sleep(0.0003)
        self.workers += last
        self.waiting += time.process_time() - begin


def cost(grader: Grader, clean: Sequence[int], folder: Path) -> Cost:
    """Grade one hand-in in this process."""
    ends, forks = Ends(), _cpu(clean)
    wall, cpu = time.perf_counter(), time.process_time()
    with ends.watched():
        record = grader.grade(Source("one", folder)).record
    judge, wall = time.process_time() - cpu - ends.waiting, time.perf_counter() - wall
    assert record.outcome == "graded", record.reason
    return Cost(judge, ends.workers, _cpu(clean) - forks, wall)


def _cpu(clean: Sequence[int]) -> float:
    return sum(processes.cpu(process) or 0.0 for process in clean)


def costs(only: str, rounds: int) -> None:
    """Grade copies and variants in turns, with inputs that are drawn already, and print what a hand-in costs."""
    order = Order(parts=(only,) if only else ())
    topics = (only.split(".")[0],) if only else TOPICS
    seen: dict[str, list[Cost]] = {name: [] for name in WORDS}
    with at_work(order, 1) as (grader, _), tempfile.TemporaryDirectory() as place:
        grader.draw()
        gc.freeze()  # as in the processes that judge, whose inputs stand from before they are forked
        clean = processes.naming(grader.work)
        hand_ins.write(hand_ins.reference(topics), Path(place), "copy")
        for number in range(rounds + 1):
            _variant(Path(place), f"variant-{number}", topics, number)
            grader.judge.memory = Memory()
            for name, folder in (("cold", "copy"), ("copy", "copy"), ("variant", f"variant-{number}")):
                seen[name].append(cost(grader, clean, Path(place) / folder))
    for name, found in seen.items():
        tell(f"{only or 'all parts'}, {grader.judge.profile.inputs} inputs, {WORDS[name]}", found[1:])


def _variant(place: Path, name: str, topics: Sequence[str], seed: int) -> None:
    hand_ins.write(hand_ins.hand_in("right", random.Random(seed), topics), place, name)


def tell(name: str, found: Sequence[Cost]) -> None:
    """Print a line of medians with the smallest and the largest."""
    parts = [("judge", [c.judge for c in found]), ("worker", [c.worker for c in found])]
    parts += [("fork", [c.fork for c in found]), ("wall", [c.wall for c in found])]
    rest = ", ".join(f"{word} {1000 * statistics.median(values):.1f}" for word, values in parts)
    print(f"{name:72s} {in_brackets([c.cpu for c in found], 1000)} CPU ms: {rest}", flush=True)


def in_brackets(values: Sequence[float], scale: float = 1.0) -> str:
    """Write a median with the smallest and the largest value."""
    low, middle, high = (scale * v for v in (min(values), statistics.median(values), max(values)))
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
