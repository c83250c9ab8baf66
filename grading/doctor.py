"""What this machine has, and what each absence costs."""

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked for: whether it is there, what was found, and what its absence costs."""

    name: str
    present: bool
    found: str
    cost: str = ""


def findings(data_dir: Path | None) -> Iterator[Finding]:
    """Look at versions, device, data and the separation of processes."""
    yield Finding("python", sys.version_info >= (3, 11), platform.python_version(), "the kit needs 3.11 or later")
    for package in ("torch", "torchvision", "hypothesis", "matplotlib", "safetensors"):
        yield _package(package, "the kit needs it: pip install -e .")
    yield _package("nbgrader", "no nbgrader course can be made: pip install -e '.[nbgrader]'")
    yield _package("torch-fidelity", "no FID or Inception Score: pip install -e '.[images]'")
    yield _torchvision()
    yield _device()
    yield _mnist(data_dir)
    yield _cifar10(data_dir)
    yield _inception(data_dir)
    yield Finding(
        "fork", sys.platform.startswith("linux"), sys.platform, "each implementation starts from nothing, 2 s more"
    )
    yield from _layers()


def _layers() -> Iterator[Finding]:
    """Look which layers hold around the code that `elbo grade` runs, by starting a process that runs none."""
    from grading.engine.isolation import LAYERS, Limits
    from grading.engine.workers import Starter, layers_of

    with tempfile.TemporaryDirectory() as nothing:
        (starter,) = Starter.enclosed(Limits(), [Path(nothing)])
        held = layers_of(starter, Path(nothing))
        starter.close()
    for layer in LAYERS:
        present = layer.name in held
        cost = f"not stopped while grading: what it is for ({layer.stops}); it {layer.needs}"
        yield Finding(f"isolation: {layer.name}", present, layer.stops if present else "does not hold", cost)


def _package(name: str, cost: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", cost)


def _torchvision() -> Finding:
    from data.vision import torchvision

    try:
        module = torchvision()
    except (ImportError, RuntimeError) as error:
        return Finding("torchvision works", False, str(error).splitlines()[0], "MNIST cannot be fetched through it")
    return Finding("torchvision works", True, f"imports as {module.__version__}")


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("cuda", True, torch.cuda.get_device_name())
    return Finding(
        "cuda",
        False,
        f"none; {os.cpu_count()} cores",
        "images with the preset paper train for days instead of minutes; nothing else minds",
    )


def _mnist(data_dir: Path | None) -> Finding:
    from data import data_root

    root = data_root(data_dir)
    present = any((root / name).exists() for name in ("binarized_mnist.npz", "binarized_mnist_torchvision.npz"))
    found = f"{'found' if present else 'not'} in {root}"
    return Finding("binarized MNIST", present, found, "the preset paper downloads it first, or name it with --data")


def _cifar10(data_dir: Path | None) -> Finding:
    from data import DataMissing, cifar10, data_root

    root = data_root(data_dir)
    try:
        found = cifar10.find(root) or next(filter(Path.exists, cifar10.of_torchvision(root)), None)
    except (DataMissing, OSError):  # the root is a file that is not there, or cannot be read
        found = None
    cost = "the preset paper of cifar10 downloads it first, or name it with --data"
    return Finding("CIFAR-10", found is not None, f"found: {found}" if found else f"not in {root}", cost)


def _inception(data_dir: Path | None) -> Finding:
    from data import data_root
    from exercises.experiments.cifar10.inception import places

    looked = places(data_root(data_dir))
    found = next(filter(Path.is_file, looked), None)
    told = f"found: {found}" if found else f"not in {' or '.join(str(path.parent) for path in looked)}"
    cost = "no FID or Inception Score; they are downloaded when first needed, or put the file there"
    return Finding("Inception weights", found is not None, told, cost)
