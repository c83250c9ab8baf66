"""What a constraint does to u: where it moves it, how w.u_hat follows w.u, and whether the layer still folds."""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.closeness import assert_tensor
from tests.support.flows import points_of

from .asking import Asking
from .canvas import NOTHING, OTHER, RIGHT, VISIBLE, WRONG, YOURS, compare, headed, legend, named, sheet
from .folding import STRONG, Warp, warp
from .warped import grid

F64 = torch.float64


@dataclass(frozen=True)
class Constraint:
    """What became of vectors u, all with the same w.

    ring, moved: (n, 2), vectors around 0 and what they became. along: (m,) w.u of vectors on a line, and dot, right:
    their w.u_hat and what it should be. warped: a layer with a u that has to be constrained.
    """

    w: Tensor
    ring: Tensor
    moved: Tensor
    along: Tensor
    dot: Tensor
    right: Tensor
    warped: Warp

    @property
    def across(self) -> float:
        """How far u was moved across w, at most."""
        step = self.moved - self.ring
        return float((step[:, 0] * self.w[1] - step[:, 1] * self.w[0]).abs().max() / self.w.norm())

    @property
    def sentence(self) -> str:
        """What one sees."""
        if not bool(self.moved.isfinite().all() and self.dot.isfinite().all()):
            return "u_hat is nan or infinite for some u"
        below = int((self.dot < -1 - 1e-6).sum())
        if below:
            return f"w.u_hat is below −1 for {below} of {len(self.dot)} vectors u: with these a layer folds"
        if self.across > VISIBLE:
            return f"u is moved across w too, by up to {self.across:.3g}"
        off = float((self.dot - self.right).abs().max())
        return f"w.u_hat is off by up to {off:.3g}" if off > VISIBLE * 4 else NOTHING


def constraint(ask: Asking) -> Constraint:
    """Ask for u_hat of a ring of vectors, of vectors on a line, and of one whose layer is drawn."""
    strong, w, b = STRONG
    angles = torch.linspace(0, 2 * torch.pi, 21, dtype=F64)[:-1]
    ring = 2.2 * torch.stack([angles.cos(), angles.sin()], 1)
    along = torch.linspace(-6, 6, 61, dtype=F64)
    line = along[:, None] * w / (w @ w) + 0.5 * torch.stack([-w[1], w[0]])
    batches = [(u, w.expand_as(u)) for u in (ring, line)]
    answers = [answer.value for answer in ask.answers([ask.call(*batch) for batch in (*batches, (strong, w))])]
    moved, other, u_hat = (
        points_of(assert_tensor(value, "like u"), tuple(u.shape), "u_hat").double()
        for value, u in zip(answers, (ring, line, strong), strict=True)
    )
    return Constraint(
        w,
        ring,
        moved,
        along,
        other @ w,
        along.exp().log1p() - 1,
        warp(lambda z: (z + u_hat * torch.tanh(z @ w + b)[:, None], None), [STRONG]),
    )


def constrain_u(ask: Asking) -> Figure:
    """Draw what the constraint does to vectors, and to a layer."""
    found = constraint(ask)
    figure, frames = sheet(1, 3, 3.5)
    vectors, dots, layer = frames[0]
    reach = 4.0
    plane = torch.linspace(-reach, reach, 2, dtype=F64)
    edge = (-1 - found.w[0] * plane) / found.w[1]
    vectors.fill_between(plane, edge, -20, color=WRONG, alpha=0.15, linewidth=0, label="w.u < −1: folds")
    steps = (found.moved - found.ring).nan_to_num().clamp(-2 * reach, 2 * reach)
    vectors.quiver(
        *found.ring.T, *steps.T, angles="xy", scale_units="xy", scale=1, width=0.008, color=YOURS, label="u to u_hat"
    )
    vectors.plot(*found.ring.T, ".", color=RIGHT, markersize=3)
    vectors.quiver(0, 0, *found.w, angles="xy", scale_units="xy", scale=1, width=0.012, color=OTHER, label="w")
    vectors.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    named(vectors, "vectors u, and where they go", "u1", "u2")
    compare(dots, found.along, found.dot, found.right)
    dots.axhspan(-20, -1, color=WRONG, alpha=0.15, linewidth=0)
    named(dots, "along w", "w.u", "w.u_hat")
    grid(layer, found.warped)
    legend(figure, vectors, dots)
    return headed(figure, ask.part.name, found.sentence)
