"""Two scores of generated images, from what a classifier makes of them."""

import torch
from torch import Tensor


def inception_score(probabilities: Tensor) -> Tensor:
    """Inception Score: how sure a classifier is of each image, and how even its classes are over all of them.

    exp(1/n sum_i KL(p_i || p)) = exp(H(p) - 1/n sum_i H(p_i)), p = 1/n sum_i p_i, with 0 log 0 = 0

    Args:
        probabilities: (n, classes), each row a distribution.

    Returns:
        (), from 1, where all rows are the same, to the number of classes.

    Source: Salimans et al. (2016), section 4.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gan.inception_score is still to be written, in gan/scores.py")


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    """Squared Frechet distance of two normal distributions, in features of images the Frechet Inception Distance.

    |mean1 - mean2|^2 + tr(cov1 + cov2 - 2 (cov1 cov2)^(1/2))

    Args:
        mean1: (d,).
        cov1: (d, d), symmetric with no negative eigenvalue; it may have less than full rank.
        mean2: (d,).
        cov2: (d, d), likewise; the two need not commute.

    Returns:
        (), real, at least 0 but for rounding.

    Source: Dowson and Landau (1982); Heusel et al. (2017), equation 6.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gan.frechet_distance is still to be written, in gan/scores.py")
