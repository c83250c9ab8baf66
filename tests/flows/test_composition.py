"""Properties of composition.py."""

from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import assert_close, assert_finite, assert_same_dtype
from tests.support.common import assert_all_unchanged, assert_shape
from tests.support.flows import (
    F64,
    MASS,
    assert_gradients,
    assert_grows_slowly,
    assert_slogdet,
    grid,
    jacobian,
    mapped,
    pair_of,
    points_of,
)
from tests.support.models import NormalBase
from tests.support.oracles import Layer, gradients, rows_of, sent
from tests.support.properties import Part, Topic
from tests.support.strategies import planar_layers, reals, smooth_layers, tensor

compose = Part("flows.compose", "composition.py", ("layers", "z"))
density = Part("flows.log_density", "composition.py", ("layers", "x", "base"))

PointsAndLayers = tuple[Tensor, list[Layer]]
FLOW = planar_layers(least=0, most=3, features=3)
LAYER = planar_layers(features=3)


@compose.property("shape", case=planar_layers(least=0, most=3, features=3, own=True))
def a_pair_of_points_and_log_determinants(flows: Topic, case: PointsAndLayers) -> None:
    """The result is the pair (z_k, log_abs_det) of shapes (batch, d) and (batch,), also for one instance, one feature,
    and no layer at all."""
    z, layers = case
    shared = [(u[0], w[0], b[0]) for u, w, b in layers]
    for points, chosen in (
        (torch.cat([z, z]), shared),
        (z, layers),
        (z[:1], shared),
        (z[:, :1], [(u[:1], w[:1], b) for u, w, b in shared]),
        (z, []),
    ):
        value, log_abs_det = pair_of(flows.compose.raw(chosen, points))
        points_of(value, points.shape, "z_k")
        assert_shape(log_abs_det, len(points))


@compose.property("shape", most=5, case=FLOW)
def keeps_the_precision(flows: Topic, case: PointsAndLayers) -> None:
    """Double precision in gives double precision out, and single precision gives single, in both results, also
    without layers."""
    z, layers = case
    for dtype in (torch.float64, torch.float32):
        cast = [tuple(t.to(dtype) for t in layer) for layer in layers]
        for chosen in (cast, []):
            for item in pair_of(flows.compose.raw(chosen, z.to(dtype))):
                assert_same_dtype(item, dtype)


@compose.property("value", most=10, case=FLOW)
def leaves_points_and_layers_alone(flows: Topic, case: PointsAndLayers) -> None:
    """The points, the list of layers and all that is in it are after the call as they were before."""
    z, layers = case
    assert_all_unchanged(compose.arguments, flows.compose.observe(layers, z).arguments, (layers, z))


@compose.property("value", stays="it names the case that a stack or a sum over the layers forgets", most=10, case=LAYER)
def no_layers_are_the_identity(flows: Topic, case: PointsAndLayers) -> None:
    """An empty list of layers gives the points as they are, and zeros."""
    z, log_abs_det = mapped(flows.compose, case[0], [], case[0])
    assert_close(z, case[0], what="z_k")
    assert_close(log_abs_det, torch.zeros_like(log_abs_det), what="log_abs_det")


ONE = torch.ones(1, 1, dtype=F64)
# The first layer shifts all points alike, as its w is 0.
ZERO_W = {"case": (0 * ONE, [(ONE[0], 0 * ONE[0], ONE[0, 0]), (ONE[0], ONE[0], 0 * ONE[0, 0])])}


@compose.property("value", edges=[ZERO_W], case=FLOW)
def layer_after_layer(flows: Topic, case: PointsAndLayers) -> None:
    """The points z_k are what planar makes of z, one layer after another, the first in the list first."""
    z, layers = case
    expected = z
    for layer in layers:
        expected, _ = mapped(flows.planar, expected, expected, *layer)
    points, _ = mapped(flows.compose, z, layers, z)
    assert_close(points, expected, 10 * (1 + expected.abs().amax()), "z_k")


@compose.property("value", edges=[ZERO_W], case=FLOW)
def log_det_equals_autograd_slogdet(flows: Topic, case: PointsAndLayers) -> None:
    """log_abs_det is the log of the absolute determinant of the Jacobian of the whole map, as autograd finds it."""
    z, layers = case

    def gradient(points: Tensor, chosen: list[Layer], rows: Tensor) -> Tensor:
        return flows.compose.gradient(chosen, points, wrt="1", cotangent=(rows, None))

    dense = jacobian(gradient, z, layers)
    _, log_abs_det = mapped(flows.compose, z, layers, z)
    assert_slogdet(log_abs_det, dense)


@compose.property(
    "value",
    stays="it is composition itself, and needs neither planar nor a Jacobian",
    case=planar_layers(least=1, most=4, features=3),
    cut=st.integers(0, 4),
)
def two_flows_in_a_row_are_one(flows: Topic, case: PointsAndLayers, cut: int) -> None:
    """The first layers and then the others give the points of all in one, and log-determinants that add up to its."""
    z, layers = case
    middle, first = mapped(flows.compose, z, layers[:cut], z)
    points, second = mapped(flows.compose, middle, layers[cut:], middle)
    whole, total = mapped(flows.compose, z, layers, z)
    assert_close(points, whole, 10 * (1 + whole.abs().amax()), "z_k in two steps")
    assert_close(first + second, total, 10 * (1 + total.abs()), "the sum of the log-determinants of two steps")


@compose.property("gradient", case=planar_layers(least=2, most=3, features=3))
def gradients_in_all_layers(flows: Topic, case: PointsAndLayers) -> None:
    """The gradients of z_k and of log_abs_det reach z and every u, w and b, the first layer's through all others."""
    z, layers = case
    paths = [f"0.{i}.{j}" for i in range(len(layers)) for j in range(3)] + ["1"]
    for weights, total in (
        ((torch.ones_like(z), None), lambda points, _: points),
        ((None, torch.ones_like(z[:, 0])), lambda _, log_abs_det: log_abs_det),
    ):
        by_point, *by_layers = gradients(layers, z, total)
        answers = flows.compose.gradients(layers, z, wrt=paths, cotangent=weights)
        assert_gradients(answers, [*by_layers, by_point], [compose.argument(path) for path in paths])


@compose.property("stability", slope=st.sampled_from([-1.0, 1.0]), size=reals(30, 1000), u=reals(-3, 3))
def flat_idle_and_steep_layers(flows: Topic, slope: float, size: float, u: float) -> None:
    """Where tanh is flat in a layer, where w is 0, and where w.u is 1000, results and gradients are finite, as they are
    of planar by itself."""
    z = torch.tensor([[slope * size, 0.0]], dtype=F64)
    numbers = ([u, 1.0], [1.0, 0.5], 0.0), ([u, 1.0], [0.0, 0.0], 1.0), ([1000.0, u], [1.0, 0.0], 0.0)
    layers = [tuple(torch.tensor(entry, dtype=F64) for entry in layer) for layer in numbers]
    points, log_abs_det = mapped(flows.compose, z, layers, z)
    assert_finite(points, "z_k")
    assert_finite(log_abs_det, "log_abs_det")
    paths = [f"0.{i}.{j}" for i in range(len(layers)) for j in range(3)]
    for weights in ((torch.ones_like(z), None), (None, torch.ones(1, dtype=F64))):
        answers = flows.compose.gradients(layers, z, wrt=paths, cotangent=weights, missing=True)
        for path, gradient in zip(paths, answers, strict=True):
            if gradient is not None:
                assert_finite(gradient, f"the gradient by {compose.argument(path)}")


BATCH = 16


@compose.property("cost", edges=[{"layers": 8, "features": 32}])
def costs_little(flows: Topic, layers: int, features: int) -> None:
    """With 8 times the layers, and with 8 times the features, at most 12 times as many tensor entries are read and
    written, and no tensor is larger than 4 times all z_i together, (k, batch, d): no Jacobian is ever formed."""
    base = flows.compose.cost(*_wide(layers, features))
    for k, d, what in ((8 * layers, features, "layers"), (layers, 8 * features, "features")):
        cost = flows.compose.cost(*_wide(k, d))
        assert_grows_slowly(base, cost, 8, 4 * k * BATCH * d, what)


def _wide(k: int, d: int) -> tuple[list[Layer], Tensor]:
    return [(torch.ones(d) / d, torch.ones(d) / d, torch.zeros(()))] * k, torch.ones(BATCH, d)


# The density


@st.composite
def _with_base(draw: st.DrawFn, least: int = 0, most: int = 3, own: bool | None = None) -> Any:
    """Points, layers, and a base that is not N(0, I)."""
    x, layers = draw(planar_layers(least, most, 3, own))
    mean, logvar = (tensor(draw, (x.shape[1],), reals(-1, 1)) for _ in range(2))
    return x, layers, NormalBase(mean, logvar)


Case = tuple[Tensor, list[Layer], NormalBase]


@density.property("shape", case=_with_base(own=True))
def one_value_for_each_instance(flows: Topic, case: Case) -> None:
    """The result has the shape (batch,), also for one instance and for no layer."""
    x, layers, base = case
    shared = [(u[0], w[0], b[0]) for u, w, b in layers]
    for points, chosen in ((torch.cat([x, x]), shared), (x[:1], shared), (x, layers), (x, [])):
        assert_shape(flows.log_density.raw(chosen, points, base), len(points))


@density.property("shape", most=5, case=_with_base())
def keeps_the_dtype(flows: Topic, case: Case) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    x, layers, base = case
    for dtype in (torch.float64, torch.float32):
        cast = [tuple(t.to(dtype) for t in layer) for layer in layers]
        value = flows.log_density.raw(cast, x.to(dtype), NormalBase(base.mean.to(dtype), base.logvar.to(dtype)))
        assert_same_dtype(value, dtype)


@density.property("value", most=10, case=_with_base())
def leaves_its_arguments_alone(flows: Topic, case: Case) -> None:
    """The points, the list of layers and all that is in it are after the call as they were before."""
    x, layers, base = case
    assert_all_unchanged(density.arguments, flows.log_density.observe(layers, x, base).arguments, (layers, x))


@density.property("value", case=_with_base())
def base_at_the_image_plus_log_det(flows: Topic, case: Case) -> None:
    """log p(x) = log base(f(x)) + log |det df/dx|, with f and its log-determinant from compose, for any base."""
    x, layers, base = case
    z, log_abs_det = mapped(flows.compose, x, layers, x)
    log_base = base(z)
    terms = 10 * (1 + log_base.abs() + log_abs_det.abs())
    assert_close(flows.log_density(layers, x, base), log_base + log_abs_det, terms)


@density.property("value", most=4, stays=MASS, layers=smooth_layers())
def density_integrates_to_one(flows: Topic, layers: list[Layer]) -> None:
    """The density of any flow integrates to 1 over the plane."""
    x, cell = grid(layers)
    base = NormalBase(torch.zeros(2, dtype=F64), torch.zeros(2, dtype=F64))
    flows.log_density(layers, x[:2], base)  # a (batch, batch) answer shows in two points, before it fills the memory
    total = flows.log_density(layers, x, base).exp().sum() * cell
    assert_close(total, torch.ones_like(total), 1e3, "the integral of the density")


@density.property("stability", distance=reals(40, 1000), features=st.integers(1, 3))
def far_out(flows: Topic, distance: float, features: int) -> None:
    """A point so far out that its density underflows has a finite log-density and gradient."""
    x, zeros = torch.full((1, features), distance, dtype=F64), torch.zeros(features, dtype=F64)
    base = NormalBase(zeros, zeros)
    for layers in ([], [(zeros + 0.5, zeros + 0.5, zeros[0])]):
        z, log_abs_det = map(torch.from_numpy, sent(rows_of(layers, x), features))
        assert_close(flows.log_density(layers, x, base), base(z) + log_abs_det)
        assert_finite(flows.log_density.gradient(layers, x, base, wrt="1"), "the gradient by x")


@density.property("gradient", case=_with_base(least=1))
def gradients_in_layers_and_points(flows: Topic, case: Case) -> None:
    """The gradients reach x and every u, w and b, through f(x) and through the log-determinant."""
    x, layers, base = case
    by_point, *by_layers = gradients(layers, x, lambda z, log_abs_det: base(z) + log_abs_det)
    paths = [f"0.{i}.{j}" for i in range(len(layers)) for j in range(3)] + ["1"]
    answers = flows.log_density.gradients(layers, x, base, wrt=paths)
    assert_gradients(answers, [*by_layers, by_point], [density.argument(path) for path in paths])
