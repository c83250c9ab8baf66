"""Compares the Dirac GAN with the original's kind of loop: CPU time, on one thread.

    python -m tests.bench.dirac            # about 2 minutes

All twenty configurations in turns, from one start each; then one start against fifty.
"""

import argparse
import os
from functools import partial
from typing import Any

from exercises.experiments.dirac.settings import CONFIGURATIONS, OBJECTIVES, Config
from exercises.experiments.dirac.training import simulate
from grading.training import functions_of
from tests.bench import original_dirac
from tests.bench.pairs import Job, compare

MANY = 50


def original(updates: int) -> Job:
    runs = [
        original_dirac.trajectory(t.objective, t.penalty, t.coefficient, 0.998 if c.averaged else None)
        for c in CONFIGURATIONS
        for t in [c.training]
    ]
    return lambda: [run(updates) for run in runs][-1]


def kit(starts: int, updates: int) -> Job:
    functions, config = reference(), Config(starts=starts, iterations=updates)
    batches = [[t for t in config.trainings if t.objective == objective] for objective in OBJECTIVES]
    return lambda: float([simulate(functions, batch, config)[batch[-1]].path[-1, 2] for batch in batches][-1])


def reference() -> Any:
    return functions_of("solutions", "gan").gan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=200, help="of each configuration in a round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    configurations = len(CONFIGURATIONS)
    print(f"twenty configurations, one thread, medians of {options.rounds} rounds in turns")
    size = configurations * options.updates
    sides = {"original": partial(original, options.updates), "kit": partial(kit, 1, options.updates)}
    slow = compare("twenty", sides, size, options.rounds, "an update of one configuration")["original"]
    sides = {f"{MANY} starts": partial(kit, MANY, options.updates), "one start": partial(kit, 1, options.updates)}
    many = compare("starts", sides, size, options.rounds, "an update of one configuration")[f"{MANY} starts"]
    # Two configurations share a training, which is counted once here: the price of a step of one start in it.
    step = 2 * many / MANY
    print(
        f"a step of one trajectory: original {1e6 * slow:.0f} us, kit at {MANY} starts {1e6 * step:.2f} us, "
        f"ratio {slow / step:.0f}"
    )


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
