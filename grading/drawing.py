"""Drawing the inputs of a class: once, by several processes side by side, and kept beside its records."""

import contextlib
import hashlib
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from exercises.experiments.runs import write_whole
from grading.engine import keeping
from grading.engine.inputs import Inputs, draw
from grading.engine.wire import WireError
from tests.support.properties import Property


def inputs_of(
    values: Sequence[Property], seed: int, count: int, jobs: int, kept: Path | None = None
) -> dict[str, list[Inputs]]:
    """Return the inputs of properties by name: those that are kept in a file, or drawn ones, which are kept then."""
    with contextlib.suppress(OSError, WireError):  # of another kit perhaps
        if kept is not None:
            return keeping.decode_all(values, kept.read_bytes())
    content = draw_side_by_side(values, seed, count, jobs)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, content)
    return keeping.decode_all(values, content)


def name_of(seed: int, count: int, kit: str) -> str:
    """Return the name of the file for inputs that a kit draws."""
    return f"inputs-{hashlib.sha256(f'{seed} {count} {kit}'.encode()).hexdigest()[:16]}.bin"


def draw_side_by_side(values: Sequence[Property], seed: int, count: int, jobs: int) -> bytes:
    """Draw the inputs of properties with so many processes, and return them as bytes."""
    job = (values, seed, count)
    if jobs == 1 or sys.platform == "darwin":  # where a fork of a process that has run torch is not safe
        _take(*job)
        drawn = list(map(_draw, range(len(values))))
    else:
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(jobs, context, initializer=_take, initargs=job) as pool:
            drawn = list(pool.map(_draw, range(len(values))))
    return keeping.encode_all(dict(zip([value.full_name for value in values], drawn, strict=True)))


_job: tuple[Sequence[Property], int, int] = ((), 0, 0)


def _take(*job: Any) -> None:
    global _job
    _job = job


def _draw(number: int) -> bytes:
    values, seed, count = _job
    return keeping.encode(values[number], draw(values[number], seed, count))
