"""Properties of planar.py."""

import math

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import (
    assert_at_least,
    assert_close,
    assert_finite,
    assert_same_dtype,
)
from tests.support.common import assert_all_unchanged, assert_shape
from tests.support.flows import (
    F64,
    assert_gradients,
    assert_grows_slowly,
    assert_slogdet,
    jacobian,
    mapped,
    pair_of,
    points_of,
)
from tests.support.oracles import Layer, constraint_gradients, gradients, reach
from tests.support.properties import Part, Topic
from tests.support.strategies import COORDINATES, DIRECTIONS, planar_layers, reals, tensors

constrain = Part("flows.constrain_u", "planar.py", ("u", "w"))
planar = Part("flows.planar", "planar.py", ("z", "u", "w", "b"))

PointsAndLayers = tuple[Tensor, list[Layer]]
LAYER = planar_layers()
LONG_U, SHORT_W = torch.tensor([-200.0, 0.0], dtype=F64), torch.tensor([0.01, 0.01], dtype=F64)
SHORT = {"layer": (LONG_U[None], [(LONG_U, SHORT_W, SHORT_W[0])])}


def _constrained(flows: Topic, u: Tensor, w: Tensor) -> Tensor:
    return points_of(flows.constrain_u.raw(u, w), u.shape, "u_hat")


def _along(w: Tensor, u: Tensor) -> Tensor:
    return (w * u).sum(-1)


@constrain.property("shape", stays="it names a wrong shape before any number is compared", layer=LAYER)
def keeps_the_shape_of_u(flows: Topic, layer: PointsAndLayers) -> None:
    """The result has the shape of u: (d,) for a shared layer, (batch, d) for layers of one's own, one or more."""
    ((u, w, _),) = layer[1]
    u, w = u.view(-1, u.shape[-1]), w.view(-1, w.shape[-1])
    for own, other in ((u[0], w[0]), (u[:1], w[:1]), (torch.cat([u, u]), torch.cat([w, w]))):
        _constrained(flows, own, other)


@constrain.property("shape", most=5, layer=LAYER)
def keeps_the_dtype(flows: Topic, layer: PointsAndLayers) -> None:
    """Double precision in gives double precision out, and single precision gives single."""
    ((u, w, _),) = layer[1]
    for dtype in (torch.float64, torch.float32):
        assert_same_dtype(flows.constrain_u.raw(u.to(dtype), w.to(dtype)), dtype)


@constrain.property("value", most=10, layer=LAYER)
def leaves_its_arguments_alone(flows: Topic, layer: PointsAndLayers) -> None:
    """The vectors u and w are after the call what they were before: u is constrained in the result, never corrected."""
    ((u, w, _),) = layer[1]
    assert_all_unchanged(("u", "w"), flows.constrain_u.observe(u, w).arguments, (u, w))


@constrain.property(
    "value",
    stays="it is the definition of u_hat; what breaks it breaks the gradients too, less plainly",
    edges=[SHORT],
    layer=LAYER,
)
def dot_with_w_is_m(flows: Topic, layer: PointsAndLayers) -> None:
    """For each layer by itself, w.u_hat = m(w.u) with m(a) = log(1 + exp(a)) - 1."""
    ((u, w, _),) = layer[1]
    assert_close(_along(w, _constrained(flows, u, w)), _m(u, w), 10 * (1 + (w * u).abs().sum(-1)), "w.u_hat")


def _m(u: Tensor, w: Tensor) -> Tensor:
    """Return m(w.u), what w.u_hat has to be."""
    return torch.log1p(torch.exp(_along(w, u))) - 1


@constrain.property(
    "value", stays="it shows a step in a wrong direction, which dot_with_w_is_m may let pass", layer=LAYER
)
def changes_u_along_w_only(flows: Topic, layer: PointsAndLayers) -> None:
    """The step u_hat - u is a multiple of w: what lies across w stays as it was."""
    ((u, w, _),) = layer[1]
    moved = _constrained(flows, u, w) - u
    across = _across(w, moved)
    assert_close(across, torch.zeros_like(across), 10 + 10 * moved.abs().amax(), "the part of u_hat - u across w")


def _across(w: Tensor, moved: Tensor) -> Tensor:
    """Return what lies across w of the way from u to u_hat."""
    return moved - (_along(w, moved) / _along(w, w)).unsqueeze(-1) * w


@constrain.property(
    "value",
    stays="it is what the constraint is for, and needs no formula: the one line to see when |w| is forgotten",
    edges=[
        {"u": torch.tensor([-4.0, 0.0], dtype=F64), "w": torch.tensor([4.0, 0.0], dtype=F64)},
        {"u": LONG_U, "w": SHORT_W},
    ],
    u=st.tuples(COORDINATES, COORDINATES).map(lambda pair: torch.tensor(pair, dtype=F64)),
    w=st.tuples(reals(1, 4), reals(-4, 4)).map(lambda pair: torch.tensor(pair, dtype=F64)),
)
def never_below_minus_one(flows: Topic, u: Tensor, w: Tensor) -> None:
    """For any u and w, long and short ones, w.u_hat is at least -1: that is when the layer can be inverted."""
    dot = _along(w, _constrained(flows, u, w))
    assert_at_least(dot, torch.full_like(dot, -1.0), what="w.u_hat")


@constrain.property(
    "value",
    stays="it shows a wrong constant by a layer that is to do nothing; the formula shows it too",
    w=st.tuples(reals(0.5, 4), reals(-4, 4)).map(lambda pair: torch.tensor(pair, dtype=F64)),
    across=reals(-2, 2),
)
def has_a_fixed_point(flows: Topic, w: Tensor, across: float) -> None:
    """Where w.u = log(e - 1), which is where m(w.u) = 0, w.u_hat is 0: along w the layer moves nothing."""
    u = math.log(math.e - 1) * w / _along(w, w) + across * torch.stack([-w[1], w[0]])
    dot = _along(w, _constrained(flows, u, w))
    assert_close(dot, torch.zeros_like(dot), 10 * (1 + (w * u).abs().sum()), "w.u_hat")


@constrain.property(
    "stability", wu=st.sampled_from([-1.0, 1.0]).flatmap(lambda sign: reals(30, 1e4).map(lambda a: sign * a))
)
def far_from_the_constraint(flows: Topic, wu: float) -> None:
    """Where w.u is far above 0, u_hat has w.u_hat = w.u - 1; where it is far below, w.u_hat = -1; nothing overflows."""
    u, w = torch.tensor([wu, 1.0], dtype=F64), torch.tensor([1.0, 0.0], dtype=F64)
    expected = torch.tensor([max(wu, 0.0) - 1 + math.log1p(math.exp(-abs(wu))), 1.0], dtype=F64)
    assert_close(_constrained(flows, u, w), expected, 10 + 2 * abs(wu))
    for gradient, name in zip(flows.constrain_u.gradients(u, w, wrt=("0", "1")), "uw", strict=True):
        assert_finite(gradient, f"the gradient by {name}")


@constrain.property("stability", u=tensors(COORDINATES))
def leaves_u_where_w_is_zero(flows: Topic, u: tuple[Tensor]) -> None:
    """Where w is 0, u_hat is u, and the gradients are finite; other rows are constrained all the same."""
    zero = torch.zeros_like(u[0])
    assert_close(_constrained(flows, u[0], zero), u[0])
    answers = flows.constrain_u.gradients(u[0], zero, wrt=("0", "1"), missing=True)
    for gradient, name in zip(answers, "uw", strict=True):
        if gradient is not None:  # u itself is an answer here, and has none by w
            assert_finite(gradient, f"the gradient by {name}")
    both, ones = torch.cat([u[0], u[0]]), torch.ones_like(zero)
    others = _constrained(flows, both, torch.cat([zero, ones]))[len(zero) :]
    assert_close(_along(ones, others), _m(u[0], ones), 10.0, "w.u_hat in the rows where w is not 0")
    across = _across(ones, others - u[0])
    assert_close(across, torch.zeros_like(across), 10.0, "the part of u_hat - u across w, where w is not 0,")


@constrain.property("gradient", layer=LAYER, weight=reals(-2, 2))
def gradients_in_u_and_w(flows: Topic, layer: PointsAndLayers, weight: float) -> None:
    """The gradients by u and w are those of u + (m(w.u) - w.u) w / |w|^2, nothing held constant."""
    ((u, w, _),) = layer[1]
    cotangent = torch.linspace(1, weight, u.numel(), dtype=F64).view(u.shape)
    answers = flows.constrain_u.gradients(u, w, wrt=("0", "1"), cotangent=cotangent)
    assert_gradients(answers, constraint_gradients(u, w, cotangent), constrain.arguments)


# The layer


@planar.property("shape", case=planar_layers(own=True))
def a_pair_of_points_and_log_determinants(flows: Topic, case: PointsAndLayers) -> None:
    """The result is the pair (f(z), log_abs_det) of shapes (batch, d) and (batch,), for shared layers and for layers
    of each instance's own, also for one instance and for one feature."""
    z, ((u, w, b),) = case
    twice = tuple(torch.cat([t, t]) for t in (z, u, w, b))
    for rows in (twice, (z[:1], u[:1], w[:1], b[:1]), (z[:, :1], u[:, :1], w[:, :1], b), (z, u[0], w[0], b[0])):
        points, log_abs_det = pair_of(flows.planar.raw(*rows))
        points_of(points, rows[0].shape, "f(z)")
        assert_shape(log_abs_det, len(rows[0]))


@planar.property("shape", most=5, case=LAYER)
def keeps_the_precision(flows: Topic, case: PointsAndLayers) -> None:
    """Double precision in gives double precision out, and single precision gives single, in both results."""
    z, (layer,) = case
    for dtype in (torch.float64, torch.float32):
        for item in pair_of(flows.planar.raw(*(t.to(dtype) for t in (z, *layer)))):
            assert_same_dtype(item, dtype)


@planar.property("value", most=10, case=LAYER)
def leaves_point_and_layer_alone(flows: Topic, case: PointsAndLayers) -> None:
    """All of z, u, w and b are after the call what they were before; u above all, which the optimiser owns."""
    z, (layer,) = case
    assert_all_unchanged(planar.arguments, flows.planar.observe(z, *layer).arguments, (z, *layer))


ONE = torch.ones(1, 1, dtype=F64)
ZERO_W = {"case": (0 * ONE, [(ONE[0], 0 * ONE[0], ONE[0, 0])])}
# Of two instances with layers of their own, one whose w is 0 and one whose w is not.
ONE_ZERO_W = {"case": (torch.zeros(2, 1, dtype=F64), [(ONE.expand(2, 1), torch.cat([0 * ONE, ONE]), ONE[0].expand(2))])}


@planar.property("value", edges=[ZERO_W], case=LAYER)
def moves_points_along_u_hat(flows: Topic, case: PointsAndLayers) -> None:
    """The points are f(z) = z + u_hat tanh(w.z + b), with u_hat from constrain_u."""
    z, ((u, w, b),) = case
    u_hat = _constrained(flows, u, w)
    points, _ = mapped(flows.planar, z, z, u, w, b)
    assert_close(points, z + u_hat * torch.tanh(_along(w, z) + b).unsqueeze(-1), 10 * (1 + u_hat.abs().sum()), "f(z)")


# A point on the fold of a layer that is almost folded: the determinant is log(1 + exp(-9)), about 1e-4.
FOLD = {"case": (0 * ONE, [(-9 * ONE[0], ONE[0], 0 * ONE[0, 0])])}


@planar.property("value", edges=[ZERO_W, ONE_ZERO_W, FOLD], case=LAYER)
def log_det_equals_autograd_slogdet(flows: Topic, case: PointsAndLayers) -> None:
    """log_abs_det is the log of the absolute determinant of the Jacobian that autograd finds for this very f."""
    z, (layer,) = case

    def gradient(points: Tensor, chosen: list[Layer], rows: Tensor) -> Tensor:
        return flows.planar.gradient(points, *chosen[0], cotangent=(rows, None))

    dense = jacobian(gradient, z, [layer])
    _, log_abs_det = mapped(flows.planar, z, z, *layer)
    assert_slogdet(log_abs_det, dense)


@planar.property(
    "value",
    stays="it is invertibility itself, for any way to constrain u; what breaks it breaks f(z) too",
    u=st.tuples(COORDINATES, COORDINATES).map(lambda pair: torch.tensor(pair, dtype=F64)),
    w=st.tuples(reals(1, 4), reals(-4, 4)).map(lambda pair: torch.tensor(pair, dtype=F64)),
    b=reals(-2, 2),
)
def increases_along_w(flows: Topic, u: Tensor, w: Tensor, b: float) -> None:
    """For any u, also for |w| = 4, w.f(z + t w) grows with t: no two points of a line along w have the same image."""
    z = torch.linspace(-3, 3, 61, dtype=F64)[:, None] * w / _along(w, w)
    points, _ = mapped(flows.planar, z, z, u, w, torch.tensor(b, dtype=F64))
    heights = _along(w, points)
    least = heights.diff().amin()
    assert_at_least(least, torch.zeros_like(least), 1 + heights.abs().amax(), "the least step of w.f(z + t w)")


@planar.property(
    "value",
    stays="it shows the sign of the log-determinant without a Jacobian: a density has to have the mass 1",
    u=reals(-3, 3),
    w=DIRECTIONS,
    b=reals(-2, 2),
)
def pulled_back_density_integrates_to_one(flows: Topic, u: float, w: float, b: float) -> None:
    """In one dimension, N(f(x); 0, 1) |det df/dx| integrates to 1 over x."""
    layer = [torch.tensor(value, dtype=F64) for value in ([u], [w], b)]
    end = 10 + reach([(layer[0], layer[1], layer[2])])
    x = torch.linspace(-end, end, 401, dtype=F64)[:, None]
    z, log_abs_det = mapped(flows.planar, x, x, *layer)
    density = torch.exp(-0.5 * z[:, 0] ** 2 + log_abs_det) / math.sqrt(2 * math.pi)
    integral = torch.trapezoid(density, x[:, 0])
    assert_close(integral, torch.ones_like(integral), 1e4, "the integral of the density")


@planar.property("stability", slope=st.sampled_from([-1.0, 1.0]), size=reals(30, 1000), u=COORDINATES)
def flat_tanh(flows: Topic, slope: float, size: float, u: float) -> None:
    """Where |w.z + b| is up to 1000, tanh is flat: f moves by u_hat, log_abs_det is 0, all gradients are finite."""
    layer = [torch.tensor(value, dtype=F64) for value in ([u, 1.0], [1.0, 0.5], 0.0)]
    z = torch.tensor([[slope * size, 0.0]], dtype=F64)
    u_hat = _constrained(flows, layer[0], layer[1])
    points, log_abs_det = mapped(flows.planar, z, z, *layer)
    assert_close(points, z + slope * u_hat, size, "f(z)")
    assert_close(log_abs_det, torch.zeros_like(log_abs_det), what="log_abs_det")
    for weights in ((torch.ones_like(z), None), (None, torch.ones(1, dtype=F64))):
        answers = flows.planar.gradients(z, *layer, wrt="0123", cotangent=weights)
        for gradient, name in zip(answers, planar.arguments, strict=True):
            assert_finite(gradient, f"the gradient by {name}")


@planar.property("gradient", case=LAYER, weight=reals(-2, 2))
def gradients_in_point_and_layer(flows: Topic, case: PointsAndLayers, weight: float) -> None:
    """The gradients of f(z) and of log_abs_det by z, u, w and b are those of the formulas, nothing held constant."""
    z, (layer,) = case
    points_weight = torch.linspace(1, weight, z.numel(), dtype=F64).view(z.shape)
    det_weight = torch.linspace(weight, 1, len(z), dtype=F64)
    for weights, total in (
        ((points_weight, None), lambda points, _: points * points_weight),
        ((None, det_weight), lambda _, log_abs_det: log_abs_det * det_weight),
    ):
        answers = flows.planar.gradients(z, *layer, wrt="0123", cotangent=weights)
        assert_gradients(answers, gradients([layer], z, total), planar.arguments)


BATCH, SMALL, TIMES = 4, 32, 16


@planar.property("cost", edges=[{"own": False}, {"own": True}])
def costs_little(flows: Topic, own: bool) -> None:
    """With 16 times the features, and with 16 times the instances, at most 28 times as many tensor entries are read and
    written, and no tensor is larger than 4 times z: neither a d x d nor a batch x batch matrix is ever formed."""
    small = flows.planar.cost(*_wide(BATCH, SMALL, own))
    for batch, d, what in ((BATCH, TIMES * SMALL, "features"), (TIMES * SMALL, SMALL, "instances")):
        times = batch * d // (BATCH * SMALL)
        assert_grows_slowly(small, flows.planar.cost(*_wide(batch, d, own)), times, 4 * batch * d, what)


def _wide(batch: int, d: int, own: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows = (batch,) if own else ()
    return torch.ones(batch, d), torch.ones(*rows, d) / d, torch.ones(*rows, d) / d, torch.ones(rows)
