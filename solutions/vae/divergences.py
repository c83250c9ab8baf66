"""The Kullback-Leibler divergence between two diagonal normals, exactly and from samples."""

import torch
from torch import Tensor

from .likelihoods import log_likelihood_normal


def kl_gaussian_gaussian_analytic(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """KL divergence from q = N(mu_q, diag exp(logvar_q)) to p = N(mu_p, diag exp(logvar_p)), in closed form.

    KL(q || p) = 1/2 sum_j [logvar_p_j - logvar_q_j + (exp(logvar_q_j) + (mu_q_j - mu_p_j)^2) / exp(logvar_p_j) - 1]

    Args:
        mu_q, logvar_q: (batch, ...) means and log variances of q; every axis after the first is a feature.
        mu_p, logvar_p: the same shape, of p.

    Returns:
        (batch,) nats, never negative.

    Source: Kingma and Welling (2014), appendix B, for any p instead of N(0, I).
    """
    ### BEGIN SOLUTION
    log_ratio = logvar_q - logvar_p
    terms = torch.exp(log_ratio) + (mu_q - mu_p) ** 2 * torch.exp(-logvar_p) - log_ratio - 1
    return 0.5 * terms.flatten(1).sum(1)
    ### END SOLUTION


def kl_gaussian_gaussian_mc(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    """Unbiased estimate of the KL divergence from q to p by samples of q, differentiable in the parameters of both.

    KL(q || p) ~ 1/K sum_k [log q(z_k) - log p(z_k)], z_k = mu_q + exp(logvar_q / 2) eps_k, eps_k ~ N(0, I)

    Args:
        mu_q, logvar_q: (batch, ...) means and log variances of q; every axis after the first is a feature.
        mu_p, logvar_p: the same shape, of p.
        num_samples: K, the number of independent draws for each instance.

    Returns:
        (batch,) nats. Every instance, feature and draw has noise of its own.

    Source: Kingma and Welling (2014), section 2.3 and 2.4 (the reparameterised estimator).
    """
    ### BEGIN SOLUTION
    # One row for each instance and draw, the draws of an instance next to each other.
    mu_q, logvar_q, mu_p, logvar_p = (
        t.flatten(1).repeat_interleave(num_samples, dim=0) for t in (mu_q, logvar_q, mu_p, logvar_p)
    )
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
    log_ratio = log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return log_ratio.view(-1, num_samples).mean(1)
    ### END SOLUTION
