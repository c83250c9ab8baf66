"""Properties of posterior.py, on a linear-Gaussian model whose log p(x) is known exactly."""

import math
from dataclasses import replace
from functools import cache

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import WrongAnswer, assert_close, assert_same_dtype, per_instance
from tests.support.common import assert_shape, assert_unchanged
from tests.support.flows import F64, assert_gradients
from tests.support.models import FlowEncoder, LinearDecoder, normal
from tests.support.oracles import LinearGaussian, gradients, inverse_flow, rows_of, sent
from tests.support.properties import Part, Topic
from tests.support.statistics import FALSE_ALARM, assert_fresh, assert_mean, assert_standard_normal
from tests.support.strategies import linear_gaussians, observations, reals, seeds, tensor

flow_elbo = Part("flows.flow_elbo", "posterior.py", ("x", "encode", "decode"))

MODEL = linear_gaussians()
SHIFT = reals(-0.5, 0.5)
FEATURES, LATENT = 4, 2
ROWS = 1000


@st.composite
def _planes(draw: st.DrawFn, least: int = 0, most: int = 2) -> Tensor:
    """How the layers depend on x: mild layers for x = 0, and a little of every feature."""
    k = draw(st.integers(least, most))
    slopes = tensor(draw, (k, FEATURES, 2 * LATENT + 1), reals(-0.2, 0.2))
    constant = tensor(draw, (k, 1, 2 * LATENT + 1), reals(-0.7, 0.7).map(lambda a: a + math.copysign(0.3, a)))
    return torch.cat([slopes, constant], 1)


def _encoder(model: LinearGaussian, planes: Tensor, shift: float = 0.0, widen: float = 0.0) -> FlowEncoder:
    return FlowEncoder(*model.posterior(shift, widen).fields(), planes)


def _latents(asked: tuple[Tensor, ...], expected: int) -> Tensor:
    """The latent variables that the decoder was called with, one below the other."""
    z = torch.cat([t.reshape(-1, t.shape[-1]) for t in asked]) if asked else torch.zeros(0, LATENT)
    if len(z) != expected:
        raise WrongAnswer(f"the decoder was asked at {len(z)} latent variables, expected {expected}")
    return z


def _noise(encoder: FlowEncoder, x: Tensor, z: Tensor) -> Tensor:
    """The standard normal noise that the flow turned into z: its layers undone, then the mean and the scale of q_0."""
    mu, logvar, layers = encoder(x)
    return (inverse_flow(layers, z) - mu) * torch.exp(-0.5 * logvar)


def _log_q(encoder: FlowEncoder, x: Tensor, z0: Tensor) -> Tensor:
    """The log-density of q_k(z_k | x) at the image of z_0, (batch,) nats."""
    mu, logvar, layers = encoder(x)
    _, log_abs_det = sent(rows_of(layers, z0), LATENT)
    return normal(mu, logvar).log_prob(z0) - torch.from_numpy(log_abs_det)


def _gradient(model: LinearGaussian, encoder: FlowEncoder, x: Tensor, noise: Tensor, field: str) -> Tensor:
    """The gradient of the sum of the bounds by a field of the encoder, for this noise."""
    leaf = getattr(encoder, field).clone().requires_grad_()
    mu, logvar, layers = replace(encoder, **{field: leaf})(x)
    z0 = mu + torch.exp(0.5 * logvar) * noise
    constants = gradients(layers, z0.detach(), lambda z, log_abs_det: model.log_joint(x, z) + log_abs_det)
    moved = [z0, *(each for layer in layers for each in layer)]
    # Of -log q_0(z_0 | x) the noise says all but the logarithms of the deviations.
    total = 0.5 * logvar.sum() + sum((c * t).sum() for c, t in zip(constants, moved, strict=True))
    return torch.autograd.grad(total, leaf)[0]


@flow_elbo.property("shape", model=MODEL, x=observations(), planes=_planes())
def one_value_for_each_instance(flows: Topic, model: LinearGaussian, x: Tensor, planes: Tensor) -> None:
    """The result has the shape (batch,), also for one instance and for a flow without layers."""
    for rows, chosen in ((torch.cat([x, x]), planes), (x[:1], planes), (x, planes[:0])):
        assert_shape(flows.flow_elbo.raw(rows, _encoder(model, chosen), model.decoder), len(rows))


@flow_elbo.property("shape", most=5, model=MODEL, x=observations(), planes=_planes())
def keeps_the_dtype(flows: Topic, model: LinearGaussian, x: Tensor, planes: Tensor) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    decoder = model.decoder
    for dtype in (torch.float64, torch.float32):
        encoder = FlowEncoder(*(t.to(dtype) for t in _encoder(model, planes).fields()))
        cast = LinearDecoder(decoder.weight.to(dtype), decoder.bias.to(dtype), decoder.variance)
        assert_same_dtype(flows.flow_elbo.raw(x.to(dtype), encoder, cast), dtype)


@flow_elbo.property("value", most=10, model=MODEL, x=observations(), planes=_planes())
def leaves_the_data_alone(flows: Topic, model: LinearGaussian, x: Tensor, planes: Tensor) -> None:
    """The data hold the same numbers after the call as before."""
    assert_unchanged("x", flows.flow_elbo.observe(x, _encoder(model, planes), model.decoder).arguments[0], x)


@flow_elbo.property(
    "value", model=MODEL, x=observations(), planes=_planes(), shift=SHIFT, widen=reals(-1, 1), seed=seeds()
)
def four_terms_at_one_sample(
    flows: Topic, model: LinearGaussian, x: Tensor, planes: Tensor, shift: float, widen: float, seed: int
) -> None:
    """At the one z_k for which the decoder was asked, and the z_0 that each instance's own layers made it from, the
    value is log p(x | z_k) + log p(z_k) - log q_0(z_0 | x) + log |det|; without layers, the ELBO with a sampled KL."""
    encoder = _encoder(model, planes, shift, widen)
    seen = flows.flow_elbo.observe(x, encoder, model.decoder)
    value, z = per_instance(seen.value, len(x)), _latents(seen.asked[2], len(x))
    log_p, log_q = model.log_joint(x, z), _log_q(encoder, x, inverse_flow(encoder(x)[2], z))
    assert_close(value, log_p - log_q, log_p.abs() + log_q.abs())


@flow_elbo.property(
    "randomness", most=2, false_alarm=4 * FALSE_ALARM, model=MODEL, planes=_planes(least=1), seed=seeds()
)
def noise_is_standard_normal(flows: Topic, model: LinearGaussian, planes: Tensor, seed: int) -> None:
    """The point z_0 is a sample of q_0: with the layers undone, the noise (z_0 - mu) exp(-logvar / 2) of every instance
    and feature is its own, with mean 0 and variance 1, and uncorrelated between features."""
    encoder = _encoder(model, planes, widen=0.5)

    @cache
    def noise(count: int) -> Tensor:
        x = torch.zeros(count, FEATURES, dtype=F64)
        return _noise(encoder, x, _latents(flows.flow_elbo.observe(x, encoder, model.decoder).asked[2], count))

    assert_standard_normal(noise, ROWS)


@flow_elbo.property("randomness", most=2, model=MODEL, x=observations(), planes=_planes())
def two_calls_differ(flows: Topic, model: LinearGaussian, x: Tensor, planes: Tensor) -> None:
    """Every call draws noise of its own from torch's generator, which it does not seed."""
    encoder = _encoder(model, planes, widen=0.5)
    assert_fresh(*(flows.flow_elbo(x, encoder, model.decoder) for _ in range(2)))


def _one_plane(w: Tensor, step: Tensor) -> Tensor:
    """One layer, the same for every x, with u_hat about `step`: w.u = log(e - 1) + w.step, and w.u_hat about w.step."""
    u = step + math.log(math.e - 1) * w / (w * w).sum()
    planes = torch.zeros(1, FEATURES + 1, 2 * LATENT + 1, dtype=F64)
    planes[0, -1] = torch.cat([u, w, torch.tensor([0.3], dtype=F64)])
    return planes


@flow_elbo.property(
    "value",
    stays="it is the theorem: nothing is lost where the flow's density is the posterior; it shows a missing term",
    model=MODEL,
    x=observations(),
    w=st.tuples(reals(0.5, 2), reals(-2, 2)),
    seed=seeds(),
)
def tight_at_the_exact_posterior(
    flows: Topic, model: LinearGaussian, x: Tensor, w: tuple[float, float], seed: int
) -> None:
    """With q_0 the exact posterior, and no layer or one that does nothing, every sample gives log p(x) itself."""
    expected = model.log_marginal(x)
    idle = _one_plane(torch.tensor(w, dtype=F64), torch.zeros(LATENT, dtype=F64))
    for planes in (idle[:0], idle):
        value = flows.flow_elbo(x, _encoder(model, planes), model.decoder)
        assert_close(value, expected, 10 + expected.abs())


@flow_elbo.property(
    "randomness",
    stays="it is what makes a bound of it; it follows from the value at each sample and where the samples come from",
    most=2,
    false_alarm=FALSE_ALARM,
    model=MODEL,
    x=observations(batch=1),
    w=st.tuples(reals(0.5, 1.5), reals(-1.5, 1.5)),
    step=st.tuples(reals(-0.3, 0.3), reals(-0.3, 0.3)),
    seed=seeds(),
)
def weights_are_unbiased(
    flows: Topic,
    model: LinearGaussian,
    x: Tensor,
    w: tuple[float, float],
    step: tuple[float, float],
    seed: int,
) -> None:
    """The mean of exp(value) over many samples is p(x), so the mean of the value is at most log p(x)."""
    # A q_0 that is wider than the posterior, and a layer that moves its samples by less than a third of its standard
    # deviation: the weights are bounded then, and their mean is soon known.
    deviation = torch.exp(0.5 * model.posterior(widen=1.0).logvar)
    planes = _one_plane(torch.tensor(w, dtype=F64) / deviation, torch.tensor(step, dtype=F64) * deviation)
    encoder = _encoder(model, planes, widen=1.0)
    log_p = model.log_marginal(x)

    def ratios(count: int) -> Tensor:
        return (flows.flow_elbo(x.expand(count, -1), encoder, model.decoder) - log_p).exp()

    assert_mean(ratios, 1.0, ROWS, 0.3, "the mean of exp(value) / p(x)")


@flow_elbo.property(
    "gradient", most=12, model=MODEL, x=observations(), planes=_planes(least=1), shift=SHIFT, seed=seeds()
)
def gradients_reach_everything(
    flows: Topic, model: LinearGaussian, x: Tensor, planes: Tensor, shift: float, seed: int
) -> None:
    """The gradients by mu, logvar and the layers of the encoder, and by the decoder, are those of the formula for the
    noise that was drawn."""
    encoder, decoder = _encoder(model, planes, shift), model.decoder
    names = {"1.bias": "mu", "1.logvar": "logvar", "1.planes": "the layers", "2.bias": "the decoder's output"}
    for path, name in names.items():
        seen = flows.flow_elbo.observe(x, encoder, decoder, wrt=path)
        if seen.gradient is None:
            raise WrongAnswer(f"no gradient flows from the result to {name}")
        z = _latents(seen.asked[2], len(x))
        expected = (
            ((x - z @ decoder.weight.T - decoder.bias) / decoder.variance).sum(0)
            if path == "2.bias"
            else _gradient(model, encoder, x, _noise(encoder, x, z), path[2:])
        )
        assert_gradients([seen.gradient], [expected], [f"{name}, summed over the instances,"])
