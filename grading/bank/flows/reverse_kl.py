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


@bank.mistake("the log-determinant is added, as for layers that go from the data to the base")
def adds_the_log_determinant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) + log_abs_det + energy(z)


@bank.mistake("the log-determinant is missing, so that the flow collapses onto the mode")
def forgets_the_log_determinant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return _log_normal(z0) + energy(compose(layers, z0)[0])


@bank.mistake("the energy is taken at z_0 instead of z_k")
def takes_the_energy_at_the_noise(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return _log_normal(z0) - compose(layers, z0)[1] + energy(z0)


@bank.mistake("the density of the base is taken at z_k instead of z_0")
def takes_the_base_at_the_image(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z) - log_abs_det + energy(z)


@bank.mistake("the energy is subtracted, as if it were the logarithm of the density")
def subtracts_the_energy(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det - energy(z)


@bank.mistake("the exponential of the negative energy, the density itself, stands where its logarithm belongs")
def takes_the_density(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det - torch.exp(-energy(z))


@bank.mistake("the density of the target is computed, where it vanishes, before its logarithm is taken")
def exponentiates_on_the_way(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return _log_normal(z0) - log_abs_det - torch.log(torch.exp(-energy(z)))


@bank.mistake("the sign of all is turned: it is the divergence's negative")
def turns_the_sign(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return -objectives.reverse_kl(layers, z0, energy)


@bank.mistake("the density of the base is left out, as it does not depend on the layers")
def forgets_the_base(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return energy(z) - log_abs_det


@bank.mistake("the base's entropy stands for its log-density, so that only the mean over the noise is right")
def takes_the_entropy_for_the_base(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -0.5 * z0.shape[1] * (1 + LOG_2_PI) - log_abs_det + energy(z)


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


@bank.mistake("the number of features is read off the first axis of u, which is the batch where layers are one's own")
def counts_features_along_the_batch(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    features = len(layers[0][0]) if layers else z0.shape[1]
    return -0.5 * ((z0**2).sum(1) + features * LOG_2_PI) - log_abs_det + energy(z)


@bank.mistake("the constant of the base is computed in single precision")
def rounds_the_constant(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    constant = z0.shape[1] * torch.log(torch.tensor(2 * math.pi))
    return -0.5 * ((z0**2).sum(1) + constant) - log_abs_det + energy(z)


@bank.mistake("the half of the squares in the base is forgotten")
def forgets_the_half(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    return -(z0**2).sum(1) - 0.5 * z0.shape[1] * LOG_2_PI - log_abs_det + energy(z)


@bank.mistake("noise of its own is drawn, whatever z_0 was given")
def draws_its_own_noise(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, torch.randn_like(z0), energy)


@bank.mistake("values below 0 are raised to 0, because a divergence is never negative")
def clamps_at_zero(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, z0, energy).clamp(min=0)


@bank.mistake("the layers are applied in reversed order")
def reverses_the_order(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers[::-1], z0, energy)


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


@bank.mistake("every axis of size one is squeezed away, also that of a batch of one")
def squeezes_everything(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    return objectives.reverse_kl(layers, z0, energy).squeeze()


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


@bank.mistake("the constant is a tensor in double precision for each instance, which makes every result double")
def adds_to_double_precision(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    z, log_abs_det = compose(layers, z0)
    constant = torch.full((len(z0),), -0.5 * z0.shape[1] * LOG_2_PI, dtype=torch.float64)
    return constant - 0.5 * (z0**2).sum(1) - log_abs_det + energy(z)


@bank.mistake("the noise is overwritten with the samples made of it")
def overwrites_the_noise(layers: Sequence[Layer], z0: Tensor, energy: Energy) -> Tensor:
    value = objectives.reverse_kl(layers, z0.clone(), energy)
    z0.data.copy_(compose(layers, z0.detach())[0])
    return value


@bank.mistake("the layers are taken out of the caller's list one by one")
def empties_the_list(layers: list[Layer], z0: Tensor, energy: Energy) -> Tensor:
    value = objectives.reverse_kl(list(layers), z0, energy)
    layers.clear()
    return value


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
