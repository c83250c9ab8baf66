"""What a flow does to a grid of the plane: where it folds, and its log-determinants beside the measured ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tests.support.closeness import per_instance
from tests.support.flows import pair_of, points_of
from tests.support.oracles import Layer, rows_of, sent

from .asking import Asking
from .canvas import NOTHING, VISIBLE

F64 = torch.float64
REACH, SIDE = 3.0, 33  # half of the square that is drawn, and points along it
STEP = 1e-3  # of finite differences: small enough for their error, large enough for answers in single precision


@dataclass(frozen=True)
class Warp:
    """What a mapping does to a grid of n = SIDE^2 points.

    points, images, right: (n, 2), right are the images as they should be. told: the log-determinants that it returned,
    (n,), None where it returns none. determinant: by finite differences of the images, (n,). folded: whether the
    determinant is not positive, or another place of the plane is sent to the same point, (n,).
    """

    points: Tensor
    images: Tensor
    right: Tensor
    told: Tensor | None
    determinant: Tensor
    folded: Tensor

    @property
    def measured(self) -> Tensor:
        """The logarithm of the size of the determinant, (n,) nats."""
        return self.determinant.abs().log()

    @property
    def off(self) -> float:
        """How far its own log-determinants are from the measured ones, where those are not far below all."""
        if self.told is None:
            return 0.0
        known = self.measured > -6  # on the crease of a fold no difference tells the logarithm
        return float((self.told - self.measured)[known].abs().max()) if bool(known.any()) else 0.0

    @property
    def sentence(self) -> str:
        """What one sees."""
        share = float(self.folded.double().mean())
        folds = f"it folds: {share:.0%} of this square is sent where other points go too" if share else ""
        astray = float((self.images - self.right).norm(dim=1).max())
        if not folds and astray > VISIBLE * REACH:
            folds = f"it folds nothing, but sends points up to {astray:.3g} away from where they belong"
        if not bool(self.images.isfinite().all()):
            folds = "some points are sent to nan or infinity"
        if self.told is not None and not bool(self.told.isfinite().all()):
            return f"{folds or 'it folds nothing'}, and its log-determinant is nan or infinite in places"
        spread = float(self.measured[self.measured.isfinite()].max() + 6) if bool(self.measured.isfinite().any()) else 1
        if self.off > VISIBLE * max(spread, 1.0):
            return f"{folds or 'it folds nothing'}, and its log-determinant is off by up to {self.off:.3g} nats"
        return folds or NOTHING


Mapping = Callable[[Tensor], tuple[Tensor, Tensor | None]]


def warp(mapping: Mapping, layers: Sequence[Layer]) -> Warp:
    """Ask a mapping for the images of a grid, and of its points moved a little along each axis, all at once.

    layers: what it should be.
    """
    axis = torch.linspace(-REACH, REACH, SIDE, dtype=F64)
    points = torch.cartesian_prod(axis, axis)
    steps = STEP * torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=F64)
    images, told = mapping((points + steps[:, None]).flatten(0, 1))
    at, right, left, up, down = images.double().view(5, -1, 2)
    along, across = (right - left) / (2 * STEP), (up - down) / (2 * STEP)
    determinant = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    own = None if told is None else told.double()[: len(points)]
    right, _ = sent(rows_of(layers, points), 2)
    return Warp(
        points, at, torch.from_numpy(right), own, determinant, (determinant <= 0) | covered(points, at, determinant)
    )


def covered(points: Tensor, images: Tensor, determinant: Tensor) -> Tensor:
    """Tell which images of a grid lie inside the image of a triangle of points that are far from their own, (n,)."""
    number = torch.arange(len(images)).view(SIDE, SIDE)
    low, right, up, far = number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:]
    corners = torch.cat([torch.stack(t, -1).view(-1, 3) for t in ((low, right, up), (far, up, right))])
    triangles = images[corners]
    a, b, c = triangles.unbind(1)
    area = _cross(b - a, c - a)
    found = torch.zeros(len(images), dtype=torch.bool)
    if bool((determinant > 0).all()) and not bool((area > 0).all()):
        return found  # the mapping bends more than a grid shows: its triangles overlap, and nothing folds
    within = (images[:, None] >= triangles.amin(1)) & (images[:, None] <= triangles.amax(1))
    point, triangle = within.all(-1).nonzero(as_tuple=True)
    apart = (points[corners[triangle, 0]] - points[point]).abs().amax(1) > 3 * (points[1] - points[0]).norm()
    point, triangle = point[apart], triangle[apart]
    a, b, c, p = a[triangle], b[triangle], c[triangle], images[point]
    # A point is inside where all three smaller triangles are turned as the large one is.
    shares = torch.stack([_cross(v - u, p - u) for u, v in ((a, b), (b, c), (c, a))]) / area[triangle]
    found[point[(shares > -1e-9).all(0)]] = True
    return found


def _cross(first: Tensor, second: Tensor) -> Tensor:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def asked(ask: Asking, *arguments: object, last: bool = False) -> Mapping:
    """Return a mapping that asks a part for points and log-determinants; last: whether the points come last."""

    def mapping(z: Tensor) -> tuple[Tensor, Tensor | None]:
        points, told = pair_of(ask.answer(*((*arguments, z) if last else (z, *arguments))).value)
        return points_of(points, z.shape, "f(z)"), per_instance(told, len(z))

    return mapping


def layer(u: tuple[float, float], w: tuple[float, float], b: float) -> Layer:
    """Return the tensors of a layer."""
    return torch.tensor(u, dtype=F64), torch.tensor(w, dtype=F64), torch.tensor(b, dtype=F64)


STRONG = layer((-2.4, 1.2), (1.5, 0.5), 0.8)  # w.u = -3: without a constraint it folds
LAYERS = (layer((1.5, 0.4), (0.6, 1.2), -0.5), STRONG, layer((-0.3, -1.6), (0.4, 1.4), 0.3))
