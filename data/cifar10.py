"""CIFAR-10, of Krizhevsky (2009): from pictures in an archive or a directory, or through torchvision."""

import re
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from . import ColourImages, DataMissing, pictures
from .download import default_timeout
from .kept import CACHE, kept
from .members import fingerprint
from .vision import torchvision

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COUNTS = {"train": 50_000, "test": 10_000}
ARCHIVE = re.compile(r".+\.(tar|tar\.(gz|xz|bz2)|tgz)")
TORCHVISION = ("cifar-10-batches-py", "cifar-10-python.tar.gz")  # what it makes, and what it downloads
KEPT = "cifar10-torchvision"
WHAT_TO_DO = (
    "Make it once where there is a network, copy it, and name its directory; or name an archive or a directory of "
    "pictures, train/CLASS/*.jpg or *.png and the same of test: --data FILE or DIR, or ELBO_DATA in the environment."
)


def load(root: Path, cache: Path = CACHE) -> ColourImages:
    """Load 50,000 and 10,000 images; those of a split by class.

    Args:
        root: an archive or a directory of pictures, or a directory with such a cifar10*.tar* or cifar10*/ in it; where
            it is neither, the directory of torchvision's CIFAR10, into which it is downloaded where it is not there.
        cache: where the images are kept once they are decoded.

    Returns:
        The images, whose `source` says where they are from and, of pictures, how they are coded: a lossy coding changes
        scores. Pictures of another number than the original's are taken too, and `source` says how many.

    Raises:
        DataMissing: they are neither there nor to be had, or cannot be read.
        DataDamaged: the pictures are not what they should be. They are left as they are.
    """
    try:
        found = find(root)
        if not found:
            return kept(KEPT, lambda: _from_torchvision(root), cache)
        images = kept(f"cifar10-{fingerprint(found)[:20]}", lambda: _from_pictures(found), cache)
    except OSError as error:
        raise DataMissing(f"cifar10: {error}\nExpected data that can be read. {WHAT_TO_DO}") from error
    source = f"{images.source} of {found.absolute().name}"
    if (len(images.train), len(images.test)) != tuple(COUNTS.values()):
        source += f" ({len(images.train):,} and {len(images.test):,}, where the original has 50,000 and 10,000)"
    return replace(images, source=source)


def find(root: Path) -> Path | None:
    """Find the archive or the directory of pictures that a root is or has in it; None says that it is torchvision's.

    Raises:
        DataMissing: the root has the name of an archive, and there is none.
        OSError: the root cannot be read.
    """
    if root.is_file():
        return None if root.name in TORCHVISION else root
    if not root.exists() and ARCHIVE.fullmatch(root.name):
        raise DataMissing(f"cifar10: found no file {root}, expected an archive there. {WHAT_TO_DO}")
    inside = sorted(root.glob("cifar10*"))
    directories = [path for path in (root, *inside) if (path / "train").is_dir()]
    archives = [path for path in inside if ARCHIVE.fullmatch(path.name) and path.is_file()]
    return next(iter(directories + archives), None)


def of_torchvision(root: Path, cache: Path = CACHE) -> list[Path]:
    """Tell where torchvision's images may be: decoded, unpacked, or downloaded."""
    directory = _directory(root)
    return [cache / f"{KEPT}.safetensors", *(directory / name for name in TORCHVISION)]


def _directory(root: Path) -> Path:
    return root.parent if root.name in TORCHVISION else root


def _from_pictures(path: Path) -> ColourImages:
    tensors, coding = pictures.read(path, CLASSES)
    return ColourImages("cifar10", f"{coding} files", CLASSES, **tensors)


def _from_torchvision(root: Path) -> ColourImages:
    """Take torchvision's images, downloaded where they are not there; from any root they are the same."""
    directory = _directory(root)
    tensors: dict[str, Tensor] = {}
    try:
        # It prints to where other output may be read by a program. It unpickles, which can run code, but compares the
        # MD5 sum of each file with its own first: what it unpickles is what Krizhevsky published.
        with default_timeout(), redirect_stdout(sys.stderr):
            for split in COUNTS:
                images = torchvision().datasets.CIFAR10(directory, train=split == "train", download=True)
                labels = torch.tensor(images.targets, dtype=torch.uint8)
                order = labels.argsort(stable=True)
                tensors[split] = torch.from_numpy(images.data).permute(0, 3, 1, 2)[order]
                tensors[f"{split}_labels"] = labels[order]
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        raise DataMissing(
            f"cifar10: found in {directory} neither pictures (cifar10*.tar* or cifar10*/) nor, in good order, "
            f"torchvision's ({' or '.join(TORCHVISION)}), and could not download the latter: {error}\n"
            f"Expected one of them there. {WHAT_TO_DO}"
        ) from error
    return ColourImages("cifar10", "torchvision's CIFAR-10", CLASSES, **tensors)
