"""The estimators with flows: what each of them says over a few hundred seeds, or of as many noise vectors."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.closeness import per_instance
from tests.support.models import FlowEncoder, NormalEnergy, normal
from tests.support.oracles import rows_of, sent

from .asking import Asking
from .estimators import F64, MODEL, RIGHT, SEEDS, X, normal_noise, of_both, values_of
from .folding import LAYERS
from .spread import Spread, drawn


def _plane() -> tuple[Tensor, Tensor]:
    """Return points of the plane and weights, for means over noise of two features: (n, 2) and (n,)."""
    axis = torch.linspace(-6.5, 6.5, 105, dtype=F64)
    points = torch.cartesian_prod(axis, axis)
    weights = (-0.5 * points.square().sum(1)).exp()
    return points, weights / weights.sum()


def flow_elbo_spreads(ask: Asking) -> list[Spread]:
    """Ask for the bound of two instances with a posterior of two layers that depend on x."""
    base = MODEL.posterior(shift=0.3, widen=0.4)
    planes = 0.6 * torch.randn(2, 5, 5, dtype=F64, generator=torch.Generator().manual_seed(3))
    encoder = FlowEncoder(base.weight, base.bias, base.logvar, planes)
    points, weights = _plane()
    values = values_of(ask, (X, encoder, MODEL.decoder), 2)
    return of_both(values, _bounds(encoder, normal_noise(RIGHT, 2)), weights @ _bounds(encoder, points))


def _bounds(encoder: FlowEncoder, noise: Tensor) -> Tensor:
    """Return the bounds of both instances for noise (n, 2): log p(x, z_k) less the flow's log-density, (n, 2)."""
    mu, logvar, layers = encoder(X)
    bounds = []
    for i, x in enumerate(X):
        z0 = mu[i] + (0.5 * logvar[i]).exp() * noise
        z, log_abs_det = map(torch.from_numpy, sent(rows_of([(u[i], w[i], b[i]) for u, w, b in layers], z0), 2))
        log_q = normal(mu[i], logvar[i]).log_prob(z0) - log_abs_det
        bounds.append(MODEL.log_joint(x[None], z) - log_q)
    return torch.stack(bounds, 1)


def flow_elbo(ask: Asking) -> Figure:
    """Draw the bound with a flow as the posterior."""
    return drawn(ask, flow_elbo_spreads(ask))


def reverse_kl_spreads(ask: Asking) -> list[Spread]:
    """Ask for the terms of many noise vectors, with one layer and with three."""
    energy = NormalEnergy(torch.tensor([0.5, -0.8], dtype=F64), torch.tensor([0.4, -0.5], dtype=F64), 1.3)
    noise = normal_noise(SEEDS, 2)
    cases = {"one layer": LAYERS[:1], "three layers": LAYERS}
    values = ask.answers([ask.call(layers, noise, energy) for layers in cases.values()])
    points, weights = _plane()
    z0 = torch.cat([normal_noise(RIGHT, 2), points])
    spreads = []
    for (name, layers), answer in zip(cases.items(), values, strict=True):
        z, log_abs_det = map(torch.from_numpy, sent(rows_of(layers, z0), 2))
        right = normal(0 * z0, 0 * z0).log_prob(z0) - log_abs_det + energy(z)
        truth = float(weights @ right[RIGHT:])
        spreads.append(Spread(name, per_instance(answer.value, SEEDS).double(), right[:RIGHT], truth))
    return spreads


def reverse_kl(ask: Asking) -> Figure:
    """Draw the terms of the reverse KL divergence."""
    return drawn(ask, reverse_kl_spreads(ask), apart=False)
