"""Times `elbo check` and `elbo watch` as a person meets them: wall seconds, medians with smallest and largest.

python -m tests.bench.check
"""

import argparse
import contextlib
import dataclasses
import gc
import os
import pty
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from grading.catalogue import topic_parts
from grading.engine.implementation import ROOT, locate
from grading.engine.workers import Starter, Worker
from grading.judge import PROFILES, Judge

COLD = ["-m", "grading.cli", "check", "vae.log_mean_exp", "--implementation", "solutions"]


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def tell(name: str, values: list[float]) -> None:
    print(f"{name:58s} {statistics.median(values):6.2f} s  ({min(values):.2f} to {max(values):.2f})", flush=True)


def cold(rounds: int) -> None:
    """One part in a new process, in turns with importing torch alone."""
    pairs = [(seconds(lambda: run(["-c", "import torch"])), seconds(lambda: run(COLD))) for _ in range(rounds + 1)][1:]
    tell("import torch", [a for a, _ in pairs])
    tell("check of one part, cold", [b for _, b in pairs])
    tell("  beside importing torch", [b - a for a, b in pairs])


def warm(rounds: int, topic: str, inputs: int, starter: Starter) -> None:
    """All of a topic on the reference, in another process, with inputs that are drawn already."""
    judge = Judge(dataclasses.replace(PROFILES["student"], inputs=inputs))
    for part in topic_parts(topic):
        for value in part.properties:
            judge.inputs(value)

    def once() -> None:
        worker = Worker(starter, locate("solutions"))
        for part in topic_parts(topic):
            assert all(verdict.outcome == "right" for verdict in judge.part(part, worker))
        worker.close()

    tell(f"all of {topic}, warm, {inputs} inputs a property", [seconds(once) for _ in range(rounds + 1)][1:])


def watch(rounds: int) -> None:
    """From the save of a file to the verdict on the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "solutions", folder, dirs_exist_ok=True)
        file = Path(folder) / "vae" / "likelihoods.py"
        broken = file.read_text().replace("- math.log(y.shape[1])", "")
        file.write_text(broken)
        process, terminal = _in_terminal(["-m", "grading.cli", "watch", "vae.log_mean_exp", "--implementation", folder])
        _wait_for(terminal, b"save to judge again")
        time.sleep(2)  # a person takes longer to the first save
        values = []
        for number in range(rounds):
            begin = time.perf_counter()
            file.write_text(broken + f"# save {number}\n")
            _wait_for(terminal, b"properties hold")
            values.append(time.perf_counter() - begin)
            _wait_for(terminal, b"save to judge again")
        os.write(terminal, b"q")
        process.wait(10)
    tell("watch: from the save to the verdict on a wrong part", values)


def _in_terminal(arguments: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    return process, ours


def _wait_for(terminal: int, text: bytes) -> None:
    seen = b""
    while text not in seen:
        if not select.select([terminal], [], [], 60)[0]:
            raise TimeoutError(seen.decode(errors="replace"))
        seen += os.read(terminal, 1 << 16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    os.environ |= {"OMP_NUM_THREADS": "1"}
    cold(rounds)
    gc.freeze()  # as the command does
    starter = Starter.spawning_once()
    with contextlib.closing(starter):
        for topic in ("vae", "gan"):
            warm(rounds, topic, PROFILES["student"].inputs, starter)
            warm(rounds, topic, 50, starter)
    watch(rounds)


if __name__ == "__main__":
    main()
