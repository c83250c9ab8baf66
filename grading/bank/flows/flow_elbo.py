"""Implementations of flows.flow_elbo."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from grading.bank import Bank
from solutions.flows import posterior
from solutions.flows.composition import compose
from solutions.flows.planar import planar

bank = Bank("flows.flow_elbo")
LOG_2_PI = math.log(2 * math.pi)


def _draw(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)


def _log_normal(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 * torch.exp(-logvar)).sum(1)


def _log_prior(z: Tensor) -> Tensor:
    return -0.5 * (LOG_2_PI + z**2).sum(1)


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q_0 || N(0, I)) in closed form."""
    return 0.5 * (logvar.exp() + mu**2 - 1 - logvar).sum(1)


def _bound(x: Tensor, decode: Any, mu: Tensor, logvar: Tensor, z0: Tensor, z: Tensor, log_abs_det: Tensor) -> Tensor:
    """The four terms, for points of whatever origin."""
    return decode(z).log_prob(x) + _log_prior(z) - _log_normal(mu, logvar, z0) + log_abs_det


bank.reason(
    "A divergence in closed form is worked out for one distribution of z. Which is the distribution of z once the "
    "layers have moved it, and which of your terms know of the layers?"
)


@bank.mistake("the KL divergence of q_0 to the prior is kept in closed form, with the log-determinant added")
def keeps_the_kl(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z, log_abs_det = compose(layers, _draw(mu, logvar))
    return decode(z).log_prob(x) - _kl(mu, logvar) + log_abs_det


@bank.mistake("the bound is that of a plain autoencoder, with the flow as a first part of the decoder")
def puts_the_flow_into_the_decoder(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z, _ = compose(layers, _draw(mu, logvar))
    return decode(z).log_prob(x) - _kl(mu, logvar)


@bank.mistake("the layers are not used at all")
def forgets_the_layers(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, _ = encode(x)
    z = _draw(mu, logvar)
    return _bound(x, decode, mu, logvar, z, z, torch.zeros_like(z[:, 0]))


bank.reason(
    "Let the flow's density be the exact posterior: then every single sample, not only their mean, has to give log "
    "p(x). Which of your terms does not know which z_0 was drawn?"
)


@bank.mistake(
    "the entropy of q_0 is taken in closed form, which is right in the mean but not for the sample that was drawn"
)
def takes_the_entropy_in_closed_form(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z, log_abs_det = compose(layers, _draw(mu, logvar))
    entropy = 0.5 * (LOG_2_PI + logvar + 1).sum(1)
    return decode(z).log_prob(x) + _log_prior(z) + entropy + log_abs_det


@bank.mistake("log q_0 is taken at a second sample instead of the one that goes through the layers")
def draws_twice(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z, log_abs_det = compose(layers, _draw(mu, logvar))
    return _bound(x, decode, mu, logvar, _draw(mu, logvar), z, log_abs_det)


bank.reason(
    "Follow one sample through two layers on paper, in the order of the list, with a name for every point on the way. "
    "At which of them does each of the four terms stand in the handout, and at which in your code?"
)


@bank.mistake("the prior is taken at z_0 instead of z_k")
def takes_the_prior_at_the_first_point(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return decode(z).log_prob(x) + _log_prior(z0) - _log_normal(mu, logvar, z0) + log_abs_det


@bank.mistake("log q_0 is taken at z_k instead of z_0")
def takes_q_at_the_last_point(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z, log_abs_det = compose(layers, _draw(mu, logvar))
    return _bound(x, decode, mu, logvar, z, z, log_abs_det)


@bank.mistake("the decoder gets z_0 instead of z_k")
def decodes_the_first_point(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return decode(z0).log_prob(x) + _log_prior(z) - _log_normal(mu, logvar, z0) + log_abs_det


@bank.mistake("the layers are applied in reversed order")
def reverses_the_order(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    return _bound(x, decode, mu, logvar, z0, *compose(layers[::-1], z0))


bank.reason(
    "Let the layers double lengths in one dimension: is the density of z_k larger or smaller than that of z_0? Find "
    "what that does to log q_k, and then to the bound."
)


@bank.mistake("the log-determinant is subtracted")
def subtracts_the_log_determinant(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return _bound(x, decode, mu, logvar, z0, z, -log_abs_det)


@bank.mistake("the log-determinant is missing")
def forgets_the_log_determinant(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, _ = compose(layers, z0)
    return _bound(x, decode, mu, logvar, z0, z, torch.zeros_like(z[:, 0]))


bank.reason(
    "Take no layers, one latent feature, a q_0 with mean 0 and sigma = 2, and z_0 = 2: work out log p(z_0) and log "
    "q_0(z_0) by hand. What of them is left in your value, and would a better model raise it?"
)


@bank.mistake("the prior is missing")
def forgets_the_prior(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return decode(z).log_prob(x) - _log_normal(mu, logvar, z0) + log_abs_det


@bank.mistake("the constant of the prior is missing, though that of q_0 is there")
def forgets_one_constant(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return _bound(x, decode, mu, logvar, z0, z, log_abs_det) + 0.5 * mu.shape[1] * LOG_2_PI


@bank.mistake("log q_0 is taken at the noise instead of z_0, so that the scale of q_0 is forgotten")
def forgets_the_scale(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    noise = torch.randn_like(mu)
    z, log_abs_det = compose(layers, mu + torch.exp(0.5 * logvar) * noise)
    return decode(z).log_prob(x) + _log_prior(z) - _log_prior(noise) + log_abs_det


@bank.mistake("the negative bound, the loss, is returned")
def returns_the_loss(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return -posterior.flow_elbo(x, encode, decode)


bank.reason(
    "Let mu be 1 and sigma 2: what is logvar? Work out the mean and the standard deviation of your z_0, as numbers, "
    "and compare them with those of q_0."
)


@bank.mistake("the standard deviation of z_0 is exp(logvar) instead of exp(logvar / 2)")
def takes_the_variance_for_the_deviation(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = mu + torch.exp(logvar) * torch.randn_like(mu)
    return _bound(x, decode, mu, logvar, z0, *compose(layers, z0))


@bank.mistake("z_0 is the mean of q_0, without noise")
def takes_the_mean_for_the_sample(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    return _bound(x, decode, mu, logvar, mu, *compose(layers, mu))


@bank.mistake("the noise is uniform between 0 and 1, not normal")
def draws_uniform_noise(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = mu + torch.exp(0.5 * logvar) * torch.rand_like(mu)
    return _bound(x, decode, mu, logvar, z0, *compose(layers, z0))


bank.reason(
    "Count the numbers of noise for four instances of two latent features: how many have to be independent, and how "
    "many do you draw? Mark those that serve twice."
)


@bank.mistake("the instances of a batch share their noise")
def shares_noise_between_instances(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu[:1])
    return _bound(x, decode, mu, logvar, z0, *compose(layers, z0))


@bank.mistake("the second half of the batch gets the noise of the first with its sign turned")
def turns_the_sign_for_half_of_the_batch(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    half = torch.randn_like(mu[: (len(mu) + 1) // 2])
    z0 = mu + torch.exp(0.5 * logvar) * torch.cat([half, -half])[: len(mu)]
    return _bound(x, decode, mu, logvar, z0, *compose(layers, z0))


@bank.mistake("one number of noise is shared by all latent features of an instance")
def shares_noise_between_features(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu[:, :1])
    return _bound(x, decode, mu, logvar, z0, *compose(layers, z0))


bank.reason(
    "Take two instances for which the encoder gives different layers. Which layers does each sample go through in "
    "your code, and should the one's layers matter to the other?"
)


@bank.mistake("the layers of the first instance are used for all")
def takes_the_first_layers_for_all(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    return _bound(x, decode, mu, logvar, z0, *compose([(u[0], w[0], b[0]) for u, w, b in layers], z0))


@bank.mistake("the layers are averaged over the batch, so that all instances share one flow")
def averages_the_layers(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    return _bound(x, decode, mu, logvar, z0, *compose([(u.mean(0), w.mean(0), b.mean(0)) for u, w, b in layers], z0))


bank.reason(
    "Write down the shape of each term and of the result for three instances, and for one. Which instance does each "
    "number of the result belong to, and does it change when the others do?"
)


@bank.mistake("the log-determinants are averaged over the batch, which leaves only the mean of the values right")
def averages_the_log_determinants(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return _bound(x, decode, mu, logvar, z0, z, log_abs_det.mean())


@bank.mistake("the mean over the batch is returned")
def averages_the_batch(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return posterior.flow_elbo(x, encode, decode).mean()


@bank.mistake("the log-determinants are (batch, 1), so that the value is (batch, batch), whose mean is right")
def broadcasts_the_log_determinants(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return _bound(x, decode, mu, logvar, z0, z, log_abs_det.unsqueeze(1))


@bank.mistake("the result is (batch, 1)")
def keeps_the_axis(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return posterior.flow_elbo(x, encode, decode).unsqueeze(1)


@bank.mistake("every axis of size one is squeezed away, also the batch axis of a batch of one")
def squeezes_everything(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return posterior.flow_elbo(x, encode, decode).squeeze()


bank.reason(
    "Hold the noise still, and move mu, logvar and the parameters of a layer a little, one at a time: which of the "
    "four terms change? Follow the way back from each of them to the encoder, and see where it is cut."
)


@bank.mistake("z_0 is detached, so that the encoder's mean and variance learn nothing from the decoder")
def detaches_the_first_point(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar).detach()
    return _bound(x, decode, mu, logvar, z0, *compose(layers, z0))


@bank.mistake("z_k is detached, so that the encoder learns nothing from the decoder and the prior")
def detaches_the_last_point(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    z, log_abs_det = compose(layers, z0)
    return _bound(x, decode, mu, logvar, z0, z.detach(), log_abs_det)


@bank.mistake("the layers are detached, so that the encoder does not learn them")
def detaches_the_layers(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    return _bound(x, decode, mu, logvar, z0, *compose([(u.detach(), w.detach(), b.detach()) for u, w, b in layers], z0))


bank.reason(
    "Let the data come in single precision: which dtype has the noise, and which one has the z that the decoder gets?"
)


@bank.mistake("the noise is in double precision whatever the data are in, which a decoder in single precision refuses")
def draws_in_double_precision(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = mu + torch.exp(0.5 * logvar) * torch.randn(mu.shape, dtype=torch.float64)
    return _bound(x, decode, mu, logvar, z0, *compose(layers, z0))


bank.reason(
    "What has changed for the caller when your function returns, in the data and in torch's generator? Imagine a "
    "second call."
)


@bank.mistake("the generator is seeded inside the function, so that every call draws the same noise")
def seeds_the_generator(x: Tensor, encode: Any, decode: Any) -> Tensor:
    torch.manual_seed(0)
    return posterior.flow_elbo(x, encode, decode)


@bank.mistake("the caller's data are overwritten once they are no longer needed here")
def overwrites_the_data(x: Tensor, encode: Any, decode: Any) -> Tensor:
    value = posterior.flow_elbo(x, encode, decode)
    x.zero_()
    return value


@bank.pair("keeps_the_kl", "subtracts_the_log_determinant")
def keeps_the_kl_and_subtracts_the_log_determinant(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z, log_abs_det = compose(layers, _draw(mu, logvar))
    return decode(z).log_prob(x) - _kl(mu, logvar) - log_abs_det


@bank.pair("takes_the_prior_at_the_first_point", "forgets_the_log_determinant")
def takes_the_prior_at_the_first_point_and_forgets_the_log_determinant(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = _draw(mu, logvar)
    return decode(compose(layers, z0)[0]).log_prob(x) + _log_prior(z0) - _log_normal(mu, logvar, z0)


@bank.pair("subtracts_the_log_determinant", "takes_the_variance_for_the_deviation")
def subtracts_the_log_determinant_and_takes_the_variance_for_the_deviation(
    x: Tensor, encode: Any, decode: Any
) -> Tensor:
    mu, logvar, layers = encode(x)
    z0 = mu + torch.exp(logvar) * torch.randn_like(mu)
    z, log_abs_det = compose(layers, z0)
    return _bound(x, decode, mu, logvar, z0, z, -log_abs_det)


@bank.pair("returns_the_loss", "averages_the_batch")
def returns_the_loss_and_averages_the_batch(x: Tensor, encode: Any, decode: Any) -> Tensor:
    return -posterior.flow_elbo(x, encode, decode).mean()


@bank.alternative("torch.distributions draws with rsample and knows q_0 and the prior")
def by_distributions(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    q0 = Independent(Normal(mu, torch.exp(0.5 * logvar)), 1)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    z0 = q0.rsample()
    z, log_abs_det = compose(layers, z0)
    return decode(z).log_prob(x) + prior.log_prob(z) - (q0.log_prob(z0) - log_abs_det)


@bank.alternative("layer after layer with planar, from log q_0 to log q_k")
def by_planar(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    z = torch.addcmul(mu, logvar.div(2).exp(), torch.empty_like(mu).normal_())
    log_q = _log_normal(mu, logvar, z)
    for u, w, b in layers:
        z, log_abs_det = planar(z, u, w, b)
        log_q = log_q - log_abs_det
    return _log_prior(z) - log_q + decode(z).log_prob(x)


@bank.alternative("instance by instance, stacked at the end")
def by_instances(x: Tensor, encode: Any, decode: Any) -> Tensor:
    values = []
    for row in x.split(1):
        mu, logvar, layers = encode(row)
        z0 = _draw(mu, logvar)
        values.append(_bound(row, decode, mu, logvar, z0, *compose(layers, z0)))
    return torch.cat(values)


@bank.alternative("as reconstruction minus a sampled divergence, with the constants of both normals cancelled")
def by_a_sampled_divergence(x: Tensor, encode: Any, decode: Any) -> Tensor:
    mu, logvar, layers = encode(x)
    sigma = torch.sqrt(logvar.exp())
    z0 = Normal(mu, sigma).rsample()
    z, log_abs_det = compose(layers, z0)
    log_ratio = -torch.log(sigma) - 0.5 * ((z0 - mu) / sigma).square() + 0.5 * z.square()
    return decode(z).log_prob(x) - (log_ratio.sum(dim=-1) - log_abs_det)
