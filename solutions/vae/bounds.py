"""Two lower bounds of log p(x): the ELBO, and the tighter one from importance sampling."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from .divergences import kl_gaussian_gaussian_analytic
from .likelihoods import log_likelihood_normal, log_mean_exp


class Likelihood(Protocol):
    """What a decoder answers with: the distribution p(x | z), as in torch.distributions."""

    def log_prob(self, x: Tensor) -> Tensor:
        """Return log p(x | z) for each row, (batch,) nats."""
        ...


Encoder = Callable[[Tensor], tuple[Tensor, Tensor]]
Decoder = Callable[[Tensor], Likelihood]


def elbo(x: Tensor, encode: Encoder, decode: Decoder) -> Tensor:
    """Evidence lower bound of each instance, with one reparameterised sample of q and the analytic KL.

    ELBO(x) = log p(x | z) - KL(q(z | x) || N(0, I)), z = mu + exp(logvar / 2) eps, eps ~ N(0, I)

    Args:
        x: (batch, d) data.
        encode: encode(x) returns (mu, logvar) of q(z | x), each (batch, L).
        decode: decode(z) returns the distribution p(x | z) of (batch, L) latent variables;
            decode(z).log_prob(x) is (batch,) nats.

    Returns:
        (batch,) nats, differentiable through the encoder and the decoder.

    Source: Kingma and Welling (2014), equation 10 with one sample.
    """
    ### BEGIN SOLUTION
    mu, logvar = encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    prior = torch.zeros_like(mu)
    return decode(z).log_prob(x) - kl_gaussian_gaussian_analytic(mu, logvar, prior, prior)
    ### END SOLUTION


def importance_log_likelihood(x: Tensor, encode: Encoder, decode: Decoder, num_samples: int) -> Tensor:
    """Importance-sampled estimate of log p(x) of each instance, with q(z | x) as the proposal.

    log p(x) ~ log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x), z_k ~ q(z | x)

    Args:
        x: (batch, d) data.
        encode: encode(x) returns (mu, logvar) of q(z | x), each (batch, L).
        decode: decode(z) returns the distribution p(x | z) of (rows, L) latent variables;
            decode(z).log_prob(x) is (rows,) nats.
        num_samples: K, the number of independent draws for each instance.

    Returns:
        (batch,) nats, without a graph: it is for evaluation. At K = 200, 10,000 images of 784 pixels
        take less than 600 MB beside the data, so neither all draws of all images nor a graph can be kept.

    Source: Burda, Grosse and Salakhutdinov (2016), equation 8.
    """
    ### BEGIN SOLUTION
    rows_at_once = 500  # whose 784 pixels stay in the cache
    log_weights = []
    with torch.no_grad():
        mu, logvar = encode(x)
        # Row r is draw r % K of instance r // K; a chunk may end between two draws of an instance.
        for rows in torch.arange(len(x) * num_samples, device=x.device).split(rows_at_once):
            instance = rows // num_samples
            m, v = mu[instance], logvar[instance]
            z = m + torch.exp(0.5 * v) * torch.randn_like(m)
            prior = torch.zeros_like(z)
            log_joint = decode(z).log_prob(x[instance]) + log_likelihood_normal(prior, prior, z)
            log_weights.append(log_joint - log_likelihood_normal(m, v, z))
        return log_mean_exp(torch.cat(log_weights).view(len(x), num_samples))
    ### END SOLUTION
