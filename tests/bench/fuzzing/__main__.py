"""Sends the judge what a hostile worker might send, and looks for anything but a refusal or a verdict.

python -m tests.bench.fuzzing --seconds 600
python -m tests.bench.fuzzing --number 1234    # one input again

An input begins as a message of replies, made up or the reference's to real calls, and is damaged in its bytes, in its
header as a tree, or in its tensors with all else kept right. It meets one of three readers: `decode` is the format
alone, `judge` judges a property on it, `connection` is to a worker that sends it in pieces.

Status 1, with the bytes in a file, on any exception but WireError, on an input that takes a second of the judge's CPU
time, and on one that takes more memory than a message may.
"""

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count

import torch

from tests.bench.fuzzing.connecting import connection
from tests.bench.fuzzing.judging import decode, judge
from tests.bench.fuzzing.trials import Reader, Trial, keep, tried
from tests.bench.pairs import memory

READERS: dict[Reader, int] = {decode: 30, judge: 30, connection: 1}  # and how often each has its turn
ROOM = 4 << 30  # of address space: an allocation of more is refused by the system, and seen in the verdict


def all_tried(numbers: Iterable[int], seed: int, seconds: float) -> Iterator[Trial]:
    """Try inputs for some time, and print their problems."""
    end = time.monotonic() + seconds
    for number in numbers:
        if time.monotonic() > end:
            break
        trial = tried(number, READERS, seed)
        if trial.problem:
            print(f"number {number}, {trial.reader}, bytes in {keep(trial, seed)}: {trial.problem}", flush=True)
        trial.sent.clear()
        yield trial


def told(reader: str, trials: Sequence[Trial]) -> str:
    """Say in a line what became of the inputs of one reader."""
    if not trials:
        return f"{reader:11s}       0 inputs"
    outcomes = Counter(trial.outcome or "no outcome" for trial in trials).most_common()
    slowest, largest = max(trials, key=lambda t: t.seconds), max(trials, key=lambda t: t.megabytes)
    return (
        f"{reader:11s} {len(trials):7d} inputs ({', '.join(f'{n} {outcome}' for outcome, n in outcomes)}); "
        f"slowest {slowest.seconds:.3f} s (number {slowest.number}), "
        f"largest growth {largest.megabytes:.0f} MB (number {largest.number})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, help="try this input alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    held = int(memory("VmSize") * (1 << 20))
    resource.setrlimit(resource.RLIMIT_AS, (held + ROOM, resource.RLIM_INFINITY))
    numbers = count() if options.number is None else [options.number]
    trials = list(all_tried(numbers, options.seed, options.seconds))
    for reader in (reader.__name__ for reader in READERS):
        print(told(reader, [trial for trial in trials if trial.reader == reader]))
    problems = sum(bool(trial.problem) for trial in trials)
    print(f"{len(trials)} inputs from seed {options.seed}, {problems} with a problem")
    sys.exit(problems > 0)


if __name__ == "__main__":
    main()
