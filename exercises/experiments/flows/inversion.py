"""The way back through a planar flow, which has no closed form: one number for each layer and point is searched."""

from collections.abc import Callable

import torch
from torch import Tensor

from .networks import Layers

# Each step halves an interval of at most 2 |w.u_hat|, down to the spacing of double precision numbers.
STEPS = 60


def invert(constrain_u: Callable[[Tensor, Tensor], Tensor], layers: Layers, z: Tensor) -> Tensor:
    """Find the points that a flow sends to z.

    With a = w.z' + b the image z of z' has w.z + b = a + w.u_hat tanh(a), which grows with a where w.u_hat >= -1: a
    is found by bisection, and z' = z - u_hat tanh(a).

    Args:
        constrain_u: as in Problem 3.
        layers: k triples (u, w, b).
        z: (n, d) points.

    Returns:
        (n, d), right to rounding error; computed in double precision, without a graph.
    """
    with torch.no_grad():
        found = z.double()
        for u, w, b in ((u.double(), w.double(), b.double()) for u, w, b in reversed(layers)):
            u_hat = constrain_u(u, w)
            wu, height = (w * u_hat).sum(-1), (w * found).sum(-1) + b
            low, high = height - wu.abs(), height + wu.abs()
            for _ in range(STEPS):
                middle = (low + high) / 2
                below = middle + wu * torch.tanh(middle) < height
                low, high = torch.where(below, middle, low), torch.where(below, high, middle)
            found = found - u_hat * torch.tanh((low + high) / 2).unsqueeze(-1)
        return found.to(z.dtype)
