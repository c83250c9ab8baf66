"""MNIST with binary pixels: the static binarization of Larochelle and Murray (2011), or a substitute that says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from . import DataDamaged, DataMissing, Images
from .download import default_timeout, lines, say
from .packed import PIXELS, Arrays, Split, check, read, replacing
from .vision import torchvision

FILE = "binarized_mnist.npz"
SUBSTITUTE = "binarized_mnist_torchvision.npz"
SEED = 2011  # of the substitute's binarization
SOURCES = {
    FILE: "Larochelle and Murray's static binarization",
    SUBSTITUTE: f"torchvision's MNIST, binarized with seed {SEED}",
}


@dataclass(frozen=True)
class Release:
    """Where a binarization was published, one text file a split, and what it holds."""

    url: str  # with {split} in it
    splits: dict[str, Split]


LAROCHELLE_MURRAY = Release(
    "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/binarized_mnist_{split}.amat",
    {
        "train": Split(50_000, "727146c35424b019f3e350e1e69faa05644a0abaf787e3f4e1a9632220a13906"),
        "valid": Split(10_000, "a256ac44ae26be720fad8616a05ed6ecfd1619930d9a208379bb2a4405df5b6d"),
        "test": Split(10_000, "9fcd8da6f0fdf09b2ba30fe63a0bb784042a0de82563172530229b983e294ff2"),
    },
)


def load(root: Path, release: Release = LAROCHELLE_MURRAY) -> Images:
    """Load 50,000, 10,000 and 10,000 images from a directory, into which they are downloaded where it has none.

    Args:
        root: the directory of binarized_mnist.npz or, failing that, of its substitute.
        release: the publication to download from and to check against.

    Returns:
        The images, 55 MB as bytes; their `source` says which of the two binarizations they are.

    Raises:
        DataMissing: the directory has neither file, and neither can be made.
        DataDamaged: the file does not hold what it should. It is neither replaced nor passed over.
    """
    path = next((root / name for name in SOURCES if (root / name).exists()), None) or prepare(root, release)
    packed = read(path, _splits(path.name, release))
    return Images(
        name="binarized_mnist",
        source=SOURCES[path.name],
        **{split: torch.from_numpy(np.unpackbits(array, axis=1)).contiguous() for split, array in packed.items()},
    )


def prepare(root: Path, release: Release = LAROCHELLE_MURRAY) -> Path:
    """Download the release into root/binarized_mnist.npz, or else binarize torchvision's MNIST beside it and say so.

    Returns:
        The path of the file, written whole or not at all.

    Raises:
        DataMissing: neither can be had, or the directory cannot be written to.
    """
    makers: dict[str, Callable[[], Arrays]] = {
        FILE: lambda: {split: _download(release.url.format(split=split)) for split in release.splits},
        SUBSTITUTE: lambda: _binarize_torchvision(root, release),
    }
    reasons = []
    for name, make in makers.items():
        try:
            with replacing(root / name) as file:
                arrays = make()
                check(arrays, _splits(name, release))
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # takes them for its flag allow_pickle
        except (OSError, DataDamaged, DataMissing) as error:
            reasons.append(f"{SOURCES[name]}: {error}")
        else:
            if reasons:
                say(f"Not to be had: {reasons[0]}\nTaken instead: {SOURCES[name]}. Figures will differ a little.")
            return root / name
    raise DataMissing(
        f"binarized_mnist: found neither {FILE} nor {SUBSTITUTE} in {root}, and could make neither.\n  "
        + "\n  ".join(reasons)
        + f"\nExpected {FILE} there. Make it once where there is a network, copy it, and name its directory: "
        "--data DIR, or ELBO_DATA=DIR in the environment."
    )


def _splits(name: str, release: Release) -> dict[str, Split]:
    """Say what a file has to hold: the release's hashes are no business of the substitute's."""
    if name == FILE:
        return release.splits
    return {split: replace(expected, sha256=None) for split, expected in release.splits.items()}


def _download(url: str) -> np.ndarray:
    """Pack a text file of one image a line, 784 numbers 0 or 1 separated by blanks."""
    rows = []
    for line in lines(url):
        pixels = line.translate(None, b" \t\r\n")
        if len(pixels) != PIXELS or pixels.translate(None, b"01"):
            raise DataDamaged(f"{url}: found the line {line[:40]!r}..., expected {PIXELS} numbers 0 or 1")
        rows.append(np.packbits(np.frombuffer(pixels, np.uint8) - ord("0")))
    return np.array(rows)


def _binarize_torchvision(root: Path, release: Release) -> Arrays:
    """Draw each pixel once, from the Bernoulli distribution whose mean is its intensity in torchvision's MNIST."""
    try:
        with default_timeout():
            mnist = torchvision().datasets.MNIST
            grey = {part: mnist(root, train=part == "train", download=True).data.numpy() for part in ("train", "test")}
    except (ImportError, RuntimeError, ValueError) as error:  # beside OSError, what torchvision raises
        raise DataMissing(str(error)) from error
    random = np.random.default_rng(SEED)
    # A byte u below 255 is less than the grey g with probability g / 255: no float is needed.
    bits = {part: random.integers(255, size=images.shape, dtype=np.uint8) < images for part, images in grey.items()}
    packed = {part: np.packbits(pixels.reshape(-1, PIXELS), axis=1) for part, pixels in bits.items()}
    border = release.splits["train"].rows
    return {"train": packed["train"][:border], "valid": packed["train"][border:], "test": packed["test"]}
