"""The given flow: its parameters as one tensor, and as the layers that the student's functions take."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from ..checkpoints import read_model

DIM = 2
Layer = tuple[Tensor, Tensor, Tensor]
Layers = Sequence[Layer]


class Functions(Protocol):
    """The student's functions of Problem 3 that the experiment calls; exercises/flows says what each one does."""

    constrain_u: Callable[[Tensor, Tensor], Tensor]
    planar: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    compose: Callable[[Layers, Tensor], tuple[Tensor, Tensor]]
    negative_log_likelihood: Callable[[Layers, Tensor], Tensor]
    reverse_kl: Callable[[Layers, Tensor, Callable[[Tensor], Tensor]], Tensor]


class Implementation(Protocol):
    """What an experiment receives: an object or a package with the topic `flows`."""

    @property
    def flows(self) -> Functions:
        """The functions of Problem 3."""
        ...


class PlanarFlow(nn.Module):
    """Planar layers on the plane; row i of `weights`, (k, 2 d + 1), holds layer i (see layers_of)."""

    def __init__(self, weights: Tensor, shifted: bool) -> None:
        """Begin with these weights."""
        super().__init__()
        # One parameter instead of three for each layer: an update then costs the same for any number of layers.
        self.weights = nn.Parameter(weights)
        self.shifted = shifted

    def layers(self) -> list[Layer]:
        """Return the triples (u, w, b), shapes (d,), (d,) and (), in the order in which they are applied."""
        return layers_of(self.weights, self.shifted)


def layers_of(weights: Tensor, shifted: bool) -> list[Layer]:
    """Turn weights into layers: a row is (u, w, b), or where `shifted` (v, w, b) with u = v + log(e - 1) w / |w|^2.

    The constraint turns w.u = log(e - 1) into w.u_hat = 0. So v = 0 is a layer that does nothing, as u = 0 is in the
    original, which corrects u only where it has to; the optimizer then works in the original's coordinates. With a
    plain u = 0 every layer would press the plane together, w.u_hat = log 2 - 1, and 32 of them to a point.

    Args:
        weights: (k, 2 d + 1) for layers that all instances share, (k, batch, 2 d + 1) for each instance's own.
        shifted: whether the rows hold v.

    Returns:
        k triples (u, w, b).
    """
    u, w, b = weights.split((DIM, DIM, 1), -1)
    if shifted:
        u = _shift(u, w)
    return list(zip(u.unbind(), w.unbind(), b.squeeze(-1).unbind(), strict=True))


def _shift(v: Tensor, w: Tensor) -> Tensor:
    return torch.addcdiv(v, w, (w * w).sum(-1, keepdim=True).clamp_min(1e-12), value=math.log(math.e - 1))


def small_weights(num_layers: int) -> Tensor:
    """Draw the assignment's start, u or v and w from N(0, 0.01^2) and b = 0: (k, 2 d + 1), with torch's generator."""
    return torch.cat([0.01 * torch.randn(num_layers, 2 * DIM), torch.zeros(num_layers, 1)], 1)


def idle_weights(num_layers: int) -> Tensor:
    """Draw layers that do almost nothing in plain coordinates: (k, 2 d + 1), with torch's generator.

    w ~ N(0, I), b = 0, and u = v + log(e - 1) w / |w|^2 with v ~ N(0, 0.01^2)
    """
    v, w = 0.01 * torch.randn(num_layers, DIM), torch.randn(num_layers, DIM)
    return torch.cat([_shift(v, w), w, torch.zeros(num_layers, 1)], 1)


def load_model(path: Path, num_layers: int, shifted: bool) -> PlanarFlow:
    """Load the flow of a checkpoint that anybody may have written.

    Raises:
        CheckpointError: the file is missing, cut off, a pickle, of another flow, or holds nan or infinity.
    """
    flow = PlanarFlow(torch.zeros(num_layers, 2 * DIM + 1), shifted)
    flow.load_state_dict(read_model(path, flow.state_dict()))
    return flow
