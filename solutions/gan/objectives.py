"""What generator and critic play for: two estimates of a distance from the critic's scores."""

import math

import torch.nn.functional as F
from torch import Tensor


def jsd(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Jensen-Shannon divergence of two distributions, as a critic's scores of samples estimate it.

    1/2 [mean log sigmoid(real_scores) + mean log sigmoid(-fake_scores) + log 4]

    Args:
        real_scores: (n,) or (n, 1) scores, logits, of samples of the data.
        fake_scores: (m,) or (m, 1) scores of samples of the generator; m may differ from n.

    Returns:
        (), nats: finite with finite gradients for any finite score. With many samples it is at most the divergence,
        and equal to it for the scores log p(x) - log q(x).

    Source: Goodfellow et al. (2014), equation 1 and theorem 1.
    """
    ### BEGIN SOLUTION
    return 0.5 * (F.logsigmoid(real_scores).mean() + F.logsigmoid(-fake_scores).mean() + math.log(4))
    ### END SOLUTION


def w1(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Wasserstein distance of two distributions, as a critic's scores of samples estimate it.

    mean real_scores - mean fake_scores

    Args:
        real_scores: (n,) or (n, 1) scores of samples of the data.
        fake_scores: (m,) or (m, 1) scores of samples of the generator; m may differ from n.

    Returns:
        (), in the unit of the scores. With many samples it is at most the distance, if the critic's slope is at most 1.

    Source: Arjovsky, Chintala and Bottou (2017), equation 2.
    """
    ### BEGIN SOLUTION
    return real_scores.mean() - fake_scores.mean()
    ### END SOLUTION
