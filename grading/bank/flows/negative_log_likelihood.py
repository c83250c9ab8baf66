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


bank.reason(
    "A flow that shrinks everything to a point makes |f(x)| as small as you like. What in the loss has to charge for "
    "that, with which sign does it stand in yours, and which way does training push the whole?"
)


@bank.mistake("the log-likelihood is returned instead of its negative")
def forgets_the_sign(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return -objectives.negative_log_likelihood(layers, x)


@bank.mistake("the log-determinant is added instead of subtracted")
def adds_the_log_determinant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * LOG_2_PI + log_abs_det


@bank.mistake("the log-determinant is missing, so that shrinking everything to a point is best")
def forgets_the_log_determinant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return _energy(compose(layers, x)[0]) + 0.5 * x.shape[1] * LOG_2_PI


bank.reason(
    "Follow one sample through two layers on paper, in the order of the list, with a name for every point on the way. "
    "At which of them does the base's density stand in the handout, and at which in your loss?"
)


@bank.mistake("the base is taken at x instead of f(x)")
def takes_the_base_at_x(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return _energy(x) + 0.5 * x.shape[1] * LOG_2_PI - compose(layers, x)[1]


@bank.mistake("the layers are applied in reversed order")
def reverses_the_order(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers[::-1], x)


bank.reason(
    "Take no layers and one feature, and work out -log N(x; 0, 1) at x = 0, 2 and 4. By how much does it grow from "
    "one to the next, and by how much does yours?"
)


@bank.mistake("the factor 1/2 of the squares is missing")
def forgets_the_half(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return 2 * _energy(z) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det


@bank.mistake("the length of f(x) stands where its square belongs")
def forgets_the_square(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return 0.5 * z.norm(dim=1) + 0.5 * x.shape[1] * LOG_2_PI - log_abs_det


bank.reason(
    "Let f(x) be 0 in one, two and three dimensions, for a batch of five with layers of each instance's own: what is "
    "-log N(0; 0, I) each time? Ask how often your constant counts, and what tells your code how often."
)


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


@bank.mistake("the number of features is read off the first axis of u, which is the batch for layers of one's own")
def counts_features_along_the_batch(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    features = len(layers[0][0]) if layers else x.shape[1]
    return _energy(z) + 0.5 * features * LOG_2_PI - log_abs_det


@bank.mistake("the log-density of the base is averaged over the features instead of summed")
def averages_features(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return 0.5 * (z**2 + LOG_2_PI).mean(1) - log_abs_det


bank.reason(
    "Go through your terms for samples in single and in double precision: which dtype has each of them, and how many "
    "of its digits are right?"
)


@bank.mistake("the constant is computed in single precision")
def rounds_the_constant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * torch.log(torch.tensor(2 * math.pi)) - log_abs_det


@bank.mistake("pi is typed as 3.14")
def rounds_pi(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + 0.5 * x.shape[1] * math.log(2 * 3.14) - log_abs_det


@bank.mistake("the constant is a tensor in double precision, which makes every result double")
def adds_to_double_precision(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    constant = torch.full((len(x),), 0.5 * x.shape[1] * LOG_2_PI, dtype=torch.float64)
    return _energy(z) + constant - log_abs_det


bank.reason(
    "Take a sample that f sends 50 away from the origin: what is its density in your dtype, what is the loss, and "
    "what is the slope of the loss there? Which of these numbers does training need?"
)


@bank.mistake("the density itself is computed before its logarithm is taken, and vanishes far out")
def exponentiates_on_the_way(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    density = torch.exp(-_energy(z)) / math.sqrt(2 * math.pi) ** x.shape[1]
    return -torch.log(density * torch.exp(log_abs_det))


@bank.mistake("the density itself is computed before its logarithm where there are layers, and vanishes far out")
def exponentiates_with_layers(layers: Sequence[Layer], x: Tensor) -> Tensor:
    if not layers:
        return objectives.negative_log_likelihood(layers, x)
    z, log_abs_det = compose(layers, x)
    return -torch.log(torch.exp(-_energy(z) - 0.5 * x.shape[1] * LOG_2_PI) * torch.exp(log_abs_det))


@bank.mistake("the values are cut off at 700, where the density would vanish, so that no gradient is left there")
def cuts_off_far_out(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers, x).clamp(max=700)


bank.reason(
    "Write down the shape of each term and of the result for three samples, and for one. Which sample does each "
    "number of the result belong to, and does it change when the others do?"
)


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


@bank.mistake("every axis of size one is squeezed away, also the batch axis of a batch of one")
def squeezes_everything(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return objectives.negative_log_likelihood(layers, x).squeeze()


bank.reason(
    "Move the u of a layer a little: does f(x) move, and does the log-determinant? Follow the way back from each of "
    "them to the caller's layer, and see where it is cut."
)


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


bank.reason("Call your function twice with the same samples. What are they when the second call begins?")


@bank.mistake("the caller's samples are overwritten with their images")
def overwrites_x(layers: Sequence[Layer], x: Tensor) -> Tensor:
    value = objectives.negative_log_likelihood(layers, x.clone())
    x.data.copy_(compose(layers, x.detach())[0])
    return value


@bank.pair("adds_the_log_determinant", "forgets_the_constant")
def adds_the_log_determinant_and_forgets_the_constant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return _energy(z) + log_abs_det


@bank.pair("adds_the_log_determinant", "takes_the_base_at_x")
def adds_the_log_determinant_and_takes_the_base_at_x(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return _energy(x) + 0.5 * x.shape[1] * LOG_2_PI + compose(layers, x)[1]


@bank.pair("forgets_the_half", "forgets_the_constant")
def forgets_the_half_and_forgets_the_constant(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return 2 * _energy(z) - log_abs_det


@bank.pair("forgets_the_constant", "averages_the_batch")
def forgets_the_constant_and_averages_the_batch(layers: Sequence[Layer], x: Tensor) -> Tensor:
    z, log_abs_det = compose(layers, x)
    return (_energy(z) - log_abs_det).mean()


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
