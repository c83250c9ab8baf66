"""Given data: loaders and generators, one file a data set, and the words that they share."""

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

NAMES = ("digits", "binarized_mnist")  # each a module here with load(root) -> Images
COLOUR_NAMES = ("shapes", "cifar10")  # each a module here with load(root) -> ColourImages


# The two below are named for what a person met with.
class DataError(Exception):
    """Data cannot be had; the message says what was found, what was expected and what to do."""


class DataMissing(DataError):
    """A file is neither there nor to be downloaded."""


class DataDamaged(DataError):
    """A file is there and is not what it should be; it is left as it is."""


@dataclass(frozen=True)
class Images:
    """A data set of binary images: three splits, each (N, 784) uint8 zeros and ones, and where they come from."""

    name: str
    source: str
    train: Tensor
    valid: Tensor
    test: Tensor


@dataclass(frozen=True)
class ColourImages:
    """A data set of coloured images in classes, and where they come from.

    train, test: (N, 3, 32, 32) uint8. train_labels, test_labels: (N,) uint8, places in `classes`.
    """

    name: str
    source: str
    classes: tuple[str, ...]
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def data_root(option: Path | None = None) -> Path:
    """Find the directory of data files: the option --data, else the variable ELBO_DATA, else data/cache/ of the kit."""
    return Path(option or os.environ.get("ELBO_DATA") or Path(__file__).parent / "cache")


def load(name: str, root: Path | None = None) -> Images:
    """Load a data set by its name, from data_root(root) where it lies in files.

    Raises:
        ValueError: no data set has this name.
        DataMissing: its files are not in the directory and cannot be downloaded.
        DataDamaged: its files are in the directory and are not what they should be.
    """
    images: Images = _load(name, NAMES, root)
    return images


def load_colour(name: str, root: Path | None = None) -> ColourImages:
    """Load a data set of coloured images by its name; raises what `load` does."""
    images: ColourImages = _load(name, COLOUR_NAMES, root)
    return images


def _load(name: str, known: Sequence[str], root: Path | None) -> Any:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
        raise ValueError(f"found data set {name!r}, expected one of {', '.join(known)}; did you mean {near!r}?")
    return import_module(f".{name}", __name__).load(data_root(root))
