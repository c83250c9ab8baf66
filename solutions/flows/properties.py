"""A property of the planar layer: what tells the right function from wrong ones."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def planar_property(planar: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """Return where a function is planar, and raise where it is not, whatever is wrong with it.

    Write what you know of the right function as assertions on what this one answers, on arguments that you choose:
    by hand, or drawn from torch.

    Args:
        planar: takes z, u, w and b, shared or of each instance's own, as described at planar in planar.py. It may
            be asked up to 50 times, about up to 2,000 numbers at once; a gradient through it is a question
            too. Gradients flow where they do through the real one, with torch.autograd, not under torch.func.

    Returns:
        None, for every right function, however it is written and rounded.

    Raises:
        AssertionError: for every wrong one; any other exception rejects it too.
    """
    ### BEGIN SOLUTION
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    cases = [(zero, one[0], zero[0], one[0, 0]), (zero, -9 * one[0], one[0], zero[0, 0])]  # w = 0, and almost a fold
    for batch, d, rows in ((3, 4, (3,)), (3, 4, ()), (1, 3, (1,)), (2, 1, (2,))):
        z, u, w, b = (torch.randn(shape, dtype=torch.float64) for shape in ((batch, d), (*rows, d), (*rows, d), rows))
        cases.append((z, u, w, b))
    cases.append((1000 * cases[2][0], *cases[2][1:]))  # where tanh is flat
    for case in cases:
        z, u, w, b = leaves = [t.clone().requires_grad_() for t in case]
        points, log_abs_det = planar(*leaves)
        assert points.shape == z.shape, "f(z) is of another shape"
        assert log_abs_det.shape == (len(z),), "the log-determinant is of another shape"
        assert all(map(torch.equal, leaves, case)), "an argument was changed"
        length, along, inner = (w * w).sum(-1, keepdim=True), (w * u).sum(-1), (w * z).sum(-1) + b
        lift = (F.softplus(along) - 1 - along).unsqueeze(-1) * w / length.where(length > 0, 1.0)
        slope = 4 * torch.sigmoid(2 * inner) * torch.sigmoid(-2 * inner)  # of tanh, also where that is flat
        stretch = torch.where(length.squeeze(-1) > 0, F.softplus(along), 1.0)
        moved, log_slope = z + (u + lift) * torch.tanh(inner).unsqueeze(-1), torch.log(1 - slope + slope * stretch)
        assert torch.allclose(points, moved, rtol=1e-9, atol=1e-9), "other points"
        assert torch.allclose(log_abs_det, log_slope, rtol=1e-9, atol=1e-9), "another log-determinant"
        for answer, right in ((points, moved), (log_abs_det, log_slope)) if w.any() else ():
            weights = torch.linspace(1, 2, right.numel(), dtype=torch.float64).view_as(right)
            found, truth = (
                torch.autograd.grad((each * weights).sum(), leaves, retain_graph=True, allow_unused=True)
                for each in (answer, right)
            )
            for gradient, wanted in zip(found, truth, strict=True):
                gradient = torch.zeros(()) if gradient is None else gradient
                assert torch.allclose(gradient, torch.zeros(()) if wanted is None else wanted), "another gradient"
    single = planar(*(t.float() for t in cases[2]))
    assert all(each.dtype == torch.float32 for each in single), "single precision is not kept"
    ### END SOLUTION
