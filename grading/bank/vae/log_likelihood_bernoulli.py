"""Implementations of vae.log_likelihood_bernoulli."""

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank

bank = Bank("vae.log_likelihood_bernoulli")


def _log_probabilities(mu: Tensor, target: Tensor) -> Tensor:
    """Return the right terms, (batch, d), for mistakes that are made later."""
    return torch.where(target > 0.5, mu, 1 - mu).log().flatten(1)


@bank.mistake("the mean over the features is taken instead of the sum")
def averages_the_features(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).mean(1)


@bank.mistake("the sum runs over the batch as well, which gives a single number")
def sums_the_batch(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum()


@bank.mistake("the sum runs over the batch instead of the features")
def sums_the_wrong_axis(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum(0)


@bank.mistake("the sign is that of the loss: it is the cross-entropy, not the log-likelihood")
def has_the_sign_of_a_loss(mu: Tensor, target: Tensor) -> Tensor:
    return -_log_probabilities(mu, target).sum(1)


@bank.mistake("targets of zero contribute nothing: the term (1 - x) log(1 - mu) is missing")
def forgets_the_zeros(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu.log(), 0.0).flatten(1).sum(1)


@bank.mistake("ones and zeros are exchanged")
def exchanges_ones_and_zeros(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, 1 - target).sum(1)


@bank.mistake("means and targets are exchanged: the logarithm is that of the target")
def exchanges_the_arguments(mu: Tensor, target: Tensor) -> Tensor:
    return (mu * target.log() + (1 - mu) * (1 - target).log()).flatten(1).sum(1)


@bank.mistake("0 log 0 is computed where a mean is exactly 0 or 1, which gives nan")
def multiplies_zero_by_infinity(mu: Tensor, target: Tensor) -> Tensor:
    return (target * mu.log() + (1 - target) * (1 - mu).log()).flatten(1).sum(1)


@bank.mistake("xlogy makes the value of 0 log 0 zero, but its gradient is still nan")
def has_a_nan_gradient(mu: Tensor, target: Tensor) -> Tensor:
    return (torch.xlogy(target, mu) + torch.xlogy(1 - target, 1 - mu)).flatten(1).sum(1)


@bank.mistake("both logarithms are taken before choosing one, so that the gradient of the other, infinite, becomes nan")
def chooses_after_the_logarithm(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu.log(), (1 - mu).log()).flatten(1).sum(1)


@bank.mistake("F.binary_cross_entropy cuts logarithms off at -100, so that the impossible is merely unlikely")
def cuts_off_at_minus_100(mu: Tensor, target: Tensor) -> Tensor:
    return -F.binary_cross_entropy(mu, target, reduction="none").flatten(1).sum(1)


@bank.mistake("torch.distributions moves means of 0 and 1 inwards, so that the impossible is merely unlikely")
def asks_a_clamping_distribution(mu: Tensor, target: Tensor) -> Tensor:
    return torch.distributions.Bernoulli(probs=mu).log_prob(target).flatten(1).sum(1)


@bank.mistake("a small number is added inside the logarithms")
def adds_an_epsilon(mu: Tensor, target: Tensor) -> Tensor:
    return (target * (mu + 1e-8).log() + (1 - target) * (1 - mu + 1e-8).log()).flatten(1).sum(1)


@bank.mistake("the probabilities are multiplied before the logarithm is taken, which underflows for many features")
def multiplies_the_probabilities(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu, 1 - mu).flatten(1).prod(1).log()


@bank.mistake("each instance's value is put in front of those before it, so that the batch comes out reversed")
def reverses_the_batch(mu: Tensor, target: Tensor) -> Tensor:
    values: list[Tensor] = []
    for row in _log_probabilities(mu, target):
        values.insert(0, row.sum())
    return torch.stack(values)


@bank.mistake("the terms are reshaped to (d, batch) where a transpose is meant, which mixes the instances")
def reshapes_instead_of_transposing(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).reshape(-1, len(mu)).sum(0)


@bank.mistake("only the last axis is summed, so that images are not reduced to one number each")
def sums_the_last_axis(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu, 1 - mu).log().sum(-1)


@bank.mistake("the axis of the features is kept, which gives (batch, 1)")
def keeps_the_axis(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum(1, keepdim=True)


@bank.mistake("every axis of size one is squeezed away first, also that of a single feature or instance")
def squeezes_first(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).squeeze().sum(-1)


@bank.mistake("the gradient is cut off where the means enter the second term")
def detaches_a_term(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu, 1 - mu.detach()).log().flatten(1).sum(1)


@bank.mistake("the targets are turned into -1 and 1 in place")
def changes_the_targets(mu: Tensor, target: Tensor) -> Tensor:
    sign = target.mul_(2).sub_(1)
    return (0.5 + sign * (mu - 0.5)).log().flatten(1).sum(1)


@bank.mistake("the sum is collected in a tensor of zeros, which is single precision whatever the means are")
def collects_in_single_precision(mu: Tensor, target: Tensor) -> Tensor:
    total = torch.zeros(len(mu))
    for term in _log_probabilities(mu, target).unbind(1):
        total += term
    return total


@bank.mistake("the result is made single precision")
def returns_single_precision(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum(1).float()


@bank.alternative("the probability is mu^x (1 - mu)^(1 - x) of each feature, picked with the target as an index")
def by_picking(mu: Tensor, target: Tensor) -> Tensor:
    both = torch.stack([1 - mu, mu], dim=-1)
    return both.gather(-1, target.long().unsqueeze(-1)).squeeze(-1).log().flatten(1).sum(1)


@bank.alternative("one instance after another, the ones and the zeros of each by themselves")
def by_rows(mu: Tensor, target: Tensor) -> Tensor:
    values = []
    for m, x in zip(mu, target, strict=True):
        values.append(m[x == 1].log().sum() + (1 - m[x == 0]).log().sum())
    return torch.stack(values)


@bank.alternative("the formula of the docstring, with a harmless mean wherever the other logarithm counts")
def by_safe_logarithms(mu: Tensor, target: Tensor) -> Tensor:
    one = target.bool()
    ones, zeros = torch.where(one, mu, 1.0), torch.where(one, 0.0, mu)
    return (target * ones.log() + (1 - target) * torch.log1p(-zeros)).reshape(len(mu), -1).sum(-1)


@bank.alternative("the distance of mean and target is the probability of the other value")
def by_distance(mu: Tensor, target: Tensor) -> Tensor:
    flat = torch.nn.Flatten()
    return torch.log1p(-(flat(target) - flat(mu)).abs()).sum(dim=1)
