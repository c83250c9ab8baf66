"""Kills `elbo grade` again and again and goes on with it: nothing may be lost, and nothing graded twice.

    python -m tests.bench.resume                # about 3 minutes; status 1 if a record is lost or made again

The moments are random: so many more records, and then up to a second. In turns all processes of the grading are
killed, and only the one that hands out, whose others have to end by themselves. At the end each hand-in has one record,
records from before a kill are the same files still, and the points are those of a grading that nobody killed.
"""

import argparse
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from grading.records import Record
from tests.bench import hand_ins, processes, watched

TOPICS = ("vae",)
KINDS = ("copy", "wrong", "half", "stub")  # no answers that run into a deadline on a busy machine
SLOW = "def log_mean_exp(y: Tensor) -> Tensor:\n"
STAMPS = dict[str, tuple[int, bytes]]  # by record, when it was written and what
ALONE_SECONDS = 10.0  # in which what is left of a killed grading ends


@dataclasses.dataclass
class Tally:
    """What the kills did. kept: records at the last. changed: those that were made again, or are there no longer.

    alive: processes that outlived a kill. alone: seconds until the others had ended, at most.
    """

    kills: int = 0
    kept: int = 0
    changed: int = 0
    unreadable: int = 0
    alive: int = 0
    alone: float = 0.0


def write_class(folder: Path, count: int) -> None:
    """Write a class of which every fourth hand-in thinks for a second at its first call."""
    hand_ins.write_class(folder, count - count // 4, TOPICS, KINDS)
    for number in range(count // 4):
        texts = hand_ins.reference(TOPICS)
        waits = f"import time\ntime.sleep(1 + {number} / 100)\n\n\n"
        texts["vae/likelihoods.py"] = texts["vae/likelihoods.py"].replace(SLOW, waits + SLOW)
        hand_ins.write(texts, folder, f"slow-{number}", zipped=number % 2 == 0)


def grade_until_killed(root: Path, options: Sequence[str], chance: random.Random, tally: Tally) -> bool:
    """Grade, and kill at some moment; return whether it had ended before."""
    process = watched.start(root, options)
    out = root / "graded"
    enough, delay = len(watched.record_files(out)) + chance.randint(0, 6), chance.random()
    while len(watched.record_files(out)) < enough and process.poll() is None:
        time.sleep(0.002)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        _kill(root, process, tally)
        return False
    return True


def _kill(root: Path, process: subprocess.Popen[bytes], tally: Tally) -> None:
    """Kill all, or every second time the first alone, and see that the others end."""
    tally.kills += 1
    if tally.kills % 2:
        processes.kill_all(root)
    os.kill(process.pid, signal.SIGKILL)  # not waited for yet: the number is still its own
    process.wait()
    begin = time.monotonic()
    while processes.naming(root) and time.monotonic() < begin + ALONE_SECONDS:
        time.sleep(0.01)
    tally.alone = max(tally.alone, time.monotonic() - begin)
    tally.alive += len(processes.naming(root))
    processes.kill_all(root)


def stamps(out: Path) -> STAMPS:
    """Return when each record was written, and its bytes."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in watched.record_files(out)}


def with_kills(root: Path, options: Sequence[str], kills: int, chance: random.Random) -> Tally:
    """Grade to the end, with so many kills at most on the way."""
    tally, known, ended = Tally(), STAMPS(), False
    while not ended and tally.kills < kills:
        ended = grade_until_killed(root, [*options, *_going_on(root)], chance, tally)
        _compare(tally, known, stamps(root / "graded"))
        known = stamps(root / "graded")
        tally.kept = len(known)
        tally.unreadable += _unreadable(root / "graded")
        print(f"kill {tally.kills}: {len(known)} records", flush=True)
    if not ended:
        assert watched.start(root, [*options, *_going_on(root)]).wait() == 0, (root / "output.txt").read_text()
        _compare(tally, known, stamps(root / "graded"))
    return tally


def _going_on(root: Path) -> list[str]:
    return ["--resume"] if (root / "graded").exists() else []


def _compare(tally: Tally, before: STAMPS, after: STAMPS) -> None:
    tally.changed += sum(after.get(name) != stamp for name, stamp in before.items())


def _unreadable(out: Path) -> int:
    """Count what bears a record's name and is none, as half of one would be."""
    count = 0
    for path in watched.record_files(out):
        try:
            watched.records.read(path)
        except (OSError, ValueError):
            count += 1
    return count


def differences(root: Path, names: set[str]) -> list[str]:
    """Say what differs between the grading that was killed and the one that was not."""
    killed, whole = root / "graded", root / "whole"
    found = {path.stem for path in watched.record_files(killed)}
    told = [f"{name}: no record" for name in sorted(names - found)]
    told += [f"{name}: a record of nothing that was handed in" for name in sorted(found - names)]
    for name in sorted(names & found):
        pair = [watched.records.read(out / "records" / f"{name}.json") for out in (killed, whole)]
        told += [f"{name}: {what}" for what in _unlike(*pair)]
        told += [] if (killed / "feedback" / f"{name}.md").exists() else [f"{name}: no feedback"]
    rows = (killed / "class.csv").read_text().splitlines()
    return told + ([] if len(rows) == len(names) + 1 else [f"the table has {len(rows)} lines"])


def _unlike(one: Record, other: Record) -> Iterator[str]:
    """Say in which properties two records of a hand-in differ."""
    if (one.hash, one.points) != (other.hash, other.points):
        yield f"{one.points} points of {one.hash[:8]}, and {other.points} of {other.hash[:8]}"
    for a, b in zip(one.parts, other.parts, strict=True):
        for mine, theirs in zip(a.properties, b.properties, strict=True):
            if mine.outcome != theirs.outcome:
                yield f"{a.part}.{mine.property}: {mine.outcome} {mine.failure}, and {theirs.outcome} {theirs.failure}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--class", type=int, dest="count", default=40, metavar="N")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    arguments = ["--only", "vae", "--inputs", "5", "--seed", "7", "--jobs", str(options.jobs)]
    with watched.place() as root:
        write_class(root / "class", options.count)
        tally = with_kills(root, arguments, options.kills, random.Random(options.seed))
        alive, left = len(processes.naming(root)), sorted(path.name for path in (root / "tmp").iterdir())
        watched.watch(root, arguments, out="whole")
        told = differences(root, {path.name.removesuffix(".zip") for path in (root / "class").iterdir()})
        parts = list((root / "graded").rglob("*.part"))
    print(f"{options.count} hand-ins, {tally.kills} kills, {tally.kept} records were there after the last")
    print(f"records lost or graded twice: {tally.changed}; unreadable: {tally.unreadable}; differences: {len(told)}")
    print(
        f"processes that outlived a kill: {tally.alive}, the end: {alive}; the last ended {tally.alone:.2f} s after it"
    )
    print(f"files half written that stayed: {len(parts)}; temporary directories that stayed: {len(left)} {left[:8]}")
    for line in told:
        print(line)
    sys.exit(bool(tally.changed or tally.unreadable or told or tally.alive or alive))


if __name__ == "__main__":
    main()
