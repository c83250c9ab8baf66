"""Compares the training of planar flows with the original's kind of loop: CPU time, on one thread.

    python -m tests.bench.flows            # about 2 minutes

An update of the preset `paper`, in turns; then the six trainings from samples of the preset `quick` against what the
original's loop takes for the assignment's 20,000 iterations; then all twelve of `quick` by the command.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from data import two_dimensional
from exercises.experiments.flows.evaluation import scores
from exercises.experiments.flows.networks import PlanarFlow
from exercises.experiments.flows.settings import LAYERS, PRESETS, Config, Training, trainings
from exercises.experiments.flows.training import EPOCHS, initial_weights, make_optimizer, train_epoch
from exercises.experiments.seeds import seed_epoch
from grading.engine.implementation import ROOT
from grading.training import functions_of
from tests.bench import original_flows
from tests.bench.pairs import Job, compare

HAND_IN = {("arcs", 2): 3.4643, ("arcs", 8): 2.7259, ("arcs", 32): 2.7233}
HAND_IN |= {("sine", 2): 3.5468, ("sine", 8): 3.0403, ("sine", 32): 2.9112}


def original(k: int, updates: int) -> Job:
    flow = original_flows.Flow(2, k)
    optimizer = torch.optim.RMSprop(flow.parameters(), lr=5e-4)
    batches = original_flows.batches(two_dimensional.samples("arcs")[0])
    return lambda: [original_flows.update(flow, optimizer, next(batches)) for _ in range(updates)][-1]


def kit(k: int, updates: int) -> Job:
    functions, training = reference(), Training("arcs", "samples", k)
    config = replace(PRESETS["paper"], iterations=EPOCHS * updates)
    flow = PlanarFlow(initial_weights(training, config), config.shifted)
    optimizer = make_optimizer(config, flow.weights)
    epochs = itertools.cycle(range(1, EPOCHS + 1))
    return lambda: train_epoch(functions, flow, optimizer, training, config, next(epochs))


def reference() -> Any:
    return functions_of("solutions", "flows").flows


def quick(training: Training, config: Config) -> tuple[float, float]:
    """Return the CPU seconds and the held-out likelihood of one training."""
    begin = time.process_time()
    seed_epoch(config.seed, 0)
    flow = PlanarFlow(initial_weights(training, config), config.shifted)
    optimizer = make_optimizer(config, flow.weights)
    for epoch in range(1, EPOCHS + 1):
        train_epoch(reference(), flow, optimizer, training, config, epoch)
    seconds = time.process_time() - begin
    (score,) = scores(reference(), flow.layers(), training).values()
    return seconds, score.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=300, help="training updates a round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"preset paper, arcs from samples, one thread, medians of {options.rounds} rounds in turns")
    slow = {}
    for k in LAYERS:
        sides = {"original": partial(original, k, options.updates), "kit": partial(kit, k, options.updates)}
        slow[k] = compare(f"k = {k}", sides, options.updates, options.rounds, "an update")["original"]
    torch.set_num_threads(1)
    spent = 0.0
    for training in trainings(replace(PRESETS["quick"], mode="samples")):
        seconds, likelihood = quick(training, PRESETS["quick"])
        spent += seconds
        hand_in = HAND_IN[training.target, training.k]
        print(f"quick {training.name:16} {seconds:5.1f} CPU s  {likelihood:.4f} (hand-in {hand_in:.4f})", flush=True)
    by_original = 2 * PRESETS["paper"].iterations * sum(slow.values())
    print(f"quick, all six: {spent:.0f} CPU s, {spent / by_original:.3f} of the original's {by_original:.0f}")
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["train", "flows", "--implementation", "solutions", "--out", str(Path(folder) / "run")]
        command = [sys.executable, "-m", "grading.cli", *arguments]
        begin = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        print(f"elbo train flows, all twelve of quick: {time.perf_counter() - begin:.0f} s on {os.cpu_count()} cores")


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
