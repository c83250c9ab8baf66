"""Layers one after another, and the density that they induce."""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .planar import constrain_u, planar  # noqa: F401  (one way needs the one, another the other)

Layer = tuple[Tensor, Tensor, Tensor]  # u, w and b of one planar layer


class Base(Protocol):
    """The distribution that a flow begins or ends with, as in torch.distributions."""

    def log_prob(self, z: Tensor) -> Tensor:
        """Return the log-density of each row of z, (batch,) nats."""
        ...


def compose(layers: Sequence[Layer], z: Tensor) -> tuple[Tensor, Tensor]:
    """Planar layers applied one after another, the first one first, with the sum of their log-determinants.

    z_0 = z, z_i = f_i(z_(i-1)); log |det dz_k/dz_0| = sum_i log |det df_i/dz_(i-1)|, each at z_(i-1)

    Args:
        layers: k triples (u, w, b) as planar takes them, all shared or all of each instance's own.
            None at all are the identity.
        z: (batch, d) points.

    Returns:
        (z_k, log_abs_det), (batch, d) and (batch,) nats, without ever forming a Jacobian.

    Source: Rezende and Mohamed (2015), equations 6 and 7.
    """
    # YOUR CODE HERE
    raise NotImplementedError("flows.compose is still to be written, in flows/composition.py")


def log_density(layers: Sequence[Layer], x: Tensor, base: Base) -> Tensor:
    """Log-density at x of the distribution that the layers turn into the base.

    log p(x) = log base(f(x)) + log |det df/dx|, f(x) = f_k(...f_1(x))

    Of layers that lead from the base to z_k, question 3.3 has log q_k(z_k) = log q_0(z_0) - sum log |det|. Here they
    lead to the base, and x is where their inverses end: the log-determinant of an inverse has the other sign.

    Args:
        layers: k triples (u, w, b).
        x: (batch, d) points.
        base: base.log_prob(z) is (batch,) nats for z of (batch, d).

    Returns:
        (batch,) nats. Over all x the density integrates to 1.

    Source: Rezende and Mohamed (2015), equation 5.
    """
    # YOUR CODE HERE
    raise NotImplementedError("flows.log_density is still to be written, in flows/composition.py")
