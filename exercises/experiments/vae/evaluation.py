"""What a trained model is judged by: the average ELBO and the importance-sampled log p(x), on the CPU or a GPU.

The functions come as arguments, so one code serves the student's report and whoever measures it again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .networks import VAE, Functions, student_decoder

Encoder = Callable[[Tensor], tuple[Tensor, Tensor]]
Decoder = Callable[[Tensor], Any]
SAMPLES = (1, 10, 50, 200)


def average_elbo(elbo: Callable[..., Tensor], images: Tensor, encode: Encoder, decode: Decoder) -> float:
    """Average elbo(x, encode, decode) over images.

    Args:
        elbo: as in Problem 1.
        images: (N, 784) zeros and ones, uint8.
        encode, decode: of the model, for example model.encode and model.decode.

    Returns:
        nats an image; one draw of noise for each image, from torch's global generator.
    """
    with torch.no_grad():
        total = sum(float(elbo(x.float(), encode, decode).double().sum()) for x in images.split(500))
    return total / len(images)


def average_log_likelihood(
    importance_log_likelihood: Callable[..., Tensor], images: Tensor, encode: Encoder, decode: Decoder, num_samples: int
) -> float:
    """Average importance_log_likelihood(x, encode, decode, num_samples) over images.

    Args:
        importance_log_likelihood: as in Problem 1.
        images: (N, 784) zeros and ones, uint8.
        encode, decode: of the model, for example model.encode and model.decode.
        num_samples: K, draws for each image.

    Returns:
        nats an image.
    """
    # Few images at a time: an implementation that takes all their draws at once still needs little memory.
    batches = images.split(max(1, 10_000 // num_samples))
    with torch.no_grad():
        total = sum(
            float(importance_log_likelihood(x.float(), encode, decode, num_samples).double().sum()) for x in batches
        )
    return total / len(images)


def measure(functions: Functions, model: VAE, images: Tensor, samples: Sequence[int] = SAMPLES) -> dict[str, Any]:
    """Measure a model on test images with the student's functions.

    Returns:
        'test_elbo' and 'log_likelihood_by_samples', {K: average log p(x)}, all nats an image.
    """
    decode = student_decoder(model, functions)
    likelihoods = {
        k: average_log_likelihood(functions.importance_log_likelihood, images, model.encode, decode, k) for k in samples
    }
    return {
        "test_elbo": average_elbo(functions.elbo, images, model.encode, decode),
        "log_likelihood_by_samples": likelihoods,
    }
