"""Implementations of gan.w1."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank
from solutions.gan import objectives

bank = Bank("gan.w1")


bank.reason(
    "Take one real sample with the score 3 and one generated sample with the score 1: how far are they apart on "
    "this yardstick, and what do you get? What becomes of both numbers when 10 is added to all scores?"
)


@bank.mistake("the sign is turned, as in a loss for the critic to lower, where the distance is what it raises")
def returns_the_critics_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return fake_scores.mean() - real_scores.mean()


@bank.mistake("only the generated scores are used, with a minus, as in the generator's loss")
def returns_the_generators_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return -fake_scores.mean()


@bank.mistake("the two means are added")
def adds_the_means(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.mean() + fake_scores.mean()


bank.reason(
    "Let the critic score all real samples 1 and all generated ones 0. How far apart are the two on its "
    "yardstick, and where in this objective would a half or a constant come from?"
)


@bank.mistake("half of the difference is taken, as in the Jensen-Shannon divergence")
def takes_the_half(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return 0.5 * objectives.w1(real_scores, fake_scores)


@bank.mistake("the constant of the Jensen-Shannon divergence is added")
def adds_log_4(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores) + math.log(4)


bank.reason(
    "Take two real and six generated samples. How much does one real score count in the formula, how much one "
    "generated score, and how much do they count in yours?"
)


@bank.mistake("the sums over the batches are taken instead of the means")
def sums_the_batches(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.sum() - fake_scores.sum()


@bank.mistake("one mean is taken over both batches with labels 1 and -1, which is half the value where sizes are equal")
def takes_one_mean_of_both(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return torch.cat([real_scores, -fake_scores]).mean()


@bank.mistake(
    "twice the mean is taken over both batches with labels 1 and -1, which is right only for batches of one size"
)
def takes_twice_the_mean_of_both(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return 2 * torch.cat([real_scores, -fake_scores]).mean()


@bank.mistake("the scores are subtracted one by one, which only fits batches of one size")
def pairs_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return (real_scores - fake_scores).mean()


@bank.mistake("the longer batch is cut to the length of the shorter one")
def drops_what_has_no_partner(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    n = min(len(real_scores), len(fake_scores))
    return (real_scores[:n] - fake_scores[:n]).mean()


bank.reason(
    "The true distance is never negative, but this is what one critic makes of it. Let a critic score the "
    "generated samples higher: what does the formula give, and what would tell such a critic to turn round?"
)


@bank.mistake("the absolute value is taken, because a distance is never negative")
def takes_the_absolute_value(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores).abs()


@bank.mistake("values below 0 are raised to 0, because a distance is never negative")
def clamps_at_zero(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores).clamp(min=0)


@bank.mistake(
    "the mean distance of sorted scores is taken, which is that of the scores, not of what they are scores of"
)
def sorts_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    n = min(len(real_scores), len(fake_scores))
    return (real_scores.flatten().sort().values[:n] - fake_scores.flatten().sort().values[:n]).abs().mean()


bank.reason(
    "This critic measures, it does not tell right from wrong. Multiply all scores by 10, as if the unit of length "
    "were changed: what should the distance do, and what does yours do?"
)


@bank.mistake("the scores go through a sigmoid, as if the critic told real from generated samples")
def squashes_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return torch.sigmoid(real_scores).mean() - torch.sigmoid(fake_scores).mean()


@bank.mistake("log sigmoid of the scores is averaged")
def takes_log_sigmoid(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return F.logsigmoid(real_scores).mean() - F.logsigmoid(fake_scores).mean()


@bank.mistake("the hinge objective is taken, which stops counting scores beyond 1")
def takes_the_hinge(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return -F.relu(1 - real_scores).mean() - F.relu(1 + fake_scores).mean()


@bank.mistake("the scores are clamped to [-1, 1], as an early critic's weights were")
def clamps_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.clamp(-1, 1), fake_scores.clamp(-1, 1))


@bank.mistake("the scores are brought to a standard deviation of 1 first")
def standardises_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores) / (torch.cat([real_scores, fake_scores]).std() + 1e-8)


@bank.mistake("a small penalty on large real scores is taken off, as in progressive growing")
def adds_a_drift(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores) - 0.001 * real_scores.square().mean()


bank.reason(
    "Take the real scores 0, 0 and 9, and generated scores that are all 0. What is the difference of the two "
    "expectations, and how much does the one large score count in yours?"
)


@bank.mistake("the medians are subtracted")
def takes_medians(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.median() - fake_scores.median()


bank.reason(
    "Critics give scores (n,) or (n, 1). Write down the shape after each of your steps for both: which axis is "
    "left at the end, and which was the batch?"
)


@bank.mistake("the mean runs over the first axis only, so that scores (n, 1) give the shape (1,)")
def keeps_the_axis(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.mean(0) - fake_scores.mean(0)


@bank.mistake("the mean runs over the last axis, which leaves scores (n, 1) as they are")
def averages_the_last_axis(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.mean(-1) - fake_scores.mean(-1)


bank.reason(
    "Both players learn from this number, each through one of the arguments. Follow the way back from the result "
    "to either of them: where does it end, and who learns nothing then?"
)


@bank.mistake("a Python number is returned, which trains nobody")
def returns_a_number_of_python(real_scores: Tensor, fake_scores: Tensor) -> float:
    return objectives.w1(real_scores, fake_scores).item()


@bank.mistake("the generated scores are detached, so that the generator learns nothing")
def detaches_the_generated_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores, fake_scores.detach())


@bank.mistake("the real scores are detached, so that the critic learns from generated samples only")
def detaches_the_real_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.detach(), fake_scores)


bank.reason(
    "Try the same scores in single and in double precision: which type should the result have each time, and what "
    "did you ask for yourself?"
)


@bank.mistake("everything is computed in single precision, and left there")
def halves_the_precision(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.float(), fake_scores.float())


@bank.mistake("everything is computed in double precision, and left there")
def doubles_the_precision(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.w1(real_scores.double(), fake_scores.double())


bank.reason(
    "The caller uses the scores again after this call. Print them before and after it: what is different, and "
    "which of your steps wrote there?"
)


@bank.mistake("the generated scores are negated in place")
def negates_in_place(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    value = objectives.w1(real_scores, fake_scores)
    fake_scores.data.neg_()
    return value


@bank.pair("returns_the_critics_loss", "keeps_the_axis")
def returns_the_critics_loss_and_keeps_the_axis(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return fake_scores.mean(0) - real_scores.mean(0)


@bank.pair("returns_the_critics_loss", "squashes_the_scores")
def returns_the_critics_loss_and_squashes_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return torch.sigmoid(fake_scores).mean() - torch.sigmoid(real_scores).mean()


@bank.pair("returns_the_critics_loss", "sums_the_batches")
def returns_the_critics_loss_and_sums_the_batches(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return fake_scores.sum() - real_scores.sum()


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
