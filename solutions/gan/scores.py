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
    ### BEGIN SOLUTION
    entropies = torch.special.entr(probabilities).sum(1)
    return torch.exp(torch.special.entr(probabilities.mean(0)).sum() - entropies.mean())
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    # With A and B the roots of cov1 and cov2, (cov1 cov2)^(1/2) has the eigenvalues of (A B B A)^(1/2), and those are
    # the singular values of A B: real and at least 0 whatever rounding did.
    roots = []
    for covariance in (cov1, cov2):
        values, vectors = torch.linalg.eigh(covariance)
        roots.append(vectors * values.clamp(min=0).sqrt() @ vectors.T)
    overlap = torch.linalg.svdvals(roots[0] @ roots[1]).sum()
    return (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * overlap
    ### END SOLUTION
