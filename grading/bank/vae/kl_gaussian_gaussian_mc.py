"""Implementations of vae.kl_gaussian_gaussian_mc."""

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from grading.bank import Bank
from solutions.vae import divergences

bank = Bank("vae.kl_gaussian_gaussian_mc")


def _log_normal(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    """The log-density, summed over the last axis."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 * torch.exp(-logvar)).sum(-1)


def _flat(*tensors: Tensor) -> tuple[Tensor, ...]:
    return tuple(t.flatten(1) for t in tensors)


def _draws(mu: Tensor, logvar: Tensor, num_samples: int) -> Tensor:
    """Samples of q, (K, batch, d)."""
    return mu + torch.exp(0.5 * logvar) * torch.randn(num_samples, *mu.shape, dtype=mu.dtype)


def _log_ratios(four: tuple[Tensor, ...], z: Tensor) -> Tensor:
    """log q(z) - log p(z), (K, batch), with the four parameters in the order of the arguments."""
    mu_q, logvar_q, mu_p, logvar_p = four
    return _log_normal(mu_q, logvar_q, z) - _log_normal(mu_p, logvar_p, z)


bank.reason(
    "Let sigma be 2: what is logvar, and what standard deviation do your samples have? Write down numbers, not symbols."
)


@bank.mistake("the standard deviation of the samples is exp(logvar) instead of exp(logvar / 2)")
def takes_the_variance_for_the_deviation(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    z = mu_q + torch.exp(logvar_q) * torch.randn(num_samples, *mu_q.shape, dtype=mu_q.dtype)
    return _log_ratios(four, z).mean(0)


bank.reason(
    "Count the numbers of noise for three instances of two features with four draws each: how many have to be "
    "independent, and how many do you draw? Then mark those of yours that serve more than one feature, instance or "
    "draw."
)


@bank.mistake("one number of noise is shared by all features of an instance")
def shares_noise_between_features(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn(num_samples, len(mu_q), 1, dtype=mu_q.dtype)
    return _log_ratios(four, z).mean(0)


@bank.mistake("the instances of a batch share their noise")
def shares_noise_between_instances(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn(num_samples, 1, mu_q.shape[1], dtype=mu_q.dtype)
    return _log_ratios(four, z).mean(0)


@bank.mistake("the second half of the batch gets the noise of the first with its sign turned")
def turns_the_sign_for_half_of_the_batch(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    half = torch.randn(num_samples, (len(mu_q) + 1) // 2, mu_q.shape[1], dtype=mu_q.dtype)
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.cat([half, -half], 1)[:, : len(mu_q)]
    return _log_ratios(four, z).mean(0)


@bank.mistake("one sample is drawn and used num_samples times")
def uses_one_sample_again(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q, 1).expand(num_samples, -1, -1)).mean(0)


bank.reason(
    "Hold the noise still and move mu_q, then sigma_q: where does a sample go? On which path does a gradient learn of "
    "that, and is the path whole in your code?"
)


@bank.mistake("the samples are drawn with sample(), so that no gradient flows through them")
def is_not_reparameterised(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    z = Normal(mu_q, torch.exp(0.5 * logvar_q)).sample((num_samples,))
    return _log_ratios(four, z).mean(0)


@bank.mistake("the standard deviation is detached, so that half of the gradient by logvar_q is lost")
def detaches_the_deviation(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q.detach(), num_samples)).mean(0)


bank.reason(
    "Let q and p be the same: what is log q(z) - log p(z) at any single z, and is that what you add up, sample by "
    "sample? Then let them differ: should two calls agree to the last digit?"
)


@bank.mistake("the closed form is returned instead of an estimate from samples")
def returns_the_closed_form(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    q, p = Normal(mu_q, torch.exp(0.5 * logvar_q)), Normal(mu_p, torch.exp(0.5 * logvar_p))
    return kl_divergence(q, p).sum(1)


@bank.mistake("the entropy of q is exact and only log p is sampled, which is right in the mean but not 0 where q is p")
def samples_only_the_cross_entropy(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    entropy = 0.5 * (math.log(2 * math.pi) + logvar_q + 1).sum(1)
    return -entropy - _log_normal(mu_p, logvar_p, _draws(mu_q, logvar_q, num_samples)).mean(0)


@bank.mistake("log q and log p are taken at different samples")
def draws_twice(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    log_q = _log_normal(mu_q, logvar_q, _draws(mu_q, logvar_q, num_samples))
    return (log_q - _log_normal(mu_p, logvar_p, _draws(mu_q, logvar_q, num_samples))).mean(0)


bank.reason(
    "The expectation is over samples of one of the two distributions: of which, and where do yours come from? Put q "
    "and p far apart, and see which of them finds your samples improbable."
)


@bank.mistake("the samples are drawn from p instead of q")
def samples_from_p(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_p, logvar_p, num_samples)).mean(0)


bank.reason(
    "Write the same feature down twice: what does that make of log q(z) - log p(z), and so of the divergence? And of "
    "yours?"
)


@bank.mistake("the mean over the features is taken instead of the sum")
def averages_features(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q, num_samples)).mean(0) / mu_q.shape[1]


bank.reason(
    "Take one instance, and two samples at which log q - log p is 1 and 3. What does the handout's definition make of "
    "these two numbers, and what do you make of them?"
)


@bank.mistake("the samples are summed, not averaged")
def sums_the_samples(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q, num_samples)).sum(0)


@bank.mistake("the logarithm of the mean of q / p is taken instead of the mean of its logarithms")
def averages_before_the_logarithm(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return torch.logsumexp(_log_ratios(four, _draws(mu_q, logvar_q, num_samples)), 0) - math.log(num_samples)


bank.reason(
    "Put q and p far apart: which of the two finds a sample of q more probable? Which sign has the divergence, then, "
    "and which one has your estimate?"
)


@bank.mistake("log p(z) - log q(z) is averaged, which gives the divergence with its sign turned")
def turns_the_sign(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return -_log_ratios(four, _draws(mu_q, logvar_q, num_samples)).mean(0)


bank.reason(
    "Where p is denser than q, which sign has log q(z) - log p(z)? Let q be almost p, change every such estimate as "
    "you do, and ask what becomes of the mean of many."
)


@bank.mistake("the absolute value of every estimate is taken, because a KL divergence is never negative")
def takes_absolute_values(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q, num_samples)).mean(0).abs()


@bank.mistake("estimates below 0 are raised to 0, because a KL divergence is never negative")
def clamps_at_zero(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q, num_samples)).mean(0).clamp(min=0)


bank.reason(
    "Number two instances and three draws, and write down which instance and which draw every row holds, with the "
    "shape after each step; then do so for images. Does each number of the result come from all draws of one "
    "instance?"
)


@bank.mistake(
    "noise of K rows for each instance meets means of one row, which fits only where K or the batch size is 1"
)
def fits_one_sample_only(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    noise = torch.randn(num_samples * len(mu_q), mu_q.shape[1], dtype=mu_q.dtype)
    return _log_ratios(four, mu_q + torch.exp(0.5 * logvar_q) * noise).view(num_samples, -1).mean(0)


@bank.mistake("the rows stand instance by instance, but are averaged as if they stood draw by draw")
def mixes_instances_and_samples(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = _flat(mu_q, logvar_q, mu_p, logvar_p)
    rows = tuple(t.repeat_interleave(num_samples, 0) for t in four)
    z = _draws(rows[0], rows[1], 1)[0]
    ratios = _log_normal(rows[0], rows[1], z) - _log_normal(rows[2], rows[3], z)
    return ratios.view(num_samples, -1).mean(0)


@bank.mistake("the rows stand draw by draw, but are averaged as if they stood instance by instance")
def mixes_samples_and_instances(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q, num_samples)).view(-1, num_samples).mean(1)


@bank.mistake("samples that stand draw by draw meet parameters that stand instance by instance")
def meets_the_parameters_of_others(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = _flat(mu_q, logvar_q, mu_p, logvar_p)
    z = _draws(four[0], four[1], num_samples).flatten(0, 1)
    rows = tuple(t.repeat_interleave(num_samples, 0) for t in four)
    return _log_ratios(rows, z).view(-1, num_samples).mean(1)


@bank.mistake("only axis 1 is summed, so that an image gives one number for each of its pixels")
def sums_axis_one(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    last = tuple(t.movedim(1, -1) for t in (mu_q, logvar_q, mu_p, logvar_p))
    return _log_ratios(last, _draws(last[0], last[1], num_samples)).mean(0)


@bank.mistake("only the last axis is summed, so that an image gives more than one number")
def sums_the_last_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p
    return _log_ratios(four, _draws(mu_q, logvar_q, num_samples)).mean(0)


@bank.mistake("the averaged axis is kept, so that the result is (1, batch)")
def keeps_the_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_q, logvar_q, num_samples)).mean(0, keepdim=True)


bank.reason(
    "Let the arguments come in single precision: which dtype has the noise, and what becomes of two dtypes that meet?"
)


@bank.mistake("the noise is in double precision whatever the arguments are in, and so is the result")
def draws_in_double_precision(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn(num_samples, *mu_q.shape, dtype=torch.float64)
    return _log_ratios(four, z).mean(0)


bank.reason(
    "Call your function twice with the same arguments. Which numbers have to be the same when the second call begins, "
    "and which must not be?"
)


@bank.mistake("the mean of p is subtracted from both means in place, which changes the caller's tensors")
def centres_in_place(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    mu_q.data.sub_(mu_p.data)
    mu_p.data.zero_()
    four = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(four[0], four[1], num_samples)).mean(0)


@bank.mistake("the generator is seeded inside the function, so that every call draws the same noise")
def seeds_the_generator(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    torch.manual_seed(0)
    return divergences.kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples)


@bank.pair("takes_the_variance_for_the_deviation", "is_not_reparameterised")
def takes_the_variance_for_the_deviation_and_is_not_reparameterised(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, Normal(mu_q, torch.exp(logvar_q)).sample((num_samples,))).mean(0)


@bank.pair("is_not_reparameterised", "averages_features")
def is_not_reparameterised_and_averages_features(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    z = Normal(mu_q, torch.exp(0.5 * logvar_q)).sample((num_samples,))
    return _log_ratios(four, z).mean(0) / mu_q.shape[1]


@bank.pair("is_not_reparameterised", "sums_the_last_axis")
def is_not_reparameterised_and_sums_the_last_axis(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    z = Normal(mu_q, torch.exp(0.5 * logvar_q)).sample((num_samples,))
    return _log_ratios((mu_q, logvar_q, mu_p, logvar_p), z).mean(0)


@bank.pair("samples_from_p", "takes_absolute_values")
def samples_from_p_and_takes_absolute_values(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int
) -> Tensor:
    four = mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    return _log_ratios(four, _draws(mu_p, logvar_p, num_samples)).mean(0).abs()


@bank.alternative("torch.distributions draws with rsample and knows both densities")
def by_torch_distributions(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    mu_q, logvar_q, mu_p, logvar_p = _flat(mu_q, logvar_q, mu_p, logvar_p)
    q = Independent(Normal(mu_q, torch.exp(0.5 * logvar_q)), 1)
    p = Independent(Normal(mu_p, torch.exp(0.5 * logvar_p)), 1)
    z = q.rsample((num_samples,))
    return (q.log_prob(z) - p.log_prob(z)).mean(0)


@bank.alternative("one sample after the other is added up")
def by_a_loop(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    total = torch.zeros(len(mu_q), dtype=mu_q.dtype)
    for _ in range(num_samples):
        z = mu_q + (logvar_q / 2).exp() * torch.randn_like(mu_q)
        log_q = -(logvar_q + (z - mu_q).square() / logvar_q.exp()) / 2
        log_p = -(logvar_p + (z - mu_p).square() / logvar_p.exp()) / 2
        total = total + (log_q - log_p).reshape(len(mu_q), -1).sum(-1)
    return total / num_samples


@bank.alternative("the samples stand in a second axis, (batch, K, d), with noise in single precision")
def along_a_second_axis(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    m_q, v_q, m_p, v_p = (t.flatten(1).unsqueeze(1) for t in (mu_q, logvar_q, mu_p, logvar_p))
    eps = torch.randn(len(m_q), num_samples, m_q.shape[-1]).to(m_q.dtype)
    z = m_q + eps * torch.sqrt(torch.exp(v_q))
    return (_log_normal(m_q, v_q, z) - _log_normal(m_p, v_p, z)).mean(1)


@bank.alternative("log q is written in the noise itself, where its quadratic term is eps^2")
def in_terms_of_the_noise(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int) -> Tensor:
    m_q, v_q, m_p, v_p = (t.reshape(1, len(t), -1) for t in (mu_q, logvar_q, mu_p, logvar_p))
    eps = torch.randn(num_samples, *m_q.shape[1:], dtype=m_q.dtype)
    z = m_q + torch.exp(v_q / 2) * eps
    return 0.5 * (v_p - v_q - eps**2 + (z - m_p) ** 2 / v_p.exp()).sum(2).mean(0)
