"""Implementations of vae.log_likelihood_bernoulli."""

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank

bank = Bank("vae.log_likelihood_bernoulli")


def _log_probabilities(mu: Tensor, target: Tensor) -> Tensor:
    """Return the right terms, (batch, d), for mistakes that are made later."""
    return torch.where(target > 0.5, mu, 1 - mu).log().flatten(1)


bank.reason(
    "Two independent pixels: how does the probability of seeing both follow from that of each, and what does that "
    "make of the logarithms? Write the same pixel down twice, and see whether your result does the same."
)


@bank.mistake("the mean over the features is taken instead of the sum")
def averages_the_features(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).mean(1)


bank.reason(
    "Take one pixel with mu = 0.5: which sign has the logarithm of its probability, and which sign has your result?"
)


@bank.mistake("the sign is that of a loss, which gives the cross-entropy instead of the log-likelihood")
def has_the_sign_of_a_loss(mu: Tensor, target: Tensor) -> Tensor:
    return -_log_probabilities(mu, target).sum(1)


bank.reason(
    "Take one pixel with mu = 0.9. Work out by hand the logarithm of the probability of a 1 and that of a 0, and "
    "compare both with what you return."
)


@bank.mistake("targets of zero contribute nothing: the term (1 - x) log(1 - mu) is missing")
def forgets_the_zeros(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu.log(), 0.0).flatten(1).sum(1)


@bank.mistake("ones and zeros are exchanged")
def exchanges_ones_and_zeros(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, 1 - target).sum(1)


@bank.mistake("means and targets are exchanged: the logarithm is that of the target")
def exchanges_the_arguments(mu: Tensor, target: Tensor) -> Tensor:
    return (mu * target.log() + (1 - mu) * (1 - target).log()).flatten(1).sum(1)


bank.reason(
    "Write two images of 2 x 2 pixels on paper and follow every pixel through your code. Which image does each number "
    "of the result belong to, are all of its pixels in it, and none of the other's?"
)


@bank.mistake("the sum runs over the batch as well, which gives a single number")
def sums_the_batch(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum()


@bank.mistake("the sum runs over the batch instead of the features")
def sums_the_wrong_axis(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum(0)


@bank.mistake("only the last axis is summed, so that an image gives more than one number")
def sums_the_last_axis(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu, 1 - mu).log().sum(-1)


@bank.mistake("only axis 1 is summed, so that an image gives one number for each of its pixels")
def sums_axis_one(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu, 1 - mu).log().sum(1)


@bank.mistake("the terms are reshaped to (d, batch) where a transpose is meant, which mixes the instances")
def reshapes_instead_of_transposing(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).reshape(-1, len(mu)).sum(0)


@bank.mistake("each instance's value is put in front of those before it, so that the batch comes out reversed")
def reverses_the_batch(mu: Tensor, target: Tensor) -> Tensor:
    values: list[Tensor] = []
    for row in _log_probabilities(mu, target):
        values.insert(0, row.sum())
    return torch.stack(values)


bank.reason(
    "Write down the shape after every step for five images of three pixels, then for one image, then for images of "
    "one pixel. Which shape is asked for, and where do you leave it?"
)


@bank.mistake("the axis of the features is kept, which gives (batch, 1)")
def keeps_the_axis(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum(1, keepdim=True)


@bank.mistake("every axis of size one is squeezed away first, also that of a single feature or instance")
def squeezes_first(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).squeeze().sum(-1)


bank.reason(
    "Take mu = 0 and a target of 0, and write down every number that your code computes on the way, also those that "
    "it multiplies by zero or does not choose. What is the derivative of each of them at that point?"
)


@bank.mistake("0 log 0 is computed where a mean is exactly 0 or 1, which gives nan")
def multiplies_zero_by_infinity(mu: Tensor, target: Tensor) -> Tensor:
    return (target * mu.log() + (1 - target) * (1 - mu).log()).flatten(1).sum(1)


@bank.mistake("torch.xlogy makes the value of 0 log 0 zero, while its gradient stays nan")
def has_a_nan_gradient(mu: Tensor, target: Tensor) -> Tensor:
    return (torch.xlogy(target, mu) + torch.xlogy(1 - target, 1 - mu)).flatten(1).sum(1)


@bank.mistake("both logarithms are taken before one is chosen, so that the infinite gradient of the other becomes nan")
def chooses_after_the_logarithm(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu.log(), (1 - mu).log()).flatten(1).sum(1)


bank.reason(
    "How probable is a 1 where mu is exactly 0, and what is the logarithm of that? Find what keeps your result from "
    "saying so."
)


@bank.mistake("F.binary_cross_entropy cuts logarithms off at -100, so that the impossible is merely unlikely")
def cuts_off_at_minus_100(mu: Tensor, target: Tensor) -> Tensor:
    return -F.binary_cross_entropy(mu, target, reduction="none").flatten(1).sum(1)


@bank.mistake("torch.distributions moves means of 0 and 1 inwards, so that the impossible is merely unlikely")
def asks_a_clamping_distribution(mu: Tensor, target: Tensor) -> Tensor:
    return torch.distributions.Bernoulli(probs=mu).log_prob(target).flatten(1).sum(1)


@bank.mistake("the means are clamped away from 0 and 1")
def clamps_the_means(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu.clamp(1e-6, 1 - 1e-6), target).sum(1)


@bank.mistake("a small number is added inside the logarithms")
def adds_an_epsilon(mu: Tensor, target: Tensor) -> Tensor:
    return (target * (mu + 1e-8).log() + (1 - target) * (1 - mu + 1e-8).log()).flatten(1).sum(1)


bank.reason(
    "How small is the product of ten thousand probabilities of about one half, and what is the smallest number above "
    "zero that your dtype can hold? Ask whether anybody wants to know the product itself."
)


@bank.mistake("the probabilities are multiplied before the logarithm is taken, which underflows for many features")
def multiplies_the_probabilities(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu, 1 - mu).flatten(1).prod(1).log()


bank.reason(
    "Take a pixel with target 0 and move its mu a little: by how much does the log-likelihood change? Work out that "
    "slope by hand, and ask whether your gradient knows of it."
)


@bank.mistake("the gradient is cut off where the means enter the second term")
def detaches_a_term(mu: Tensor, target: Tensor) -> Tensor:
    return torch.where(target > 0.5, mu, 1 - mu.detach()).log().flatten(1).sum(1)


bank.reason("Call your function twice with the same tensors. What are the targets when the second call begins?")


@bank.mistake("the targets are turned into -1 and 1 in place, which changes the caller's tensor")
def changes_the_targets(mu: Tensor, target: Tensor) -> Tensor:
    sign = target.mul_(2).sub_(1)
    return (0.5 + sign * (mu - 0.5)).log().flatten(1).sum(1)


bank.reason(
    "Let the means come in double precision and go through your lines: how many digits does each intermediate result "
    "keep? Find the one after which only seven are left."
)


@bank.mistake("the sum is collected in a tensor of zeros, which is in single precision whatever the means are in")
def collects_in_single_precision(mu: Tensor, target: Tensor) -> Tensor:
    total = torch.zeros(len(mu))
    for term in _log_probabilities(mu, target).unbind(1):
        total += term
    return total


@bank.mistake("the result is turned into single precision")
def returns_single_precision(mu: Tensor, target: Tensor) -> Tensor:
    return _log_probabilities(mu, target).sum(1).float()


@bank.pair("averages_the_features", "has_the_sign_of_a_loss")
def averages_the_features_and_has_the_sign_of_a_loss(mu: Tensor, target: Tensor) -> Tensor:
    return -_log_probabilities(mu, target).mean(1)


@bank.pair("has_the_sign_of_a_loss", "cuts_off_at_minus_100")
def has_the_sign_of_a_loss_and_cuts_off_at_minus_100(mu: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy(mu, target, reduction="none").flatten(1).sum(1)


@bank.pair("sums_the_last_axis", "multiplies_zero_by_infinity")
def sums_the_last_axis_and_multiplies_zero_by_infinity(mu: Tensor, target: Tensor) -> Tensor:
    return (target * mu.log() + (1 - target) * (1 - mu).log()).sum(-1)


@bank.pair("averages_the_features", "adds_an_epsilon")
def averages_the_features_and_adds_an_epsilon(mu: Tensor, target: Tensor) -> Tensor:
    return (target * (mu + 1e-8).log() + (1 - target) * (1 - mu + 1e-8).log()).flatten(1).mean(1)


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
