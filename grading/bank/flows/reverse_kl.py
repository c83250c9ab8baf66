"""Implementations of flows.reverse_kl."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from grading.bank import Bank
from solutions.flows import objectives
from solutions.flows.composition import Layer, compose
from solutions.flows.planar import planar

bank = Bank("flows.reverse_kl")
Energy = Callable[[Tensor], Tensor]
LOG_2_PI = math.log(2 * math.pi)


def _log_normal(z: Tensor) -> Tensor:
    return -0.5 * (z**2 + LOG_2_PI).sum(1)


bank.reason(
    "Let the layers double lengths in one dimension: is the density of z_k larger or smaller than that of z_0, and by "
    "which factor? Find what your log q_k makes of it."
)


@bank.mistake("the log-determinant is added, as for layers that go from the data to the base")
def adds_the_log_determinant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) + log_abs_det + energy(z)


@bank.mistake("the log-determinant is missing, so that the flow collapses onto the mode")
def forgets_the_log_determinant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return _log_normal(z0) + energy(compose(layers, z0)[0])


bank.reason(
    "Follow one z_0 through two layers on paper, in the order of the list, with a name for every point on the way. At "
    "which of them do you know the base's density, and at which is the energy asked?"
)


@bank.mistake("the energy is taken at z_0 instead of z_k")
def takes_the_energy_at_the_noise(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return _log_normal(z0) - compose(layers, z0)[1] + energy(z0)


@bank.mistake("the density of the base is taken at z_k instead of z_0")
def takes_the_base_at_the_image(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z) - log_abs_det + energy(z)


@bank.mistake("the layers are applied in reversed order")
def reverses_the_order(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers[::-1], z0, energy)


bank.reason(
    "With p = exp(-U) / Z, what is -log p? Write the terms of log q - log p below each other, with their signs, and "
    "yours beside them."
)


@bank.mistake("the energy is subtracted, as if it were the logarithm of the density")
def subtracts_the_energy(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det - energy(z)


@bank.mistake("the exponential of the negative energy, the density itself, stands where its logarithm belongs")
def takes_the_density(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det - torch.exp(-energy(z))


@bank.mistake("the sign of every term is turned, which gives the negative of the divergence")
def turns_the_sign(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return -objectives.reverse_kl(layers, z0, energy)


bank.reason(
    "Take an energy of 2000: how large is exp(-U) in your dtype, and how large is its logarithm? Which of the two "
    "does the divergence need?"
)


@bank.mistake("the density of the target is computed, which vanishes, before its logarithm is taken")
def exponentiates_on_the_way(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det - torch.log(torch.exp(-energy(z)))


bank.reason(
    "Take no layers, one dimension and an energy of 0, and work the value out for z_0 = 0, 1 and 3. Is each of the "
    "three yours, also where it is negative, and also in a second call?"
)


@bank.mistake("the density of the base is left out, as it does not depend on the layers")
def forgets_the_base(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return energy(z) - log_abs_det


@bank.mistake("the base's entropy stands for its log-density, so that only the mean over the noise is right")
def takes_the_entropy_for_the_base(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -0.5 * z0.shape[1] * (1 + LOG_2_PI) - log_abs_det + energy(z)


@bank.mistake("the factor 1/2 of the squares is missing in the base")
def forgets_the_half(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -(z0**2).sum(1) - 0.5 * z0.shape[1] * LOG_2_PI - log_abs_det + energy(z)


@bank.mistake("values below 0 are raised to 0, because a divergence is never negative")
def clamps_at_zero(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, z0, energy).clamp(min=0)


@bank.mistake("new noise is drawn, whatever z_0 was given")
def draws_its_own_noise(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, torch.randn_like(z0), energy)


bank.reason(
    "Take z_0 = 0 in one, two and three dimensions, for a batch of five with layers of each instance's own: what is "
    "log N(0; 0, I) each time? Ask how often your constant counts, and what tells your code how often."
)


@bank.mistake("the constant of the base is missing")
def forgets_the_constant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -0.5 * (z0**2).sum(1) - log_abs_det + energy(z)


@bank.mistake("the constant of the base counts once instead of once for each feature")
def counts_the_constant_once(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -0.5 * ((z0**2).sum(1) + LOG_2_PI) - log_abs_det + energy(z)


@bank.mistake("the constant of the base is that of two features, whatever their number")
def counts_two_features(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -0.5 * (z0**2).sum(1) - LOG_2_PI - log_abs_det + energy(z)


@bank.mistake("the number of features is read off the first axis of u, which is the batch for layers of one's own")
def counts_features_along_the_batch(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    features = len(layers[0][0]) if layers else z0.shape[1]
    return -0.5 * ((z0**2).sum(1) + features * LOG_2_PI) - log_abs_det + energy(z)


bank.reason(
    "Go through your terms for noise in single and in double precision: which dtype has each of them, and how many of "
    "its digits are right?"
)


@bank.mistake("the constant of the base is computed in single precision")
def rounds_the_constant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    constant = z0.shape[1] * torch.log(torch.tensor(2 * math.pi))
    return -0.5 * ((z0**2).sum(1) + constant) - log_abs_det + energy(z)


@bank.mistake("the constant is a tensor in double precision, which makes every result double")
def adds_to_double_precision(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    constant = torch.full((len(z0),), -0.5 * z0.shape[1] * LOG_2_PI, dtype=torch.float64)
    return constant - 0.5 * (z0**2).sum(1) - log_abs_det + energy(z)


bank.reason(
    "Write down the shape of each term and of the result for three samples, and for one. Which sample does each "
    "number of the result belong to, and does it change when the others do?"
)


@bank.mistake("the mean over the batch is returned")
def averages_the_batch(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, z0, energy).mean()


@bank.mistake("the energies are averaged over the batch, which leaves only the mean of the values right")
def averages_the_energies(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det + energy(z).mean()


@bank.mistake("the log-determinants are (batch, 1), so that the value is (batch, batch), whose mean is right")
def broadcasts_the_log_determinants(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det[:, None] + energy(z)


@bank.mistake("the result is (batch, 1)")
def keeps_the_axis(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, z0, energy).unsqueeze(1)


@bank.mistake("every axis of size one is squeezed away, also the batch axis of a batch of one")
def squeezes_everything(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, z0, energy).squeeze()


bank.reason(
    "Move the u of a layer a little: does z_k move, does the energy there, and does the log-determinant? Follow the "
    "way back from each of them to the caller's layer, and see where it is cut."
)


@bank.mistake("the samples z_k are detached, so that the energy does not train the layers")
def detaches_the_samples(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det + energy(z.detach())


@bank.mistake("the energy is evaluated without a graph, so that it does not train the layers")
def evaluates_the_energy_without_a_graph(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    with torch.no_grad():
        target = energy(z)
    return _log_normal(z0) - log_abs_det + target


@bank.mistake("the log-determinant is detached, so that nothing keeps the flow from collapsing")
def detaches_the_log_determinant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det.detach() + energy(z)


@bank.mistake("the layers are copied into new parameters, so that no gradient reaches the caller's")
def copies_the_layers(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    copies = [[nn.Parameter(t.detach().clone()) for t in layer] for layer in layers]
    return objectives.reverse_kl([(u, w, b) for u, w, b in copies], z0, energy)


bank.reason(
    "Look at the caller's tensors and at the caller's list of layers after your call. Are they as they were, and "
    "would a second call begin with the same?"
)


@bank.mistake("the caller's noise is overwritten with the samples that are made of it")
def overwrites_the_noise(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    value = objectives.reverse_kl(layers, z0.clone(), energy)
    z0.data.copy_(compose(layers, z0.detach())[0])
    return value


@bank.mistake("the layers are taken out of the caller's list one by one")
def empties_the_list(layers: list[Layer], z0: Tensor, energy: Energy) -> Tensor:
    value = objectives.reverse_kl(list(layers), z0, energy)
    layers.clear()
    return value


@bank.pair("adds_the_log_determinant", "takes_the_base_at_the_image")
def adds_the_log_determinant_and_takes_the_base_at_the_image(
    layers: Sequence[Layer], z0: Tensor, energy: Energy
) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z) + log_abs_det + energy(z)


@bank.pair("adds_the_log_determinant", "subtracts_the_energy")
def adds_the_log_determinant_and_subtracts_the_energy(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) + log_abs_det - energy(z)


@bank.pair("adds_the_log_determinant", "forgets_the_constant")
def adds_the_log_determinant_and_forgets_the_constant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -0.5 * (z0**2).sum(1) + log_abs_det + energy(z)


@bank.pair("forgets_the_base", "averages_the_batch")
def forgets_the_base_and_averages_the_batch(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return (energy(z) - log_abs_det).mean()


@bank.alternative("torch.distributions knows the base")
def by_distributions(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    log_q = Independent(Normal(torch.zeros_like(z0), torch.ones_like(z0)), 1).log_prob(z0) - log_abs_det
    return log_q + energy(z)


@bank.alternative("layer after layer, from the base's log-density to that of the flow")
def by_planar(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_q = z0, -0.5 * torch.einsum("bd,bd->b", z0, z0) - 0.5 * LOG_2_PI * z0.size(1)
    for layer in layers:
        z, log_abs_det = planar(z, *layer)
        log_q = log_q - log_abs_det
    return energy(z) + log_q


@bank.alternative("as the negative of a sum: the target's log-density, the log-determinant, the base's with its sign")
def by_a_negative_bound(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    minus_log_base = 0.5 * (z0.square() + LOG_2_PI).sum(dim=-1)
    return -(-energy(z) + log_abs_det + minus_log_base)


@bank.alternative("one instance after another, each with its own part of the layers")
def by_instances(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    values = []
    for i, row in enumerate(z0.split(1)):
        own = [(u[i], w[i], b[i]) if w.dim() > 1 else (u, w, b) for u, w, b in layers]
        z, log_abs_det = compose(own, row)
        values.append(_log_normal(row) - log_abs_det + energy(z))
    return torch.cat(values)
