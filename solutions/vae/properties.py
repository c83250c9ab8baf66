"""A property of log_mean_exp: what tells the right function from wrong ones."""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def log_mean_exp_property(log_mean_exp: Callable[[Tensor], Tensor]) -> None:
    """Return where a function is log_mean_exp, and raise where it is not, whatever is wrong with it.

    Write what you know of the right function as assertions on what this one answers, such as
    f(y + c) = f(y) + c for any number c, on arguments that you choose: by hand, or drawn from torch.

    Args:
        log_mean_exp: takes y, (batch, K), as described at log_mean_exp in likelihoods.py. It may be asked up to
            50 times, about up to 2,000 numbers at once. Gradients flow through it where they do through the real
            one, with torch.autograd, not under torch.func.

    Returns:
        None, for every right function, however it is written and rounded.

    Raises:
        AssertionError: for every wrong one; any other exception rejects it too.
    """
    ### BEGIN SOLUTION
    tame = 3 * torch.randn(4, 5, dtype=torch.float64)
    far = tame + torch.tensor([[1e3], [-1e3], [0.0], [1e4]], dtype=torch.float64)
    wide = torch.tensor([[0.0, -900.0, -2000.0], [-3000.0, 700.0, 1.0]], dtype=torch.float64)
    hole = torch.tensor([[0.5, -math.inf, -math.inf], [2.0, 1.0, -math.inf]], dtype=torch.float64)
    for y in (tame, tame[:1], tame[:, :1], tame[1:3], far, wide, hole, torch.zeros(2, 2, dtype=torch.float64)):
        top = y.amax(1, keepdim=True)
        weights = torch.exp(y - top)
        argument = y.clone().requires_grad_()
        value = log_mean_exp(argument)
        assert value.shape == (len(y),), f"of shape {tuple(value.shape)} for {tuple(y.shape)}"
        assert value.dtype == y.dtype, "in another precision"
        assert torch.allclose(value, top[:, 0] + weights.mean(1).log(), rtol=1e-9, atol=1e-9), "another number"
        assert torch.equal(argument, y), "the argument was changed"
        (gradient,) = torch.autograd.grad(value.sum(), argument)
        assert torch.allclose(gradient, weights / weights.sum(1, keepdim=True)), "another gradient than the softmax"
    assert log_mean_exp(tame.float()).dtype == torch.float32, "single precision is not kept"
    ### END SOLUTION
