"""A planar flow as the posterior of a variational autoencoder."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from .composition import Layer, compose


class Likelihood(Protocol):
    """What a decoder answers with: the distribution p(x | z), as in torch.distributions."""

    def log_prob(self, x: Tensor) -> Tensor:
        """Return log p(x | z) for each row, (batch,) nats."""
        ...


Encoder = Callable[[Tensor], tuple[Tensor, Tensor, Sequence[Layer]]]
Decoder = Callable[[Tensor], Likelihood]


def flow_elbo(x: Tensor, encode: Encoder, decode: Decoder) -> Tensor:
    """Evidence lower bound of each instance with a planar flow as the posterior, by one sample.

    ELBO(x) = log p(x | z_k) + log N(z_k; 0, I) - log q_0(z_0 | x) + sum_i log |det df_i/dz_(i-1)|,
    z_0 = mu + exp(logvar / 2) eps, eps ~ N(0, I), z_k = f_k(...f_1(z_0)), q_0(z_0 | x) = N(z_0; mu, diag exp(logvar))

    Args:
        x: (batch, d) data.
        encode: encode(x) returns (mu, logvar, layers): mu and logvar (batch, L), and k triples (u, w, b) of
            (batch, L), (batch, L) and (batch,), so that every instance has a flow of its own.
        decode: decode(z) returns the distribution p(x | z) of (batch, L) latent variables;
            decode(z).log_prob(x) is (batch,) nats.

    Returns:
        (batch,) nats, differentiable through the encoder and the decoder. No KL divergence in closed form stands
        in it: of a flow's density there is none.

    Source: Rezende and Mohamed (2015), equation 15.
    """
    ### BEGIN SOLUTION
    mu, logvar, layers = encode(x)
    noise = torch.randn_like(mu)
    z, log_abs_det = compose(layers, mu + torch.exp(0.5 * logvar) * noise)
    # log N(z_k; 0, I) - log q_0(z_0 | x): the constants cancel, and the noise is (z_0 - mu) / sigma.
    log_ratio = 0.5 * (noise**2 + logvar - z**2).sum(-1)
    return decode(z).log_prob(x) + log_ratio + log_abs_det
    ### END SOLUTION
