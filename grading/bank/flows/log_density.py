"""Implementations of flows.log_density."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from grading.bank import Bank
from solutions.flows import composition
from solutions.flows.composition import Layer, compose
from solutions.flows.planar import constrain_u, planar

bank = Bank("flows.log_density")


def _log_normal(z: Tensor) -> Tensor:
    return -0.5 * (z**2 + math.log(2 * math.pi)).sum(1)


bank.reason(
    "Let f double lengths in one dimension, and let the base be uniform between 0 and 2: where do the x lie, and how "
    "dense are they there? Find what your formula makes of it."
)


@bank.mistake("the log-determinant is subtracted, as for layers that go from the base to the data")
def subtracts_the_log_determinant(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return base.log_prob(z) - log_abs_det


@bank.mistake("the log-determinant is missing")
def forgets_the_log_determinant(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return base.log_prob(compose(layers, x)[0])


bank.reason(
    "Follow one x through two layers on paper, in the order of the list, with a name for every point on the way. At "
    "which of them is the base asked, and at which does each log-determinant stand?"
)


@bank.mistake("the base is asked at x instead of f(x)")
def asks_the_base_at_x(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return base.log_prob(x) + compose(layers, x)[1]


@bank.mistake("all log-determinants are taken at x instead of where each layer is applied")
def evaluates_at_x(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    log_abs_det = sum((planar(x, *layer)[1] for layer in layers), torch.zeros_like(x[:, 0]))
    return base.log_prob(compose(layers, x)[0]) + log_abs_det


@bank.mistake("the layers are applied in reversed order, as for the way back")
def reverses_the_order(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers[::-1], x, base)


bank.reason(
    "Let the base be a normal distribution with mean 3, or one that is not normal at all, and take no layers. What "
    "should your function return, and what does yours know of this base?"
)


@bank.mistake("the base is taken for N(0, I), whatever base was given")
def takes_the_standard_normal(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _log_normal(z) + log_abs_det


@bank.mistake("the base is taken for N(0, I) where there are no layers, whatever base was given")
def takes_the_standard_normal_without_layers(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers, x, base) if layers else _log_normal(x)


@bank.mistake("the constant of a normal distribution is added to a base that has it already")
def adds_the_constant_again(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers, x, base) - 0.5 * x.shape[1] * math.log(2 * math.pi)


bank.reason(
    "Take a point fifty standard deviations out: how large is the density in your dtype, and how large is its "
    "logarithm? Which of the two is asked for, and which do you compute on the way?"
)


@bank.mistake("the density is returned instead of its logarithm")
def forgets_the_logarithm(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers, x, base).exp()


@bank.mistake("the density itself is computed before its logarithm is taken, and vanishes far out")
def exponentiates_on_the_way(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return torch.log(torch.exp(base.log_prob(z)) * torch.exp(log_abs_det))


bank.reason(
    "Take a base of independent features and no layers, and write the same feature down twice: what does that make of "
    "the density, and of its logarithm?"
)


@bank.mistake("the log-density is averaged over the features")
def averages_features(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers, x, base) / x.shape[1]


bank.reason(
    "Write down the shape of each term and of the result for three points, and for one. Which point does each number "
    "of the result belong to, and does it change when the others do?"
)


@bank.mistake("the mean over the batch is returned")
def averages_the_batch(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers, x, base).mean()


@bank.mistake("the log-determinants are averaged over the batch before they are added")
def averages_the_log_determinants(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return base.log_prob(z) + log_abs_det.mean()


@bank.mistake("the log-determinants are (batch, 1), so that the sum is (batch, batch)")
def broadcasts_the_log_determinants(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return base.log_prob(z) + log_abs_det.view(-1, 1)


@bank.mistake("the result is (batch, 1)")
def keeps_the_axis(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers, x, base).unsqueeze(1)


@bank.mistake("every axis of size one is squeezed away, also the batch axis of a batch of one")
def squeezes_everything(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return composition.log_density(layers, x, base).squeeze()


bank.reason(
    "Move the u of a layer a little: does f(x) move, and does the log-determinant? Follow the way back from each of "
    "them to the caller's layer, and see where it is cut."
)


@bank.mistake("the log-determinant is detached, so that the layers learn nothing from it")
def detaches_the_log_determinant(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return base.log_prob(z) + log_abs_det.detach()


@bank.mistake("the image of x is detached before the base is asked, so that the layers learn nothing from the base")
def detaches_the_image(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return base.log_prob(z.detach()) + log_abs_det


@bank.mistake("the layers are copied into new parameters, so that no gradient reaches the caller's")
def copies_the_layers(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    copies = [[nn.Parameter(t.detach().clone()) for t in layer] for layer in layers]
    return composition.log_density([(u, w, b) for u, w, b in copies], x, base)


bank.reason(
    "Let the points come in single precision: which dtype has each term, and what becomes of two dtypes that meet?"
)


@bank.mistake("zeros in double precision are added, which makes every result double")
def adds_to_double_precision(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return torch.zeros(len(x), dtype=torch.float64) + composition.log_density(layers, x, base)


bank.reason(
    "Look at the caller's tensors and at the caller's list of layers after your call. Are they as they were, and "
    "would a second call begin with the same?"
)


@bank.mistake("the caller's points are overwritten with their images")
def overwrites_x(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    value = composition.log_density(layers, x.clone(), base)
    x.data.copy_(compose(layers, x.detach())[0])
    return value


@bank.mistake("the caller's list of layers is turned round, and left so")
def reverses_the_list(layers: list[Layer], x: Tensor, base: Any) -> Tensor:
    value = composition.log_density(list(layers), x, base)
    layers.reverse()
    return value


@bank.pair("subtracts_the_log_determinant", "asks_the_base_at_x")
def subtracts_the_log_determinant_and_asks_the_base_at_x(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return base.log_prob(x) - compose(layers, x)[1]


@bank.pair("subtracts_the_log_determinant", "reverses_the_order")
def subtracts_the_log_determinant_and_reverses_the_order(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(layers[::-1], x)
    return base.log_prob(z) - log_abs_det


@bank.pair("subtracts_the_log_determinant", "takes_the_standard_normal")
def subtracts_the_log_determinant_and_takes_the_standard_normal(
    layers: Sequence[Layer], x: Tensor, base: Any
) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _log_normal(z) - log_abs_det


@bank.pair("subtracts_the_log_determinant", "averages_the_batch")
def subtracts_the_log_determinant_and_averages_the_batch(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    return subtracts_the_log_determinant(layers, x, base).mean()


@bank.alternative("layer after layer, each term added to the base's as it comes")
def by_planar(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    terms = []
    for u, w, b in layers:
        x, log_abs_det = planar(x, u, w, b)
        terms.append(log_abs_det)
    return sum(terms, base.log_prob(x))


@bank.alternative("by recursion: the density that the other layers induce is the base of the first one")
def by_recursion(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    if not layers:
        return base.log_prob(x)
    z, log_abs_det = planar(x, *layers[0])
    return by_recursion(layers[1:], z, base) + log_abs_det


@bank.alternative("with determinants of dense Jacobians")
def by_dense_jacobians(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    jacobian = torch.eye(x.shape[1], dtype=x.dtype).expand(len(x), -1, -1)
    for u, w, b in layers:
        u_hat, h = constrain_u(u, w), torch.tanh((w * x).sum(-1) + b)
        psi = (1 - h**2).unsqueeze(1) * w
        jacobian = jacobian + u_hat.unsqueeze(-1) * (psi.unsqueeze(1) @ jacobian)
        x = x + u_hat * h.unsqueeze(1)
    return torch.linalg.slogdet(jacobian).logabsdet + base.log_prob(x)


@bank.alternative("one instance after another, each with its own part of the layers")
def by_instances(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    values = []
    for i in range(len(x)):
        own = [(u[i], w[i], b[i]) if w.dim() > 1 else (u, w, b) for u, w, b in layers]
        z, log_abs_det = compose(own, x[i : i + 1])
        values.append(base.log_prob(z) + log_abs_det)
    return torch.cat(values)


@bank.alternative("as a ratio to the standard normal distribution at the image, which is added and taken away again")
def by_a_ratio(layers: Sequence[Layer], x: Tensor, base: Any) -> Tensor:
    z, log_abs_det = compose(list(layers), x)
    normal = Independent(Normal(torch.zeros_like(z), torch.ones_like(z)), 1)
    return normal.log_prob(z) + log_abs_det + (base.log_prob(z) - normal.log_prob(z))
