"""The moving average of a generator's parameters, which one samples from."""

import torch
from torch import nn


def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average a step towards the model, in place.

    average <- decay average + (1 - decay) model

    Args:
        average: a module of the same kind. Its parameters and its floating-point buffers, such as the statistics of
            batch normalisation, follow; they stay the tensors that they are, with no graph, and share no memory with
            the model's. An integer buffer, such as a count of batches, is copied or stays as it is: an average of
            counts is no count.
        model: left as it is.
        decay: from 0, which copies the model, to 1, which keeps the average.

    Source: Yazici et al. (2019), equation 4.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gan.update_average is still to be written, in gan/averaging.py")
