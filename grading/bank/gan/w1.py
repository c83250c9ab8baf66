"""Implementations of gan.w1."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank
from solutions.gan import objectives

bank = Bank("gan.w1")


@bank.mistake("the sign is turned: it is a loss for the critic to lower, not the distance that it raises")
def returns_the_critics_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return fake_scores.mean() - real_scores.mean()


@bank.mistake("only the generated scores count, as in the generator's loss")
def returns_the_generators_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return -fake_scores.mean()


@bank.mistake("the two means are added")
def adds_the_means(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.mean() + fake_scores.mean()


@bank.mistake("half of the difference is taken, as in the Jensen-Shannon divergence")
def takes_the_half(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return 0.5 * objectives.w1(real_scores, fake_scores)


@bank.mistake("the constant of the Jensen-Shannon divergence is added")
def adds_log_4(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores) + math.log(4)


@bank.mistake("the sums over the batches are taken instead of the means")
def sums_the_batches(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.sum() - fake_scores.sum()


@bank.mistake("one mean is taken over both batches with labels 1 and -1: half the value, or less where sizes differ")
def takes_one_mean_of_both(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return torch.cat([real_scores, -fake_scores]).mean()


@bank.mistake("twice the mean over both batches with labels 1 and -1 is right only for batches of one size")
def takes_twice_the_mean_of_both(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return 2 * torch.cat([real_scores, -fake_scores]).mean()


@bank.mistake("the scores are subtracted one by one, which only fits batches of one size")
def pairs_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return (real_scores - fake_scores).mean()


@bank.mistake("the longer batch is cut to the length of the shorter one")
def drops_what_has_no_partner(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    n = min(len(real_scores), len(fake_scores))
    return (real_scores[:n] - fake_scores[:n]).mean()


@bank.mistake("the absolute value is taken, because a distance is never negative")
def takes_the_absolute_value(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores).abs()


@bank.mistake("values below 0 are raised to 0, because a distance is never negative")
def clamps_at_zero(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores).clamp(min=0)


@bank.mistake("the mean distance of sorted scores is taken: the distance of the scores, not of what they are scores of")
def sorts_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    n = min(len(real_scores), len(fake_scores))
    return (real_scores.flatten().sort().values[:n] - fake_scores.flatten().sort().values[:n]).abs().mean()


@bank.mistake("the scores go through a sigmoid, as if the critic told real from generated")
def squashes_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return torch.sigmoid(real_scores).mean() - torch.sigmoid(fake_scores).mean()


@bank.mistake("log sigmoid of the scores is averaged")
def takes_log_sigmoid(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return F.logsigmoid(real_scores).mean() - F.logsigmoid(fake_scores).mean()


@bank.mistake("the hinge objective stops counting scores beyond 1")
def takes_the_hinge(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return -F.relu(1 - real_scores).mean() - F.relu(1 + fake_scores).mean()


@bank.mistake("the scores are clamped to [-1, 1], where it is the critic's weights that are")
def clamps_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.clamp(-1, 1), fake_scores.clamp(-1, 1))


@bank.mistake("the medians are subtracted")
def takes_medians(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.median() - fake_scores.median()


@bank.mistake("the scores are brought to a standard deviation of 1 first")
def standardises_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores) / (torch.cat([real_scores, fake_scores]).std() + 1e-8)


@bank.mistake("a small penalty on large real scores is added, as in progressive growing")
def adds_a_drift(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores) - 0.001 * real_scores.square().mean()


@bank.mistake("the mean runs over the first axis only, so that scores (n, 1) give the shape (1,)")
def keeps_the_axis(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.mean(0) - fake_scores.mean(0)


@bank.mistake("the mean runs over the last axis, which leaves scores (n, 1) as they are")
def averages_the_last_axis(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.mean(-1) - fake_scores.mean(-1)


@bank.mistake("a number of Python is returned, which trains nobody")
def returns_a_number_of_python(real_scores: Tensor, fake_scores: Tensor) -> float:
    return objectives.w1(real_scores, fake_scores).item()


@bank.mistake("the generated scores are detached, so that the generator learns nothing")
def detaches_the_generated_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores.detach())


@bank.mistake("the real scores are detached, so that the critic learns from generated samples only")
def detaches_the_real_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.detach(), fake_scores)


@bank.mistake("everything is computed in single precision, and left there")
def halves_the_precision(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.float(), fake_scores.float())


@bank.mistake("everything is computed in double precision, and left there")
def doubles_the_precision(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.double(), fake_scores.double())


@bank.mistake("the generated scores are negated in place")
def negates_in_place(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    value = objectives.w1(real_scores, fake_scores)
    fake_scores.data.neg_()
    return value


@bank.alternative("sums divided by the numbers of scores")
def by_sums(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.sum() / real_scores.numel() - fake_scores.sum() / fake_scores.numel()


@bank.alternative("as the negative of the critic's loss")
def by_a_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    loss = torch.mean(fake_scores.squeeze()) - torch.mean(real_scores.squeeze())
    return -loss


@bank.alternative("the mean of all differences between a real and a generated score")
def by_all_pairs(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return (real_scores.reshape(-1, 1) - fake_scores.reshape(1, -1)).mean()


@bank.alternative("one score after the other is added up")
def by_a_loop(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    total = torch.zeros((), dtype=real_scores.dtype)
    for score in real_scores.reshape(-1):
        total = total + score / len(real_scores)
    for score in fake_scores.reshape(-1):
        total = total - score / len(fake_scores)
    return total


@bank.alternative("both batches in one tensor, with a weight for each score")
def by_weights(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    n, m = len(real_scores), len(fake_scores)
    weights = torch.tensor([1 / n] * n + [-1 / m] * m, dtype=real_scores.dtype)
    return torch.dot(weights, torch.cat([real_scores, fake_scores]).view(-1))
