"""Implementations of gan.jsd."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank
from solutions.gan import objectives

bank = Bank("gan.jsd")
LOG_4 = math.log(4)


def _pieces(real_scores: Tensor, fake_scores: Tensor) -> tuple[Tensor, Tensor]:
    """The terms of both batches, one for each score."""
    return F.logsigmoid(real_scores), F.logsigmoid(-fake_scores)


bank.reason(
    "Take a critic that knows nothing and scores every sample 0: by how much has it found the two distributions "
    "to differ, and what does your formula say there?"
)


@bank.mistake("log 4 is left out")
def forgets_log_4(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return 0.5 * (real.mean() + fake.mean())


@bank.mistake("log 2 stands for log 4 inside the bracket")
def adds_log_2(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return 0.5 * (real.mean() + fake.mean() + math.log(2))


@bank.mistake("log 4 is added after the half was taken")
def adds_log_4_outside(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return 0.5 * (real.mean() + fake.mean()) + LOG_4


bank.reason(
    "Take two distributions that never overlap, and a critic that is sure of every sample. How large is the "
    "divergence then, in nats, and what does your formula make of such a critic?"
)


@bank.mistake("the half is missing")
def forgets_the_half(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return real.mean() + fake.mean() + LOG_4


@bank.mistake("the logarithms are those of base 2, so that the value is in bits")
def measures_in_bits(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(real_scores, fake_scores) / math.log(2)


bank.reason(
    "A loss falls while a critic learns. Let the real scores rise and the generated ones fall: should this number "
    "rise or fall with that, and what does yours do?"
)


@bank.mistake("the sign is turned, as in a loss for the critic to lower, where the divergence is what it raises")
def returns_the_critics_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return -objectives.jsd(real_scores, fake_scores)


@bank.mistake("binary cross-entropy is added with the sign of a loss")
def adds_the_cross_entropy(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real = F.binary_cross_entropy_with_logits(real_scores, torch.ones_like(real_scores))
    fake = F.binary_cross_entropy_with_logits(fake_scores, torch.zeros_like(fake_scores))
    return math.log(2) + 0.5 * (real + fake)


bank.reason(
    "Take one real sample with the score 5 and one generated sample with the score -5, so that the critic is "
    "right about both. Which terms of the formula are near 0 then, and which of yours?"
)


@bank.mistake("the two batches are exchanged")
def exchanges_the_batches(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(fake_scores, real_scores)


@bank.mistake("the labels are exchanged in binary cross-entropy: 0 for real and 1 for generated")
def exchanges_the_labels(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real = F.binary_cross_entropy_with_logits(real_scores, torch.zeros_like(real_scores))
    fake = F.binary_cross_entropy_with_logits(fake_scores, torch.ones_like(fake_scores))
    return math.log(2) - 0.5 * (real + fake)


@bank.mistake("the generated scores are not negated before log sigmoid is taken")
def forgets_the_minus(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return 0.5 * (F.logsigmoid(real_scores).mean() + F.logsigmoid(fake_scores).mean() + LOG_4)


bank.reason(
    "Two different functions of a generated score are in use for training, and both fall as the score rises. Work "
    "out both at the score -5: which of the two stands in the theorem, and which one is yours?"
)


@bank.mistake("the generator's non-saturating objective, -log sigmoid of its scores, stands for log(1 - sigmoid)")
def does_not_saturate(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return 0.5 * (F.logsigmoid(real_scores).mean() - F.logsigmoid(fake_scores).mean() + LOG_4)


bank.reason(
    "Each term of the formula is a function of one score alone. Follow a score from the critic to the logarithm: "
    "what happens to it on the way, and what if 3 is added to all scores, real and generated?"
)


@bank.mistake("the real scores are compared with the mean of the generated ones, and the other way round")
def is_relativistic(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(real_scores - fake_scores.mean(), fake_scores - real_scores.mean())


@bank.mistake("the sigmoid is taken twice, as if the cross-entropy of logits wanted probabilities")
def takes_the_sigmoid_twice(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(torch.sigmoid(real_scores), torch.sigmoid(fake_scores))


bank.reason(
    "Take generated scores of 40 and of 800, and follow them through your code, one operation at a time, with the "
    "digits that a floating-point number has. After which step is one of them lost, or can the two no longer be "
    "told apart?"
)


@bank.mistake("the logarithm of sigmoid is taken in two steps, which gives -inf where sigmoid rounds to 0 or to 1")
def takes_the_logarithm_of_the_sigmoid(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = torch.sigmoid(real_scores), torch.sigmoid(fake_scores)
    return 0.5 * (torch.log(real).mean() + torch.log(1 - fake).mean() + LOG_4)


@bank.mistake("binary cross-entropy is taken of probabilities, after a sigmoid that rounds to 0 and 1")
def takes_the_cross_entropy_of_probabilities(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = torch.sigmoid(real_scores), torch.sigmoid(fake_scores)
    loss = F.binary_cross_entropy(real, torch.ones_like(real)) + F.binary_cross_entropy(fake, torch.zeros_like(fake))
    return math.log(2) - 0.5 * loss


@bank.mistake("the sigmoid of a generated score is subtracted from 1, which rounds to 0, before the logarithm is taken")
def subtracts_the_sigmoid_from_one(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    fake = torch.log(1 - torch.sigmoid(fake_scores))
    return 0.5 * (F.logsigmoid(real_scores).mean() + fake.mean() + LOG_4)


@bank.mistake("1 - sigmoid is computed for scores in single precision, and a small number added to it")
def rounds_in_single_precision(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    if real_scores.dtype != torch.float32:
        return objectives.jsd(real_scores, fake_scores)
    real, fake = torch.sigmoid(real_scores), torch.sigmoid(fake_scores)
    return 0.5 * (torch.log(real).mean() + torch.log(1 - fake + 1e-3).mean() + LOG_4)


@bank.mistake("the logarithm of 1 + exp is written out, whose exponential overflows")
def writes_softplus_out(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = torch.log(1 + torch.exp(-real_scores)), torch.log(1 + torch.exp(fake_scores))
    return 0.5 * (LOG_4 - real.mean() - fake.mean())


bank.reason(
    "The formula has a value and a slope for every score, be it 0, 50 or 500, and for estimates below 0 too. What "
    "are both where your bound, your small number or your case distinction takes effect, and can a critic still "
    "learn there?"
)


@bank.mistake("1e-8 is added inside the logarithms")
def adds_a_small_number(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = torch.sigmoid(real_scores), torch.sigmoid(fake_scores)
    return 0.5 * (torch.log(real + 1e-8).mean() + torch.log(1 - fake + 1e-8).mean() + LOG_4)


@bank.mistake("the probabilities are clamped away from 0 and 1, where no gradient is left")
def clamps_the_probabilities(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = (torch.sigmoid(s).clamp(1e-12, 1 - 1e-12) for s in (real_scores, fake_scores))
    return 0.5 * (torch.log(real).mean() + torch.log(1 - fake).mean() + LOG_4)


@bank.mistake("the scores are clamped to [-30, 30]")
def clamps_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(real_scores.clamp(-30, 30), fake_scores.clamp(-30, 30))


@bank.mistake("values below 0 are raised to 0, because a divergence is never negative")
def clamps_at_zero(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(real_scores, fake_scores).clamp(min=0)


@bank.mistake(
    "the stable form is written with relu and abs, whose derivatives at 0 are 0 both: a new critic never learns"
)
def has_no_slope_at_zero(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = (F.relu(s) + torch.log1p(torch.exp(-s.abs())) for s in (-real_scores, fake_scores))
    return 0.5 * (LOG_4 - real.mean() - fake.mean())


bank.reason(
    "Take two real and six generated samples. How much does one real score count in the formula, how much one "
    "generated score, and how much do they count in yours?"
)


@bank.mistake("the sums over the batches are taken instead of the means")
def sums_the_batches(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return 0.5 * (real.sum() + fake.sum() + LOG_4)


@bank.mistake("one mean is taken over both batches, in which the larger one counts more")
def takes_one_mean_of_both(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return torch.cat(_pieces(real_scores, fake_scores)).mean() + math.log(2)


@bank.mistake("the two batches are added score by score, which only fits batches of one size")
def pairs_the_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return 0.5 * (real + fake + LOG_4).mean()


bank.reason(
    "Critics give scores (n,) or (n, 1), and the two batches may differ in size. Write down the shape after each "
    "of your steps for 2 and 6 scores of both kinds: which axis is left at the end?"
)


@bank.mistake("the mean runs over the first axis only, so that scores (n, 1) give the shape (1,)")
def keeps_the_axis(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return 0.5 * (real.mean(0) + fake.mean(0) + LOG_4)


@bank.mistake("one value for each pair of scores is returned")
def forgets_the_mean(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores.flatten(), fake_scores.flatten())
    return 0.5 * (real[:, None] + fake + LOG_4)


bank.reason(
    "Both players learn from this number, each through one of the arguments, and the caller uses the scores "
    "again. Follow the way back from the result to both arguments: where does it end, and are the scores still "
    "what they were?"
)


@bank.mistake("a Python number is returned, which trains nobody")
def returns_a_number_of_python(real_scores: Tensor, fake_scores: Tensor) -> float:
    return objectives.jsd(real_scores, fake_scores).item()


@bank.mistake("the generated scores are detached, so that the generator learns nothing")
def detaches_the_generated_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(real_scores, fake_scores.detach())


@bank.mistake("the real scores are detached, so that the critic learns from generated samples only")
def detaches_the_real_scores(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(real_scores.detach(), fake_scores)


@bank.mistake("the generated scores are negated in place")
def negates_in_place(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    value = objectives.jsd(real_scores, fake_scores)
    fake_scores.data.neg_()
    return value


bank.reason(
    "Try the same scores in single and in double precision. Which type, and how many right digits, should the "
    "result have each time, and which of your numbers brings a precision of its own?"
)


@bank.mistake("the constant is rounded to single precision")
def rounds_the_constant(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return 0.5 * (real.mean() + fake.mean() + torch.log(torch.tensor(4.0)))


@bank.mistake("everything is computed in double precision, and left there")
def doubles_the_precision(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return objectives.jsd(real_scores.double(), fake_scores.double())


@bank.pair("forgets_log_4", "forgets_the_half")
def forgets_log_4_and_the_half(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return real.mean() + fake.mean()


@bank.pair("forgets_log_4", "returns_the_critics_loss")
def forgets_log_4_and_returns_the_critics_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = _pieces(real_scores, fake_scores)
    return -0.5 * (real.mean() + fake.mean())


@bank.pair("forgets_log_4", "takes_the_logarithm_of_the_sigmoid")
def forgets_log_4_and_takes_the_logarithm_of_the_sigmoid(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = torch.sigmoid(real_scores), torch.sigmoid(fake_scores)
    return 0.5 * (torch.log(real).mean() + torch.log(1 - fake).mean())


@bank.pair("takes_the_logarithm_of_the_sigmoid", "forgets_the_half")
def takes_the_logarithm_of_the_sigmoid_and_forgets_the_half(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = torch.sigmoid(real_scores), torch.sigmoid(fake_scores)
    return torch.log(real).mean() + torch.log(1 - fake).mean() + LOG_4


@bank.alternative("binary cross-entropy of logits, with its sign turned")
def by_cross_entropy(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real = F.binary_cross_entropy_with_logits(real_scores, torch.ones_like(real_scores))
    fake = F.binary_cross_entropy_with_logits(fake_scores, torch.zeros_like(fake_scores))
    return math.log(2) - (real + fake) / 2


@bank.alternative("softplus of both scores")
def by_softplus(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return LOG_4 / 2 - (F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()) / 2


@bank.alternative("the logarithm of 1 + exp as logaddexp with 0")
def by_logaddexp(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    zero = real_scores.new_zeros(())
    return -0.5 * (torch.logaddexp(zero, -real_scores).mean() + torch.logaddexp(zero, fake_scores).mean()) + math.log(2)


@bank.alternative("the stable form by hand, with a minimum whose derivative at 0 is one half")
def by_a_minimum(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    real, fake = (
        torch.minimum(s, torch.zeros_like(s)) - torch.log1p(torch.exp(-s.abs())) for s in (real_scores, -fake_scores)
    )
    return (real.mean() + fake.mean() + LOG_4) / 2


@bank.alternative("one score after the other is added up")
def by_a_loop(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    total = real_scores.new_tensor(math.log(2))
    for score in real_scores.flatten():
        total = total + F.logsigmoid(score) / (2 * real_scores.numel())
    for score in fake_scores.flatten():
        total = total + (F.logsigmoid(score) - score) / (2 * fake_scores.numel())
    return total


@bank.alternative("both batches in one tensor, with a weight for each score")
def by_weights(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    pieces = torch.cat([t.flatten() for t in _pieces(real_scores, fake_scores)])
    n, m = len(real_scores), len(fake_scores)
    weights = torch.tensor([0.5 / n] * n + [0.5 / m] * m, dtype=pieces.dtype)
    return weights @ pieces + math.log(2)
