"""What naming a mistake adds to a failing check: for every mistake of the bank, beside judging the part it is in.

python -m tests.bench.diagnosis [PART ...]      # some minutes
"""

import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from grading import rubric
from grading.bank import Entry, entries
from grading.diagnosis import fingerprints
from grading.diagnosis.naming import diagnosed
from grading.engine.implementation import locate
from grading.engine.workers import Starter, Worker
from grading.judge import PROFILES, Judge, PartVerdict
from grading.selection import select
from tests.support.properties import Part


@dataclass(frozen=True)
class Timed:
    """Seconds that it took to judge a mistake, and then to name it; whether it was named as itself."""

    entry: Entry
    judging: float
    naming: float
    itself: bool


def timed(part: Part, judge: Judge, starter: Starter) -> Iterator[Timed]:
    """Judge and name every mistake of a part, the file of fingerprints read anew for each, as by a new command."""
    for entry in (entry for entry in entries(part.name) if entry.kind == "mistake"):
        worker = Worker(starter, locate("solutions"), entry.full_name)
        start = time.perf_counter()
        verdict = PartVerdict(part.name, list(judge.part(part, worker)))
        judged = time.perf_counter()
        fingerprints.forget()
        found = diagnosed(part, verdict, worker, 20).diagnosis
        named = time.perf_counter()
        worker.close()
        yield Timed(entry, judged - start, named - judged, found is not None and entry.name in found.mistakes)


def main() -> None:
    judge, starter = Judge(PROFILES["student"]), Starter.spawning_once()
    parts = select(sys.argv[1:], rubric.load())
    for part in parts:  # inputs are drawn once, and not on this clock
        for value in part.properties:
            judge.inputs(value)
    found = [one for part in parts for one in timed(part, judge, starter)]
    starter.close()
    naming = sorted(one.naming for one in found)
    slowest = max(found, key=lambda one: one.naming)
    print(f"{len(found)} mistakes, {sum(one.itself for one in found)} named as themselves")
    print(
        f"naming: median {statistics.median(naming) * 1e3:.0f} ms, {naming[0] * 1e3:.0f} to {naming[-1] * 1e3:.0f} ms"
    )
    print(f"the slowest is {slowest.entry.full_name}, beside {slowest.judging:.2f} s of judging it")


if __name__ == "__main__":
    main()
