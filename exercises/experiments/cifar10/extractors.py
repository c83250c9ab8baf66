"""What images are scored by: an extractor of features and class probabilities, and the statistics of real images."""

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load, save
from torch import Tensor

from data import ColourImages
from data.kept import CACHE
from data.packed import replacing

from ..progress import reporting
from ..runs import RunError
from . import inception, patches

NAMES = ("patches", "inception")
CHUNK = 1000  # images between two steps of the progress bar
Tensors = dict[str, Tensor]


class Extractor(Protocol):
    """A fixed network that images are looked at with."""

    @property
    def name(self) -> str:
        """What every number made with it is labelled with: 'inception', or 'patches on shapes'."""

    @property
    def version(self) -> str:
        """A digest of its weights: statistics of other weights have nothing to do with its features."""

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Look at images, without a graph.

        Args:
            images: (n, 3, 32, 32) uint8, on any device.

        Returns:
            (n, d) features and (n, classes) probabilities, float64 on the CPU.
        """


@dataclass(frozen=True)
class Statistics:
    """What the Frechet distance needs of features: mean (d,) and unbiased cov (d, d), float64, of so many images."""

    mean: Tensor
    cov: Tensor
    count: int


def make(name: str, images: ColourImages, root: Path, cache: Path | None = None) -> Extractor:
    """Make an extractor, or read it where it was made before.

    Args:
        name: one of NAMES; 'patches' is made from the training images, 'inception' is downloaded.
        images: the data set.
        root: the directory of data files, where the weights of 'inception' are looked for and kept.
        cache: the directory that 'patches' is kept in, by default data/cache of the kit.

    Raises:
        RunError: no extractor has this name, or what 'inception' needs is not installed.
        DataError: the weights of 'inception' cannot be had.
    """
    if name == "inception":
        return inception.read(root)
    if name != "patches":
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0)[0]
        raise RunError(f"found extractor {name!r}, expected one of {', '.join(NAMES)}; did you mean {near!r}?")
    # The file of patches.py is in the key: whoever changes a number there gets another classifier.
    source = Path(patches.__file__).read_text(encoding="utf-8")
    tensors = _remembered("patches", images, source, cache, lambda: patches.fit(images))
    return patches.Patches(f"patches on {images.name}", _digest_all(tensors), **tensors)


def expect_installed(name: str) -> None:
    """Check that what an extractor needs is installed, before anything is loaded for it.

    Raises:
        RunError: it is not.
    """
    if name == "inception":
        inception.expect_installed()


def statistics(features: Tensor) -> Statistics:
    """Summarise features, (n, d) float64 with n at least 2."""
    return Statistics(features.mean(0), torch.cov(features.T), len(features))


def real_statistics(extractor: Extractor, images: ColourImages, cache: Path | None = None) -> Statistics:
    """Summarise the features of all training images, or read the summary where it was made before."""

    def look() -> Tensors:
        features = []
        with reporting(len(images.train)) as report:
            for number, some in enumerate(images.train.split(CHUNK)):
                features.append(extractor(some)[0])
                report.step(number * CHUNK + len(some), f"the real images: {extractor.name}")
        found = statistics(torch.cat(features))
        return {"mean": found.mean, "cov": found.cov}

    found = _remembered("statistics", images, f"{extractor.name} {extractor.version}", cache, look)
    return Statistics(found["mean"], found["cov"], len(images.train))


def _remembered(
    kind: str, images: ColourImages, maker: str, cache: Path | None, make: Callable[[], Tensors]
) -> Tensors:
    """Read what was made from the same images by the same maker, or make it, and keep it where that is possible."""
    key = _digest(maker, images.name, *images.classes, images.train, images.train_labels)
    path = (cache or CACHE) / f"{kind}-{images.name}-{key[:32]}.safetensors"
    try:
        tensors = load(path.read_bytes())
        if bytes(tensors.pop("digest").tolist()).hex() == _digest_all(tensors):
            return tensors
    except Exception:  # a file that is missing or broken fails in many ways, and all of them mean: make it anew
        pass
    if kind == "patches":
        print(f"making the classifier of {len(images.train):,} images of {images.name}, once", flush=True)
    tensors = make()
    digest = torch.tensor(list(bytes.fromhex(_digest_all(tensors))), dtype=torch.uint8)
    try:
        with replacing(path) as file:
            file.write(save({**tensors, "digest": digest}))
    except OSError:
        pass  # a directory that cannot be written to makes the next time slow, and no number wrong
    return tensors


def _digest_all(tensors: Tensors) -> str:
    return _digest(*(part for name in sorted(tensors) for part in (name, tensors[name])))


def _digest(*parts: str | Tensor) -> str:
    """Take the SHA-256 of texts, and of tensors with their types and shapes."""
    digest = hashlib.sha256()
    for part in parts:
        text = f"{part.dtype} {tuple(part.shape)}" if isinstance(part, Tensor) else part
        digest.update(f"{len(text)} {text}".encode())
        if isinstance(part, Tensor):
            digest.update(part.contiguous().numpy().data)
    return digest.hexdigest()
