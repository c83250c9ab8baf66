"""Judging mutants by the properties of their part, each in a worker of its own, until the first that rejects it."""

import contextlib
import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from grading.engine.isolation import bound_memory
from grading.engine.workers import Starter, Worker
from grading.judge import PROFILES, Judge, Verdict

from .making import Mutant, part_named, write

# As `elbo check` judges; with more time, so that a machine that is busy rejects nothing.
PROFILE = replace(PROFILES["student"], shrink_seconds=0, property_seconds=30, part_seconds=120)
MEMORY_MB = 4096  # some mutants ask for all that there is
How = Literal["survived", "wrong", "raised", "silent"]


class Fate(msgspec.Struct, frozen=True):
    """What became of a mutant: how the first property that rejects it told so, and its name, if there is one.

    "silent" is a process that ended, or gave no answer in time.
    """

    mutant: Mutant
    how: How
    by: str = ""


def judge_all(mutants: Sequence[Mutant], processes: int = os.cpu_count() or 1) -> Iterator[Fate]:
    """Judge mutants on all cores, in the order in which they are given."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(mutants)), context, bound_memory, (MEMORY_MB,)) as pool:
        yield from pool.map(judged, mutants)


def judged(mutant: Mutant) -> Fate:
    """Judge one mutant."""
    with tempfile.TemporaryDirectory(prefix="elbo-mutant-") as name:
        write(mutant, Path(name))
        with contextlib.closing(Worker(_starter(), Path(name))) as worker:
            for verdict in _judge().part(part_named(mutant.part), worker):
                if verdict.outcome != "right":
                    return Fate(mutant, _how(verdict), verdict.property)
    return Fate(mutant, "survived")


def _how(verdict: Verdict) -> How:
    failure = verdict.failure
    if failure is None or not failure.called:
        return "silent"
    return "raised" if failure.traceback else "wrong"


@cache
def _starter() -> Starter:
    return Starter.spawning_once()


@cache
def _judge() -> Judge:
    return Judge(PROFILE, seed=0)
