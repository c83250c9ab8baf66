"""Implementations of vae.kl_gaussian_gaussian_analytic."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from grading.bank import Bank

bank = Bank("vae.kl_gaussian_gaussian_analytic")


def _terms(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """Each feature's share, twice."""
    return torch.exp(logvar_q - logvar_p) + (mu_q - mu_p) ** 2 * torch.exp(-logvar_p) + logvar_p - logvar_q - 1


def _kl(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).flatten(1).sum(1)


@bank.mistake("q and p are swapped: it is KL(p || q)")
def swaps_q_and_p(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_p, logvar_p, mu_q, logvar_q)


@bank.mistake("the -1 stands outside the sum, so that it counts once instead of once for each feature")
def one_outside_the_sum(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * ((_terms(mu_q, logvar_q, mu_p, logvar_p) + 1).flatten(1).sum(1) - 1)


@bank.mistake("the number of features is read before flattening: an image's channels instead of its pixels")
def counts_features_before_flattening(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    features = mu_q.shape[1]
    return 0.5 * ((_terms(mu_q, logvar_q, mu_p, logvar_p) + 1).flatten(1).sum(1) - features)


@bank.mistake("only the last axis is summed, so that an image gives a value for each of its rows")
def sums_the_last_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).sum(-1)


@bank.mistake("the log variances are clamped to [-10, 10]")
def clamps_the_log_variances(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q.clamp(-10, 10), mu_p, logvar_p.clamp(-10, 10))


@bank.mistake("1e-8 is added to the variance of p, against a division by zero")
def adds_to_the_variance(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p, torch.log(logvar_p.exp() + 1e-8))


@bank.mistake("the mean over the features is taken instead of the sum")
def averages_features(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).flatten(1).mean(1)


@bank.mistake("the batch is summed too: one number comes back")
def sums_the_batch(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p, logvar_p).sum()


@bank.mistake("every instance gets the mean over the batch")
def averages_the_batch(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p, logvar_p).mean().expand(len(mu_q))


@bank.mistake("the factor 1/2 is missing")
def forgets_the_half(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _terms(mu_q, logvar_q, mu_p, logvar_p).flatten(1).sum(1)


@bank.mistake("logvar is taken for the logarithm of the standard deviation")
def takes_logvar_for_log_sigma(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, 2 * logvar_q, mu_p, 2 * logvar_p)


@bank.mistake("p is taken for N(0, I), whatever its mean and variance are")
def takes_p_for_the_standard_normal(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, torch.zeros_like(mu_p), torch.zeros_like(logvar_p))


@bank.mistake("the determinants are products of variances, which overflow with many features")
def multiplies_the_variances(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    m_q, v_q, m_p, v_p = (t.flatten(1) for t in (mu_q, logvar_q.exp(), mu_p, logvar_p.exp()))
    log_det = torch.log(v_p.prod(1) / v_q.prod(1))
    return 0.5 * (log_det + ((v_q + (m_q - m_p) ** 2) / v_p - 1).sum(1))


@bank.mistake("the square of the difference is expanded, so that it cancels away where both means are large")
def expands_the_square(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    square = mu_q**2 - 2 * mu_q * mu_p + mu_p**2
    terms = torch.exp(logvar_q - logvar_p) + square * torch.exp(-logvar_p) + logvar_p - logvar_q - 1
    return 0.5 * terms.flatten(1).sum(1)


@bank.mistake("p is detached, so that a p with parameters of its own cannot be trained")
def detaches_p(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p.detach(), logvar_p.detach())


@bank.mistake("the summed axis is kept, so that the result is (batch, 1)")
def keeps_the_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).flatten(1).sum(1, keepdim=True)


@bank.mistake("squeeze() without an axis removes the batch axis of a batch of one")
def squeezes_everything(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return keeps_the_axis(mu_q, logvar_q, mu_p, logvar_p).squeeze()


@bank.mistake("the result is in double precision whatever the arguments are in")
def always_doubles(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q.double(), logvar_q.double(), mu_p.double(), logvar_p.double())


@bank.mistake("both means are moved by that of p in place, which changes the caller's tensors")
def centres_in_place(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    mu_q.data.sub_(mu_p.data)
    mu_p.data.zero_()
    return _kl(mu_q, logvar_q, mu_p, logvar_p)


@bank.mistake("the logarithm of the ratio of the variances is clamped to [-10, 10]")
def clamps_the_log_ratio(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    ratio = (logvar_q - logvar_p).clamp(-10, 10)
    return 0.5 * (ratio.exp() + (mu_q - mu_p) ** 2 * torch.exp(-logvar_p) - ratio - 1).flatten(1).sum(1)


@bank.alternative("torch.distributions does it")
def by_torch_distributions(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    q, p = (
        Independent(Normal(mu.flatten(1), torch.exp(0.5 * logvar.flatten(1))), 1)
        for mu, logvar in ((mu_q, logvar_q), (mu_p, logvar_p))
    )
    return kl_divergence(q, p)


@bank.alternative("in terms of standard deviations, one term after the other, summed last")
def by_standard_deviations(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    sigma_q, sigma_p = (logvar_q / 2).exp(), (logvar_p / 2).exp()
    each = torch.log(sigma_p) - torch.log(sigma_q) + (sigma_q**2 + (mu_q - mu_p) ** 2) / (2 * sigma_p**2) - 0.5
    return each.reshape(len(mu_q), -1).sum(dim=-1)


@bank.alternative("the textbook's trace, Mahalanobis distance and log determinants, with d counted after flattening")
def by_trace_and_determinant(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    m_q, v_q, m_p, v_p = (t.reshape(t.size(0), -1) for t in (mu_q, logvar_q, mu_p, logvar_p))
    precision = torch.exp(-v_p)
    trace = torch.einsum("bd,bd->b", v_q.exp(), precision)
    distance = torch.einsum("bd,bd,bd->b", m_q - m_p, precision, m_q - m_p)
    return (trace + distance - m_q.shape[1] + v_p.sum(1) - v_q.sum(1)) / 2


@bank.alternative("the cross entropy of q and p minus the entropy of q, instance by instance")
def by_entropies(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    def one(m_q: Tensor, v_q: Tensor, m_p: Tensor, v_p: Tensor) -> Tensor:
        cross = 0.5 * (v_p + (v_q.exp() + (m_q - m_p).square()) / v_p.exp()).sum()
        return cross - 0.5 * (v_q + 1).sum()

    return torch.stack([one(*rows) for rows in zip(mu_q, logvar_q, mu_p, logvar_p, strict=True)])
