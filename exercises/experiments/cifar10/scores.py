"""How images are scored: a classifier's features of samples, and what the student's two scores make of them.

A score is named for what extracts the features and for the number of samples: `fid_10000` and `is_10000` with the
Inception network of the literature, `fd_patches_2000` and `cs_patches_2000`, a Frechet distance and a classifier
score that compare with nothing else, with the classifier that is made on the spot.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor, nn

from data import ColourImages

from ..runs import RunError
from . import extractors
from .extractors import Extractor, Statistics, statistics
from .inception import reference_scores
from .networks import NOISE, Generator, as_pixels
from .players import Functions
from .settings import ORDERS, Configuration

CHUNK = 500  # images that are made, or looked at, at a time
AGREE = 1e-3  # relative; a defect moves a score by more, rounding by less


@dataclass(frozen=True)
class Scorer:
    """What extracts features, and what the real images' are."""

    extractor: Extractor
    real: Statistics


def score_names(extractor: str, samples: int) -> tuple[str, str]:
    """Name the distance, and the classifier's score."""
    distance, score = ("fid", "is") if extractor == "inception" else (f"fd_{extractor}", f"cs_{extractor}")
    return f"{distance}_{samples}", f"{score}_{samples}"


def titles(extractor: str, samples: int) -> tuple[str, str]:
    """Name both for a person."""
    if extractor == "inception":
        return f"FID, {samples:,} samples", f"Inception Score, {samples:,} samples"
    by = f"{extractor} classifier, {samples:,} samples"
    return f"Fréchet distance, {by}", f"classifier score, {by}"


def make_scorer(name: str, images: ColourImages, root: Path) -> Scorer:
    """Make the extractor of this name, and look at all training images.

    Raises:
        RunError, DataError: it cannot be had; the message says what to do.
    """
    extractor = extractors.make(name, images, root)
    return Scorer(extractor, extractors.real_statistics(extractor, images))


def sample(generator: Generator, count: int, stream: torch.Generator) -> Tensor:
    """Draw images, (count, 3, 32, 32) uint8 on the CPU, from a generator in evaluation, with noise of a stream.

    stream: on the CPU, so that the noise is the same on every device.
    """
    noise = torch.randn(count, NOISE, generator=stream).to(next(generator.parameters()).device)
    with evaluating(generator):
        return torch.cat([as_pixels(generator(z)).cpu() for z in noise.split(CHUNK)])


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation, without graphs, and back."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


def evenly(images: Tensor, count: int) -> Tensor:
    """Take some images, evenly, for a data set may be in the order of its classes."""
    return images[:: max(1, len(images) // count)][:count]


def score(functions: Functions, extracted: tuple[Tensor, Tensor], real: Statistics) -> tuple[float, float]:
    """Apply the student's frechet_distance and inception_score to features and probabilities of generated images.

    Raises:
        RunError: one gives no finite number.
    """
    features, probabilities = extracted
    own = statistics(features)
    distance = functions.frechet_distance(own.mean, own.cov, real.mean, real.cov)
    return _number(distance, "frechet_distance"), _number(functions.inception_score(probabilities), "inception_score")


def _number(answer: object, part: str) -> float:
    if not isinstance(answer, Tensor) or answer.numel() != 1 or answer.is_complex():
        raise RunError(
            f"gan.{part} gave {_kind(answer)}, expected one real number. `elbo check gan.{part}` tells more."
        )
    if not math.isfinite(value := float(answer)):
        raise RunError(f"gan.{part} gave {value}, expected a finite number. Look with `elbo check gan`.")
    return value


def _kind(answer: object) -> str:
    if not isinstance(answer, Tensor):
        return f"a {type(answer).__name__}"
    return f"{'complex' if answer.is_complex() else 'a tensor'} of shape {tuple(answer.shape)}"


def check_scores(functions: Functions, scorer: Scorer, images: ColourImages) -> None:
    """Compare the student's scores with torch-fidelity's, where it is installed, on features of some test images.

    Raises:
        RunError: they do not agree.
    """
    features, probabilities = scorer.extractor(evenly(images.test, CHUNK))
    expected = reference_scores(features, probabilities, scorer.real)
    if expected is None:
        return
    found = score(functions, (features, probabilities), scorer.real)
    for part, value, wanted in zip(("frechet_distance", "inception_score"), found, expected, strict=True):
        if abs(value - wanted) > AGREE * abs(wanted):
            raise RunError(
                f"gan.{part} gave {value:.6g} for features of {len(features)} images, where torch-fidelity gives "
                f"{wanted:.6g}: the scores would mean nothing. `elbo check gan.{part}` tells more."
            )


def figure_name(key: str, configuration: Configuration) -> str:
    """Name a figure of a configuration, as a run's summary does."""
    return f"cifar10.{key}.{configuration.name}"


def order_name(extractor: str, samples: int) -> str:
    """Name the figure that says how the five stand to each other: of how many pairs the order is the expected one."""
    return f"cifar10.order.{score_names(extractor, samples)[0]}"


def pairs_in_order(distances: Mapping[str, float], data: str) -> int:
    """Count the pairs of configurations, of 10, of which the first in the data set's order has the smaller distance."""
    return sum(distances[near] < distances[far] for near, far in combinations(ORDERS[data], 2))


def rank_correlation(first: list[float], second: list[float]) -> float:
    """Return Spearman's rank correlation of two series, from -1 to 1; nan where one of them does not vary.

    Ranks of equal values are averaged, and the ranks are correlated. Nan also where a value is not finite.
    """
    series = torch.tensor([first, second], dtype=torch.float64)
    if series.shape[1] < 2 or not series.isfinite().all():
        return math.nan
    return float(torch.corrcoef(torch.stack([_ranks(values) for values in series]))[0, 1])


def _ranks(values: Tensor) -> Tensor:
    _, places, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0) - (counts - 1).double() / 2)[places]
