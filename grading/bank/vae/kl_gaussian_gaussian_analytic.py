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


bank.reason(
    "Let both means be 0, q narrow and p wide, and then the other way round. In which case do samples of q fall where "
    "p finds them all but impossible, and which of the two divergences is larger with you?"
)


@bank.mistake("q and p are swapped, which gives KL(p || q)")
def swaps_q_and_p(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_p, logvar_p, mu_q, logvar_q)


bank.reason(
    "Let q and p be the same, with a mean of 3 and a variance of 4, in three features, and then in images of one "
    "channel and 2 x 2 pixels. What has the divergence to be, and which of your terms are left over?"
)


@bank.mistake("the -1 is missing")
def forgets_the_minus_one(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * (_terms(mu_q, logvar_q, mu_p, logvar_p) + 1).flatten(1).sum(1)


@bank.mistake("the -1 stands outside the sum, so that it counts once instead of once for each feature")
def one_outside_the_sum(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * ((_terms(mu_q, logvar_q, mu_p, logvar_p) + 1).flatten(1).sum(1) - 1)


@bank.mistake(
    "the number of features is read before flattening, so that it is an image's channels instead of its pixels"
)
def counts_features_before_flattening(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    features = mu_q.shape[1]
    return 0.5 * ((_terms(mu_q, logvar_q, mu_p, logvar_p) + 1).flatten(1).sum(1) - features)


@bank.mistake("p is taken for N(0, I), whatever its mean and variance are")
def takes_p_for_the_standard_normal(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, torch.zeros_like(mu_p), torch.zeros_like(logvar_p))


bank.reason(
    "One feature, both variances 1, the means two apart: work out by hand the mean of log q(z) - log p(z) over "
    "samples of q. What is yours?"
)


@bank.mistake("the factor 1/2 is missing")
def forgets_the_half(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _terms(mu_q, logvar_q, mu_p, logvar_p).flatten(1).sum(1)


@bank.mistake("the difference of the means is not squared")
def forgets_the_square(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    ratio = (logvar_q.exp() + mu_q - mu_p) / logvar_p.exp()
    return 0.5 * (ratio + logvar_p - logvar_q - 1).flatten(1).sum(1)


bank.reason(
    "Let the means be equal, and sigma 1/2 for q and 1 for p: work out by hand each term, and its sign. Can the sum be "
    "negative, and is yours?"
)


@bank.mistake("the logarithm of the ratio of the variances has the wrong sign")
def turns_the_log_ratio(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p, logvar_p) + (logvar_q - logvar_p).flatten(1).sum(1)


bank.reason(
    "Let q have sigma = 2 and p sigma = 1, with equal means: what is logvar_q, and what is the ratio of the two "
    "variances? Which ratio does your formula compute?"
)


@bank.mistake("logvar is taken for the logarithm of the standard deviation")
def takes_logvar_for_log_sigma(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, 2 * logvar_q, mu_p, 2 * logvar_p)


def _by_widths(width_q: Tensor, width_p: Tensor, mu_q: Tensor, mu_p: Tensor, log_ratio: Tensor) -> Tensor:
    """Each feature's share, twice, with what was taken for the variances."""
    return (width_q + (mu_q - mu_p) ** 2) / width_p - log_ratio - 1


@bank.mistake("standard deviations, exp(logvar / 2), stand where variances belong, and only the logarithms are right")
def takes_deviations_for_variances(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    q, p = torch.exp(logvar_q / 2), torch.exp(logvar_p / 2)
    return 0.5 * _by_widths(q, p, mu_q, mu_p, logvar_q - logvar_p).flatten(1).sum(1)


@bank.mistake("the standard deviation of q, exp(logvar_q / 2), stands where its variance belongs")
def takes_the_deviation_of_q_for_its_variance(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    q, p = torch.exp(logvar_q / 2), torch.exp(logvar_p)
    return 0.5 * _by_widths(q, p, mu_q, mu_p, logvar_q - logvar_p).flatten(1).sum(1)


@bank.mistake("variances are squared, exp(2 logvar), as if they were deviations, and only the logarithms are right")
def squares_the_variances(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    q, p = torch.exp(2 * logvar_q), torch.exp(2 * logvar_p)
    return 0.5 * _by_widths(q, p, mu_q, mu_p, logvar_q - logvar_p).flatten(1).sum(1)


@bank.mistake("the logarithm of the ratio is that of the standard deviations instead of the variances")
def takes_the_ratio_of_the_deviations(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    q, p = torch.exp(logvar_q), torch.exp(logvar_p)
    return 0.5 * _by_widths(q, p, mu_q, mu_p, (logvar_q - logvar_p) / 2).flatten(1).sum(1)


bank.reason(
    "Write the same feature down twice: what does that make of log q(z) - log p(z), and so of the divergence? And of "
    "yours?"
)


@bank.mistake("the mean over the features is taken instead of the sum")
def averages_features(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).flatten(1).mean(1)


bank.reason(
    "Write down the shape after every step for two instances of three features, for a single instance, and for "
    "images. Which instance does each number of the result belong to, and does it change when its neighbours do?"
)


@bank.mistake("only the last axis is summed, so that an image gives more than one number")
def sums_the_last_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).sum(-1)


@bank.mistake("only axis 1 is summed, so that an image gives one number for each of its pixels")
def sums_axis_one(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).sum(1)


@bank.mistake("the sum runs over the batch as well, which gives a single number")
def sums_the_batch(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p, logvar_p).sum()


@bank.mistake("every instance gets the mean over the batch")
def averages_the_batch(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p, logvar_p).mean().expand(len(mu_q))


@bank.mistake("the summed axis is kept, so that the result is (batch, 1)")
def keeps_the_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_q, logvar_q, mu_p, logvar_p).flatten(1).sum(1, keepdim=True)


@bank.mistake("squeeze() without an axis removes the batch axis of a batch of one")
def squeezes_everything(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return keeps_the_axis(mu_q, logvar_q, mu_p, logvar_p).squeeze()


bank.reason(
    "Let both log variances be -20, then one of them 30 above the other, and work the formula out by hand: is any "
    "term infinite or undefined? Ask what your protection protects, and what it changes."
)


@bank.mistake("the log variances are clamped")
def clamps_the_log_variances(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q.clamp(-10, 10), mu_p, logvar_p.clamp(-10, 10))


@bank.mistake("the logarithm of the ratio of the variances is clamped")
def clamps_the_log_ratio(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    ratio = (logvar_q - logvar_p).clamp(-10, 10)
    return 0.5 * (ratio.exp() + (mu_q - mu_p) ** 2 * torch.exp(-logvar_p) - ratio - 1).flatten(1).sum(1)


@bank.mistake("1e-8 is added to the variance of p, against a division by zero")
def adds_to_the_variance(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p, torch.log(logvar_p.exp() + 1e-8))


bank.reason(
    "How large is the product of a hundred variances of e^10, and how large is its logarithm? Which of the two does "
    "the formula need?"
)


@bank.mistake("the variances are multiplied before their logarithm is taken, which overflows with many features")
def multiplies_the_variances(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    m_q, v_q, m_p, v_p = (t.flatten(1) for t in (mu_q, logvar_q.exp(), mu_p, logvar_p.exp()))
    log_det = torch.log(v_p.prod(1) / v_q.prod(1))
    return 0.5 * (log_det + ((v_q + (m_q - m_p) ** 2) / v_p - 1).sum(1))


bank.reason(
    "Take means of 100000001 and 100000000: how many digits have the numbers that you add and subtract, and how many "
    "does your dtype keep?"
)


@bank.mistake("the square of the difference is expanded, so that it cancels away where both means are large")
def expands_the_square(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    square = mu_q**2 - 2 * mu_q * mu_p + mu_p**2
    terms = torch.exp(logvar_q - logvar_p) + square * torch.exp(-logvar_p) + logvar_p - logvar_q - 1
    return 0.5 * terms.flatten(1).sum(1)


bank.reason(
    "Hold q still and move mu_p a little: does the divergence change? Whoever trains p, a prior that is learnt, asks "
    "your gradient just that."
)


@bank.mistake("p is detached, so that a p with parameters of its own cannot be trained")
def detaches_p(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q, logvar_q, mu_p.detach(), logvar_p.detach())


bank.reason("Call your function twice with the same four tensors. What are the two means when the second call begins?")


@bank.mistake("the mean of p is subtracted from both means in place, which changes the caller's tensors")
def centres_in_place(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    mu_q.data.sub_(mu_p.data)
    mu_p.data.zero_()
    return _kl(mu_q, logvar_q, mu_p, logvar_p)


bank.reason(
    "Let the arguments come in single precision: which dtype has each of your intermediate results, and which one "
    "does the caller expect back?"
)


@bank.mistake("the result is in double precision whatever the arguments are in")
def always_doubles(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _kl(mu_q.double(), logvar_q.double(), mu_p.double(), logvar_p.double())


@bank.pair("takes_p_for_the_standard_normal", "averages_features")
def takes_p_for_the_standard_normal_and_averages_features(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor
) -> Tensor:
    return 0.5 * (logvar_q.exp() + mu_q**2 - 1 - logvar_q).flatten(1).mean(1)


@bank.pair("takes_p_for_the_standard_normal", "sums_the_batch")
def takes_p_for_the_standard_normal_and_sums_the_batch(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor
) -> Tensor:
    return 0.5 * (logvar_q.exp() + mu_q**2 - 1 - logvar_q).sum()


@bank.pair("one_outside_the_sum", "forgets_the_half")
def one_outside_the_sum_and_forgets_the_half(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return (_terms(mu_q, logvar_q, mu_p, logvar_p) + 1).flatten(1).sum(1) - 1


@bank.pair("swaps_q_and_p", "averages_features")
def swaps_q_and_p_and_averages_features(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * _terms(mu_p, logvar_p, mu_q, logvar_q).flatten(1).mean(1)


@bank.pair("takes_p_for_the_standard_normal", "sums_axis_one")
def takes_p_for_the_standard_normal_and_sums_axis_one(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor
) -> Tensor:
    return 0.5 * (logvar_q.exp() + mu_q**2 - 1 - logvar_q).sum(1)


@bank.pair("takes_deviations_for_variances", "sums_axis_one")
def takes_deviations_for_variances_and_sums_axis_one(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor
) -> Tensor:
    q, p = torch.exp(logvar_q / 2), torch.exp(logvar_p / 2)
    return 0.5 * _by_widths(q, p, mu_q, mu_p, logvar_q - logvar_p).sum(1)


@bank.pair("forgets_the_half", "sums_the_last_axis")
def forgets_the_half_and_sums_the_last_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return _terms(mu_q, logvar_q, mu_p, logvar_p).sum(-1)


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
