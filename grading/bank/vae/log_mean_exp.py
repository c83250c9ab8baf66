"""Implementations of vae.log_mean_exp."""

import functools
import math

import torch
from torch import Tensor

from grading.bank import Bank

bank = Bank("vae.log_mean_exp")

bank.probe(torch.tensor([[-1000.0, 0.0, 0.0]], dtype=torch.float64))  # far from the minimum, and not from the mean


bank.reason(
    "What is the mean of five equal numbers, and what do you return for a row of them? Then put a second row below "
    "it, and see whether the result of the first one stays."
)


@bank.mistake("the division by K is missing, so that the sum is taken instead of the mean")
def forgets_to_divide(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1)


@bank.mistake("the sum is divided by the number of entries of the whole batch instead of K")
def divides_by_all_entries(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1) - math.log(y.numel())


@bank.mistake("the sum is divided by the batch size instead of K")
def divides_by_the_batch(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1) - math.log(len(y))


bank.reason(
    "Average the weights 4 and 0 by hand: how many are there? Then write down their logarithms, and count again."
)


@bank.mistake("values of -inf are left out of K, as if they had not been drawn")
def drops_terms_of_zero(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1) - y.isfinite().sum(1).to(y.dtype).log()


bank.reason(
    "Take the weights 1 and 100: what is the logarithm of their mean, and what is the mean of their logarithms? Which "
    "of the two do you return?"
)


@bank.mistake("the values themselves are averaged, which gives the mean of the logarithms")
def averages_the_logarithms(y: Tensor) -> Tensor:
    return y.mean(1)


bank.reason(
    "Take the row (3, 3, 3), and then (1003, 1003, 1003): what should each of them give, and by how much do your two "
    "results differ?"
)


@bank.mistake("the maximum is subtracted and not added back")
def forgets_to_add_the_maximum(y: Tensor) -> Tensor:
    return (y - y.amax(1, keepdim=True)).exp().mean(1).log()


bank.reason(
    "Write down every number that you exponentiate for the rows (0, 2000), (2000, 0) and (-2000, -2000) of one batch. "
    "Does any of them overflow, or do all of a row vanish?"
)


@bank.mistake("the exponentials are taken without a shift, so that they overflow or all vanish")
def exponentiates_directly(y: Tensor) -> Tensor:
    return y.exp().mean(1).log()


@bank.mistake("the shift is the maximum of the whole batch, so that rows far below it vanish")
def shifts_by_the_batch_maximum(y: Tensor) -> Tensor:
    m = y.max()
    return m + (y - m).exp().mean(1).log()


@bank.mistake("the shift is the first value of the row instead of its maximum, so that a larger one overflows")
def shifts_by_the_first(y: Tensor) -> Tensor:
    m = y[:, 0]
    return m + (y - m[:, None]).exp().mean(1).log()


@bank.mistake("the shift is the mean of the row instead of its maximum, so that its largest value may overflow")
def shifts_by_the_mean(y: Tensor) -> Tensor:
    m = y.mean(1, keepdim=True)
    return (m + (y - m).exp().mean(1, keepdim=True).log()).squeeze(1)


@bank.mistake("the shift is the minimum of the row instead of its maximum, so that its largest value may overflow")
def shifts_by_the_minimum(y: Tensor) -> Tensor:
    m = y.amin(1)
    return m + (y - m[:, None]).exp().mean(1).log()


bank.reason(
    "How large is the largest exponential of a row once you have shifted, and so how small can their mean become? "
    "What does the number that you add protect, and what does it change?"
)


@bank.mistake("a small number is added inside the logarithm, against a logarithm of 0")
def adds_an_epsilon(y: Tensor) -> Tensor:
    m = y.amax(1)
    return m + ((y - m[:, None]).exp().mean(1) + 1e-8).log()


bank.reason(
    "Write the shape beside every intermediate result for three rows of five samples, then for a single row. Which "
    "axis has to go, where does it go in your code, and what becomes of two different shapes that meet?"
)


@bank.mistake("the mean is taken over the batch instead of the samples")
def reduces_the_batch(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 0) - math.log(len(y))


@bank.mistake("a (B, 1) maximum is added to a (B,) logarithm, which gives (B, B)")
def broadcasts_the_maximum(y: Tensor) -> Tensor:
    m = y.amax(1, keepdim=True)
    return m + (y - m).exp().mean(1).log()


@bank.mistake("the axis of the samples is kept, which gives (B, 1)")
def keeps_the_axis(y: Tensor) -> Tensor:
    m = y.amax(1, keepdim=True)
    return m + (y - m).exp().mean(1, keepdim=True).log()


@bank.mistake("every axis of size one is squeezed away, also that of a batch of one")
def squeezes_everything(y: Tensor) -> Tensor:
    m = y.amax(1, keepdim=True)
    return (m + (y - m).exp().mean(1, keepdim=True).log()).squeeze()


bank.reason(
    "Add 1 to every value of a row: by how much does the result change? What must the gradient of that row sum to, "
    "then, and what does yours sum to?"
)


@bank.mistake("the maximum is held constant inside the exponential but not where it is added again")
def detaches_one_maximum(y: Tensor) -> Tensor:
    m = y.amax(1)
    return m + (y - m.detach()[:, None]).exp().mean(1).log()


@bank.mistake("the result is cut off from the graph, so that no gradient flows")
def rebuilds_from_numbers(y: Tensor) -> Tensor:
    values = [torch.logsumexp(row, 0).item() - math.log(len(row)) for row in y]
    return torch.tensor(values, dtype=y.dtype)


bank.reason("Call your function twice with the same tensor. What does y hold when the second call begins?")


@bank.mistake("the maximum is subtracted from the argument in place, which changes the caller's tensor")
def subtracts_in_place(y: Tensor) -> Tensor:
    m = y.detach().amax(1)
    y.data -= m[:, None]
    return m + y.exp().mean(1).log()


bank.reason(
    "Let y come in double precision and go through your lines: how many digits has each number that enters the "
    "result? Find the one that has only seven."
)


@bank.mistake("log K is rounded to single precision before it is subtracted")
def rounds_log_k(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1) - torch.log(torch.tensor(y.shape[1]))


@bank.mistake("the result is turned into single precision")
def returns_single_precision(y: Tensor) -> Tensor:
    return (torch.logsumexp(y, 1) - math.log(y.shape[1])).float()


@bank.mistake("the argument is turned into single precision")
def computes_in_single_precision(y: Tensor) -> Tensor:
    return torch.logsumexp(y.float(), 1) - math.log(y.shape[1])


@bank.pair("forgets_to_divide", "exponentiates_directly")
def forgets_to_divide_and_exponentiates_directly(y: Tensor) -> Tensor:
    return y.exp().sum(1).log()


@bank.pair("forgets_to_divide", "broadcasts_the_maximum")
def forgets_to_divide_and_broadcasts_the_maximum(y: Tensor) -> Tensor:
    m = y.amax(1, keepdim=True)
    return m + (y - m).exp().sum(1).log()


@bank.pair("exponentiates_directly", "adds_an_epsilon")
def exponentiates_directly_and_adds_an_epsilon(y: Tensor) -> Tensor:
    return (y.exp().mean(1) + 1e-8).log()


@bank.pair("forgets_to_divide", "keeps_the_axis")
def forgets_to_divide_and_keeps_the_axis(y: Tensor) -> Tensor:
    return torch.logsumexp(y, 1, keepdim=True)


@bank.alternative("the formula of the docstring, with gradients through the maximum")
def by_hand(y: Tensor) -> Tensor:
    m = y.amax(1, keepdim=True)
    return (m + (y - m).exp().mean(1, keepdim=True).log()).squeeze(1)


@bank.alternative("the maximum is a constant in both places, which changes no gradient")
def by_a_constant_maximum(y: Tensor) -> Tensor:
    with torch.no_grad():
        m, _ = y.max(dim=1)
    return (y - m.unsqueeze(1)).exp().sum(1).log() - math.log(y.size(1)) + m


@bank.alternative("one row after another")
def by_rows(y: Tensor) -> Tensor:
    return torch.stack([row.max() + torch.log(torch.exp(row - row.max()).mean()) for row in y])


@bank.alternative("one sample after another is added in the log domain")
def by_adding_samples(y: Tensor) -> Tensor:
    return functools.reduce(torch.logaddexp, y.unbind(1)) - math.log(y.shape[1])


@bank.alternative("log K is subtracted from each value first, and the last of the running sums is kept")
def by_running_sums(y: Tensor) -> Tensor:
    return torch.logcumsumexp(y - math.log(y.shape[1]), dim=-1)[:, -1]
