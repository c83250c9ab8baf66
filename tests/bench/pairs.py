"""Two ways to do the same work, in turns: CPU time and memory of each, and the ratio.

Each side lives in a process of its own, and the two take turns, so that neither a busy machine nor the other's memory
falls on one side alone. Memory is the process's peak since it began to measure, less what it held then.
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import torch

Job = Callable[[], float]


def work(make: Callable[[], Job], line: Connection) -> None:
    """Answer each request with the CPU seconds of one round, and with the peak memory grown so far in MB."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    run = make()
    before = forget_peak()
    while line.recv():
        begin = time.process_time()
        value = run()
        seconds = time.process_time() - begin
        line.send((seconds, memory("VmHWM") - before, value))


def forget_peak() -> float:
    """Let the peak of this process's memory begin again at what it holds now, which is returned, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(field: str) -> float:
    """Read a line of /proc/self/status, in MB; Linux has it, and the benchmark runs nowhere else."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[field].split()[0]) / 1024


def compare(title: str, sides: Mapping[str, Callable[[], Job]], size: int, rounds: int, unit: str) -> dict[str, float]:
    """Let two sides take turns and print their medians, after one round that is not counted.

    sides: by name, what makes the job of a side in its process; picklable. size: units of work in a round.

    Returns:
        The median CPU seconds of a unit for each side.
    """
    lines, results = [], [[] for _ in sides]
    for make in sides.values():
        here, there = multiprocessing.get_context("spawn").Pipe()
        multiprocessing.get_context("spawn").Process(target=work, args=(make, there), daemon=True).start()
        lines.append(here)
    for counted in [False] + [True] * rounds:
        for line, result in zip(lines, results, strict=True):
            line.send(True)
            answer = line.recv()
            if counted:
                result.append(answer)
    for line in lines:
        line.send(False)
    medians = {}
    for name, result in zip(sides, results, strict=True):
        milliseconds = [1000 * r[0] / size for r in result]
        medians[name] = statistics.median(milliseconds) / 1000
        print(
            f"{title:7s} {name:9s} {statistics.median(milliseconds):8.3f} CPU ms {unit} "
            f"({min(milliseconds):.3f} to {max(milliseconds):.3f})"
            f"  +{max(r[1] for r in result):4.0f} MB  last value {result[-1][2]:.3f}"
        )
    ratios = [a[0] / b[0] for a, b in zip(*results, strict=True)]
    # The least disturbed round of each side: what a quiet machine would show.
    quiet = min(results[0])[0] / min(results[1])[0]
    print(
        f"{title:7s} ratio     {statistics.median(ratios):8.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
        f"of the fastest rounds {quiet:.2f}",
        flush=True,
    )
    return medians
