"""One planar layer: a smooth constraint that keeps it invertible, the map, and the log-determinant of its Jacobian."""

import torch
import torch.nn.functional as F
from torch import Tensor


def constrain_u(u: Tensor, w: Tensor) -> Tensor:
    """Vector u_hat, which is u changed smoothly and along w only, such that z + u_hat tanh(w.z + b) can be inverted.

    u_hat = u + (m(w.u) - w.u) w / |w|^2, m(a) = -1 + log(1 + exp(a)), so that w.u_hat = m(w.u)

    Args:
        u: (d,) for a layer that all instances share, or (batch, d) for a layer of each instance's own.
        w: the shape of u.

    Returns:
        The shape of u; differentiable in both. Where w is 0 every u is allowed, and u comes back as it is,
        with a finite gradient.

    Source: Rezende and Mohamed (2015), appendix A.1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("flows.constrain_u is still to be written, in flows/planar.py")


def planar(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Planar layer with a constrained u, and the log of the absolute determinant of its Jacobian, never formed.

    f(z) = z + u_hat tanh(w.z + b), with the u_hat that constrain_u gives
    log |det df/dz| = log |1 + (1 - tanh(w.z + b)^2) w.u_hat|     (the matrix determinant lemma)

    Args:
        z: (batch, d) points.
        u, w: (d,) and b: () for a layer that all instances share;
            (batch, d) and (batch,) for a layer of each instance's own.

    Returns:
        (f(z), log_abs_det), (batch, d) and (batch,) nats, with finite gradients also where tanh is flat.
        No tensor is larger than a few times batch x d.

    Source: Rezende and Mohamed (2015), equations 10 to 12.
    """
    # YOUR CODE HERE
    raise NotImplementedError("flows.planar is still to be written, in flows/planar.py")
