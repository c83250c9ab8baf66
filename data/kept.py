"""Coloured images that take long to decode, kept in a memory-mapped file of the safetensors format."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from . import ColourImages, DataDamaged
from .packed import replacing

CACHE = Path(__file__).parent / "cache"
TENSORS = ("train", "train_labels", "test", "test_labels")
PICTURE = (3, 32, 32)


def kept(key: str, make: Callable[[], ColourImages], cache: Path = CACHE) -> ColourImages:
    """Read the images that are kept under a key, or else make them and keep them.

    Args:
        key: the name of the file; it has to change with everything that the images depend on.
        make: called where there is no such file, or a damaged one. What it raises passes through.
        cache: the directory of files. Where it cannot be written to, one of this user's own in the temporary directory
            takes its place; where that cannot be written to either, the images are made each time.

    Returns:
        The images, whose tensors are mapped into memory: processes that read the same file share them.
    """
    file = f"{key}.safetensors"
    for place in _places(cache):
        try:
            return _read(place / file)
        except Exception:  # absent, or broken in one of many ways: it is no file of the user's, and is made anew
            continue
    images = make()
    for place in _places(cache):
        try:
            _write(images, place / file)
            return _read(place / file)
        except OSError:
            continue
    return images


def _places(cache: Path) -> Iterator[Path]:
    yield cache
    user = os.getuid() if hasattr(os, "getuid") else 0
    try:
        own = Path(tempfile.gettempdir(), f"elbo-room-{user}")
        own.mkdir(mode=0o700, exist_ok=True)
        status = own.lstat()
    except OSError:
        return
    # Anyone could have made a directory of this name, and put other images into it.
    if status.st_uid == user and not status.st_mode & 0o022:
        yield own


def _write(images: ColourImages, path: Path) -> None:
    tensors = {name: getattr(images, name).contiguous() for name in TENSORS}
    words = {"name": images.name, "source": images.source, "classes": ",".join(images.classes)}
    words["sha256"] = _digest(tensors, words)
    with replacing(path) as file:
        file.write(save(tensors, words))


def _digest(tensors: Mapping[str, Tensor], words: Mapping[str, str]) -> str:
    """Take the SHA-256 of words and of tensors, with the types and shapes of these."""
    kinds = {name: (str(tensor.dtype), *tensor.shape) for name, tensor in tensors.items()}
    digest = hashlib.sha256(repr((sorted(words.items()), sorted(kinds.items()))).encode())
    for name in sorted(tensors):
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()


def _read(path: Path) -> ColourImages:
    """Map a file into memory and check what it holds."""
    with safe_open(path, framework="pt") as file:
        words = file.metadata() or {}
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in TENSORS}
    if words.pop("sha256") != _digest(tensors, words):  # bytes change on a disk without a sign
        raise DataDamaged(f"{path}: found another content than was written")
    classes = tuple(words["classes"].split(","))
    for name in ("train", "test"):
        images, labels = tensors[name], tensors[f"{name}_labels"]
        kinds = (images.dtype, labels.dtype, images.shape[1:], labels.shape)
        if kinds != (torch.uint8, torch.uint8, PICTURE, images.shape[:1]):
            raise DataDamaged(f"{path}: found {name} of {images.dtype} {tuple(images.shape)}")
        if len(labels.bincount()) != len(classes):
            raise DataDamaged(f"{path}: found labels that are not of {len(classes)} classes")
    return ColourImages(words["name"], words["source"], classes, **tensors)
