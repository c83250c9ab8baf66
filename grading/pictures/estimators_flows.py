"""The estimators with flows: what each of them says over a few hundred seeds, or of as many noise vectors."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.closeness import per_instance
from tests.support.models import FlowEncoder, NormalEnergy, normal
from tests.support.oracles import Layer, flow

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
    mu, logvar, layers = encoder(X)

    def right(noise: Tensor) -> Tensor:
        own = ([(u[i], w[i], b[i]) for u, w, b in layers] for i in range(2))
        return torch.stack([_bound(noise, mu[i], logvar[i], each, X[i]) for i, each in enumerate(own)], 1)

    points, weights = _plane()
    values = values_of(ask, (X, encoder, MODEL.decoder), 2)
    return of_both(values, right(normal_noise(RIGHT, 2)), weights @ right(points))


def _bound(noise: Tensor, mu: Tensor, logvar: Tensor, layers: Sequence[Layer], x: Tensor) -> Tensor:
    z0 = mu + (0.5 * logvar).exp() * noise
    z, log_abs_det = flow(layers, z0)
    prior = normal(torch.zeros_like(z), torch.zeros_like(z)).log_prob(z)
    return MODEL.decoder(z).log_prob(x) + prior - normal(mu, logvar).log_prob(z0) + log_abs_det


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

    def right(layers: Sequence[Layer], z0: Tensor) -> Tensor:
        z, log_abs_det = flow(layers, z0)
        return normal(torch.zeros_like(z0), torch.zeros_like(z0)).log_prob(z0) - log_abs_det + energy(z)

    return [
        Spread(
            name,
            per_instance(v.value, SEEDS).double(),
            right(layers, normal_noise(RIGHT, 2)),
            float(weights @ right(layers, points)),
        )
        for (name, layers), v in zip(cases.items(), values, strict=True)
    ]


def reverse_kl(ask: Asking) -> Figure:
    """Draw the terms of the reverse KL divergence."""
    return drawn(ask, reverse_kl_spreads(ask), apart=False)
