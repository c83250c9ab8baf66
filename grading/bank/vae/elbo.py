"""Implementations of vae.elbo."""

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from grading.bank import Bank
from solutions.vae import bounds

bank = Bank("vae.elbo")


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """Each feature's share of KL(q || N(0, I))."""
    return 0.5 * (logvar.exp() + mu**2 - 1 - logvar)


def _draw(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)


bank.reason(
    "The bound rewards a z that explains x, and charges for a q that is far from the prior. Leave the reconstruction "
    "as it is and move q further away: should the value rise or fall, and what does yours do?"
)


@bank.mistake("the KL divergence is added instead of subtracted")
def adds_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(_draw(mu, logvar)).log_prob(x) + _kl(mu, logvar).sum(1)


@bank.mistake("the negative ELBO, the loss, is returned")
def returns_the_loss(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return _kl(mu, logvar).sum(1) - decode(_draw(mu, logvar)).log_prob(x)


@bank.mistake("the KL divergence is missing")
def forgets_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return decode(_draw(*encode(x))).log_prob(x)


bank.reason(
    "Add a second latent feature with the mu and logvar of the first: what does that make of the divergence, and what "
    "of your second term?"
)


@bank.mistake("the KL divergence is averaged over the latent features instead of summed")
def averages_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(_draw(mu, logvar)).log_prob(x) - _kl(mu, logvar).mean(1)


bank.reason(
    "Let mu be 1 and sigma 2: what is logvar? Work out the mean and the standard deviation of your z, as numbers, and "
    "compare them with those of q."
)


@bank.mistake("z is the mean of q, without noise")
def takes_the_mean_for_z(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(mu).log_prob(x) - _kl(mu, logvar).sum(1)


@bank.mistake("the standard deviation of z is exp(logvar) instead of exp(logvar / 2)")
def takes_the_variance_for_the_deviation(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = mu + torch.exp(logvar) * torch.randn_like(mu)
    return decode(z).log_prob(x) - _kl(mu, logvar).sum(1)


@bank.mistake("the noise is uniform between 0 and 1 (torch.rand for torch.randn)")
def draws_uniform_noise(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.rand_like(mu)
    return decode(z).log_prob(x) - _kl(mu, logvar).sum(1)


bank.reason(
    "Count the numbers of noise for three instances of two latent features: how many have to be independent, and how "
    "many do you draw? Mark those that serve twice."
)


@bank.mistake("the instances of a batch share their noise")
def shares_noise_between_instances(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu[:1])
    return decode(z).log_prob(x) - _kl(mu, logvar).sum(1)


@bank.mistake("one number of noise is shared by all latent features of an instance")
def shares_noise_between_features(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu[:, :1])
    return decode(z).log_prob(x) - _kl(mu, logvar).sum(1)


bank.reason(
    "Hold the noise still, and move mu, logvar and the decoder's weights a little, one at a time: what does each do "
    "to log p(x | z)? Follow the way back from the value to each of them, and see where it is cut."
)


@bank.mistake("z is detached, so that the reconstruction does not train the encoder")
def detaches_z(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(_draw(mu, logvar).detach()).log_prob(x) - _kl(mu, logvar).sum(1)


@bank.mistake("the standard deviation is detached, so that the reconstruction does not train the encoder's logvar")
def detaches_the_deviation(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(_draw(mu, logvar.detach())).log_prob(x) - _kl(mu, logvar).sum(1)


@bank.mistake("the decoder runs without a graph, so that the reconstruction trains nothing")
def decodes_without_a_graph(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    with torch.no_grad():
        reconstruction = decode(_draw(mu, logvar)).log_prob(x)
    return reconstruction - _kl(mu, logvar).sum(1)


bank.reason(
    "Work the divergence out by hand for one latent feature: first with q the prior itself, then with mean 0 and "
    "sigma = 3, as an expectation over q. Does your second term give both numbers?"
)


@bank.mistake(
    "ones stand where the prior's log variances belong, so that the KL divergence is to a prior of variance e"
)
def takes_one_for_the_log_variance(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    kl = 0.5 * (1 - logvar + (logvar.exp() + mu**2) / torch.ones_like(mu).exp() - 1).sum(1)
    return decode(_draw(mu, logvar)).log_prob(x) - kl


@bank.mistake("q and the prior are swapped in the KL divergence")
def reverses_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    kl = 0.5 * (logvar + (1 + mu**2) / logvar.exp() - 1).sum(1)
    return decode(_draw(mu, logvar)).log_prob(x) - kl


@bank.mistake("the log variance is clamped, so that a wide q is treated as a narrower one")
def clamps_the_log_variance(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return bounds.elbo(x, lambda _: (mu, logvar.clamp(-4, 1)), decode)


bank.reason(
    "One of the two terms is known exactly, without any sample: which, and does yours change from call to call? Think "
    "of a decoder that ignores z."
)


@bank.mistake("the KL divergence is sampled, as log q(z) - log p(z), instead of taken in closed form")
def samples_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = _draw(mu, logvar)
    log_q = Normal(mu, torch.exp(0.5 * logvar)).log_prob(z).sum(1)
    return decode(z).log_prob(x) - log_q + Normal(0.0, 1.0).log_prob(z).sum(1)


bank.reason(
    "Write down the shape of each term and of the result for three instances, and then for one. Does each number of "
    "the result hold the two terms of one instance, and nothing of its neighbours?"
)


@bank.mistake("the mean over the batch is returned")
def averages_the_batch(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return (decode(_draw(mu, logvar)).log_prob(x) - _kl(mu, logvar).sum(1)).mean()


@bank.mistake("the KL divergence is averaged over the batch before it is subtracted from each instance")
def averages_the_kl_over_the_batch(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(_draw(mu, logvar)).log_prob(x) - _kl(mu, logvar).sum(1).mean()


@bank.mistake("the KL divergence is summed over the batch before it is subtracted from each instance")
def sums_the_kl_over_the_batch(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(_draw(mu, logvar)).log_prob(x) - _kl(mu, logvar).sum()


@bank.mistake("the KL divergence keeps its summed axis, so that the difference is (batch, batch)")
def keeps_the_axis_of_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return decode(_draw(mu, logvar)).log_prob(x) - _kl(mu, logvar).sum(1, keepdim=True)


@bank.mistake("squeeze() without an axis removes the batch axis of a batch of one")
def squeezes_everything(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    return (decode(_draw(mu, logvar)).log_prob(x) - _kl(mu, logvar).sum(1)).squeeze()


bank.reason(
    "Let the data come in single precision: which dtype has the noise, and which one has the z that the decoder gets?"
)


@bank.mistake("the noise is in double precision whatever the data are in, which a decoder in single precision refuses")
def draws_in_double_precision(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn(mu.shape, dtype=torch.float64)
    return decode(z).log_prob(x) - _kl(mu, logvar).sum(1)


bank.reason(
    "What has changed for the caller when your function returns: the data, torch's generator, torch's switches? "
    "Imagine a second call, and a training step after it."
)


@bank.mistake("the generator is seeded inside the function, so that every call draws the same noise")
def seeds_the_generator(x: Tensor, encode: Any, decode: Any) -> Tensor:
    torch.manual_seed(0)
    return bounds.elbo(x, encode, decode)


@bank.mistake("the caller's data are overwritten once they are no longer needed here")
def overwrites_the_data(x: Tensor, encode: Any, decode: Any) -> Tensor:
    value = bounds.elbo(x, encode, decode)
    x.zero_()
    return value


@bank.mistake("gradients are switched off, and are still off when the function has returned")
def switches_gradients_off(x: Tensor, encode: Any, decode: Any) -> Tensor:
    value = bounds.elbo(x, encode, decode)
    torch.set_grad_enabled(False)
    return value


@bank.pair("returns_the_loss", "averages_the_batch")
def returns_the_loss_and_averages_the_batch(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return returns_the_loss(x, encode, decode).mean()


@bank.pair("returns_the_loss", "averages_the_kl")
def returns_the_loss_and_averages_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return -averages_the_kl(x, encode, decode)


@bank.pair("takes_the_variance_for_the_deviation", "averages_the_kl")
def takes_the_variance_for_the_deviation_and_averages_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = mu + torch.exp(logvar) * torch.randn_like(mu)
    return decode(z).log_prob(x) - _kl(mu, logvar).mean(1)


@bank.pair("takes_the_variance_for_the_deviation", "detaches_z")
def takes_the_variance_for_the_deviation_and_detaches_z(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    z = Normal(mu, torch.exp(logvar)).sample()
    return decode(z).log_prob(x) - _kl(mu, logvar).sum(1)


@bank.alternative("torch.distributions draws with rsample and knows the KL divergence")
def by_torch_distributions(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    q = Independent(Normal(mu, torch.exp(0.5 * logvar)), 1)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    return decode(q.rsample()).log_prob(x) - kl_divergence(q, prior)


@bank.alternative("instance by instance, stacked at the end")
def by_a_loop(x: Tensor, encode: Any, decode: Any) -> Tensor:
    values = []
    for row in x.split(1):
        mu, logvar = encode(row)
        values.append(decode(_draw(mu, logvar)).log_prob(row) - _kl(mu, logvar).sum(-1))
    return torch.cat(values)


@bank.alternative("with standard deviations, noise from normal_ and the KL divergence summed in two parts")
def by_standard_deviations(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar = encode(x)
    sigma = torch.sqrt(torch.exp(logvar))
    z = torch.addcmul(mu, sigma, torch.empty_like(mu).normal_())
    entropy_like = torch.log(sigma).sum(-1) + 0.5 * mu.shape[-1]
    return decode(z).log_prob(x) + entropy_like - 0.5 * (mu.square() + sigma.square()).sum(-1)
