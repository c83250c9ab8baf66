"""Properties of divergences.py."""

import math
from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support import common
from tests.support.closeness import WrongAnswer, assert_at_most, assert_close
from tests.support.oracles import normal, normal_kl
from tests.support.properties import Part, Topic
from tests.support.statistics import FALSE_ALARM, assert_mean
from tests.support.strategies import LOGVARS, MEANS, images, reals, seeds, tensors

analytic = Part("vae.kl_gaussian_gaussian_analytic", "divergences.py")
monte_carlo = Part("vae.kl_gaussian_gaussian_mc", "divergences.py")

F64 = torch.float64
FOUR = (MEANS, LOGVARS, MEANS, LOGVARS)
Four = tuple[Tensor, Tensor, Tensor, Tensor]

common.per_instance_properties(analytic, tensors(*FOUR), images(*FOUR))
common.per_instance_properties(monte_carlo, tensors(*FOUR), extra=(3,))


def _terms(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """Sum of the magnitudes that add up to a KL divergence, (batch,)."""
    return (((mu_q - mu_p) ** 2 + logvar_q.exp()) * torch.exp(-logvar_p) + logvar_q.abs() + logvar_p.abs() + 1).sum(1)


@analytic.property("value", arguments=tensors(*FOUR))
def equals_torch_distributions(vae: Topic, arguments: Four) -> None:
    """The value is torch.distributions' KL(q || p), summed over the features."""
    assert_close(vae.kl_gaussian_gaussian_analytic(*arguments), normal_kl(*arguments), _terms(*arguments))


@analytic.property("value", arguments=tensors(*FOUR))
def never_negative_and_zero_at_equality(vae: Topic, arguments: Four) -> None:
    """KL(q || p) is never negative, and KL(q || q) is zero."""
    mu, logvar = arguments[:2]
    value = vae.kl_gaussian_gaussian_analytic(*arguments)
    assert_at_most(-value, torch.zeros_like(value), _terms(*arguments))
    same = vae.kl_gaussian_gaussian_analytic(mu, logvar, mu, logvar)
    assert_close(same, torch.zeros_like(same))


@analytic.property("value", one=tensors(*FOUR), two=tensors(*FOUR))
def features_add(vae: Topic, one: Four, two: Four) -> None:
    """The KL divergence of two groups of features side by side is the sum of the two."""
    batch = min(len(one[0]), len(two[0]))
    both = [torch.cat([a[:batch], b[:batch]], 1) for a, b in zip(one, two, strict=True)]
    kl_one, kl_two = (vae.kl_gaussian_gaussian_analytic(*(t[:batch] for t in group)) for group in (one, two))
    assert_close(vae.kl_gaussian_gaussian_analytic(*both), kl_one + kl_two, _terms(*both))


@analytic.property("value", arguments=tensors(*FOUR), scale=reals(0.1, 10), shift=MEANS)
def affine_maps_change_nothing(vae: Topic, arguments: Four, scale: float, shift: float) -> None:
    """Mapping both distributions by z to a z + c leaves their KL divergence as it is."""
    mu_q, logvar_q, mu_p, logvar_p = arguments
    log2 = 2 * math.log(scale)
    mapped = (scale * mu_q + shift, logvar_q + log2, scale * mu_p + shift, logvar_p + log2)
    value = vae.kl_gaussian_gaussian_analytic(*arguments)
    assert_close(vae.kl_gaussian_gaussian_analytic(*mapped), value, 1000 * _terms(*arguments))


@analytic.property("value", mu_q=MEANS, logvar_q=LOGVARS, mu_p=MEANS, logvar_p=LOGVARS)
def equals_the_integral(vae: Topic, mu_q: float, logvar_q: float, mu_p: float, logvar_p: float) -> None:
    """For one feature the value is the integral of q(z) [log q(z) - log p(z)]."""
    arguments = tuple(torch.tensor([[v]], dtype=F64) for v in (mu_q, logvar_q, mu_p, logvar_p))
    width = 12 * math.exp(0.5 * logvar_q)
    z = torch.linspace(mu_q - width, mu_q + width, 2001, dtype=F64)[:, None]
    q, p = normal(*arguments[:2]), normal(*arguments[2:])
    integral = torch.trapezoid(q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z)), dx=width / 1000)
    assert_close(vae.kl_gaussian_gaussian_analytic(*arguments), integral[None], 100 * _terms(*arguments))


@analytic.property("stability", logvar=reals(10, 80), sign=st.sampled_from([-1.0, 1.0]))
def extreme_variances(vae: Topic, logvar: float, sign: float) -> None:
    """Both log variances far from 0 by the same amount change nothing; nothing is clamped."""
    mu, v = torch.zeros(1, 1, dtype=F64), torch.full((1, 1), sign * logvar, dtype=F64)
    expected = 0.5 * (math.e - 2)
    value = vae.kl_gaussian_gaussian_analytic(mu, v + 1, mu, v)
    assert_close(value, torch.tensor([expected], dtype=F64))


@analytic.property("gradient", arguments=tensors(*FOUR))
def gradients_in_all_arguments(vae: Topic, arguments: Four) -> None:
    """With r = (mu_q - mu_p) exp(-logvar_p) and s = exp(logvar_q - logvar_p), the derivatives are r by mu_q, -r by
    mu_p, (s - 1) / 2 by logvar_q, and (1 - s - r (mu_q - mu_p)) / 2 by logvar_p."""
    mu_q, logvar_q, mu_p, logvar_p = arguments
    r, s = (mu_q - mu_p) * torch.exp(-logvar_p), torch.exp(logvar_q - logvar_p)
    expected = (r, 0.5 * (s - 1), -r, 0.5 * (1 - s - r * (mu_q - mu_p)))
    for position, gradient in enumerate(expected):
        assert_close(vae.kl_gaussian_gaussian_analytic.gradient(*arguments, wrt=str(position)), gradient)


@monte_carlo.property("value", arguments=tensors(*FOUR), num_samples=st.integers(1, 5), seed=seeds())
def zero_when_q_is_p(vae: Topic, arguments: Four, num_samples: int, seed: int) -> None:
    """Where q and p are the same, every draw contributes exactly 0, for any number of samples."""
    mu, logvar = arguments[:2]
    value = vae.kl_gaussian_gaussian_mc(mu, logvar, mu, logvar, num_samples)
    assert_close(value, torch.zeros_like(value), 100.0)


ROWS = 4000
NEAR = (reals(-1, 1), reals(-1, 1), reals(-1, 1), reals(-1, 1))


def _rows(arguments: Four, count: int) -> Four:
    """The same instance so many times: that many independent estimates in one call."""
    return tuple(t[:1].expand(count, -1) for t in arguments)  # type: ignore[return-value]


@monte_carlo.property(
    "randomness",
    most=8,
    false_alarm=FALSE_ALARM,
    arguments=tensors(*NEAR, features=3),
    k=st.integers(1, 3),
    seed=seeds(),
)
def mean_is_the_analytic_value(vae: Topic, arguments: Four, k: int, seed: int) -> None:
    """The mean of many estimates is the closed form."""

    def estimates(count: int) -> Tensor:
        return vae.kl_gaussian_gaussian_mc(*_rows(arguments, count), k)

    expected = float(normal_kl(*(t[:1] for t in arguments)))
    assert_mean(estimates, expected, ROWS, 1.0, "the mean estimate")


@monte_carlo.property("randomness", most=8, false_alarm=1e-9, shift=reals(0.5, 2), seed=seeds())
def more_samples_less_noise(vae: Topic, shift: float, seed: int) -> None:
    """64 samples for each instance have 1/64 of the variance of one sample."""
    mu, zero = torch.full((ROWS, 1), shift, dtype=F64), torch.zeros(ROWS, 1, dtype=F64)
    one, many = (vae.kl_gaussian_gaussian_mc(mu, zero, zero, zero, k).var() for k in (1, 64))
    ratio = one / many
    # Both estimates are normal here, so the ratio is 64 times an F variable: within [48, 85] but for 1e-9.
    if not 48 <= float(ratio) <= 85:
        raise WrongAnswer("the variance with 1 sample over that with 64 is not 64", ratio, torch.tensor(64.0))


@monte_carlo.property(
    "randomness", most=4, false_alarm=3 * FALSE_ALARM, arguments=tensors(*NEAR, features=2), seed=seeds()
)
def mean_gradient_is_the_analytic_gradient(vae: Topic, arguments: Four, seed: int) -> None:
    """The mean gradient of many estimates, by mu_q and by logvar_q, is the gradient of the closed form."""
    mu_q, logvar_q, mu_p, logvar_p = (t[:1] for t in arguments)
    expected = (mu_q - mu_p) * torch.exp(-logvar_p), 0.5 * (torch.exp(logvar_q - logvar_p) - 1)
    for position, name in enumerate(("mu_q", "logvar_q")):

        def gradients(count: int, position: int = position) -> Tensor:
            rows = _rows(arguments, count)
            return vae.kl_gaussian_gaussian_mc.gradient(*rows, 2, wrt=str(position))[:, 0]

        assert_mean(gradients, float(expected[position][0, 0]), ROWS, 1.0, f"the mean gradient by {name}")


def _noise(vae: Topic, rows: int, features: int) -> Tensor:
    """The noise that each row of an estimate with one sample saw, (rows, features).

    With q = N(0, I) and p = N(mu, I), log q(z) - log p(z) = |mu|^2 / 2 - mu z, whose gradient by mu_p is mu - z.
    """
    zero, one = torch.zeros(rows, features, dtype=F64), torch.ones(rows, features, dtype=F64)
    return one - vae.kl_gaussian_gaussian_mc.gradient(zero, zero, one, zero, 1, wrt="2")


@monte_carlo.property("randomness", most=4, seed=seeds())
def every_entry_has_noise_of_its_own(vae: Topic, seed: int) -> None:
    """Equal instances, and the features of an instance, see different noise."""
    noise = _noise(vae, 5, 4)
    if noise.unique().numel() < noise.numel():
        raise WrongAnswer("some instances or features shared their noise", noise)


@monte_carlo.property("randomness", most=4, false_alarm=3 * FALSE_ALARM, seed=seeds())
def noise_is_standard_normal(vae: Topic, seed: int) -> None:
    """Over many instances the noise has mean 0 and variance 1, and that of two features is uncorrelated."""

    def moments(power: tuple[int, int]) -> Callable[[int], Tensor]:
        return lambda count: (_noise(vae, count, 2) ** torch.tensor(power)).prod(1)

    assert_mean(moments((1, 0)), 0.0, ROWS, 0.2, "the mean of the noise")
    assert_mean(moments((2, 0)), 1.0, ROWS, 0.2, "the variance of the noise")
    assert_mean(moments((1, 1)), 0.0, ROWS, 0.2, "the covariance of the noise of two features")
