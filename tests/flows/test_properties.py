"""Properties of properties.py: a property that a student wrote tells right functions from wrong ones."""

import torch
from torch import Tensor

from tests.support.answered import Subject
from tests.support.made import Made
from tests.support.own_properties import define
from tests.support.properties import Part

from . import test_planar

own = Part("flows.planar_property", "properties.py", ("planar",), tried_apart=True)


def _fits(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> str:
    """Say what is wrong with the shapes of a layer and of points."""
    shapes = tuple(z.shape), tuple(u.shape), tuple(w.shape), tuple(b.shape)
    own = u.shape == w.shape == z.shape and b.shape == z.shape[:1]
    shared = u.shape == w.shape == z.shape[1:] and b.dim() == 0
    if z.dim() == 2 and z.numel() and (own or shared):
        return ""
    names = ", ".join(f"{name} {shape}" for name, shape in zip("zuwb", shapes, strict=True))
    return f"planar takes z (batch, d), u and w (d,) and b (), or u and w (batch, d) and b (batch,); got {names}"


MADE = {
    "rounded": Made("it rounds otherwise", None, after=lambda f, a, *_: (f * (1 + 1e-15), a * (1 - 1e-15))),
    "stays": Made("the points stay where they are", "value", after=lambda f, a, z, *_: (f - f + z, a)),
    "goes_twice_as_far": Made("the points move twice as far", "value", after=lambda f, a, z, *_: (2 * f - z, a)),
    "turns_the_sign": Made("the sign of the log-determinant is turned", "value", after=lambda f, a, *_: (f, -a)),
    "forgets_the_logarithm": Made(
        "the determinant is returned, not its logarithm", "value", after=lambda f, a, *_: (f, a.exp())
    ),
    "a_little_more": Made("a millionth is added to the log-determinant", "value", after=lambda f, a, *_: (f, a + 1e-6)),
    "of_the_next_row": Made(
        "each log-determinant is that of the next instance", "value", after=lambda f, a, *_: (f, a.roll(-1, 0))
    ),
    "forgets_b": Made("b is forgotten", "value", before=lambda z, u, w, b: (z, u, w, 0 * b)),
    "turns_w": Made("w has the other sign", "value", before=lambda z, u, w, b: (z, u, -w, b)),
    "takes_the_first_layer": Made(
        "the layer of the first instance is used for all",
        "value",
        before=lambda z, u, w, b: (
            (z, u[:1].expand_as(u), w[:1].expand_as(w), b[:1].expand_as(b)) if b.dim() else (z, u, w, b)
        ),
    ),
    "swaps_the_results": Made("the two results come in the wrong order", "shape", after=lambda f, a, *_: (a, f)),
    "keeps_the_axis": Made("the log-determinant is (batch, 1)", "shape", after=lambda f, a, *_: (f, a.unsqueeze(1))),
    "sums_the_batch": Made("the log-determinants are summed", "shape", after=lambda f, a, *_: (f, a.sum())),
    "squeezes": Made("a batch of one loses its axis", "shape", after=lambda f, a, *_: (f, a.squeeze())),
    "double": Made("the log-determinant is made double precision", "shape", after=lambda f, a, *_: (f, a.double())),
    "is_wrong_far_away": Made(
        "points far away become nan", "stability", after=lambda f, a, z, *_: (f.where(z.abs() < 300, torch.nan), a)
    ),
    "no_gradient_of_points": Made("no gradient flows from f(z)", "gradient", after=lambda f, a, *_: (f.detach(), a)),
    "no_gradient_of_determinant": Made(
        "no gradient flows from the log-determinant", "gradient", after=lambda f, a, *_: (f, a.detach())
    ),
    "half_a_gradient": Made(
        "half of the gradient of the log-determinant is lost",
        "gradient",
        after=lambda f, a, *_: (f, 0.5 * (a + a.detach())),
    ),
}

SUBJECT = Subject(own, test_planar.planar, _fits)
define(SUBJECT, MADE)
