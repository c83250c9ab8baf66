"""Looks for flakes: judges the reference with the inputs and the noise of many seeds, every property on each.

python -m tests.bench.seeds                 # 1,000 seeds on the cores that there are
python -m tests.bench.seeds --seeds 20 --only flows    # topics, or properties by name

Status 1 if the reference fails any property; each failure is printed with its seed.
"""

import argparse
import multiprocessing
import os
import sys
import time
from functools import partial

import torch

from grading.catalogue import all_parts
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import Implementation, locate
from grading.engine.worker import reply
from grading.engine.workers import AtOnce
from grading.judge import PROFILES, Judge
from tests.support.properties import Property


def failures(seed: int, only: tuple[str, ...] = ()) -> list[str]:
    """Judge the reference, in this process, with one seed; only some properties where they or topics are named."""
    torch.set_num_threads(1)
    reference = Implementation(locate("solutions"))

    def exchange(calls: list[Call], seconds: float) -> list[Answer | Fault]:
        return [reply(reference, call) for call in calls]

    judge = Judge(PROFILES["student"], seed)
    verdicts = [(value, judge.judge(value, judge.inputs(value), AtOnce(exchange), 1000)) for value in chosen(only)]
    return [f"seed {seed}: {v.full_name}: {verdict.failure}" for v, verdict in verdicts if verdict.outcome != "right"]


def chosen(only: tuple[str, ...]) -> list[Property]:
    """Return all properties, or those of these topics or names."""
    properties = [p for part in all_parts() for p in part.properties]
    return [p for p in properties if not only or p.name in only or p.part.split(".")[0] in only]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=(), metavar="TOPIC|PROPERTY")
    options = parser.parse_args()
    start, failed = time.monotonic(), 0
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        seeds = range(options.first, options.first + options.seeds)
        for done, told in enumerate(pool.imap_unordered(partial(failures, only=tuple(options.only)), seeds), start=1):
            for line in told:
                print(line, flush=True)
            failed += bool(told)
            if done % 50 == 0:
                print(f"{done} seeds, {failed} with a failure, {time.monotonic() - start:.0f} s", flush=True)
    properties = len(chosen(tuple(options.only)))
    print(f"{options.seeds} seeds, {properties} properties each: {failed} seeds with a failure")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
