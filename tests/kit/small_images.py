"""What the tests of the image experiment share: the reference's functions, random images, an extractor without data."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F

from data import ColourImages
from exercises.experiments.cifar10.extractors import statistics
from exercises.experiments.cifar10.scores import Scorer
from solutions.gan import averaging, objectives, penalties, scores, spectral_norm, steps

FUNCTIONS = SimpleNamespace(
    jsd=objectives.jsd,
    w1=objectives.w1,
    r1_penalty=penalties.r1_penalty,
    spectral_norm=spectral_norm.spectral_norm,
    train_step=steps.train_step,
    update_average=averaging.update_average,
    inception_score=scores.inception_score,
    frechet_distance=scores.frechet_distance,
)


def noise_images(count, seed):
    return torch.randint(256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


IMAGES = ColourImages(
    name="shapes",
    source="random numbers",
    classes=tuple("abcdefghij"),
    train=noise_images(64, 1),
    train_labels=torch.arange(64).remainder(10).byte(),
    test=noise_images(40, 2),
    test_labels=torch.arange(40).remainder(10).byte(),
)


class Pooled:
    """An extractor that averages squares of 16 pixels, and keeps the images that it was given."""

    name = "pooled"

    def __init__(self):
        self.seen = []

    def __call__(self, images):
        self.seen.append(images)
        features = F.avg_pool2d(images.double() / 255, 16).flatten(1)
        return features, torch.softmax(20 * features[:, :10], 1)


def pooled():
    return Scorer(Pooled(), statistics(Pooled()(IMAGES.train)[0]))


def functions(**changed):
    return SimpleNamespace(**{**vars(FUNCTIONS), **changed})
