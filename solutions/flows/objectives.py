"""What a flow is trained with: from samples of its target, or from the target's energy."""

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from .composition import Layer, compose


def negative_log_likelihood(layers: Sequence[Layer], x: Tensor) -> Tensor:
    """Negative log-likelihood of samples under a flow that maps them to the base N(0, I).

    -log p(x) = 1/2 |f(x)|^2 + d/2 log 2 pi - log |det df/dx|

    Args:
        layers: k triples (u, w, b).
        x: (batch, d) samples of the target.

    Returns:
        (batch,) nats. Their mean cannot go below the target's entropy.

    Source: Rezende and Mohamed (2015), equation 5, with the layers from the data to the base.
    """
    ### BEGIN SOLUTION
    z, log_abs_det = compose(layers, x)
    return 0.5 * (z * z).sum(-1) + 0.5 * x.shape[-1] * math.log(2 * math.pi) - log_abs_det
    ### END SOLUTION


def reverse_kl(layers: Sequence[Layer], z0: Tensor, energy: Callable[[Tensor], Tensor]) -> Tensor:
    """Terms of the KL divergence from a flow of the base N(0, I) to a density known up to its constant, exp(-energy).

    log q_k(z_k) + U(z_k) = log N(z_0; 0, I) - log |det df/dz_0| + U(z_k), z_k = f(z_0)

    Args:
        layers: k triples (u, w, b).
        z0: (batch, d) samples of N(0, I).
        energy: U, energy(z) is (batch,) for z of (batch, d).

    Returns:
        (batch,) nats; over z0 ~ N(0, I) their mean is KL(q_k || p) - log Z with p = exp(-U) / Z. Gradients
        reach the layers through the samples z_k too.

    Source: Rezende and Mohamed (2015), equation 15, with -U for log p(x, z).
    """
    ### BEGIN SOLUTION
    z, log_abs_det = compose(layers, z0)
    log_base = -0.5 * (z0 * z0).sum(-1) - 0.5 * z0.shape[-1] * math.log(2 * math.pi)
    return log_base - log_abs_det + energy(z)
    ### END SOLUTION
