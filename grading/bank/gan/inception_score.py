"""Implementations of gan.inception_score."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from grading.bank import Bank
from solutions.gan import scores

bank = Bank("gan.inception_score")


def _divergences(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) of rows, with 0 log 0 = 0."""
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(1)


def _to_the_average(p: Tensor) -> Tensor:
    return _divergences(p, p.mean(0, keepdim=True))


bank.reason(
    "Take two images that a classifier is certain of, one in each of two classes. What should the score be, what "
    "is the divergence of each image, and what do your steps make of the two?"
)


@bank.mistake("the exponential is missing")
def forgets_the_exponential(probabilities: Tensor) -> Tensor:
    return _to_the_average(probabilities).mean()


@bank.mistake("the divergences are summed over the images, not averaged")
def sums_the_images(probabilities: Tensor) -> Tensor:
    return _to_the_average(probabilities).sum().exp()


@bank.mistake("the divergence is averaged over the classes too, as F.kl_div does unless it is told otherwise")
def averages_the_classes(probabilities: Tensor) -> Tensor:
    return torch.exp(_to_the_average(probabilities).mean() / probabilities.shape[1])


@bank.mistake("the logarithms are of base 2, but the power is one of e")
def mixes_the_bases(probabilities: Tensor) -> Tensor:
    return torch.exp(_to_the_average(probabilities).mean() / torch.log(torch.tensor(2.0, dtype=probabilities.dtype)))


@bank.mistake("the sign of the exponent is turned")
def turns_the_sign(probabilities: Tensor) -> Tensor:
    return torch.exp(-_to_the_average(probabilities).mean())


bank.reason(
    "Suppose that one image has the divergence 0, and another one log 9. What is the exponential of their mean, "
    "what is the mean of their exponentials, and which of the two is the score?"
)


@bank.mistake("the exponential is taken of each divergence, before the mean")
def averages_the_exponentials(probabilities: Tensor) -> Tensor:
    return _to_the_average(probabilities).exp().mean()


bank.reason(
    "A divergence is an average of log p - log q under one of the two. Take the row (1, 0) and the average row "
    "(1/2, 1/2): in which order is it finite, and which of the two orders is yours?"
)


@bank.mistake("the divergence runs from the average row to each row")
def turns_the_divergence(probabilities: Tensor) -> Tensor:
    p = probabilities
    return _divergences(p.mean(0).expand_as(p), p).mean().exp()


@bank.mistake("F.kl_div is given its arguments the way the formula is written, which turns the divergence")
def exchanges_the_arguments_of_kl_div(probabilities: Tensor) -> Tensor:
    p = probabilities
    return torch.exp(F.kl_div(p.log(), p.mean(0).expand_as(p), reduction="batchmean"))


bank.reason(
    "A classifier may be certain, and a class may be empty. Follow a 0 in a row, and a 0 in the average row, "
    "through your logarithms and products: what should each contribute, and what is it in yours, to many digits?"
)


@bank.mistake("the logarithm of 0 is taken and multiplied by 0, which gives nan")
def multiplies_zero_by_infinity(probabilities: Tensor) -> Tensor:
    p = probabilities
    return (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()


@bank.mistake("F.kl_div is given the logarithm of the average row, which is -inf for a class that nobody is in")
def takes_the_logarithm_of_an_unused_class(probabilities: Tensor) -> Tensor:
    p = probabilities
    return torch.exp(F.kl_div(p.mean(0).log().expand_as(p), p, reduction="batchmean"))


@bank.mistake("0 is divided by 0 for a class that nobody is in")
def divides_by_an_unused_class(probabilities: Tensor) -> Tensor:
    p = probabilities
    return torch.special.xlogy(p, p / p.mean(0)).sum(1).mean().exp()


@bank.mistake("a small number is added inside the logarithms")
def adds_a_small_number(probabilities: Tensor) -> Tensor:
    p = probabilities
    return (p * (torch.log(p + 1e-6) - torch.log(p.mean(0) + 1e-6))).sum(1).mean().exp()


bank.reason(
    "Write a table of three images and two classes. How many entries has the average row, over what is each of "
    "them averaged, and what is their sum? Ask the same of what you compare the rows with."
)


@bank.mistake("the rows are averaged over the classes of an image instead of over the images")
def averages_along_the_classes(probabilities: Tensor) -> Tensor:
    p = probabilities
    return _divergences(p, p.mean(1, keepdim=True).expand_as(p)).mean().exp()


@bank.mistake("the average row is brought to the sum 1 along the images, so that it is all ones")
def normalises_the_wrong_axis(probabilities: Tensor) -> Tensor:
    p = probabilities
    average = p.mean(0, keepdim=True)
    return _divergences(p, average / average.sum(0, keepdim=True)).mean().exp()


@bank.mistake("the sum over the images stands for the average row")
def compares_with_the_sum(probabilities: Tensor) -> Tensor:
    return _divergences(probabilities, probabilities.sum(0)).mean().exp()


@bank.mistake("each row is compared with even classes instead of with the average row")
def compares_with_even_classes(probabilities: Tensor) -> Tensor:
    even = torch.full_like(probabilities, 1 / probabilities.shape[1])
    return _divergences(probabilities, even).mean().exp()


@bank.mistake("the images are split into ten parts, each with an average row of its own")
def splits_the_images(probabilities: Tensor) -> Tensor:
    return torch.stack([scores.inception_score(part) for part in probabilities.chunk(10)]).mean()


bank.reason(
    "Take a classifier that gives every image the row (1/2, 1/2). Which two entropies does the score compare, "
    "what are they here, what should the score be, and what is yours?"
)


@bank.mistake("only the evenness counts, as the exponential of the entropy of the average row")
def forgets_the_rows(probabilities: Tensor) -> Tensor:
    return torch.special.entr(probabilities.mean(0)).sum().exp()


@bank.mistake("the entropies are added instead of subtracted from one another")
def adds_the_entropies(probabilities: Tensor) -> Tensor:
    p = probabilities
    return torch.exp(torch.special.entr(p.mean(0)).sum() + torch.special.entr(p).sum(1).mean())


@bank.mistake("the average row is left out, so that only the rows' negative entropies are averaged")
def takes_the_negative_entropy_only(probabilities: Tensor) -> Tensor:
    return torch.special.xlogy(probabilities, probabilities).sum(1).mean().exp()


bank.reason(
    "The rows are distributions already, and need nothing done to them. What do you make of the rows (1, 0) and "
    "(0.6, 0.4) before the formula begins?"
)


@bank.mistake("the probabilities are raised to 1e-3 where they are smaller")
def raises_small_probabilities(probabilities: Tensor) -> Tensor:
    return scores.inception_score(probabilities.clamp(min=1e-3))


@bank.mistake("only the most likely class of each image counts")
def rounds_to_the_likeliest_class(probabilities: Tensor) -> Tensor:
    classes = probabilities.shape[1]
    return scores.inception_score(F.one_hot(probabilities.argmax(1), classes).to(probabilities.dtype))


@bank.mistake("softmax is taken of what are probabilities already")
def takes_softmax_again(probabilities: Tensor) -> Tensor:
    return scores.inception_score(probabilities.softmax(1))


bank.reason(
    "Write down the shape and the type after each of your steps, for rows in single and in double precision. What "
    "should be left at the end, and what is?"
)


@bank.mistake("a pair is returned, mean and standard deviation over splits")
def returns_a_pair(probabilities: Tensor) -> tuple[Tensor, Tensor]:
    value = scores.inception_score(probabilities)
    return value, torch.zeros_like(value)


@bank.mistake("the averaged axes are kept, so that the result is (1, 1)")
def keeps_the_axes(probabilities: Tensor) -> Tensor:
    p = probabilities
    return _to_the_average(p).reshape(-1, 1).mean(0, keepdim=True).exp()


@bank.mistake("a Python number is returned")
def returns_a_number_of_python(probabilities: Tensor) -> float:
    return scores.inception_score(probabilities).item()


@bank.mistake("everything is computed in double precision, and left there")
def doubles_the_precision(probabilities: Tensor) -> Tensor:
    return scores.inception_score(probabilities.double())


bank.reason(
    "The caller may need the probabilities again. Print them before and after the call: what is different, and "
    "which of your steps wrote there?"
)


@bank.mistake("zeros are raised to 1e-16 in place, which changes the caller's probabilities")
def raises_zeros_in_place(probabilities: Tensor) -> Tensor:
    p = probabilities.clamp_(min=1e-16)
    return (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()


@bank.pair("forgets_the_exponential", "multiplies_zero_by_infinity")
def forgets_the_exponential_and_multiplies_zero_by_infinity(probabilities: Tensor) -> Tensor:
    p = probabilities
    return (p * (p.log() - p.mean(0).log())).sum(1).mean()


@bank.pair("exchanges_the_arguments_of_kl_div", "averages_the_classes")
def exchanges_the_arguments_and_averages_the_classes(probabilities: Tensor) -> Tensor:
    p = probabilities
    return torch.exp(F.kl_div(p.log(), p.mean(0).expand_as(p), reduction="none").mean())


@bank.pair("splits_the_images", "adds_a_small_number")
def splits_the_images_and_adds_a_small_number(probabilities: Tensor) -> Tensor:
    return torch.stack([adds_a_small_number(part) for part in probabilities.chunk(10)]).mean()


@bank.alternative("the mean of the divergences, with xlogy for 0 log 0")
def by_divergences(probabilities: Tensor) -> Tensor:
    return _to_the_average(probabilities).mean().exp()


@bank.alternative("1e-16 is added inside the logarithms, which no sum of products shows")
def by_a_tiny_number(probabilities: Tensor) -> Tensor:
    p = probabilities
    return torch.exp((p * (torch.log(p + 1e-16) - torch.log(p.mean(0, keepdim=True) + 1e-16))).sum(1).mean())


@bank.alternative("one image after the other, its classes of probability 0 left out")
def by_images(probabilities: Tensor) -> Tensor:
    average = probabilities.sum(0) / len(probabilities)
    total = probabilities.new_zeros(())
    for row in probabilities:
        seen = row > 0
        total += (row[seen] * torch.log(row[seen] / average[seen])).sum()
    return torch.exp(total / len(probabilities))


@bank.alternative("F.kl_div, the average row raised to where its logarithm is finite")
def by_kl_div(probabilities: Tensor) -> Tensor:
    average = probabilities.mean(dim=0).clamp(min=1e-30).log()
    return F.kl_div(average.expand_as(probabilities), probabilities, reduction="batchmean").exp()


@bank.alternative("the entropies in bits, and the power of 2")
def by_powers_of_two(probabilities: Tensor) -> Tensor:
    p = torch.cat([probabilities.mean(0, keepdim=True), probabilities])
    bits = -torch.where(p > 0, p * torch.log2(torch.where(p > 0, p, torch.ones_like(p))), torch.zeros_like(p)).sum(1)
    return 2 ** (bits[0] - bits[1:].mean())


@bank.alternative("torch.distributions knows the divergence of two categorical distributions, and raises zeros itself")
def by_distributions(probabilities: Tensor) -> Tensor:
    p = Categorical(probs=probabilities)
    average = Categorical(probs=probabilities.mean(0).expand_as(probabilities))
    return kl_divergence(p, average).mean().exp()
