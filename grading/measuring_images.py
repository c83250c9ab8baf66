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
from exercises.experiments.cifar10.networks import Generator
from exercises.experiments.cifar10.scores import (
    Scorer,
    figure_name,
    make_scorer,
    order_name,
    sample,
    score,
    score_names,
)
from exercises.experiments.cifar10.settings import CONFIGURATIONS, ORDERS, PRESETS, Config, Configuration
from exercises.experiments.cifar10.training import SUBMITTED
from exercises.experiments.runs import Run, RunError

BLOCKS = 40  # of the samples, each left out once: an honest figure is 4 errors away once in 3,600
ROUNDING = 1e-3  # relative: what bfloat16 and another machine change where samples hardly vary
DECIDES = 4 * math.sqrt(2)  # standard errors by which two measurements may differ, as grading.claims judges
Measured = dict[str, tuple[float, float]]  # by the score's name: value and standard error
Extracted = tuple[Tensor, Tensor]


def image_names() -> set[str]:
    """Return the names of all figures that can be measured: those of the presets' extractors and numbers of samples."""
    kinds = [(config.extractor, config.samples) for config in PRESETS.values()]
    scores = {figure_name(key, c) for kind in kinds for key in score_names(*kind) for c in CONFIGURATIONS}
    return scores | {order_name(*kind) for kind in kinds}


def is_measured(config: Config) -> bool:
    """Tell whether scores of these names can be measured; those of other samples compare with no threshold."""
    return order_name(config.extractor, config.samples) in image_names()


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
    if not is_measured(config):
        return
    images = data.load_colour(str(run.config["data"]["name"]), root)
    if run.config["data"]["source"] != images.source:
        raise RunError(
            f"{run.path} was scored beside {str(run.config['data']['source'])[:80]!r}, and here are {images.source}: "
            "scores beside other images do not compare. Name the same ones with --data."
        )
    scorer = make_scorer(config.extractor, images, data.data_root(root))
    once = {
        c: cache(partial(measure_generator, run.training(c.name) / SUBMITTED, config, scorer, functions, seed))
        for c in config.chosen
    }
    for configuration, measured in once.items():
        for key in keys:
            yield figure_name(key, configuration), partial(_of, measured, key)
    if len(once) == len(CONFIGURATIONS):
        yield order_name(config.extractor, config.samples), partial(_order, once, keys[0], images.name)


def _order(once: Mapping[Configuration, Callable[[], Measured]], key: str, data_set: str) -> tuple[float, float]:
    """Count the pairs that stand in order by more than chance; a report may have any of the others too."""
    found = {c.name: measured()[key] for c, measured in once.items()}
    pairs = list(combinations(ORDERS[data_set], 2))
    apart = [(found[far][0] - found[near][0]) / math.hypot(found[near][1], found[far][1]) for near, far in pairs]
    undecided = sum(abs(gap) < DECIDES for gap in apart)
    return float(sum(gap >= DECIDES for gap in apart)), undecided / DECIDES


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
    spread = jackknife(extracted, lambda rest: score(functions, rest, scorer.real))
    errors = [max(error, ROUNDING * abs(value)) for value, error in zip(values, spread, strict=True)]
    keys = score_names(config.extractor, config.samples)
    return {key: (value, error) for key, value, error in zip(keys, values, errors, strict=True)}


def jackknife(extracted: Extracted, scores: Callable[[Extracted], tuple[float, float]]) -> list[float]:
    """Estimate the standard errors of scores from what they are when one of 40 blocks of the samples is left out.

    error^2 = (B - 1) / B sum_b (score_b - mean)^2; the bias of a Frechet distance, which depends on the number of
    samples, is the same for all blocks and falls out.
    """
    left = []
    for block in torch.arange(len(extracted[0])).tensor_split(BLOCKS):
        rest = torch.ones(len(extracted[0]), dtype=torch.bool)
        rest[block] = False
        left.append(scores((extracted[0][rest], extracted[1][rest])))
    variances = torch.tensor(left, dtype=torch.float64).var(0, correction=0) * (BLOCKS - 1)
    return [math.sqrt(value) for value in variances.tolist()]
