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
    # YOUR CODE HERE
    raise NotImplementedError("vae.log_mean_exp_property is still to be written, in vae/properties.py")
