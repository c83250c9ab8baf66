"""Properties of objectives.py."""

import math
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import assert_at_least, assert_close, assert_finite, assert_same_dtype
from tests.support.common import assert_all_unchanged, assert_shape
from tests.support.flows import F64, MASS, assert_gradients, grid, mapped
from tests.support.models import NormalEnergy
from tests.support.oracles import Layer, gradients, rows_of, sent
from tests.support.properties import Part, Topic
from tests.support.strategies import planar_layers, reals, smooth_layers, tensor

likelihood = Part("flows.negative_log_likelihood", "objectives.py", ("layers", "x"))
reverse = Part("flows.reverse_kl", "objectives.py", ("layers", "z0", "energy"))

PointsAndLayers = tuple[Tensor, list[Layer]]
FLOW = planar_layers(least=0, most=3, features=3)


def log_normal(z: Tensor) -> Tensor:
    """The log-density of N(0, I), (batch,) nats."""
    return -0.5 * (z**2 + math.log(2 * math.pi)).sum(1)


def _paths(layers: list[Layer]) -> list[str]:
    return [f"0.{i}.{j}" for i in range(len(layers)) for j in range(3)]


def _cast(layers: list[Layer], dtype: torch.dtype) -> list[tuple[Tensor, ...]]:
    return [tuple(t.to(dtype) for t in layer) for layer in layers]


@likelihood.property("shape", case=planar_layers(least=0, most=3, features=3, own=True))
def one_value_for_each_instance(flows: Topic, case: PointsAndLayers) -> None:
    """The result has the shape (batch,), also for one instance and for no layer."""
    x, layers = case
    shared = [(u[0], w[0], b[0]) for u, w, b in layers]
    for points, chosen in ((torch.cat([x, x]), shared), (x[:1], shared), (x, layers), (x, [])):
        assert_shape(flows.negative_log_likelihood.raw(chosen, points), len(points))


@likelihood.property("shape", most=5, case=FLOW)
def keeps_the_dtype(flows: Topic, case: PointsAndLayers) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    x, layers = case
    for dtype in (torch.float64, torch.float32):
        assert_same_dtype(flows.negative_log_likelihood.raw(_cast(layers, dtype), x.to(dtype)), dtype)


@likelihood.property("value", most=10, case=FLOW)
def leaves_its_arguments_alone(flows: Topic, case: PointsAndLayers) -> None:
    """The samples, the list of layers and all that is in it are after the call as they were before."""
    x, layers = case
    after = flows.negative_log_likelihood.observe(layers, x).arguments
    assert_all_unchanged(likelihood.arguments, after, (layers, x))


# Only the constant is left, and there is enough of it to see how it was rounded.
ORIGIN = torch.zeros(1, 16, dtype=F64)


@likelihood.property("value", edges=[{"case": (ORIGIN, [])}], case=FLOW)
def minus_log_of_the_pulled_back_normal(flows: Topic, case: PointsAndLayers) -> None:
    """The value is -log N(f(x); 0, I) - log |det df/dx|, with f and its log-determinant from compose; without layers
    it is |x|^2 / 2 + d/2 log 2 pi."""
    x, layers = case
    z, log_abs_det = mapped(flows.compose, x, layers, x)
    expected = -log_normal(z) - log_abs_det
    assert_close(flows.negative_log_likelihood(layers, x), expected, 10 * (1 + log_normal(z).abs() + log_abs_det.abs()))


@likelihood.property("value", most=4, stays=MASS, layers=smooth_layers())
def density_integrates_to_one(flows: Topic, layers: list[Layer]) -> None:
    """The density exp(-value) integrates to 1 over the plane, for any layers."""
    x, cell = grid(layers)
    flows.negative_log_likelihood(layers, x[:2])  # (batch, batch) shows in two points, before it fills the memory
    total = torch.exp(-flows.negative_log_likelihood(layers, x)).sum() * cell
    assert_close(total, torch.ones_like(total), 1e3, "the integral of exp(-value)")


@likelihood.property("stability", distance=reals(40, 1000), features=st.integers(1, 3))
def far_out(flows: Topic, distance: float, features: int) -> None:
    """A sample so far out that its density underflows has a finite value and gradient."""
    x, zeros = torch.full((1, features), distance, dtype=F64), torch.zeros(features, dtype=F64)
    for layers in ([], [(zeros + 0.5, zeros + 0.5, zeros[0])]):
        z, log_abs_det = map(torch.from_numpy, sent(rows_of(layers, x), features))
        assert_close(flows.negative_log_likelihood(layers, x), -log_normal(z) - log_abs_det)
        assert_finite(flows.negative_log_likelihood.gradient(layers, x, wrt="1"), "the gradient by x")


@likelihood.property("gradient", case=planar_layers(most=3, features=3))
def gradients_in_all_layers(flows: Topic, case: PointsAndLayers) -> None:
    """The gradient by every u, w and b is that of the formula, through f(x) and through the log-determinant."""
    x, layers = case
    _, *expected = gradients(layers, x, lambda z, log_abs_det: -log_normal(z) - log_abs_det)
    paths = _paths(layers)
    answers = flows.negative_log_likelihood.gradients(layers, x, wrt=paths)
    assert_gradients(answers, expected, [likelihood.argument(path) for path in paths])


# From a density


@st.composite
def _with_energy(draw: st.DrawFn, least: int = 0, own: bool | None = None) -> Any:
    """Noise, layers, and the energy of a normal distribution, with any constant."""
    z0, layers = draw(planar_layers(least, 3, 3, own))
    mean, logvar = (tensor(draw, (z0.shape[1],), reals(-1, 1)) for _ in range(2))
    return z0, layers, NormalEnergy(mean, logvar, draw(reals(-5, 5)))


Case = tuple[Tensor, list[Layer], NormalEnergy]


@reverse.property("shape", case=_with_energy(own=True))
def one_number_for_each_instance(flows: Topic, case: Case) -> None:
    """The result has the shape (batch,), also for one instance and for no layer."""
    z0, layers, energy = case
    shared = [(u[0], w[0], b[0]) for u, w, b in layers]
    for points, chosen in ((torch.cat([z0, z0]), shared), (z0[:1], shared), (z0, layers), (z0, [])):
        assert_shape(flows.reverse_kl.raw(chosen, points, energy), len(points))


@reverse.property("shape", most=5, case=_with_energy())
def keeps_the_precision(flows: Topic, case: Case) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    z0, layers, energy = case
    for dtype in (torch.float64, torch.float32):
        cast = NormalEnergy(energy.mean.to(dtype), energy.logvar.to(dtype), energy.constant)
        assert_same_dtype(flows.reverse_kl.raw(_cast(layers, dtype), z0.to(dtype), cast), dtype)


@reverse.property("value", most=10, case=_with_energy())
def leaves_noise_and_layers_alone(flows: Topic, case: Case) -> None:
    """The noise, the list of layers and all that is in it are after the call as they were before."""
    z0, layers, energy = case
    assert_all_unchanged(reverse.arguments, flows.reverse_kl.observe(layers, z0, energy).arguments, (layers, z0))


AT_ORIGIN: dict[str, Any] = {"case": (ORIGIN, [], NormalEnergy(ORIGIN[0], ORIGIN[0], 0.0))}


@reverse.property("value", edges=[AT_ORIGIN], case=_with_energy())
def log_density_of_the_image_plus_energy(flows: Topic, case: Case) -> None:
    """The value is log N(z_0; 0, I) - log |det df/dz_0| + U(z_k), with z_k and the log-determinant from compose."""
    z0, layers, energy = case
    z, log_abs_det = mapped(flows.compose, z0, layers, z0)
    terms = log_normal(z0).abs() + log_abs_det.abs() + energy(z).abs()
    assert_close(flows.reverse_kl(layers, z0, energy), log_normal(z0) - log_abs_det + energy(z), terms)


@reverse.property(
    "value",
    stays="it shows which divergence this is, and its sign, by a number that one knows",
    most=25,
    mean=reals(-2, 2),
    layer=planar_layers(features=1, own=False),
)
def mean_is_a_divergence(flows: Topic, mean: float, layer: PointsAndLayers) -> None:
    """For the normalised energy of N(m, 1) the mean over z_0 ~ N(0, 1), an integral here without noise, is m^2 / 2
    without layers, and never negative with some: it is a KL divergence."""
    energy = NormalEnergy(torch.tensor([mean], dtype=F64), torch.zeros(1, dtype=F64), 0.5 * math.log(2 * math.pi))
    z0 = torch.linspace(-9, 9, 901, dtype=F64)[:, None]
    weight = log_normal(z0).exp()
    plain, bent = (
        torch.trapezoid(weight * flows.reverse_kl(layers, z0, energy), z0[:, 0]) for layers in ([], layer[1])
    )
    assert_close(plain, torch.tensor(0.5 * mean**2, dtype=F64), 1e3, "the mean over z_0")
    assert_at_least(bent, torch.zeros_like(bent), 1e4, "the mean over z_0")


@reverse.property("stability", distance=reals(40, 1000), features=st.integers(1, 3))
def far_from_the_target(flows: Topic, distance: float, features: int) -> None:
    """A sample so far from the target that its density exp(-U) underflows has a finite value and gradient."""
    z0, logvar = torch.zeros(1, features, dtype=F64), torch.zeros(features, dtype=F64)
    energy = NormalEnergy(torch.full((features,), distance, dtype=F64), logvar, 0.0)
    for layers in ([], [(logvar + 0.5, logvar + 0.5, logvar[0])]):
        z, log_abs_det = map(torch.from_numpy, sent(rows_of(layers, z0), features))
        assert_close(flows.reverse_kl(layers, z0, energy), log_normal(z0) - log_abs_det + energy(z))
        assert_finite(flows.reverse_kl.gradient(layers, z0, energy, wrt="1"), "the gradient by z0")


@reverse.property("gradient", case=_with_energy(least=1))
def gradients_through_the_samples(flows: Topic, case: Case) -> None:
    """The gradient by every u, w and b has both parts: through the log-determinant, and through the energy at z_k."""
    z0, layers, energy = case
    _, *expected = gradients(layers, z0, lambda z, log_abs_det: energy(z) - log_abs_det)
    paths = _paths(layers)
    answers = flows.reverse_kl.gradients(layers, z0, energy, wrt=paths)
    assert_gradients(answers, expected, [reverse.argument(path) for path in paths])
