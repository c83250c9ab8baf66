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
    # YOUR CODE HERE
    raise NotImplementedError("flows.planar_property is still to be written, in flows/properties.py")
