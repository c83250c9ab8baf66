"""Exact answers that need none of the functions under judgement."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import kl_divergence

from exercises.experiments.flows.inversion import invert

from .models import LinearDecoder, LinearEncoder, normal

Layer = tuple[Tensor, Tensor, Tensor]


def normal_kl(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """Return KL(q || p) of each row, (batch,) nats."""
    return kl_divergence(normal(mu_q, logvar_q), normal(mu_p, logvar_p))


def standard_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mu, diag exp(logvar)) || N(0, I)) of each row, (batch,) nats."""
    return normal_kl(mu, logvar, torch.zeros_like(mu), torch.zeros_like(mu))


@dataclass(frozen=True)
class LinearGaussian:
    """The model z ~ N(0, I), x | z ~ N(W z + b, v I) with orthogonal columns in W, so that everything is known.

    Source: Bishop, Pattern Recognition and Machine Learning, equations 2.113 to 2.117.
    """

    decoder: LinearDecoder

    def posterior(self, shift: float = 0.0, widen: float = 0.0) -> LinearEncoder:
        """Return the exact p(z | x), or one with its means shifted and its log variances enlarged."""
        weight, variance = self.decoder.weight, self.decoder.variance
        precision = 1 + (weight**2).sum(0) / variance
        gain = weight.T / (variance * precision[:, None])
        return LinearEncoder(gain, shift - gain @ self.decoder.bias, widen - precision.log())

    def log_marginal(self, x: Tensor) -> Tensor:
        """Return log p(x) of each row, (batch,) nats.

        The covariance W W^T + v I has the eigenvalue v + |w_j|^2 along each column w_j of W, and v across them.
        """
        weight, variance = self.decoder.weight, self.decoder.variance
        rest = x - self.decoder.bias
        norms = (weight**2).sum(0)
        along = (rest @ weight) ** 2 / (variance * (variance + norms))
        logdet = (x.shape[1] - len(norms)) * math.log(variance) + (variance + norms).log().sum()
        return -0.5 * (x.shape[1] * math.log(2 * math.pi) + logdet + (rest**2).sum(1) / variance - along.sum(1))

    def posterior_kl(self, x: Tensor, encoder: LinearEncoder) -> Tensor:
        """Return KL(q || p(z | x)) of each row, (batch,) nats."""
        return normal_kl(*encoder(x), *self.posterior()(x))

    def log_weights(self, x: Tensor, encoder: LinearEncoder, z: Tensor) -> Tensor:
        """Return log p(x | z) p(z) / q(z | x) of each row, (batch,) nats."""
        prior = normal(torch.zeros_like(z), torch.zeros_like(z))
        return self.decoder(z).log_prob(x) + prior.log_prob(z) - normal(*encoder(x)).log_prob(z)


def constrained_u(u: Tensor, w: Tensor) -> Tensor:
    """Return u + (m(w.u) - w.u) w / |w|^2 with m(a) = log(1 + exp(a)) - 1, and u where w is 0: the shape of u."""
    wu, ww = (w * u).sum(-1, keepdim=True), (w * w).sum(-1, keepdim=True)
    m = torch.logaddexp(wu, torch.zeros_like(wu)) - 1
    return torch.where(ww > 0, u + (m - wu) * w / torch.where(ww > 0, ww, 1.0), u)


def flow(layers: Sequence[Layer], z: Tensor) -> tuple[Tensor, Tensor]:
    """Return (f_k(...f_1(z)), log-determinants as torch.linalg.slogdet has them of the dense Jacobians): (n, d), (n,).

    Every layer is (u, w, b), shared or of each instance's own; gradients flow as they should.
    """
    log_abs_det = torch.zeros_like(z[:, 0])
    for u, w, b in layers:
        u_hat = constrained_u(u, w).expand_as(z)
        h = torch.tanh((w * z).sum(-1) + b)
        jacobian = torch.eye(z.shape[1], dtype=z.dtype) + (
            u_hat[:, :, None] * (w.expand_as(z) * (1 - h**2)[:, None])[:, None, :]
        )
        z = z + u_hat * h[:, None]
        log_abs_det = log_abs_det + torch.linalg.slogdet(jacobian).logabsdet
    return z, log_abs_det


def inverse_flow(layers: Sequence[Layer], z: Tensor) -> Tensor:
    """Return the points that a flow of right layers sends to z, (n, d), to double precision."""
    return invert(constrained_u, layers, z)
