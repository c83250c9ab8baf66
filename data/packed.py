"""The file format of binary images: an npz archive with a uint8 array for each split, np.packbits of each image."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from . import DataDamaged

PIXELS = 784
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Split:
    """What the array of a split has to be: its rows, and the SHA-256 of its bytes where that is known."""

    rows: int
    sha256: str | None = None


def read(path: Path, splits: Mapping[str, Split]) -> Arrays:
    """Read and check the splits of an npz file.

    Returns:
        For each split (rows, 98) uint8; np.unpackbits(array, axis=1) gives its (rows, 784) pixels.

    Raises:
        DataDamaged: the file is no such archive, or `check` finds fault with its content.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in splits}
        check(arrays, splits)
    except Exception as error:  # a broken archive breaks in many ways, and all of them mean this
        raise DataDamaged(
            f"{path} cannot be used: {error}\nExpected arrays of uint8, packed from {PIXELS} pixels an image: "
            + ", ".join(f"{name} ({split.rows}, {PIXELS // 8})" for name, split in splits.items())
            + ".\nIt is left as it is. Move it away to have it made anew, or name another directory: --data DIR, "
            "or ELBO_DATA=DIR in the environment."
        ) from error
    return arrays


def check(arrays: Arrays, splits: Mapping[str, Split]) -> None:
    """Raise DataDamaged unless every array has the type, the shape and the content that its split has to have."""
    for name, split in splits.items():
        array, shape = arrays[name], (split.rows, PIXELS // 8)
        if (array.dtype, array.shape) != (np.uint8, shape):
            raise DataDamaged(f"found {name} of {array.dtype} {array.shape}, expected uint8 {shape}")
        found = hashlib.sha256(array.tobytes()).hexdigest()
        if split.sha256 not in (None, found):
            raise DataDamaged(f"found {name} with SHA-256 {found}, expected {split.sha256}")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` where the block ends well, and is gone where it does not.

    Raises:
        OSError: the directory cannot be made or written to; said before the block begins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
