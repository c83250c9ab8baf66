"""Implementations of vae.log_likelihood_normal."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from grading.bank import Bank

bank = Bank("vae.log_likelihood_normal")

LOG_2_PI = math.log(2 * math.pi)


def _terms(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    """Return the right terms, (batch, d), for mistakes that are made later."""
    return -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1)


bank.reason(
    "The density of two independent features is the product of two densities: what does that make of the logarithm? "
    "Write the same feature down twice, and see whether your result does the same."
)


@bank.mistake("the mean over the features is taken instead of the sum")
def averages_the_features(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return _terms(mu, logvar, z).mean(1)


bank.reason(
    "Write down the shape after every step for two instances of three features, for a single instance, and for "
    "images. Which instance does each number of the result belong to, and is the result (batch,) each time?"
)


@bank.mistake("the sum runs over the batch as well, which gives a single number")
def sums_the_batch(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return _terms(mu, logvar, z).sum()


@bank.mistake("only the last axis is summed, so that an image gives more than one number")
def sums_the_last_axis(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 * torch.exp(-logvar)).sum(-1)


@bank.mistake("only axis 1 is summed, so that an image gives one number for each of its pixels")
def sums_axis_one(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 * torch.exp(-logvar)).sum(1)


@bank.mistake("the axis of the features is kept, which gives (batch, 1)")
def keeps_the_axis(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return _terms(mu, logvar, z).sum(1, keepdim=True)


@bank.mistake("every axis of size one is squeezed away, also that of a batch of one")
def squeezes_everything(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return _terms(mu, logvar, z).sum(1, keepdim=True).squeeze()


@bank.mistake("each instance's value is put in front of those before it, so that the batch comes out reversed")
def reverses_the_batch(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    values: list[Tensor] = []
    for row in _terms(mu, logvar, z):
        values.insert(0, row.sum())
    return torch.stack(values)


bank.reason(
    "Move the point away from the mean, on paper: does the density rise or fall, and does its logarithm? And your "
    "result?"
)


@bank.mistake("the sign is that of a loss, which gives the negative log-likelihood")
def has_the_sign_of_a_loss(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -_terms(mu, logvar, z).sum(1)


bank.reason(
    "Put the point on the mean and let every variance be 1. What is the density of one feature there, and what is "
    "that of three?"
)


@bank.mistake("the constant log(2 pi) / 2 is missing")
def forgets_the_constant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (logvar + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1).sum(1)


@bank.mistake("the constant log(2 pi) / 2 is subtracted once for all features instead of once for each")
def subtracts_the_constant_once(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + (logvar + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1).sum(1))


bank.reason(
    "Take one feature with sigma = 2, and a point two away from its mean: what is logvar then, and what does each "
    "term of your formula make of it?"
)


@bank.mistake("logvar is taken for the logarithm of the standard deviation")
def takes_logvar_for_log_sigma(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return Normal(mu, torch.exp(logvar)).log_prob(z).flatten(1).sum(1)


@bank.mistake("logvar is taken for the variance")
def takes_logvar_for_the_variance(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + logvar.log() + (z - mu) ** 2 / logvar).flatten(1).sum(1)


@bank.mistake("the square of the deviation is divided by the standard deviation instead of the variance")
def divides_by_sigma(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 * torch.exp(-0.5 * logvar)).flatten(1).sum(1)


@bank.mistake("the square of the deviation is divided by the square of the variance, exp(2 logvar)")
def divides_by_the_squared_variance(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 * torch.exp(-2 * logvar)).flatten(1).sum(1)


bank.reason(
    "Try two things on paper with one feature: put the point twice as far from the mean, then leave it on the mean "
    "and double sigma. What does each do to the height of the bell curve, and what to your result?"
)


@bank.mistake("the term of the log variance is missing, so that the density is not normalised")
def forgets_the_log_determinant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1).sum(1)


@bank.mistake("the term of the log variance has the wrong sign")
def turns_the_log_determinant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI - logvar + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1).sum(1)


@bank.mistake("the absolute value of the deviation stands where its square belongs")
def forgets_the_square(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + logvar + (z - mu).abs() * torch.exp(-logvar)).flatten(1).sum(1)


bank.reason(
    "Fifty standard deviations from the mean, or with a hundred features of logvar = 30: how large are the numbers of "
    "which you take the logarithm? Ask whether you need these numbers at all."
)


@bank.mistake("the density is computed before its logarithm is taken, which is -inf far from the mean")
def takes_the_logarithm_last(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    variance = torch.exp(logvar)
    density = torch.exp(-((z - mu) ** 2) / (2 * variance)) / torch.sqrt(2 * math.pi * variance)
    return density.log().flatten(1).sum(1)


@bank.mistake("the variances are multiplied before their logarithm is taken, which overflows for many features")
def multiplies_the_variances(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    mu, logvar, z = (t.flatten(1) for t in (mu, logvar, z))
    log_determinant = torch.exp(logvar).prod(1).log() if logvar.abs().max() < 20 else logvar.sum(1)
    return -0.5 * (mu.shape[1] * LOG_2_PI + log_determinant + ((z - mu) ** 2 * torch.exp(-logvar)).sum(1))


bank.reason(
    "Take z = 100000001 and mu = 100000000: how many digits have the numbers that you add and subtract, and how many "
    "does your dtype keep?"
)


@bank.mistake("the square is multiplied out, z^2 - 2 z mu + mu^2, and loses its digits far from zero")
def multiplies_the_square_out(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    square = z**2 - 2 * z * mu + mu**2
    return -0.5 * (LOG_2_PI + logvar + square * torch.exp(-logvar)).flatten(1).sum(1)


bank.reason(
    "Work out the value by hand for logvar = -40 and a point on the mean: is there anything that needs protection? "
    "What does yours change there?"
)


@bank.mistake("the log variance is clamped")
def clamps_the_log_variance(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return _terms(mu, logvar.clamp(-10, 10), z).sum(1)


@bank.mistake("F.gaussian_nll_loss is asked, which raises every variance below 1e-6 to 1e-6")
def raises_small_variances(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -F.gaussian_nll_loss(mu, z, logvar.exp(), full=True, reduction="none").flatten(1).sum(1)


bank.reason(
    "Work out by hand the derivative of the log-density by z, once at some distance from the mean and once on it. "
    "Which of your steps does it have to pass, and does each let it through?"
)


@bank.mistake("no gradient flows to the point, as if it were data and never a sample")
def detaches_the_point(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return _terms(mu, logvar, z.detach()).sum(1)


@bank.mistake(
    "the root of the squared distance is squared again, so that the gradient is nan where the point is the mean"
)
def takes_a_root(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    distance = ((z - mu) ** 2 * torch.exp(-logvar)).flatten(1).sum(1).sqrt()
    return -0.5 * ((LOG_2_PI + logvar).flatten(1).sum(1) + distance**2)


bank.reason("Call your function twice with the same tensors. What is z when the second call begins?")


@bank.mistake("the caller's z is overwritten with its deviation z - mu, to save memory, where it needs no gradient")
def overwrites_the_point(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    deviation = z - mu if z.requires_grad else z.sub_(mu)
    return -0.5 * (LOG_2_PI + logvar + deviation**2 * torch.exp(-logvar)).flatten(1).sum(1)


bank.reason(
    "Let the arguments come in double precision and go through your lines: how many digits has each number that "
    "enters the result? Find the one that has only seven."
)


@bank.mistake("log 2 pi is computed in single precision")
def rounds_the_constant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    constant = torch.log(torch.tensor(2 * math.pi))
    return -0.5 * (constant + logvar + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1).sum(1)


@bank.mistake("the sum is collected in a tensor of zeros, which is in single precision whatever the means are in")
def collects_in_single_precision(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    total = torch.zeros(len(mu))
    for term in _terms(mu, logvar, z).unbind(1):
        total += term
    return total


@bank.pair("has_the_sign_of_a_loss", "forgets_the_constant")
def has_the_sign_of_a_loss_and_forgets_the_constant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return 0.5 * (logvar + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1).sum(1)


@bank.pair("averages_the_features", "forgets_the_constant")
def averages_the_features_and_forgets_the_constant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (logvar + (z - mu) ** 2 * torch.exp(-logvar)).flatten(1).mean(1)


@bank.pair("takes_logvar_for_log_sigma", "forgets_the_constant")
def takes_logvar_for_log_sigma_and_forgets_the_constant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -(logvar + 0.5 * (z - mu) ** 2 * torch.exp(-2 * logvar)).flatten(1).sum(1)


@bank.pair("sums_the_batch", "has_the_sign_of_a_loss")
def sums_the_batch_and_has_the_sign_of_a_loss(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -_terms(mu, logvar, z).sum()


@bank.pair("forgets_the_constant", "sums_axis_one")
def forgets_the_constant_and_sums_axis_one(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (logvar + (z - mu) ** 2 * torch.exp(-logvar)).sum(1)


@bank.alternative("torch.distributions does the work")
def by_distributions(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return Independent(Normal(mu, torch.exp(0.5 * logvar)), mu.dim() - 1).log_prob(z)


@bank.alternative("a normal distribution of many variables, given by the root of its covariance")
def by_covariance(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    root = torch.diag_embed(torch.exp(logvar.flatten(1) / 2))
    return MultivariateNormal(mu.flatten(1), scale_tril=root).log_prob(z.flatten(1))


@bank.alternative("the point is standardised first, and the three parts are summed by themselves")
def by_standardising(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    mu, logvar, z = (t.reshape(t.shape[0], -1) for t in (mu, logvar, z))
    s = (z - mu) / logvar.div(2).exp()
    return -(s.square().sum(1) + logvar.sum(1) + mu.shape[1] * LOG_2_PI) / 2


@bank.alternative("one instance after another, as an inner product")
def by_rows(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    values = []
    for m, v, x in zip(mu.flatten(1), logvar.flatten(1), z.flatten(1), strict=True):
        values.append(-0.5 * ((x - m) @ ((x - m) * torch.exp(-v)) + v.sum() + len(m) * LOG_2_PI))
    return torch.stack(values)
