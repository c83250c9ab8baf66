"""Pictures in classes, train/CLASS/NAME.jpg or .png and the same of test, decoded from an archive or a directory."""

import io
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from . import DataDamaged
from .members import LARGEST, SPLITS, members

SIDE = 32  # pixels
SUFFIXES = (".jpg", ".jpeg", ".png")
Place = tuple[str, int, str]  # split, label, file name


def read(path: Path, classes: Sequence[str]) -> tuple[dict[str, Tensor], str]:
    """Decode every picture of an archive or a directory, with a progress bar on the terminal.

    Files outside of directories train and test are passed over, and those whose names begin with a dot.

    Args:
        path: a tar archive, packed or not, or a directory.
        classes: names of the directories in train and in test, in the order of their labels.

    Returns:
        For each split `train` (N, 3, 32, 32) uint8 and `train_labels` (N,) uint8, by class and then by file name; and
        how they are coded: "JPEG", "PNG", or "JPEG and PNG".

    Raises:
        DataDamaged: something else is there, or a class without a picture. It is left as it is.
    """
    try:
        pixels, codings = _decode_all(path, classes)
        tensors = {name: tensor for split in SPLITS for name, tensor in _split(split, pixels, classes).items()}
    except Exception as error:  # a broken archive or picture breaks in many ways, and all of them mean this
        raise DataDamaged(
            f"{path} cannot be used: {error}\nExpected pictures of {SIDE} x {SIDE} pixels, JPEG or PNG, in train/CLASS "
            f"and test/CLASS, where CLASS is each of {', '.join(classes)}.\nIt is left as it is. Get or make it anew, "
            "or name another: --data FILE or DIR, or ELBO_DATA in the environment."
        ) from error
    return tensors, " and ".join(sorted(codings))


def _decode_all(path: Path, classes: Sequence[str]) -> tuple[dict[Place, bytes], set[str]]:
    """Decode what are pictures: the pixels of each, and the codings that there are."""
    pixels: dict[Place, bytes] = {}
    codings = set()
    for name, size, content in members(path):
        place = _place(name, classes)
        if place is None:
            continue
        if place in pixels:
            raise DataDamaged(f"found {name!r} a second time")
        if size > LARGEST:
            raise DataDamaged(f"found {name!r} of {size:,} bytes, expected {LARGEST:,} at most")
        encoded = content()
        try:
            pixels[place], coding = _decode(encoded)
        except Exception as error:  # Pillow raises many kinds
            raise DataDamaged(f"found {name!r}, which is no such picture: {error}") from error
        codings.add(coding)
    return pixels, codings


def _place(name: str, classes: Sequence[str]) -> Place | None:
    """Tell where a picture belongs by its path, None for what lies elsewhere or is hidden."""
    parts = PurePosixPath(name).parts
    start = next((number for number, part in enumerate(parts) if part in SPLITS), None)
    if start is None or parts[-1].startswith("."):
        return None
    split, *directories, file = parts[start:]
    if len(directories) != 1 or directories[0] not in classes:
        raise DataDamaged(f"found {name!r}, which is in none of the classes")
    if PurePosixPath(file).suffix.lower() not in SUFFIXES:
        raise DataDamaged(f"found {name!r}, whose name does not end in one of {', '.join(SUFFIXES)}")
    return split, classes.index(directories[0]), file


def _decode(encoded: bytes) -> tuple[bytes, str]:
    """Decode the file of a picture: its (32, 32, 3) bytes of pixels, and "JPEG" or "PNG"."""
    with Image.open(io.BytesIO(encoded), formats=("JPEG", "PNG")) as picture:
        # So far its header alone is read: a picture of a million pixels a side takes no memory.
        if picture.size != (SIDE, SIDE):
            raise DataDamaged(f"it has {picture.width} x {picture.height} pixels")
        return picture.convert("RGB").tobytes(), str(picture.format)


def _split(split: str, pixels: dict[Place, bytes], classes: Sequence[str]) -> dict[str, Tensor]:
    """Put the images of a split in order, and take them out of `pixels`, so that no two copies last."""
    places = sorted(place for place in pixels if place[0] == split)
    labels = [label for _, label, _ in places]
    for label, name in enumerate(classes):
        if label not in labels:
            raise DataDamaged(f"found no picture in {split}/{name}")
    array = np.frombuffer(b"".join(pixels.pop(place) for place in places), np.uint8).reshape(-1, SIDE, SIDE, 3)
    images = torch.from_numpy(array.transpose(0, 3, 1, 2).copy())
    return {split: images, f"{split}_labels": torch.tensor(labels, dtype=torch.uint8)}
