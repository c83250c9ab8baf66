"""What a training leaves: the trajectory of the student's own start in full, those of all starts thinned out."""

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..runs import RunError, write_whole
from .settings import Config

KEPT = 1000  # records of all starts


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
    records = config.iterations // stride(config) + 1
    expected = {
        "path": ("F64", [config.iterations + 1, 4]),
        "starts": ("F32", [records, config.starts, 2]),
    }
    tensors = {}
    try:
        with safe_open(path, framework="pt") as file:
            for name, (kind, shape) in expected.items():
                part = file.get_slice(name)
                if part.get_dtype() != kind or part.get_shape() != shape:
                    raise RunError(
                        f"{path} holds {name} as {part.get_dtype()} of shape {part.get_shape()}, expected {kind} of "
                        f"shape {shape}; train again"
                    )
                tensors[name] = file.get_tensor(name)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path} cannot be read ({error}); train again") from error
    if not all(bool(t.isfinite().all()) for t in tensors.values()):
        raise RunError(f"{path} holds nan or infinity; train again")
    return Trajectory(**tensors)
