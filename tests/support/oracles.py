"""Exact answers that need none of the functions under judgement.

Students have this file, and it answers no part for them: what a model is known by takes its exact posterior, and a flow
is sent through dense matrices in numpy, where torch knows of no gradient.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import kl_divergence

from exercises.experiments.flows.inversion import invert

from .models import LinearDecoder, LinearEncoder, normal

Layer = tuple[Tensor, Tensor, Tensor]
Rows = NDArray[Any]  # of numbers, real or complex
TINY = 1e-30  # of a step along the imaginary axis: its square is lost beside any number, so a slope is exact


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
        return kl_divergence(normal(*encoder(x)), normal(*self.posterior()(x)))

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x, z) of each row, which is log p(x) + log p(z | x), (batch,) nats."""
        return self.log_marginal(x) + normal(*self.posterior()(x)).log_prob(z)

    def log_weights(self, x: Tensor, encoder: LinearEncoder, z: Tensor) -> Tensor:
        """Return log p(x, z) / q(z | x) of each row, (batch,) nats."""
        return self.log_joint(x, z) - normal(*encoder(x)).log_prob(z)


def constrained(rows: Rows) -> Rows:
    """Return u_hat, (n, d), of rows (u, w) of 2 d numbers; complex ones where those are."""
    u, w = np.split(rows, 2, axis=1)
    inner, square = ((w * each).sum(1, keepdims=True) for each in (u, w))
    return u + (np.log(1 + np.exp(inner)) - 1 - inner) * w / np.where(square == 0, 1, square)


def reach(layers: Sequence[Layer]) -> float:
    """Return how far some layers that all points share move a point at most: by |u_hat| each."""
    rows = (torch.cat([u, w])[None].numpy() for u, w, _ in layers)
    return sum(float(np.linalg.norm(constrained(row))) for row in rows)


def rows_of(layers: Sequence[Layer], z: Tensor) -> Rows:
    """Return a row for each of n points: its d numbers, then u, w and b of all layers as they are for it."""
    n, d = z.shape
    own = ((u.expand(n, d), w.expand(n, d), b.expand(n)[:, None]) for u, w, b in layers)
    return torch.cat([z, *(each for layer in own for each in layer)], 1).detach().numpy()


def sent(rows: Rows, d: int) -> tuple[Rows, Rows]:
    """Send the point of d numbers with which each row begins through the layers in the rest of the row.

    Returns:
        Its image, (n, d), and the sum of the logarithms of the determinants of the layers' dense Jacobians, (n,).
    """
    z, log_det = rows[:, :d], np.zeros(len(rows), rows.dtype)
    count = rows.shape[1] // (2 * d + 1)
    for layer in rows[:, d:].reshape(len(rows), count, -1).swapaxes(0, 1) if count else ():
        u_hat, w = constrained(layer[:, :-1]), layer[:, d:-1]
        h = np.tanh((w * z).sum(1) + layer[:, -1])[:, None]
        dense = np.eye(d) + u_hat[:, :, None] * ((1 - h * h) * w)[:, None]
        z, log_det = z + h * u_hat, log_det + np.log(np.linalg.det(dense))
    return z, log_det


Total = Callable[[Tensor, Tensor], Tensor]  # of images (n, d) and log-determinants (n,), differentiable in both


def gradients(layers: Sequence[Layer], z: Tensor, total: Total) -> list[Tensor]:
    """Return the gradients of the sum of a total by z, and by u, w and b of each layer."""
    d = z.shape[1]
    rows = rows_of(layers, z)
    results = [torch.from_numpy(each).requires_grad_() for each in sent(rows, d)]
    by_image, by_det = torch.autograd.grad(total(*results).sum(), results, allow_unused=True, materialize_grads=True)
    slopes = _slopes(lambda stepped: np.column_stack(sent(stepped, d)), rows, torch.column_stack([by_image, by_det]))
    pieces = slopes.split([d] + [d, d, 1] * len(layers), 1)
    leaves = [z, *(each for layer in layers for each in layer)]
    return [_as(leaf, piece) for leaf, piece in zip(leaves, pieces, strict=True)]


def constraint_gradients(u: Tensor, w: Tensor, weights: Tensor) -> list[Tensor]:
    """Return the gradients of the sum of u_hat, weighted, by u and by w."""
    d = u.shape[-1]
    slopes = _slopes(constrained, torch.cat([u, w], -1).view(-1, 2 * d).numpy(), weights.view(-1, d))
    return [_as(leaf, piece) for leaf, piece in zip((u, w), slopes.split(d, 1), strict=True)]


def _slopes(function: Callable[[Rows], Rows], rows: Rows, weights: Tensor) -> Tensor:
    """Return the derivatives of a weighted sum of what a function makes of each row, by each number of that row."""
    n, count = rows.shape
    stepped = np.repeat(rows, count, 0) + 1j * TINY * np.tile(np.eye(count), (n, 1))  # each number by itself
    return (torch.from_numpy(function(stepped).imag / TINY).view(n, count, -1) * weights[:, None]).sum(2)


def _as(leaf: Tensor, slopes: Tensor) -> Tensor:
    """Return the slopes by a leaf of each instance's own as they are, and by a shared one summed over the instances."""
    return (slopes if slopes.numel() == leaf.numel() else slopes.sum(0)).reshape(leaf.shape)


def inverse_flow(layers: Sequence[Layer], z: Tensor) -> Tensor:
    """Return the points that a flow of right layers sends to z, (n, d), to double precision."""
    rows = (torch.cat([u, w], -1).reshape(-1, 2 * z.shape[1]) for u, w, _ in reversed(layers))
    bent = (torch.from_numpy(constrained(each.detach().numpy())) for each in rows)
    return invert(lambda *_: next(bent), layers, z)  # the way back asks for one layer after another, the last one first
