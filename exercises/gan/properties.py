"""A property of the gradient penalty: what tells the right function from wrong ones."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def gradient_penalty_property(
    gradient_penalty: Callable[..., Tensor],
    linear_critic: Callable[..., Any],
    quadratic_critic: Callable[[Tensor], Any],
) -> None:
    """Return where a function is gradient_penalty, and raise where it is not, whatever is wrong with it.

    Write what you know of the right function as assertions on what this one answers, on arguments that you choose:
    by hand, or drawn from torch.

    Args:
        gradient_penalty: takes critic, real and fake, as described at gradient_penalty in penalties.py, with a critic
            that one of the two below has made. It may be asked up to 50 times, about up to 2,000 numbers at
            once. Gradients flow where they do through the real one, with torch.autograd, not under torch.func.
        linear_critic: linear_critic(weight, bias) makes a module whose score is weight.x + bias: weight of the shape
            of a sample, bias (). Scores are (batch,), with column=True as a third argument (batch, 1).
        quadratic_critic: quadratic_critic(root) makes a module whose score is 1/2 x.A x, with
            A = (root + root^T) / 2: root (d, d), samples (batch, d).
            Of either critic, `asked` is a list of tensors: the points at which it was called, row by row in order, by
            you too; `weight`, `bias` and `root` are its parameters.

    Returns:
        None, for every right function, however it is written and rounded.

    Raises:
        AssertionError: for every wrong one; any other exception rejects it too.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gan.gradient_penalty_property is still to be written, in gan/properties.py")
