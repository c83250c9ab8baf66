"""Properties of likelihoods.py."""

import itertools
import math

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support import common
from tests.support.closeness import assert_at_least, assert_at_most, assert_close, assert_finite
from tests.support.models import normal
from tests.support.properties import Part, Topic
from tests.support.strategies import BITS, LOGVARS, MEANS, PROBABILITIES, images, reals, tensor, tensors

bernoulli = Part("vae.log_likelihood_bernoulli", "likelihoods.py", ("mu", "target"))
log_normal = Part("vae.log_likelihood_normal", "likelihoods.py", ("mu", "logvar", "z"))
log_mean_exp = Part("vae.log_mean_exp", "likelihoods.py", ("y",))

F64 = torch.float64
EIGHTHS = st.integers(-40, 40).map(lambda n: n / 8)

common.per_instance_properties(bernoulli, tensors(PROBABILITIES, BITS), images(PROBABILITIES, BITS))
common.per_instance_properties(log_normal, tensors(MEANS, LOGVARS, MEANS), images(MEANS, LOGVARS, MEANS))
common.per_instance_properties(log_mean_exp, tensors(MEANS))


@bernoulli.property("value", pair=tensors(PROBABILITIES, BITS))
def features_of_an_instance_add(vae: Topic, pair: tuple[Tensor, Tensor]) -> None:
    """The value of each instance is the sum of the values of its features one by one, whatever else is in the batch."""
    mu, target = pair
    one_by_one = [vae.log_likelihood_bernoulli(m[:, None], x[:, None]) for m, x in zip(mu, target, strict=True)]
    assert_close(vae.log_likelihood_bernoulli(mu, target), torch.stack(one_by_one).sum(1))


@bernoulli.property(
    "value",
    stays="it shows a missing or different term for zeros, which the other properties only notice",
    pair=tensors(PROBABILITIES, BITS),
)
def ones_and_zeros_play_the_same_part(vae: Topic, pair: tuple[Tensor, Tensor]) -> None:
    """Exchanging ones and zeros changes nothing: f(mu, target) = f(1 - mu, 1 - target)."""
    mu, target = pair
    exchanged = vae.log_likelihood_bernoulli(1 - mu, 1 - target)
    assert_close(vae.log_likelihood_bernoulli(mu, target), exchanged)


@bernoulli.property(
    "value",
    stays="it needs no formula: a mean over the features and a wrong sign show in one sum",
    mu=tensors(PROBABILITIES, batch=1),
)
def probabilities_sum_to_one(vae: Topic, mu: tuple[Tensor]) -> None:
    """The probabilities of all 2^d targets sum to 1."""
    (means,) = mu
    targets = torch.tensor(list(itertools.product([0.0, 1.0], repeat=means.shape[1])), dtype=F64)
    log_probabilities = vae.log_likelihood_bernoulli(means.expand_as(targets), targets)
    total = log_probabilities.exp().sum()
    assert_close(total, torch.ones_like(total), what="the sum of the probabilities")


@bernoulli.property("stability", mu=PROBABILITIES, bit=BITS)
def many_features(vae: Topic, mu: float, bit: float) -> None:
    """A feature that is there 2,000 times counts 2,000 times, although their joint probability may underflow."""
    means, target = torch.tensor([[mu]], dtype=F64), torch.tensor([[bit]], dtype=F64)
    once = vae.log_likelihood_bernoulli(means, target)
    assert_close(vae.log_likelihood_bernoulli(means.expand(1, 2000), target.expand(1, 2000)), 2000 * once)


@bernoulli.property("stability", target=tensors(BITS))
def certain_means_that_agree(vae: Topic, target: tuple[Tensor]) -> None:
    """Where mu is exactly 0 or 1 and the target agrees, the value is 0 and the gradient finite."""
    (bits,) = target
    assert_close(vae.log_likelihood_bernoulli(bits, bits), torch.zeros(len(bits), dtype=F64))
    assert_finite(vae.log_likelihood_bernoulli.gradient(bits, bits), "the gradient")


@bernoulli.property("stability", pair=tensors(PROBABILITIES, BITS))
def certain_means_that_disagree(vae: Topic, pair: tuple[Tensor, Tensor]) -> None:
    """Where mu is exactly 0 or 1 and the target is the other, the value is -inf."""
    mu, target = (t.clone() for t in pair)
    mu[:, 0] = 1 - target[:, 0]
    assert_close(vae.log_likelihood_bernoulli(mu, target), torch.full((len(mu),), -math.inf, dtype=F64))


@bernoulli.property("gradient", pair=tensors(PROBABILITIES, BITS))
def gradient_in_the_means(vae: Topic, pair: tuple[Tensor, Tensor]) -> None:
    """The derivative by mu_j is target_j / mu_j - (1 - target_j) / (1 - mu_j)."""
    mu, target = pair
    assert_close(vae.log_likelihood_bernoulli.gradient(mu, target), target / mu - (1 - target) / (1 - mu))


def _magnitudes(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    """Return the sum of the magnitudes of the terms of a log-density, (batch,)."""
    return 0.5 * (math.log(2 * math.pi) + logvar.abs() + (z - mu) ** 2 * torch.exp(-logvar)).sum(1)


MANY_FEATURES = torch.full((1, 800), 2.0, dtype=F64)


@log_normal.property("value", edges=[{"inputs": (MANY_FEATURES,) * 3}], inputs=tensors(MEANS, LOGVARS, MEANS))
def equals_torch_distributions(vae: Topic, inputs: tuple[Tensor, ...]) -> None:
    """The value is the sum of torch.distributions.Normal's log-densities."""
    mu, logvar, z = inputs
    expected = normal(mu, logvar).log_prob(z)
    assert_close(vae.log_likelihood_normal(mu, logvar, z), expected, _magnitudes(mu, logvar, z))


@log_normal.property(
    "value",
    stays="it needs no oracle, and tells a wrong constant from a wrong exponent",
    mu=reals(-5, 5),
    logvar=reals(-2, 2),
)
def density_integrates_to_one(vae: Topic, mu: float, logvar: float) -> None:
    """The density of one feature integrates to 1."""
    sd = math.exp(0.5 * logvar)
    z = torch.linspace(mu - 30 * sd, mu + 30 * sd, 301, dtype=F64)[:, None]
    density = vae.log_likelihood_normal(torch.full_like(z, mu), torch.full_like(z, logvar), z).exp()
    integral = torch.trapezoid(density, dx=0.2 * sd)
    assert_close(integral, torch.ones_like(integral), what="the integral of the density")


@log_normal.property(
    "value",
    inputs=tensors(EIGHTHS, LOGVARS, EIGHTHS),
    scale=st.sampled_from([1.0, 2.0, 8.0, 0.5, 0.125]),
    shift=st.sampled_from([0.0, 1.0, -1000.0, 1e8]),
)
def affine_maps_shift_it(vae: Topic, inputs: tuple[Tensor, ...], scale: float, shift: float) -> None:
    """Mapping z to a z + c lowers the log-density by d log a: f(a mu + c, logvar + 2 log a, a z + c) = f - d log a."""
    mu, logvar, z = inputs
    expected = vae.log_likelihood_normal(mu, logvar, z) - mu.shape[1] * math.log(scale)
    # Eighths, scaled by powers of two and shifted by integers, are exact: z - mu loses no digit before the call.
    mapped = vae.log_likelihood_normal(scale * mu + shift, logvar + 2 * math.log(scale), scale * z + shift)
    assert_close(mapped, expected, _magnitudes(mu, logvar, z))


@log_normal.property("stability", logvar=st.sampled_from([60.0, -60.0]), s=reals(-50, 50))
def extreme_variances(vae: Topic, logvar: float, s: float) -> None:
    """At logvar = 60 and -60, a point s standard deviations from the mean has -(log 2 pi + logvar + s^2) / 2."""
    mu, v, z = (torch.tensor([[x]], dtype=F64) for x in (0.0, logvar, s * math.exp(0.5 * logvar)))
    assert_close(vae.log_likelihood_normal(mu, v, z), -0.5 * (math.log(2 * math.pi) + v[0] + s**2))


@log_normal.property(
    "gradient", inputs=tensors(MEANS, LOGVARS, MEANS), edges=[{"inputs": (torch.zeros(1, 1, dtype=F64),) * 3}]
)
def gradients_in_all_arguments(vae: Topic, inputs: tuple[Tensor, ...]) -> None:
    """With s = (z - mu) exp(-logvar), the derivatives are s by mu, -s by z, and (s (z - mu) - 1) / 2 by logvar."""
    mu, logvar, z = inputs
    s = (z - mu) * torch.exp(-logvar)
    assert_close(vae.log_likelihood_normal.gradient(mu, logvar, z, wrt="0"), s)
    assert_close(vae.log_likelihood_normal.gradient(mu, logvar, z, wrt="2"), -s)
    assert_close(vae.log_likelihood_normal.gradient(mu, logvar, z, wrt="1"), 0.5 * (s * (z - mu) - 1))


@log_mean_exp.property("value", y=tensors(MEANS), times=st.integers(1, 4))
def mean_of_repeated_samples(vae: Topic, y: tuple[Tensor], times: int) -> None:
    """The result is log(mean(exp(y))) of each row, and repeating the samples of the rows changes nothing."""
    assert_close(vae.log_mean_exp(y[0].repeat(1, times)), y[0].exp().mean(1).log())


@log_mean_exp.property(
    "stability",
    y=tensors(MEANS),
    c=reals(-1e4, 1e4),
    edges=[{"y": (torch.zeros(2, 1, dtype=F64),), "c": c} for c in (1000.0, -1000.0)],
)
def shifts_pass_through(vae: Topic, y: tuple[Tensor], c: float) -> None:
    """Adding c to the values of the first row adds c to its result, f(y + c) = f(y) + c, and changes no other."""
    shifts = torch.zeros_like(y[0])
    shifts[0] = c
    expected = vae.log_mean_exp(y[0]) + shifts[:, 0]
    assert_finite(expected, "the result")
    assert_close(vae.log_mean_exp(y[0] + shifts), expected)


@st.composite
def _wide_rows(draw: st.DrawFn) -> Tensor:
    """Rows with one value near 0, the same one in each, and the others far below."""
    batch, count, place = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    low, high = tensor(draw, (batch, count), reals(-1e4, -800)), tensor(draw, (batch, 1), reals(-1, 1))
    return torch.cat([low[:, :place], high, low[:, place:]], 1)


@log_mean_exp.property("stability", y=_wide_rows())
def lies_between_mean_and_maximum(vae: Topic, y: Tensor) -> None:
    """The result is at least the mean of the row and at most its maximum, however far apart its values are."""
    result = vae.log_mean_exp(y)
    assert_at_most(result, y.amax(1))
    assert_at_least(result, y.mean(1))


@log_mean_exp.property("stability", a=MEANS, zeros=st.integers(1, 4))
def minus_infinity_is_a_term_of_zero(vae: Topic, a: float, zeros: int) -> None:
    """One finite value a among n values of -inf gives a - log(n + 1), and finite gradients."""
    y = torch.tensor([[a] + [-math.inf] * zeros], dtype=F64)
    assert_close(vae.log_mean_exp(y), torch.tensor([a - math.log(zeros + 1)], dtype=F64))
    assert_finite(vae.log_mean_exp.gradient(y), "the gradient")


@log_mean_exp.property("gradient", y=tensors(MEANS))
def gradient_is_the_softmax(vae: Topic, y: tuple[Tensor]) -> None:
    """The gradient of each result is the softmax of its row."""
    assert_close(vae.log_mean_exp.gradient(y[0]), y[0].softmax(1))
