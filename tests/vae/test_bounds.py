"""Properties of bounds.py, on a linear-Gaussian model whose log p(x) and posterior are known exactly."""

import math

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import WrongAnswer, assert_at_most, assert_close, per_instance
from tests.support.common import assert_shape
from tests.support.models import LinearDecoder, LinearEncoder
from tests.support.oracles import LinearGaussian, standard_kl
from tests.support.properties import Part, Topic
from tests.support.statistics import FALSE_ALARM, assert_mean
from tests.support.strategies import linear_gaussians, observations, reals, seeds

elbo = Part("vae.elbo", "bounds.py")
importance = Part("vae.importance_log_likelihood", "bounds.py")

F64 = torch.float64
ROWS = 4000
MODEL = linear_gaussians()
SHIFT = reals(-0.5, 0.5)


def _single(x: Tensor, encoder: LinearEncoder, decoder: LinearDecoder) -> tuple[Tensor, LinearEncoder, LinearDecoder]:
    """The same question in single precision."""
    return (
        x.float(),
        LinearEncoder(*(field.float() for field in encoder.fields())),
        LinearDecoder(decoder.weight.float(), decoder.bias.float(), decoder.variance),
    )


def _asked(asked: tuple[Tensor, ...], expected: int) -> Tensor:
    """The latent variables that the decoder was called with, one below the other."""
    z = torch.cat([t.reshape(-1, t.shape[-1]) for t in asked]) if asked else torch.zeros(0, 2)
    if len(z) != expected:
        raise WrongAnswer(f"the decoder was asked at {len(z)} latent variables, expected {expected}")
    return z


@elbo.property("shape", model=MODEL, x=observations())
def one_value_for_each_instance(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """The result has the shape (batch,), also for one instance."""
    for rows in (x, x[:1]):
        assert_shape(vae.elbo.observe(rows, model.posterior(), model.decoder).value, len(rows))


@elbo.property("shape", most=10, model=MODEL, x=observations())
def keeps_the_dtype(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    for arguments in ((x, model.posterior(), model.decoder), _single(x, model.posterior(), model.decoder)):
        value = vae.elbo.observe(*arguments).value
        if value.dtype != arguments[0].dtype:
            raise WrongAnswer(f"arguments of {arguments[0].dtype} gave a result of {value.dtype}")


@elbo.property("value", model=MODEL, x=observations(), shift=SHIFT, seed=seeds())
def reconstruction_minus_kl(vae: Topic, model: LinearGaussian, x: Tensor, shift: float, seed: int) -> None:
    """The value is log p(x | z) at the one z for which the decoder was asked, minus KL(q || N(0, I))."""
    encoder = model.posterior(shift, widen=0.5)
    seen = vae.elbo.observe(x, encoder, model.decoder)
    z = _asked(seen.asked[2], len(x))
    expected = model.decoder(z).log_prob(x) - standard_kl(*encoder(x))
    assert_close(torch.as_tensor(seen.value).reshape(-1), expected, 100.0)


@elbo.property("randomness", most=4, false_alarm=5 * FALSE_ALARM, model=MODEL, seed=seeds())
def samples_come_from_q(vae: Topic, model: LinearGaussian, seed: int) -> None:
    """The decoder is asked at independent samples of q: (z - mu) exp(-logvar / 2) has mean 0, variance 1, and no
    correlation between features or between neighbouring instances."""
    encoder = model.posterior(widen=0.5)

    def noise(count: int) -> Tensor:
        x = torch.zeros(count, 4, dtype=F64)
        mu, logvar = encoder(x)
        return (_asked(vae.elbo.observe(x, encoder, model.decoder).asked[2], count) - mu) * torch.exp(-0.5 * logvar)

    assert_mean(lambda n: noise(n)[:, 0], 0.0, ROWS, 0.2, "the mean of the noise")
    assert_mean(lambda n: noise(n)[:, 0] ** 2, 1.0, ROWS, 0.2, "the variance of the noise")
    assert_mean(lambda n: noise(n)[:, 1] ** 2, 1.0, ROWS, 0.2, "the variance of the noise")
    assert_mean(lambda n: noise(n).prod(1), 0.0, ROWS, 0.2, "the covariance of the noise of two features")
    # Disjoint pairs of rows, so that the products are independent.
    assert_mean(
        lambda n: noise(2 * n).view(n, 2, 2)[:, :, 0].prod(1), 0.0, ROWS, 0.2, "the covariance of two instances"
    )


@elbo.property(
    "randomness", most=4, false_alarm=FALSE_ALARM, model=MODEL, x=observations(batch=1), shift=SHIFT, seed=seeds()
)
def mean_is_log_likelihood_minus_gap(vae: Topic, model: LinearGaussian, x: Tensor, shift: float, seed: int) -> None:
    """The mean over many draws is log p(x) - KL(q || p(z | x)), so it never exceeds log p(x)."""
    encoder = model.posterior(shift, widen=0.3)
    expected = float(model.log_marginal(x) - model.posterior_kl(x, encoder))
    assert_mean(
        lambda count: vae.elbo(x.expand(count, -1), encoder, model.decoder), expected, ROWS, 3.0, "the mean bound"
    )


@elbo.property("gradient", model=MODEL, x=observations(), shift=SHIFT, seed=seeds())
def gradient_reaches_the_encoder(vae: Topic, model: LinearGaussian, x: Tensor, shift: float, seed: int) -> None:
    """The derivative by the encoder's bias is that of log p(x | z) by z, summed, minus that of the KL, which is mu."""
    encoder, decoder = model.posterior(shift), model.decoder
    seen = vae.elbo.observe(x, encoder, decoder, wrt="1.bias")
    z = _asked(seen.asked[2], len(x))
    by_z = (x - z @ decoder.weight.T - decoder.bias) @ decoder.weight / decoder.variance
    expected = (by_z - encoder(x)[0]).sum(0)
    if seen.gradient is None:
        raise WrongAnswer("no gradient flows from the result to the encoder", None, expected)
    assert_close(seen.gradient, expected, 1000.0)


@elbo.property("gradient", model=MODEL, x=observations(), seed=seeds())
def gradient_reaches_the_decoder(vae: Topic, model: LinearGaussian, x: Tensor, seed: int) -> None:
    """The derivative by the decoder's bias is that of log p(x | z), summed over the instances."""
    decoder = model.decoder
    seen = vae.elbo.observe(x, model.posterior(), decoder, wrt="2.bias")
    z = _asked(seen.asked[2], len(x))
    expected = ((x - z @ decoder.weight.T - decoder.bias) / decoder.variance).sum(0)
    if seen.gradient is None:
        raise WrongAnswer("no gradient flows from the result to the decoder", None, expected)
    assert_close(seen.gradient, expected, 1000.0)


@importance.property("shape", model=MODEL, x=observations(), k=st.integers(1, 4))
def one_value_for_each_instance_and_any_k(vae: Topic, model: LinearGaussian, x: Tensor, k: int) -> None:
    """The result has the shape (batch,), also for one instance and for one sample."""
    for rows, count in ((x, k), (x[:1], k), (x, 1)):
        value = vae.importance_log_likelihood.observe(rows, model.posterior(), model.decoder, count).value
        assert_shape(value, len(rows))


@importance.property("shape", most=10, model=MODEL, x=observations())
def keeps_the_precision(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    for arguments in ((x, model.posterior(), model.decoder), _single(x, model.posterior(), model.decoder)):
        value = vae.importance_log_likelihood.observe(*arguments, 3).value
        if value.dtype != arguments[0].dtype:
            raise WrongAnswer(f"arguments of {arguments[0].dtype} gave a result of {value.dtype}")


@importance.property("value", model=MODEL, x=observations(batch=5), k=st.integers(1, 6), seed=seeds())
def exact_with_the_exact_posterior(vae: Topic, model: LinearGaussian, x: Tensor, k: int, seed: int) -> None:
    """With q the exact posterior every weight is p(x): the estimate is log p(x) for any number of samples."""
    estimate = vae.importance_log_likelihood(x, model.posterior(), model.decoder, k)
    assert_close(estimate, model.log_marginal(x), 100.0)


@importance.property("value", model=MODEL, x=observations(batch=1), shift=SHIFT, k=st.integers(1, 6), seed=seeds())
def log_mean_of_the_weights(vae: Topic, model: LinearGaussian, x: Tensor, shift: float, k: int, seed: int) -> None:
    """The estimate is the log of the mean of p(x | z) p(z) / q(z | x) at the K samples the decoder was asked for."""
    _assert_log_mean_of_weights(vae, model, x, model.posterior(shift, widen=0.5), k)


def _assert_log_mean_of_weights(vae: Topic, model: LinearGaussian, x: Tensor, encoder: LinearEncoder, k: int) -> Tensor:
    """Compare the estimate for one instance with the weights of the samples it used; return their logarithms."""
    seen = vae.importance_log_likelihood.observe(x, encoder, model.decoder, k)
    z = _asked(seen.asked[2], k)
    log_weights = model.log_weights(x.expand(k, -1), encoder, z)
    estimate = per_instance(seen.value, 1)
    assert_close(estimate, log_weights.logsumexp(0, keepdim=True) - math.log(k), 100.0)
    return log_weights


@importance.property("value", most=2, model=MODEL, x=observations(batch=1), seed=seeds())
def many_samples(vae: Topic, model: LinearGaussian, x: Tensor, seed: int) -> None:
    """With 30,011 samples of one instance, worked through in pieces or not, all of them count alike."""
    _assert_log_mean_of_weights(vae, model, x, model.posterior(0.5, widen=0.5), 30_011)


@importance.property(
    "value",
    stays="it is the theorem of the chapter; any answer that breaks it misses the log-mean of the weights too",
    model=MODEL,
    x=observations(batch=1),
    shift=SHIFT,
    k=st.integers(2, 6),
    seed=seeds(),
)
def bounds_the_elbo_and_grows_with_k(
    vae: Topic, model: LinearGaussian, x: Tensor, shift: float, k: int, seed: int
) -> None:
    """On the same samples the estimate is at least the mean log-weight (the ELBO), and at least the mean of the
    estimates that leave one sample out (it grows with K)."""
    encoder = model.posterior(shift, widen=0.5)
    seen = vae.importance_log_likelihood.observe(x, encoder, model.decoder, k)
    log_weights = model.log_weights(x.expand(k, -1), encoder, _asked(seen.asked[2], k))
    others = log_weights.expand(k, k)[~torch.eye(k, dtype=torch.bool)].view(k, k - 1)
    without_one = others.logsumexp(1) - math.log(k - 1)
    estimate = per_instance(seen.value, 1)
    assert_at_most(log_weights.mean()[None], estimate, 100.0)
    assert_at_most(without_one.mean()[None], estimate, 100.0)


@importance.property("randomness", most=3, false_alarm=FALSE_ALARM, model=MODEL, x=observations(batch=1), seed=seeds())
def unbiased_for_the_likelihood(vae: Topic, model: LinearGaussian, x: Tensor, seed: int) -> None:
    """Under a q wider than the posterior, the mean of exp(estimate) over many estimates is p(x)."""
    encoder = model.posterior(widen=0.4)  # wider, so that the weights are bounded

    def ratios(count: int) -> Tensor:
        estimates = vae.importance_log_likelihood(x.expand(count, -1), encoder, model.decoder, 2)
        return (estimates - model.log_marginal(x)).exp()

    assert_mean(ratios, 1.0, ROWS, 0.2, "the mean of exp(estimate) / p(x)")


@importance.property("randomness", most=4, model=MODEL, seed=seeds())
def every_sample_is_fresh(vae: Topic, model: LinearGaussian, seed: int) -> None:
    """Equal instances, and the samples of an instance, get different latent variables."""
    x = torch.zeros(4, 4, dtype=F64)
    seen = vae.importance_log_likelihood.observe(x, model.posterior(widen=0.5), model.decoder, 5)
    z = _asked(seen.asked[2], 20)
    if z.unique().numel() < z.numel():
        raise WrongAnswer("some instances or samples shared their noise", z)


@importance.property("cost", most=5, model=MODEL, x=observations())
def leaves_no_graph(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """The result has no graph behind it, even where the networks have parameters to train."""
    for parameter in ("1.weight", "2.weight"):
        seen = vae.importance_log_likelihood.observe(x, model.posterior(), model.decoder, 3, wrt=parameter)
        if seen.has_graph:
            raise WrongAnswer("the result requires a gradient: evaluate under torch.no_grad()")


IMAGES, PIXELS, LIMIT = 10_000, 20, 600 * 10**6


@importance.property("cost", edges=[{"k": 20}])
def fits_in_memory(vae: Topic, k: int) -> None:
    """10,000 images and 20 samples need at most 600 MB, as far as memory grows with the number of pixels."""
    # 20 pixels instead of 784 keep this quick; the limit shrinks with them.
    weight = torch.ones(PIXELS, 2)
    encoder = LinearEncoder(weight.T / PIXELS, torch.zeros(2), torch.zeros(2))
    decoder = LinearDecoder(weight, torch.zeros(PIXELS), 1.0)
    peak = vae.importance_log_likelihood.peak_bytes(torch.zeros(IMAGES, PIXELS), encoder, decoder, k)
    at_full_size = peak * 784 // PIXELS
    if at_full_size > LIMIT:
        raise WrongAnswer(
            f"images of 784 pixels would need {at_full_size / 1e6:.0f} MB at one time; take the samples in pieces"
        )
