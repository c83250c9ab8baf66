"""The estimators: what each of them says over a few hundred seeds, for two instances with different truths."""

import math
from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import kl_divergence

from tests.support.closeness import per_instance
from tests.support.models import LinearDecoder, LinearEncoder, normal
from tests.support.oracles import LinearGaussian

from .asking import Asking
from .spread import SURE, Spread, Trend, drawn

F64 = torch.float64
SEEDS, FEWER = 300, 80  # for a distribution, and for each point of a trend
RIGHT = 20_000  # draws of right answers, whose distribution is drawn
COUNTS = (1, 4, 16, 64)
K = 4


def values_of(ask: Asking, arguments: tuple[object, ...], batch: int, seeds: int = SEEDS) -> Tensor:
    """Ask with so many seeds, and return the values, (seeds, batch)."""
    answers = ask.answers([ask.call(*arguments, seed=seed) for seed in range(1, seeds + 1)])
    return torch.stack([per_instance(answer.value, batch).double() for answer in answers])


def normal_noise(*shape: int) -> Tensor:
    """Return noise of a normal distribution, the same for the same shape."""
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(0))


def of_both(values: Tensor, right: Tensor, truth: Tensor) -> list[Spread]:
    """Put the values of two instances, (seeds, 2), beside right ones, (m, 2)."""
    return [Spread(f"instance {i + 1}", values[:, i], right[:, i], float(truth[i])) for i in range(2)]


def kl_mc_spreads(ask: Asking) -> tuple[list[Spread], Trend]:
    """Ask for estimates of the KL divergence of two pairs of normals, and how their deviation falls with K."""
    q = torch.tensor([[[0.5, -0.5], [-1.0, 0.3]], [[-1.2, 0.9], [0.8, -1.5]]], dtype=F64)
    p = torch.tensor([[[0.0, 0.3], [0.2, 0.0]], [[0.3, -0.2], [0.5, 0.1]]], dtype=F64)

    # With a sample at z = mu_q + sd_q eps, the ratio of the densities says how far eps is out under each of the two.
    ratio = (0.5 * (q[1] - p[1])).exp()
    shift = (q[0] - p[0]) * (-0.5 * p[1]).exp()

    def right(count: int) -> Tensor:
        noise = normal_noise(RIGHT // count, count, 2, 2)
        further = (ratio * noise + shift).square() - noise.square()
        return (0.5 * further - ratio.log()).sum(3).mean(1)

    spreads = of_both(values_of(ask, (*q, *p, K), 2), right(K), kl_divergence(normal(*q), normal(*p)))
    yours = torch.stack([values.std() for values in _over_counts(ask, lambda count: (*q, *p, count))])
    wanted = torch.stack([right(count)[:, 1].std() for count in COUNTS])
    return spreads, Trend("standard deviation", COUNTS, yours, wanted, 0.4 * float(wanted[-1]))


def _over_counts(ask: Asking, arguments: Callable[[int], tuple[object, ...]]) -> list[Tensor]:
    """Ask for values of the second instance, with more and more samples in each, (seeds,)."""
    return [values_of(ask, arguments(count), 2, FEWER)[:, 1] for count in COUNTS]


def kl_mc(ask: Asking) -> Figure:
    """Draw estimates of the KL divergence."""
    return drawn(ask, *kl_mc_spreads(ask))


MODEL = LinearGaussian(
    LinearDecoder(
        torch.tensor([[0.9, -0.5], [0.5, 0.9], [0.4, -0.6], [0.6, 0.4]], dtype=F64),
        torch.tensor([0.2, -0.3, 0.1, 0.4], dtype=F64),
        0.5,
    )
)
X = torch.tensor([[1.2, -0.4, 0.7, 0.3], [-1.5, 0.8, 0.2, -0.9]], dtype=F64)


def _sampled(encoder: LinearEncoder, noise: Tensor) -> Tensor:
    """Return samples of q for noise (n, 2), of both instances, (n, 2, 2)."""
    mu, logvar = encoder(X)
    return mu + (0.5 * logvar).exp() * noise[:, None]


def elbo_spreads(ask: Asking) -> list[Spread]:
    """Ask for the bound of two instances, of a model that is known exactly."""
    encoder = MODEL.posterior(shift=0.4, widen=0.5)
    reconstruction = MODEL.decoder(_sampled(encoder, normal_noise(RIGHT, 2))).log_prob(X)
    truth = MODEL.log_marginal(X) - MODEL.posterior_kl(X, encoder)
    # The KL divergence moves the values and not their shape: the truth says where they lie.
    values = values_of(ask, (X, encoder, MODEL.decoder), 2)
    return of_both(values, reconstruction - reconstruction.mean(0) + truth, truth)


def elbo(ask: Asking) -> Figure:
    """Draw the evidence lower bound."""
    return drawn(ask, elbo_spreads(ask))


def importance_spreads(ask: Asking) -> tuple[list[Spread], Trend]:
    """Ask for importance-sampled estimates of log p(x), and how their mean comes up to it with K."""
    encoder = MODEL.posterior(shift=0.6, widen=0.4)

    def right(count: int) -> Tensor:
        weights = MODEL.log_weights(X, encoder, _sampled(encoder, normal_noise(RIGHT, 2)))
        rows = weights[: RIGHT // count * count].view(-1, count, 2)
        return torch.logsumexp(rows, 1) - torch.tensor(float(count)).log()

    values = values_of(ask, (X, encoder, MODEL.decoder, K), 2)
    spreads = of_both(values, right(K), right(K).mean(0))
    counted = _over_counts(ask, lambda count: (X, encoder, MODEL.decoder, count))
    yours, wanted = (torch.stack([v.mean() for v in each]) for each in (counted, [right(k)[:, 1] for k in COUNTS]))
    allowed = SURE * float(right(COUNTS[-1])[:, 1].std()) / math.sqrt(FEWER)
    return spreads, Trend("mean", COUNTS, yours, wanted, allowed, float(MODEL.log_marginal(X)[1]))


def importance(ask: Asking) -> Figure:
    """Draw importance-sampled estimates of log p(x)."""
    return drawn(ask, *importance_spreads(ask))
