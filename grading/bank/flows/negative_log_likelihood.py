"""Implementations of flows.negative_log_likelihood."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Independent, MultivariateNormal, Normal

from grading.bank import Bank
from solutions.flows import objectives
from solutions.flows.composition import Layer, compose, log_density
from solutions.flows.planar import planar

bank = Bank("flows.negative_log_likelihood")
LOG_2_PI = math.log(2 * math.pi)


def _energy(z: Tensor) -> Tensor:
    """Half the square of the length of each row."""
    return 0.5 * (z * z).sum(1)


@bank.mistake("the log-likelihood is returned, not its negative")
def forgets_the_sign(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return -objectives.negative_log_likelihood(layers, x)


@bank.mistake("the log-determinant is added instead of subtracted")
def adds_the_log_determinant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * LOG_2_PI + log_abs_det


@bank.mistake("the log-determinant is missing, so that shrinking everything to a point is best")
def forgets_the_log_determinant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return _energy(compose(layers, x)[0]) + 0.5 * x.shape[1] * LOG_2_PI


@bank.mistake("the base is taken at x instead of f(x)")
def takes_the_base_at_x(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return _energy(x) + 0.5 * x.shape[1] * LOG_2_PI - compose(layers, x)[1]


@bank.mistake("the half of the squares is forgotten")
def forgets_the_half(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return 2 * _energy(z) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det


@bank.mistake("the constant is missing, as it does not matter for training")
def forgets_the_constant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) - log_abs_det


@bank.mistake("the constant counts once instead of once for each feature")
def counts_the_constant_once(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * LOG_2_PI - log_abs_det


@bank.mistake("the constant is that of two features, whatever their number")
def counts_two_features(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + LOG_2_PI - log_abs_det


@bank.mistake("the number of features is read off the first axis of u, which is the batch where layers are one's own")
def counts_features_along_the_batch(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    features = len(layers[0][0]) if layers else x.shape[1]
    return _energy(z) + 0.5 * features * LOG_2_PI - log_abs_det


@bank.mistake("the constant is computed in single precision")
def rounds_the_constant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * torch.log(torch.tensor(2 * math.pi)) - log_abs_det


@bank.mistake("pi is typed as 3.14")
def rounds_pi(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * math.log(2 * 3.14) - log_abs_det


@bank.mistake("the length of f(x) is not squared")
def forgets_the_square(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return 0.5 * z.norm(dim=1) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det


@bank.mistake("the log-density of the base is averaged over the features instead of summed")
def averages_features(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return 0.5 * (z**2 + LOG_2_PI).mean(1) - log_abs_det


@bank.mistake("the density leaves the log domain, where it vanishes far out, and its logarithm is taken at the end")
def exponentiates_on_the_way(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    density = torch.exp(-_energy(z)) / math.sqrt(2 * math.pi) ** x.shape[1]
    return -torch.log(density * torch.exp(log_abs_det))


@bank.mistake("the values are cut off at 700, where the density would vanish, so that no gradient is left there")
def cuts_off_far_out(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers, x).clamp(max=700)


@bank.mistake("the layers are applied in reversed order")
def reverses_the_order(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers[::-1], x)


@bank.mistake("the mean over the batch is returned")
def averages_the_batch(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers, x).mean()


@bank.mistake("the log-determinants are averaged over the batch, which leaves only the mean of the values right")
def averages_the_log_determinants(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det.mean()


@bank.mistake("the log-determinants are (batch, 1), so that the value is (batch, batch), whose mean is right")
def broadcasts_the_log_determinants(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det.unsqueeze(1)


@bank.mistake("the result is (batch, 1)")
def keeps_the_axis(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers, x).unsqueeze(1)


@bank.mistake("every axis of size one is squeezed away, also that of a batch of one")
def squeezes_everything(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers, x).squeeze()


@bank.mistake("the log-determinant is detached, so that it trains nothing")
def detaches_the_log_determinant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det.detach()


@bank.mistake("f(x) is detached, so that only the log-determinant trains the layers")
def detaches_the_image(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z.detach()) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det


@bank.mistake("the layers are copied into new parameters, so that no gradient reaches the caller's")
def copies_the_layers(layers: Sequence[Layer], x: Tensor) -> Tensor:
    copies = [[nn.Parameter(t.detach().clone()) for t in layer] for layer in layers]
    return objectives.negative_log_likelihood([(u, w, b) for u, w, b in copies], x)


@bank.mistake("the constant is a tensor in double precision for each instance, which makes every result double")
def adds_to_double_precision(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    constant = torch.full((len(x),), 0.5 * x.shape[1] * LOG_2_PI, dtype=torch.float64)
    return _energy(z) + constant - log_abs_det


@bank.mistake("the samples are overwritten with their images")
def overwrites_x(layers: Sequence[Layer], x: Tensor) -> Tensor:
    value = objectives.negative_log_likelihood(layers, x.clone())
    x.data.copy_(compose(layers, x.detach())[0])
    return value


@bank.mistake("with layers the density itself is multiplied out before its logarithm is taken, and underflows far out")
def exponentiates_with_layers(layers: Sequence[Layer], x: Tensor) -> Tensor:
    if not layers:
        return objectives.negative_log_likelihood(layers, x)
    z, log_abs_det = compose(layers, x)
    return -torch.log(torch.exp(-_energy(z) - 0.5 * x.shape[1] * LOG_2_PI) * torch.exp(log_abs_det))


@bank.alternative("torch.distributions knows the base")
def by_distributions(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return -(Independent(Normal(torch.zeros_like(z), torch.ones_like(z)), 1).log_prob(z) + log_abs_det)


@bank.alternative("minus the density of the part before, with a normal distribution of many variables as its base")
def by_log_density(layers: Sequence[Layer], x: Tensor) -> Tensor:
    d = x.shape[1]
    return -log_density(layers, x, MultivariateNormal(x.new_zeros(d), torch.eye(d, dtype=x.dtype)))


@bank.alternative("layer after layer, each log-determinant subtracted as it comes, and the squares as an inner product")
def by_planar(layers: Sequence[Layer], x: Tensor) -> Tensor:
    value = torch.full_like(x[:, 0], 0.5 * LOG_2_PI * x.size(1))
    for layer in layers:
        x, log_abs_det = planar(x, *layer)
        value = value - log_abs_det
    return value + torch.einsum("bd,bd->b", x, x) / 2


@bank.alternative("feature by feature, as a sum of normal densities in one dimension")
def by_features(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return sum((0.5 * column.square() + 0.5 * LOG_2_PI for column in z.unbind(1)), -log_abs_det)


@bank.alternative("one instance after another, each with its own part of the layers")
def by_instances(layers: Sequence[Layer], x: Tensor) -> Tensor:
    values = []
    for i, row in enumerate(x):
        own = [(u[i], w[i], b[i]) if w.dim() > 1 else (u, w, b) for u, w, b in layers]
        z, log_abs_det = compose(own, row[None])
        values.append(0.5 * (z[0] @ z[0] + len(row) * LOG_2_PI) - log_abs_det[0])
    return torch.stack(values)
