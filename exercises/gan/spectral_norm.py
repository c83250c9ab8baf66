"""A weight divided by its largest singular value, which makes a layer's slope at most 1."""

import torch
import torch.nn.functional as F
from torch import Tensor


def spectral_norm(weight: Tensor, u: Tensor, num_iterations: int) -> tuple[Tensor, Tensor]:
    """Weight divided by its largest singular value, as power iteration from u estimates it.

    u <- W W^T u / |W W^T u|, num_iterations times; then v = W^T u / |W^T u|, sigma = u.(W v), weight / sigma

    Args:
        weight: (out, in), or (out, ...) for a convolution, which is W of shape (out, -1).
        u: (out,) of length 1, from the update before; it is left as it is.
        num_iterations: 0 leaves u where it is, for evaluation.

    Returns:
        (weight / sigma, u), the shapes of weight and u. The gradient reaches weight through the division and through
        sigma, with u and v as constants; the new u has no graph.

    Source: Miyato et al. (2018), algorithm 1 and equation 12.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gan.spectral_norm is still to be written, in gan/spectral_norm.py")
