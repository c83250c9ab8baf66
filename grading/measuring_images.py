"""The scores of submitted generators, measured again from samples of their own with the reference functions."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import data
from exercises.experiments.checkpoints import read_model
from exercises.experiments.cifar10.experiment import training_path
from exercises.experiments.cifar10.networks import Generator
from exercises.experiments.cifar10.scores import (
    Scorer,
    make_scorer,
    order_name,
    pairs_in_order,
    sample,
    score,
    score_names,
)
from exercises.experiments.cifar10.settings import CONFIGURATIONS, PRESETS, Config, Configuration
from exercises.experiments.cifar10.training import SUBMITTED
from exercises.experiments.runs import Run

BLOCKS = 10  # of the samples, each left out once, for the standard error
DECIDES = 4 * math.sqrt(2)  # standard errors by which two measurements may differ, as grading.claims judges
Measured = dict[str, tuple[float, float]]  # by the score's name: value and standard error
Extracted = tuple[Tensor, Tensor]


def image_names() -> set[str]:
    """Return the names of all figures that can be measured: those of the presets' extractors and numbers of samples."""
    kinds = [(config.extractor, config.samples) for config in PRESETS.values()]
    scores = {figure_name(key, c) for kind in kinds for key in score_names(*kind) for c in CONFIGURATIONS}
    return scores | {order_name(*kind) for kind in kinds}


def figure_name(key: str, configuration: Configuration) -> str:
    """Name a score of a configuration, as a run's summary does."""
    return f"cifar10.{key}.{configuration.name}"


def image_measures(
    run: Run, config: Config, root: Path | None, functions: Any, seed: int
) -> Iterator[tuple[str, Callable[[], tuple[float, float]]]]:
    """Return what measures the scores of each generator of a run: value and standard error.

    functions: of the reference.

    Raises:
        DataError: the images that the run was trained on cannot be had.
        RunError: what extracts the features cannot be had.
    """
    keys = score_names(config.extractor, config.samples)
    if not {figure_name(key, c) for key in keys for c in config.chosen} <= image_names():
        return  # other samples make other scores, which compare with no threshold
    images = data.load_colour(str(run.config["data"]["name"]), root)
    scorer = make_scorer(config.extractor, images, data.data_root(root))
    once = {
        c: cache(partial(measure_generator, training_path(run.path, c) / SUBMITTED, config, scorer, functions, seed))
        for c in config.chosen
    }
    for configuration, measured in once.items():
        for key in keys:
            yield figure_name(key, configuration), partial(_of, measured, key)
    if len(once) == len(CONFIGURATIONS):
        yield order_name(config.extractor, config.samples), partial(_order, once, keys[0], images.name)


def _order(once: Mapping[Configuration, Callable[[], Measured]], key: str, data_set: str) -> tuple[float, float]:
    """Count the pairs that stand in order; a pair that the samples do not decide may stand either way."""
    found = {c.name: measured()[key] for c, measured in once.items()}
    open_ = sum(abs(a - b) < 3 * math.hypot(e, f) for (a, e), (b, f) in combinations(found.values(), 2))
    pairs = pairs_in_order({name: value for name, (value, _) in found.items()}, data_set)
    return pairs, open_ / DECIDES


def _of(measured: Callable[[], Measured], key: str) -> tuple[float, float]:
    return measured()[key]


def measure_generator(path: Path, config: Config, scorer: Scorer, functions: Any, seed: int) -> Measured:
    """Score samples of a generator that anybody may have written.

    Raises:
        CheckpointError: the file is missing, cut off, a pickle, of another network, or holds nan or infinity.
    """
    with torch.device("meta"):
        expected = Generator(config.width).state_dict()  # takes no memory, whatever width the run claims
    tensors = read_model(path, expected)
    generator = Generator(config.width)
    generator.load_state_dict(tensors)
    extracted = scorer.extractor(sample(generator, config.samples, torch.Generator().manual_seed(seed)))
    values = score(functions, extracted, scorer.real)
    errors = jackknife(extracted, lambda rest: score(functions, rest, scorer.real))
    keys = score_names(config.extractor, config.samples)
    return {key: (value, error) for key, value, error in zip(keys, values, errors, strict=True)}


def jackknife(extracted: Extracted, scores: Callable[[Extracted], tuple[float, float]]) -> list[float]:
    """Estimate the standard errors of scores from what they are when one of ten blocks of the samples is left out.

    error^2 = (B - 1) / B sum_b (score_b - mean)^2; the bias of a Frechet distance, which depends on the number of
    samples, is the same for all blocks and falls out.
    """
    blocks = [part.tensor_split(BLOCKS) for part in extracted]
    rest = [tuple(torch.cat([b for j, b in enumerate(part) if j != i]) for part in blocks) for i in range(BLOCKS)]
    left = torch.tensor([scores((features, probabilities)) for features, probabilities in rest], dtype=torch.float64)
    return [math.sqrt(value) for value in (left.var(0, correction=0) * (BLOCKS - 1)).tolist()]
