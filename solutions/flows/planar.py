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
    ### BEGIN SOLUTION
    wu = (w * u).sum(-1, keepdim=True)
    ww = (w * w).sum(-1, keepdim=True)
    # m(a) - a = -1 - log sigmoid(a). Where w is 0, dividing by 1 keeps 0 / 0 out of the value and the gradient.
    return u - (1 + F.logsigmoid(wu)) / torch.where(ww > 0, ww, 1.0) * w
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    u_hat = constrain_u(u, w)
    h = torch.tanh((w * z).sum(-1) + b)
    # 1 + w.u_hat is log(1 + exp(w.u)): taken so, it stays positive where 1 and w.u_hat would cancel.
    stretch = torch.where((w != 0).any(-1), F.softplus((w * u).sum(-1)), 1.0)
    log_abs_det = torch.log(h * h + (1 - h * h) * stretch)
    return z + u_hat * h.unsqueeze(-1), log_abs_det
    ### END SOLUTION
