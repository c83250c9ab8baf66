"""Properties of bounds.py, on a linear-Gaussian model whose log p(x) and posterior are known exactly."""

import math
from functools import cache

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import kl_divergence

from tests.support.closeness import (
    WrongAnswer,
    assert_at_least,
    assert_at_most,
    assert_close,
    assert_same_dtype,
    per_instance,
)
from tests.support.common import assert_shape, assert_unchanged
from tests.support.models import LinearDecoder, LinearEncoder, normal
from tests.support.oracles import LinearGaussian
from tests.support.properties import Part, Topic
from tests.support.statistics import FALSE_ALARM, assert_fresh, assert_mean, assert_not_shared, assert_standard_normal
from tests.support.strategies import linear_gaussians, observations, reals, seeds

elbo = Part("vae.elbo", "bounds.py", ("x", "encode", "decode"))
importance = Part("vae.importance_log_likelihood", "bounds.py", ("x", "encode", "decode", "num_samples"))

F64 = torch.float64
ROWS = 1000  # few enough for an answer that works through them one by one
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
    for rows in (torch.cat([x, x]), x[:1]):
        assert_shape(vae.elbo.raw(rows, model.posterior(), model.decoder), len(rows))


@elbo.property("shape", most=10, model=MODEL, x=observations())
def keeps_the_dtype(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    for arguments in ((x, model.posterior(), model.decoder), _single(x, model.posterior(), model.decoder)):
        assert_same_dtype(vae.elbo.raw(*arguments), arguments[0].dtype)


@elbo.property("value", most=10, model=MODEL, x=observations())
def leaves_the_data_alone(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """The data hold the same numbers after the call as before."""
    assert_unchanged("x", vae.elbo.observe(x, model.posterior(), model.decoder).arguments[0], x)


@elbo.property("value", model=MODEL, x=observations(), shift=SHIFT, widen=reals(-6, 3), seed=seeds())
def reconstruction_minus_kl(
    vae: Topic, model: LinearGaussian, x: Tensor, shift: float, widen: float, seed: int
) -> None:
    """The value is log p(x | z) at the one z for which the decoder was asked, minus KL(q || N(0, I))."""
    encoder = model.posterior(shift, widen)
    seen = vae.elbo.observe(x, encoder, model.decoder)
    value = per_instance(seen.value, len(x))
    q = normal(*encoder(x))
    prior = normal(torch.zeros_like(q.mean), torch.zeros_like(q.mean))
    reconstruction, kl = model.decoder(_asked(seen.asked[2], len(x))).log_prob(x), kl_divergence(q, prior)
    what = f"the answer, to be log p(x | z) = {_listed(reconstruction)} minus KL = {_listed(kl)},"
    assert_close(value, reconstruction - kl, 10 + reconstruction.abs() + kl, what)


def _listed(values: Tensor) -> str:
    return ", ".join(f"{v:.6g}" for v in values.tolist())


@elbo.property("randomness", most=3, false_alarm=4 * FALSE_ALARM, model=MODEL, seed=seeds())
def samples_come_from_q(vae: Topic, model: LinearGaussian, seed: int) -> None:
    """The decoder is asked at samples of q: the noise (z - mu) exp(-logvar / 2) of every instance and feature is its
    own, with mean 0 and variance 1, and uncorrelated between features."""
    encoder = model.posterior(widen=0.5)

    @cache
    def noise(count: int) -> Tensor:
        x = torch.zeros(count, 4, dtype=F64)
        return _noise(x, encoder, _asked(vae.elbo.observe(x, encoder, model.decoder).asked[2], count))

    assert_standard_normal(noise, ROWS)


@elbo.property("randomness", most=2, model=MODEL, x=observations())
def two_calls_differ(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """Every call draws noise of its own from torch's generator, which it does not seed."""
    assert_fresh(*(vae.elbo(x, model.posterior(widen=0.5), model.decoder) for _ in range(2)))


def _noise(x: Tensor, encoder: LinearEncoder, z: Tensor) -> Tensor:
    """The standard normal noise that made z a sample of q(z | x)."""
    mu, logvar = encoder(x)
    return (z - mu) * torch.exp(-0.5 * logvar)


@elbo.property(
    "randomness",
    stays="it is the theorem of the chapter; it follows from the value at each z and where the z come from",
    most=4,
    false_alarm=FALSE_ALARM,
    model=MODEL,
    x=observations(batch=1),
    shift=SHIFT,
    seed=seeds(),
)
def mean_is_log_likelihood_minus_gap(vae: Topic, model: LinearGaussian, x: Tensor, shift: float, seed: int) -> None:
    """The mean over many draws is log p(x) - KL(q || p(z | x)), so it never exceeds log p(x)."""
    encoder = model.posterior(shift, widen=0.3)
    expected = float(model.log_marginal(x) - model.posterior_kl(x, encoder))
    assert_mean(
        lambda count: vae.elbo(x.expand(count, -1), encoder, model.decoder), expected, ROWS, 2.0, "the mean bound"
    )


@elbo.property("gradient", most=12, model=MODEL, x=observations(), shift=SHIFT, seed=seeds())
def gradients_reach_both_networks(vae: Topic, model: LinearGaussian, x: Tensor, shift: float, seed: int) -> None:
    """With g the derivative of log p(x | z) by z, that of the result by mu is g - mu, by logvar it is
    (g (z - mu) + 1 - exp(logvar)) / 2, and by the decoder's output it is that of log p(x | z)."""
    encoder, decoder = model.posterior(shift), model.decoder
    mu, logvar = encoder(x)
    for path, name in (("1.bias", "mu"), ("1.logvar", "logvar"), ("2.bias", "the decoder's output")):
        seen = vae.elbo.observe(x, encoder, decoder, wrt=path)
        per_instance(seen.value, len(x))
        z = _asked(seen.asked[2], len(x))
        error = (x - z @ decoder.weight.T - decoder.bias) / decoder.variance
        g = error @ decoder.weight
        terms = {"1.bias": g - mu, "1.logvar": 0.5 * (g * (z - mu) + 1 - logvar.exp()), "2.bias": error}[path]
        if seen.gradient is None:
            raise WrongAnswer(f"no gradient flows from the result to {name}", None, terms.sum(0))
        what = f"the gradient by {name}, summed over the instances,"
        assert_close(seen.gradient, terms.sum(0), 10 + terms.abs().sum(0), what)


@importance.property("shape", model=MODEL, x=observations(), k=st.integers(1, 4))
def one_value_for_each_instance_and_any_k(vae: Topic, model: LinearGaussian, x: Tensor, k: int) -> None:
    """The result has the shape (batch,), also for one instance and for one sample."""
    for rows, count in ((torch.cat([x, x]), k), (x[:1], k), (x, 1)):
        value = vae.importance_log_likelihood.raw(rows, model.posterior(), model.decoder, count)
        assert_shape(value, len(rows))


@importance.property("shape", most=10, model=MODEL, x=observations())
def keeps_the_precision(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    for arguments in ((x, model.posterior(), model.decoder), _single(x, model.posterior(), model.decoder)):
        assert_same_dtype(vae.importance_log_likelihood.raw(*arguments, 3), arguments[0].dtype)


@importance.property(
    "value",
    stays="it shows a mix-up of images and samples on inputs that one can follow by hand; many_images sees it too",
    model=MODEL,
    x=observations(batch=5),
    k=st.integers(1, 6),
    seed=seeds(),
)
def exact_with_the_exact_posterior(vae: Topic, model: LinearGaussian, x: Tensor, k: int, seed: int) -> None:
    """With q the exact posterior every weight is p(x): the estimate is log p(x) for any number of samples."""
    estimate = vae.importance_log_likelihood(x, model.posterior(), model.decoder, k)
    expected = model.log_marginal(x)
    assert_close(estimate, expected, 20 + 2 * expected.abs())


@importance.property(
    "value",
    model=MODEL,
    x=observations(batch=1),
    far=reals(1, 100),
    shift=SHIFT,
    k=st.integers(1, 6),
    seed=seeds(),
)
def log_mean_of_the_weights(
    vae: Topic, model: LinearGaussian, x: Tensor, far: float, shift: float, k: int, seed: int
) -> None:
    """The estimate is the log of the mean of p(x | z) p(z) / q(z | x) at the K samples the decoder was asked for, also
    where all of them are too small for a floating-point number."""
    _assert_log_mean_of_weights(vae, model, far * x, model.posterior(shift, widen=0.5), k)


def _assert_log_mean_of_weights(vae: Topic, model: LinearGaussian, x: Tensor, encoder: LinearEncoder, k: int) -> None:
    """Compare the estimate for one instance with the weights of the samples it used."""
    seen = vae.importance_log_likelihood.observe(x, encoder, model.decoder, k)
    estimate = per_instance(seen.value, 1)
    log_weights = model.log_weights(x.expand(k, -1), encoder, _asked(seen.asked[2], k))
    expected = log_weights.logsumexp(0, keepdim=True) - math.log(k)
    assert_close(estimate, expected, 20 + 2 * log_weights.abs().max())


@importance.property("value", most=1, model=MODEL, x=observations(batch=1), seed=seeds())
def many_samples(vae: Topic, model: LinearGaussian, x: Tensor, seed: int) -> None:
    """With 2,503 samples of one instance, worked through in pieces or not, all of them count alike."""
    _assert_log_mean_of_weights(vae, model, x, model.posterior(0.5, widen=0.5), 2503)


@importance.property("value", most=2, model=MODEL, x=observations(batch=1), seed=seeds())
def many_images(vae: Topic, model: LinearGaussian, x: Tensor, seed: int) -> None:
    """With 101 instances, worked through in pieces or not, and q the exact posterior, each has its own log p(x)."""
    rows = x + 0.05 * torch.arange(101.0, dtype=F64)[:, None]
    expected = model.log_marginal(rows)
    estimate = vae.importance_log_likelihood(rows, model.posterior(), model.decoder, 7)
    assert_close(estimate, expected, 20 + 2 * expected.abs())


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
    estimate = per_instance(seen.value, 1)
    log_weights = model.log_weights(x.expand(k, -1), encoder, _asked(seen.asked[2], k))
    others = log_weights.expand(k, k)[~torch.eye(k, dtype=torch.bool)].view(k, k - 1)
    without_one = others.logsumexp(1) - math.log(k - 1)
    terms = 20 + 2 * log_weights.abs().max()
    assert_at_least(estimate, log_weights.mean()[None], terms)
    assert_at_least(estimate, without_one.mean()[None], terms)


@importance.property("value", most=10, model=MODEL, x=observations())
def leaves_the_images_alone(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """The data hold the same numbers after the call as before."""
    after = vae.importance_log_likelihood.observe(x, model.posterior(), model.decoder, 3).arguments[0]
    assert_unchanged("x", after, x)


@importance.property("randomness", most=2, model=MODEL, x=observations())
def calls_in_a_row_differ(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """Every call draws noise of its own from torch's generator, which it does not seed."""
    encoder = model.posterior(widen=0.5)
    assert_fresh(*(vae.importance_log_likelihood(x, encoder, model.decoder, 2) for _ in range(2)))


@importance.property("randomness", most=2, model=MODEL, seed=seeds())
def every_sample_is_fresh(vae: Topic, model: LinearGaussian, seed: int) -> None:
    """Equal instances, the samples of an instance, and the features of a sample have noise of their own, within ten
    deviations of q also where q is narrow and far from 0."""
    images, k = 100, 72
    x = torch.zeros(images, 4, dtype=F64)
    wide, narrow = (
        _noise(x[:1], q, _asked(vae.importance_log_likelihood.observe(x, q, model.decoder, k).asked[2], images * k))
        for q in (model.posterior(widen=0.5), model.posterior(shift=5.0, widen=-40.0))
    )
    assert_not_shared(wide)
    # Of 14,400 normal numbers one is further out once in 10^18 times.
    assert_at_most(narrow.abs().amax(), torch.tensor(10.0, dtype=F64), what="the largest noise, in deviations of q,")


@importance.property("randomness", most=3, false_alarm=FALSE_ALARM, model=MODEL, x=observations(batch=1), seed=seeds())
def unbiased_for_the_likelihood(vae: Topic, model: LinearGaussian, x: Tensor, seed: int) -> None:
    """Under a q wider than the posterior, the mean of exp(estimate) over many estimates is p(x)."""
    encoder = model.posterior(widen=1.0)  # wider, so that the weights are bounded

    def ratios(count: int) -> Tensor:
        estimates = vae.importance_log_likelihood(x.expand(count, -1), encoder, model.decoder, 2)
        return (estimates - model.log_marginal(x)).exp()

    assert_mean(ratios, 1.0, ROWS // 2, 0.2, "the mean of exp(estimate) / p(x)")


@importance.property("cost", most=5, model=MODEL, x=observations())
def leaves_no_graph(vae: Topic, model: LinearGaussian, x: Tensor) -> None:
    """The result has no graph behind it, even where the networks have parameters to train."""
    for parameter in ("1.weight", "2.weight"):
        seen = vae.importance_log_likelihood.observe(x, model.posterior(), model.decoder, 3, wrt=parameter)
        if seen.has_graph:
            raise WrongAnswer("the result requires a gradient: evaluate under torch.no_grad()")


PIXELS, LIMIT = 20, 600 * 10**6


@importance.property("cost", edges=[{"images": 300, "k": 200}, {"images": 1000, "k": 60}])
def fits_in_memory(vae: Topic, images: int, k: int) -> None:
    """Many samples of each image, or many images, of 784 pixels need at most 600 MB at one time."""
    # 20 pixels instead of 784 keep this quick; the limit shrinks with them.
    weight = torch.ones(PIXELS, 2)
    encoder = LinearEncoder(weight.T / PIXELS, torch.zeros(2), torch.zeros(2))
    decoder = LinearDecoder(weight, torch.zeros(PIXELS), 1.0)
    cost = vae.importance_log_likelihood.cost(torch.zeros(images, PIXELS), encoder, decoder, k)
    at_full_size = cost.peak_bytes * 784 // PIXELS
    if at_full_size > LIMIT:
        raise WrongAnswer(
            f"{images} images of 784 pixels with {k} samples of each would need {at_full_size / 1e6:,.0f} MB at one "
            f"time, {LIMIT / 1e6:.0f} MB are allowed: take the samples in pieces"
        )
