"""Trains the five image configurations from some seeds, and writes down how their scores spread.

    python -m tests.bench.image_seeds --seeds 5       # preset quick on shapes; half an hour on two cores

The thresholds of grading/rubric.toml on shapes come from the results, by `flow_seeds.threshold`, and the order of
the five from the mean distances.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import data
from exercises.experiments.cifar10.experiment import train
from exercises.experiments.cifar10.scores import score_names
from exercises.experiments.cifar10.settings import CONFIGURATIONS, PRESETS, Config
from grading.training import functions_of

RESULTS = Path(__file__).parents[2] / "exercises" / "experiments" / "results" / "cifar10" / "seeds.json"
Scores = dict[str, list[float]]


def study(config: Config, seeds: int, into: Path) -> Scores:
    """Train all five from so many seeds; the value of each figure for each seed, by the summary's name."""
    found: Scores = {}
    load, images = partial(functions_of, "solutions", "gan"), partial(data.load_colour, config.data)
    for seed in range(seeds):
        own = replace(config, seed=seed)
        run = train(load, own, images, data.data_root(), into / str(seed), name="solutions", preset="quick")
        for name, value in run.summary().items():
            found.setdefault(name, []).append(value)
    return found


def mean_order(scores: Mapping[str, Sequence[float]], key: str) -> list[str]:
    """Return the configurations, that with the smallest mean distance first."""
    return sorted((c.name for c in CONFIGURATIONS), key=lambda name: statistics.mean(scores[f"cifar10.{key}.{name}"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=Path, help="keep the runs in this directory")
    options = parser.parse_args()
    config = PRESETS["quick"]
    with tempfile.TemporaryDirectory() as into:
        found = study(config, options.seeds, options.runs or Path(into) / "runs")
    key, _ = score_names(config.extractor, config.samples)
    for name, values in found.items():
        print(f"{name:45} {statistics.mean(values):9.3f} ({min(values):.3f} to {max(values):.3f})")
    order = mean_order(found, key)
    print(f"by mean distance: {', '.join(order)}")
    rounded = {name: [round(value, 4) for value in values] for name, values in found.items()}
    settings = {name: value for name, value in asdict(config).items() if name != "seed"}
    result = {"settings": settings, "seeds": options.seeds, "order": order, "scores": rounded}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
