"""Properties of divergences.py."""

import math

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import kl_divergence

from tests.support import common
from tests.support.closeness import WrongAnswer, assert_at_least, assert_close
from tests.support.models import normal
from tests.support.properties import Part, Topic
from tests.support.statistics import FALSE_ALARM, assert_fresh, assert_mean, assert_not_shared
from tests.support.strategies import LOGVARS, MEANS, images, reals, seeds, tensors

ARGUMENTS = ("mu_q", "logvar_q", "mu_p", "logvar_p")
analytic = Part("vae.kl_gaussian_gaussian_analytic", "divergences.py", ARGUMENTS)
monte_carlo = Part("vae.kl_gaussian_gaussian_mc", "divergences.py", (*ARGUMENTS, "num_samples"))

F64 = torch.float64
FOUR = (MEANS, LOGVARS, MEANS, LOGVARS)
Four = tuple[Tensor, Tensor, Tensor, Tensor]

common.per_instance_properties(analytic, tensors(*FOUR), images(*FOUR))
common.per_instance_properties(monte_carlo, tensors(*FOUR), extra=(3,))


def _terms(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """Sum of the magnitudes that add up to a KL divergence, (batch,)."""
    return (((mu_q - mu_p) ** 2 + logvar_q.exp()) * torch.exp(-logvar_p) + logvar_q.abs() + logvar_p.abs() + 1).sum(1)


def _far_apart(logvar_q: float, logvar_p: float) -> dict[str, Four]:
    """One instance whose variances differ by orders of magnitude."""
    zero = torch.zeros(1, 1, dtype=F64)
    return {"arguments": (zero, zero + logvar_q, zero, zero + logvar_p)}


@analytic.property("value", edges=[_far_apart(6, -6), _far_apart(-6, 6)], arguments=tensors(*FOUR))
def equals_torch_distributions(vae: Topic, arguments: Four) -> None:
    """The value is torch.distributions' KL(q || p), summed over the features."""
    q, p = normal(*arguments[:2]), normal(*arguments[2:])
    assert_close(vae.kl_gaussian_gaussian_analytic(*arguments), kl_divergence(q, p), _terms(*arguments))


@analytic.property("value", stays="it is what makes a divergence of it, and needs no oracle", arguments=tensors(*FOUR))
def never_negative_and_zero_at_equality(vae: Topic, arguments: Four) -> None:
    """KL(q || p) is never negative, and KL(q || q) is zero."""
    mu, logvar = arguments[:2]
    same = vae.kl_gaussian_gaussian_analytic(mu, logvar, mu, logvar)
    assert_close(same, torch.zeros_like(same))
    value = vae.kl_gaussian_gaussian_analytic(*arguments)
    assert_at_least(value, torch.zeros_like(value), _terms(*arguments))


@analytic.property("value", one=tensors(*FOUR), two=tensors(*FOUR, batch=1), copies=st.integers(1, 300))
def features_add(vae: Topic, one: Four, two: Four, copies: int) -> None:
    """The KL divergence of two groups of features side by side is the sum of the two, also with thousands of features,
    as if the second group were there that many times."""
    left = tuple(t[:1] for t in one)
    both = tuple(torch.cat([a, b.repeat(1, copies)], 1) for a, b in zip(left, two, strict=True))
    expected = vae.kl_gaussian_gaussian_analytic(*left) + copies * vae.kl_gaussian_gaussian_analytic(*two)
    assert_close(vae.kl_gaussian_gaussian_analytic(*both), expected, _terms(*both))


@analytic.property("value", arguments=tensors(*FOUR), scale=reals(0.5, 5), shift=reals(-1e5, 1e5))
def affine_maps_change_nothing(vae: Topic, arguments: Four, scale: float, shift: float) -> None:
    """Mapping both distributions by z to a z + c leaves their KL divergence as it is, however far away c is."""
    mu_q, logvar_q, mu_p, logvar_p = arguments
    log2 = 2 * math.log(scale)
    mapped = (scale * mu_q + shift, logvar_q + log2, scale * mu_p + shift, logvar_p + log2)
    value = vae.kl_gaussian_gaussian_analytic(*arguments)
    assert_close(vae.kl_gaussian_gaussian_analytic(*mapped), value, _terms(*arguments))


@analytic.property(
    "value",
    stays="it takes nothing but the definition: neither the closed form nor torch's",
    mu_q=MEANS,
    logvar_q=LOGVARS,
    mu_p=MEANS,
    logvar_p=LOGVARS,
)
def equals_the_integral(vae: Topic, mu_q: float, logvar_q: float, mu_p: float, logvar_p: float) -> None:
    """For one feature the value is the integral of q(z) [log q(z) - log p(z)]."""
    arguments = tuple(torch.tensor([[v]], dtype=F64) for v in (mu_q, logvar_q, mu_p, logvar_p))
    width = 12 * math.exp(0.5 * logvar_q)
    z = torch.linspace(mu_q - width, mu_q + width, 401, dtype=F64)[:, None]
    q, p = normal(*arguments[:2]), normal(*arguments[2:])
    integral = torch.trapezoid(q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z)), dx=width / 200)
    assert_close(vae.kl_gaussian_gaussian_analytic(*arguments), integral[None], _terms(*arguments))


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
    answers = vae.kl_gaussian_gaussian_analytic.gradients(*arguments, wrt="0123")
    for answer, gradient in zip(answers, expected, strict=True):
        assert_close(answer, gradient)


COUNTS = st.integers(1, 5)


@monte_carlo.property("value", arguments=tensors(*FOUR), num_samples=COUNTS, seed=seeds())
def zero_when_q_is_p(vae: Topic, arguments: Four, num_samples: int, seed: int) -> None:
    """Where q and p are the same, every draw contributes exactly 0, for any number of samples."""
    mu, logvar = arguments[:2]
    value = vae.kl_gaussian_gaussian_mc(mu, logvar, mu, logvar, num_samples)
    assert_close(value, torch.zeros_like(value), 100.0)


# The smaller the noise, the less it matters beside the distance of the means: at this log variance (a standard
# deviation of 1e-12) it changes the estimate by less than rounding may.
QUIET = -55.0


def _quiet(mu_q: Tensor, gap: Tensor) -> tuple[Four, Tensor]:
    """Return q and p that lie further apart than any noise reaches, and what every estimate of their KL then is."""
    logvar = torch.full_like(mu_q, QUIET)
    return (mu_q, logvar, mu_q - gap, logvar), 0.5 * (gap**2 * math.exp(-QUIET)).flatten(1).sum(1)


MEANS_APART = tensors(MEANS, reals(1, 5))  # those of q, and how far below those of p are


@monte_carlo.property("value", means=MEANS_APART, num_samples=COUNTS, seed=seeds())
def instances_keep_their_samples(vae: Topic, means: tuple[Tensor, Tensor], num_samples: int, seed: int) -> None:
    """With log variances of -55, where noise does not matter, the value of every instance is its own sum of
    (mu_q - mu_p)^2 exp(55) / 2, whatever the number of samples."""
    arguments, expected = _quiet(*means)
    assert_close(vae.kl_gaussian_gaussian_mc(*arguments, num_samples), expected)


@monte_carlo.property("shape", most=10, means=MEANS_APART, num_samples=COUNTS)
def takes_images(vae: Topic, means: tuple[Tensor, Tensor], num_samples: int) -> None:
    """The same holds for an image, (1, channels, height, width): the sum of (mu_q - mu_p)^2 exp(55) / 2 is over all of
    its pixels."""
    image = tuple(t[:1, None, None].repeat(1, 2, 2, 1) for t in means)
    arguments, expected = _quiet(*image)
    assert_close(vae.kl_gaussian_gaussian_mc(*arguments, num_samples), expected)


ROWS = 2000
NEAR = (reals(-1, 1), reals(-1, 1), reals(-1, 1), reals(-1, 1))
# Narrow and far from p: every estimate is positive, and the gradients vary little.
FAR = (reals(8, 9), reals(-2, -1), reals(-1, 1), reals(0, 1))


def _rows(arguments: Four, count: int) -> Four:
    """The same instance so many times: that many independent estimates in one call."""
    return tuple(t[:1].expand(count, -1) for t in arguments)  # type: ignore[return-value]


@monte_carlo.property("randomness", most=4, false_alarm=FALSE_ALARM, seed=seeds())
def every_entry_has_noise_of_its_own(vae: Topic, seed: int) -> None:
    """Equal instances, and the features of an instance, see different and uncorrelated noise."""
    assert_not_shared(_noise(vae, 7, 4))

    def products(count: int) -> Tensor:
        # An estimate with another sign or factor has a gradient that is off by a constant, which is not a matter of
        # noise: the difference of two rows is free of it. Those of a right answer are independent normals, of twice
        # the variance, so that the products are those of standard normals and the false alarms as many as stated.
        one, other = _noise(vae, 2 * count, 2).chunk(2)
        return (one - other).prod(1) / 2

    assert_mean(products, 0.0, ROWS, 0.3, "the covariance of the noise of two features")


def _noise(vae: Topic, rows: int, features: int) -> Tensor:
    """The noise that each row of an estimate with one sample saw, (rows, features).

    With q = N(0, I) and p = N(m, I), log q(z) - log p(z) = |m|^2 / 2 - m z, whose gradient by m is m - z.
    """
    zero, far = torch.zeros(rows, features, dtype=F64), torch.full((rows, features), 20.0, dtype=F64)
    return far - vae.kl_gaussian_gaussian_mc.gradient(zero, zero, far, zero, 1, wrt="2")


@monte_carlo.property(
    "randomness",
    most=6,
    false_alarm=FALSE_ALARM,
    arguments=tensors(*NEAR, features=3),
    k=st.integers(1, 3),
    seed=seeds(),
)
def mean_is_the_analytic_value(vae: Topic, arguments: Four, k: int, seed: int) -> None:
    """The mean of many estimates is the closed form."""

    def estimates(count: int) -> Tensor:
        return vae.kl_gaussian_gaussian_mc(*_rows(arguments, count), k)

    q, p = (normal(mu[:1], logvar[:1]) for mu, logvar in (arguments[:2], arguments[2:]))
    expected = float(kl_divergence(q, p))
    assert_mean(estimates, expected, ROWS, 1.2, "the mean estimate")


@monte_carlo.property("randomness", most=4, false_alarm=1e-9, shift=reals(12, 20), seed=seeds())
def more_samples_less_noise(vae: Topic, shift: float, seed: int) -> None:
    """64 samples for each instance have 1/64 of the variance of one sample."""
    mu, zero = torch.full((1000, 1), shift, dtype=F64), torch.zeros(1000, 1, dtype=F64)
    one, many = (vae.kl_gaussian_gaussian_mc(mu, zero, zero, zero, k).var() for k in (1, 64))
    if not float(one) > 0:
        raise WrongAnswer("the estimates of 1000 equal instances with 1 sample are all the same: where is the noise?")
    ratio = one / many
    # Both estimates are normal here, so the ratio is 64 times an F variable: within [42, 98] but for 3e-11.
    if not 42 <= float(ratio) <= 98:
        expected = torch.tensor(64.0, dtype=F64)
        raise WrongAnswer("the variance with 1 sample, over that with 64 samples, is far from 64", ratio, expected)


@monte_carlo.property(
    "gradient",
    most=4,
    false_alarm=2 * FALSE_ALARM,
    arguments=tensors(*FAR, features=2),
    k=st.integers(2, 4),
    seed=seeds(),
)
def mean_gradient_is_the_analytic_gradient(vae: Topic, arguments: Four, k: int, seed: int) -> None:
    """The mean gradient of many estimates, by mu_q and by logvar_q, is the gradient of the closed form; with g the
    gradient of one sample's estimate by mu_p, that by logvar_p is (1 - g^2 exp(logvar_p)) / 2."""
    mu_q, logvar_q, mu_p, logvar_p = (t[0, 0] for t in arguments)
    expected = (mu_q - mu_p) * torch.exp(-logvar_p), 0.5 * (torch.exp(logvar_q - logvar_p) - 1)
    for position, name in enumerate(("mu_q", "logvar_q")):

        def gradients(count: int, position: int = position) -> Tensor:
            return vae.kl_gaussian_gaussian_mc.gradient(*_rows(arguments, count), k, wrt=str(position))[:, 0]

        assert_mean(gradients, float(expected[position]), ROWS, 0.4, f"the mean gradient by {name}")
    g, by_logvar_p = vae.kl_gaussian_gaussian_mc.gradients(*arguments, 1, wrt="23")
    square = g**2 * arguments[3].exp()
    assert_close(by_logvar_p, 0.5 * (1 - square), square, "the gradient by logvar_p")


@monte_carlo.property("randomness", most=2, arguments=tensors(*NEAR))
def two_calls_differ(vae: Topic, arguments: Four) -> None:
    """Every call draws noise of its own from torch's generator, which it does not seed."""
    mu_q, *others = arguments
    far = mu_q + 3  # q and p are not the same, so the noise shows
    assert_fresh(*(vae.kl_gaussian_gaussian_mc(far, *others, 2) for _ in range(2)))
