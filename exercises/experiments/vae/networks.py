"""The given encoder and decoder, and the distribution of an image that the decoder's logits stand for."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints import read_model

PIXELS, HIDDEN, LATENT = 784, 300, 100


class Functions(Protocol):
    """The student's functions of Problem 1 that the experiment calls; exercises/vae says what each one does."""

    elbo: Callable[..., Tensor]
    importance_log_likelihood: Callable[..., Tensor]
    log_likelihood_bernoulli: Callable[[Tensor, Tensor], Tensor]


class Implementation(Protocol):
    """What an experiment receives: an object or a package with the topic `vae`."""

    @property
    def vae(self) -> Functions:
        """The functions of Problem 1."""
        ...


class VAE(nn.Module):
    """The network of Problem 1: q(z | x) = N(mu, diag exp(logvar)) and p(x | z) = Bernoulli(sigmoid(logits))."""

    def __init__(self) -> None:
        """Begin with torch's random weights."""
        super().__init__()
        self.encoder = perceptron(PIXELS, 2 * LATENT)
        self.decoder = perceptron(LATENT, PIXELS)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (batch, 784) images as (mu, logvar) of q(z | x), each (batch, 100)."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def logits(self, z: Tensor) -> Tensor:
        """Decode (batch, 100) latent variables to (batch, 784) logits of the pixels.

        The shift by -5 makes the pixels dark at the start, as most of them are.
        """
        return self.decoder(z).sub_(5)

    def decode(self, z: Tensor) -> "BernoulliFromLogits":
        """Decode to p(x | z) with its own log-density: exact and fast, without a student's function."""
        return BernoulliFromLogits(self.logits(z))


def perceptron(inputs: int, outputs: int) -> nn.Sequential:
    """Make a network with two hidden layers of 300 and ELU between the layers."""
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN),
        nn.ELU(inplace=True),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ELU(inplace=True),
        nn.Linear(HIDDEN, outputs),
    )


class BernoulliFromLogits:
    """Independent pixels, p(x_j = 1) = sigmoid(logits_j)."""

    def __init__(self, logits: Tensor) -> None:
        """Take (batch, 784) logits."""
        self.logits = logits

    def log_prob(self, x: Tensor) -> Tensor:
        """Return (batch,) nats: sum_j [x_j logits_j - log(1 + exp(logits_j))]."""
        return (x * self.logits).sum(1) - F.softplus(self.logits).sum(1)


class BernoulliFromMeans:
    """The same distribution, its log-density by the student's log_likelihood_bernoulli."""

    def __init__(self, means: Tensor, log_likelihood: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Take (batch, 784) means inside (0, 1) and the student's function of means and targets."""
        self.means = means
        self.log_likelihood = log_likelihood

    def log_prob(self, x: Tensor) -> Tensor:
        """Return (batch,) nats: log_likelihood_bernoulli(means, x)."""
        return self.log_likelihood(self.means, x)


def means_(logits: Tensor) -> Tensor:
    """Turn logits into the means of the pixels, sigmoid(logits), strictly inside (0, 1); the logits are overwritten.

    In float32 the sigmoid is exactly 1 from a logit of 17 on and 0 below -104; one pixel that disagrees with such a
    mean would make the whole log-density -inf. So 1 becomes the number next to it and 0 the smallest normal number,
    while all between stay as they are but for rounding. A product and a sum cost less than clamp's backward pass.
    """
    return logits.sigmoid_().mul(1 - 2**-24).add_(torch.finfo(torch.float32).tiny)


def student_decoder(model: VAE, functions: Functions) -> Callable[[Tensor], BernoulliFromMeans]:
    """Make the decode(z) that the student's elbo and importance_log_likelihood are called with."""
    return lambda z: BernoulliFromMeans(means_(model.logits(z)), functions.log_likelihood_bernoulli)


def load_model(path: Path) -> VAE:
    """Load the network of a checkpoint that anybody may have written.

    Raises:
        CheckpointError: the file is missing, cut off, a pickle, of another network, or holds nan or infinity.
    """
    model = VAE()
    model.load_state_dict(read_model(path, model.state_dict()))
    return model
