"""The given flow: its parameters as one tensor, and as the layers that the student's functions take."""

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
    """The student's functions of Problem 3 that the experiment calls; solutions/flows says what each one does."""

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
    """Planar layers on the plane; row i of `weights`, (k, 2 d + 1), holds u, w and b of layer i."""

    def __init__(self, num_layers: int) -> None:
        """Begin with u and w from N(0, 0.01^2) and b at 0, from torch's generator."""
        super().__init__()
        start = torch.cat([0.01 * torch.randn(num_layers, 2 * DIM), torch.zeros(num_layers, 1)], 1)
        # One parameter instead of three for each layer: an update then costs the same for any number of layers.
        self.weights = nn.Parameter(start)

    def layers(self) -> list[Layer]:
        """Return the triples (u, w, b), shapes (d,), (d,) and (), in the order in which they are applied."""
        return layers_of(self.weights)


def layers_of(weights: Tensor) -> list[Layer]:
    """Cut (k, 2 d + 1) weights into k triples (u, w, b)."""
    u, w, b = weights.split((DIM, DIM, 1), 1)
    return list(zip(u.unbind(), w.unbind(), b.squeeze(1).unbind(), strict=True))


def load_model(path: Path, num_layers: int) -> PlanarFlow:
    """Load the flow of a checkpoint that anybody may have written.

    Raises:
        CheckpointError: the file is missing, cut off, a pickle, of another flow, or holds nan or infinity.
    """
    flow = PlanarFlow(num_layers)
    flow.load_state_dict(read_model(path, flow.state_dict()))
    return flow
