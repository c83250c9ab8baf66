"""Measures `elbo grade`: processor time of a hand-in, start, memory and time of a class.

    python -m tests.bench.grading                             # the hand-ins and the start, about 5 minutes
    python -m tests.bench.grading --class 300                 # a class by the command, all parts
    python -m tests.bench.grading --linear --only vae         # 300, 1,000 and 3,000 hand-ins

The processor time of a class is that of all its processes but the workers' last hundredths of a second, and their ends.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from grading.engine.implementation import TOPICS
from tests.bench import hand_ins, watched
from tests.bench.costs import costs, in_brackets

SMALL = "vae.log_mean_exp"


def start_up(rounds: int) -> None:
    """From the command to the first record, in turns with importing torch alone."""
    for only in (SMALL, "vae", ""):
        pairs = [(_seconds(_import_torch), _to_first_record(only)) for _ in range(rounds)]
        print(f"import torch {in_brackets([a for a, _ in pairs])} s")
        print(f"first record, {only or 'all parts'} {in_brackets([b for _, b in pairs])} s", flush=True)
        print(f"  beside importing torch {in_brackets([b - a for a, b in pairs])} s", flush=True)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _import_torch() -> None:
    subprocess.run([sys.executable, "-c", "import torch"], check=True)


def _to_first_record(only: str) -> float:
    with watched.place() as root:
        hand_ins.write(hand_ins.reference(), root / "class", "reference")
        begin = time.perf_counter()
        process = watched.start(root, ["--jobs", "2", *_only(only)])
        while not watched.record_files(root / "graded") and process.poll() is None:
            time.sleep(0.01)
        seconds = time.perf_counter() - begin
        assert process.wait() == 0, (root / "output.txt").read_text()
    return seconds


def _only(name: str) -> list[str]:
    return ["--only", name] if name else []


def a_class(count: int, only: str, jobs: int) -> float:
    """Grade a class by the command; return the seconds of wall time."""
    with watched.place() as root:
        hand_ins.write_class(root / "class", count, (only.split(".")[0],) if only else TOPICS)
        seen = watched.watch(root, ["--jobs", str(jobs), *_only(only)])
        found = watched.read(root / "graded")
        assert seen.status == 0, (root / "output.txt").read_text()
    own = watched.own_cpu(found) / count
    print(f"a class of {count}, {only or 'all parts'}, {jobs} processes: {len(found)} records, {seen.wall:.0f} s")
    wall, cpu = seen.wall / count, seen.cpu / count + own
    print(f"  a hand-in: wall {wall:.3f} s, CPU {cpu:.3f} s, its own code {own:.3f}")
    print(f"  memory (PSS): all at most {seen.largest:.0f} MB")
    _tell_growth(seen, count)
    _tell_kinds(found)
    return seen.wall


def _tell_growth(seen: watched.Watched, count: int) -> None:
    """Print memory at a tenth of the records, and when the last are graded."""
    early = [sizes for sizes in seen.sizes if sizes[0] >= count / 10]
    for graded, main, judging in early[:1] + early[-1:]:
        print(f"    after {graded} records: that which hands out {main:.0f} MB, those that judge {judging:.0f} MB")


def _tell_kinds(found: Sequence[watched.Record]) -> None:
    """Print what each kind of hand-in got and took; all that is right has all points that code can get."""
    for kind in sorted(set(hand_ins.KINDS)):
        of_kind = [record for record in found if record.submission.endswith(kind)]
        if of_kind:
            shares = [sum(p.points for p in r.parts) / sum(p.possible for p in r.parts) for r in of_kind]
            used = in_brackets([record.budget.used for record in of_kind if record.budget])
            print(f"  {kind:6s} {len(of_kind):5d}: share of points {in_brackets(shares)}, judged in {used} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--class", type=int, dest="count", metavar="N", help="grade a class of so many, and no more")
    parser.add_argument("--linear", type=int, nargs="*", metavar="N", help="classes of 300, 1,000 and 3,000, or others")
    parser.add_argument("--only", default="", metavar="PART|TOPIC", help="of a class")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    sizes = [options.count] if options.count else options.linear
    if sizes is not None:
        for size in sizes or (300, 1000, 3000):
            print(f"{size}: {a_class(size, options.only, options.jobs) / size:.4f} s a hand-in", flush=True)
        return
    costs(SMALL, 3 * options.rounds)
    costs("", options.rounds)
    start_up(3)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
