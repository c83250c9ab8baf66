"""Trains the flows of Problem 3 from many seeds at once, and writes down how their figures spread.

    python -m tests.bench.flow_seeds --preset paper --seeds 24       # 25 minutes
    python -m tests.bench.flow_seeds --preset best --seeds 5
    python -m tests.bench.flow_seeds --corrected                     # the original's constraint, arcs with k = 2

The seeds of one training share their tensors: each instance of a batch has the layers of its own seed, which the
reference's functions take. The thresholds of grading/rubric.toml come from the results, by `threshold`.
"""

import argparse
import dataclasses
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from data.two_dimensional import TARGETS, entropy
from exercises.experiments.flows.evaluation import scores
from exercises.experiments.flows.networks import DIM, layers_of
from exercises.experiments.flows.settings import PRESETS, Config, Training, trainings
from exercises.experiments.flows.training import (
    batches_of,
    initial_weights,
    learning_rate_at,
    make_optimizer,
    objective_of,
)
from grading.training import functions_of

RESULTS = Path(__file__).parents[2] / "exercises" / "experiments" / "results" / "flows-seeds.json"
SHARE = 500  # updates whose batches are drawn at once


def train_many(
    functions: Any,
    training: Training,
    config: Config,
    seeds: int,
    before: Callable[[Tensor], None] = lambda weights: None,
) -> Tensor:
    """Train a flow from so many random starts: (k, seeds, 2 d + 1) weights.

    before: called with the weights before each update.
    """
    torch.manual_seed(config.seed)
    weights = torch.stack([initial_weights(training, config) for _ in range(seeds)], 1).requires_grad_()
    optimizer, objective = make_optimizer(config, weights), objective_of(functions, training)
    for start in range(0, config.iterations, SHARE):
        count = min(SHARE, config.iterations - start)
        batches = batches_of(training, count, seeds * config.batch_size)
        for iteration, batch in enumerate(batches.unbind(), start + 1):
            before(weights)
            optimizer.param_groups[0]["lr"] = learning_rate_at(config, iteration)
            optimizer.zero_grad()
            layers = layers_of(weights.repeat_interleave(config.batch_size, 1), config.shifted)
            (objective(layers, batch).sum() / config.batch_size).backward()
            optimizer.step()
    return weights.detach()


def study(functions: Any, config: Config, seeds: int, **more: Any) -> Iterator[tuple[str, list[float]]]:
    """Measure every training that the settings ask for from so many seeds: each figure's values, sorted."""
    for training in trainings(config):
        begin = time.process_time()
        weights = train_many(functions, training, config, seeds, **more)
        many = [scores(functions, layers_of(each, config.shifted), training) for each in weights.unbind(1)]
        for name in many[0]:
            values = sorted(each[name].value for each in many)
            tell(name, values, time.process_time() - begin)
            yield name, values


def tell(name: str, values: list[float], seconds: float) -> None:
    print(
        f"{name:40} median {statistics.median(values):.4f}  ({values[0]:.4f} to {values[-1]:.4f}), "
        f"99 in 100: {threshold(name, values):.4f}  {seconds:.0f} CPU s",
        flush=True,
    )


def threshold(name: str, values: list[float]) -> float:
    """Return the line that the next honest run passes with a chance of 99 %, and that all of these passed.

    A one-sided prediction limit for a normal spread, mean + t s sqrt(1 + 1 / n), or the worst value where that is
    further out, as it is where few of the runs end in another place than most.
    """
    if not all(map(math.isfinite, values)):
        return math.nan  # a run that broke down has no line to pass
    n, sign = len(values), 1 if is_loss(name) else -1
    reach = student_t_99(n - 1) * statistics.stdev(values) * (1 + 1 / n) ** 0.5
    worst = max(sign * value for value in values)
    return sign * max(sign * statistics.mean(values) + reach, worst)


def student_t_99(freedom: int) -> float:
    """Return the 99 % quantile of Student's t by the first terms of its expansion, right to 0.001 from 9 degrees on.

    Source: Abramowitz and Stegun, equation 26.7.5.
    """
    z = statistics.NormalDist().inv_cdf(0.99)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def is_loss(name: str) -> bool:
    """Whether less of a figure is better."""
    return "near_ridge" not in name and "coverage" not in name


class Corrected:
    """The original's constraint: u as it is, corrected in place before an update wherever w.u is below -1."""

    def __init__(self) -> None:
        self.corrections = 0

    def __call__(self, weights: Tensor) -> None:
        with torch.no_grad():
            u, w = weights[..., :DIM], weights[..., DIM:-1]
            wu = (w * u).sum(-1, keepdim=True)
            self.corrections += int((wu < -1).sum())
            corrected = u + (torch.log1p(torch.exp(wu)) - 1 - wu) * w / (w * w).sum(-1, keepdim=True)
            u.copy_(torch.where(wu < -1, corrected, u))


def unconstrained(reference: Any) -> Any:
    """The reference's objectives for layers whose u is used as it is."""

    def compose(layers: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        total = torch.zeros_like(z[..., 0])
        for u, w, b in layers:
            h = torch.tanh((w * z).sum(-1) + b)
            total = total + torch.log(torch.abs(1 + (1 - h * h) * (w * u).sum(-1)))
            z = z + u * h.unsqueeze(-1)
        return z, total

    def negative_log_likelihood(layers: Any, x: Tensor) -> Tensor:
        z, total = compose(layers, x)
        return reference.negative_log_likelihood([], z) - total

    return SimpleNamespace(compose=compose, negative_log_likelihood=negative_log_likelihood)


def keep(preset: str, config: Config, seeds: int, name: str, values: list[float], **more: Any) -> None:
    """Add a result to the file, beside those of other trainings and presets."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    entry = results.setdefault(preset, {"scores": {}})
    entry |= {"settings": dataclasses.asdict(config), "seeds": seeds, **more}
    entry["scores"][name] = [round(value, 5) for value in values]
    entry["thresholds"] = {name: round(threshold(name, values), 4) for name, values in entry["scores"].items()}
    results["entropy"] = {name: round(entropy(name), 6) for name in TARGETS}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    parser.add_argument("--seeds", type=int, default=24)
    for field in ("target", "mode", "k"):
        parser.add_argument(f"--{field}", default="all")
    parser.add_argument("--corrected", action="store_true", help="the original's constraint, arcs with k = 2")
    options = parser.parse_args()
    torch.set_num_threads(1)
    reference = functions_of("solutions", "flows").flows
    if options.corrected:
        config = dataclasses.replace(PRESETS["paper"], target="arcs", mode="samples", k="2", start="tuned")
        corrected = Corrected()
        for name, values in study(unconstrained(reference), config, options.seeds, before=corrected):
            per_run = round(corrected.corrections / options.seeds)
            print(f"{per_run} corrections a run")
            keep("original", config, options.seeds, name, values, corrections=per_run)
        return
    chosen = {"target": options.target, "mode": options.mode, "k": options.k}
    config = dataclasses.replace(PRESETS[options.preset], **chosen)
    for name, values in study(reference, config, options.seeds):
        keep(options.preset, PRESETS[options.preset], options.seeds, name, values)


if __name__ == "__main__":
    main()
