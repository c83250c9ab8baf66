"""What a training leaves: the trajectory of the student's own start in full, those of all starts thinned out."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from ..runs import RunError, write_whole
from .settings import Config

KEPT = 1000  # records of all starts
LARGEST = 400 << 20  # bytes of a file


@dataclass(frozen=True)
class Trajectory:
    """path: (iterations + 1, 4), after each iteration (psi0, psi1, theta, average of theta) of the first start.

    starts: (records, starts, 2), (psi0, theta) of all starts after every `stride` iterations.
    """

    path: Tensor
    starts: Tensor

    @property
    def iterations(self) -> int:
        """How many there were."""
        return len(self.path) - 1


def stride(config: Config) -> int:
    """Return how many iterations lie between two records of all starts."""
    return max(1, config.iterations // KEPT)


def write(path: Path, trajectory: Trajectory, source: str = "") -> None:
    """Write a trajectory, and what tells the functions that made it, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    write_whole(path, encode(trajectory, source))


def encode(trajectory: Trajectory, source: str = "") -> bytes:
    """Return the content of a trajectory's file."""
    tensors = {"path": trajectory.path.contiguous(), "starts": trajectory.starts.contiguous()}
    return save(tensors, metadata={"source": source})


def source_of(path: Path) -> str | None:
    """Return what tells the functions that made a trajectory, None where the file cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("source")
    except (OSError, SafetensorError):
        return None


def read(path: Path, config: Config) -> Trajectory:
    """Read a trajectory that anybody may have written.

    Raises:
        RunError: it is missing, cut off, no trajectory of such settings, or holds nan or infinity.
    """
    if path.is_symlink() or not path.is_file():  # a pipe would be waited for
        raise RunError(f"{path} is not there, or is no file; train again")
    if path.stat().st_size > LARGEST:
        raise RunError(f"{path} has {path.stat().st_size} bytes, expected at most {LARGEST}; train again")
    try:
        return decode(path.read_bytes(), config, str(path))
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error}); train again") from error


def decode(content: bytes, config: Config, name: str) -> Trajectory:
    """Read the content of a trajectory's file, which anybody may have written; name: what an error calls it.

    Raises:
        RunError: it is no trajectory of such settings, or holds nan or infinity.
    """
    records = config.iterations // stride(config) + 1
    expected = {
        "path": (torch.float64, (config.iterations + 1, 4)),
        "starts": (torch.float32, (records, config.starts, 2)),
    }
    try:
        found = load(content)
    except SafetensorError as error:
        raise RunError(f"{name} cannot be read ({error}); train again") from error
    for key, (kind, shape) in expected.items():
        tensor = found.get(key)
        if tensor is None or tensor.dtype != kind or tensor.shape != shape:
            told = "nothing" if tensor is None else f"{tensor.dtype} of shape {tuple(tensor.shape)}"
            raise RunError(f"{name} holds {told} as {key}, expected {kind} of shape {shape}; train again")
        if not tensor.isfinite().all():
            raise RunError(f"{name} holds nan or infinity; train again")
    return Trajectory(found["path"], found["starts"])
