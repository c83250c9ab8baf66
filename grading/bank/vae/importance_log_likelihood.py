"""Implementations of vae.importance_log_likelihood."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

from grading.bank import Bank
from solutions.vae import bounds
from tests.support.models import LinearDecoder, LinearEncoder

bank = Bank("vae.importance_log_likelihood")
F64 = torch.float64
# Chunks of 100 samples, and 30 that are left: few enough for whoever draws them one by one.
bank.probe(
    torch.tensor([[0.5, -1.0]], dtype=F64),
    LinearEncoder(torch.tensor([[0.4, 0.1]], dtype=F64), torch.zeros(1, dtype=F64), torch.zeros(1, dtype=F64)),
    LinearDecoder(torch.tensor([[1.0], [-0.5]], dtype=F64), torch.zeros(2, dtype=F64), 0.7),
    130,
)


def _log_normal(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    """The log-density, summed over the last axis."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 * torch.exp(-logvar)).sum(-1)


def _log_prior(z: Tensor) -> Tensor:
    return _log_normal(torch.zeros_like(z), torch.zeros_like(z), z)


def _draw(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)


def _one_weight(x: Tensor, mu: Tensor, logvar: Tensor, decode: Any) -> Tensor:
    """The logarithm of one weight of each instance, (batch,)."""
    z = _draw(mu, logvar)
    return decode(z).log_prob(x) + _log_prior(z) - _log_normal(mu, logvar, z)


def _log_weights(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    """The logarithms of the weights, sample by sample, (batch, K)."""
    mu, logvar = encode(x)
    return torch.stack([_one_weight(x, mu, logvar, decode) for _ in range(num_samples)], 1)


bank.reason(
    "Let q be the exact posterior: what does Bayes' rule make of p(x | z) p(z) / q(z | x)? Work out whether z cancels "
    "from your weight."
)


@bank.mistake("the prior p(z) is missing from the weights")
@torch.no_grad()
def forgets_the_prior(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = []
    for _ in range(num_samples):
        z = _draw(mu, logvar)
        log_weights.append(decode(z).log_prob(x) - _log_normal(mu, logvar, z))
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


@bank.mistake("the weights are p(x | z) alone, without p(z) / q(z | x)")
@torch.no_grad()
def forgets_prior_and_proposal(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = [decode(_draw(mu, logvar)).log_prob(x) for _ in range(num_samples)]
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


@bank.mistake("the proposal q(z | x) is missing from the weights")
@torch.no_grad()
def forgets_the_proposal(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = []
    for _ in range(num_samples):
        z = _draw(mu, logvar)
        log_weights.append(decode(z).log_prob(x) + _log_prior(z))
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


@bank.mistake("the prior and the proposal are swapped in the weights")
@torch.no_grad()
def swaps_prior_and_proposal(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = []
    for _ in range(num_samples):
        z = _draw(mu, logvar)
        log_weights.append(decode(z).log_prob(x) - _log_prior(z) + _log_normal(mu, logvar, z))
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


bank.reason(
    "The width of q counts twice: where z is drawn, and where its density is taken. Let sigma be 2, and write down "
    "the number that each of the two places gets."
)


@bank.mistake("the samples are spread with exp(logvar) as the standard deviation, but weighted as if they were from q")
@torch.no_grad()
def takes_the_variance_for_the_deviation(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = []
    for _ in range(num_samples):
        z = mu + torch.exp(logvar) * torch.randn_like(mu)
        log_weights.append(decode(z).log_prob(x) + _log_prior(z) - _log_normal(mu, logvar, z))
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


@bank.mistake("log q is taken with the standard deviation where the log variance belongs")
@torch.no_grad()
def weighs_with_another_q(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = []
    for _ in range(num_samples):
        z = _draw(mu, logvar)
        log_q = _log_normal(mu, torch.exp(0.5 * logvar), z)
        log_weights.append(decode(z).log_prob(x) + _log_prior(z) - log_q)
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


bank.reason(
    "Take two samples with the weights 1 and 9. Work out the logarithm of their mean, and then what you make of log 1 "
    "and log 9."
)


@bank.mistake("log K is not subtracted, so that the weights are summed instead of averaged")
@torch.no_grad()
def forgets_log_k(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return torch.logsumexp(_log_weights(x, encode, decode, num_samples), 1)


@bank.mistake("the mean of the logarithms of the weights is taken, which gives the ELBO")
@torch.no_grad()
def averages_the_logarithms(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return _log_weights(x, encode, decode, num_samples).mean(1)


@bank.mistake("the best weight is taken instead of the mean of all")
@torch.no_grad()
def takes_the_best_weight(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return _log_weights(x, encode, decode, num_samples).amax(1)


bank.reason(
    "An image of many pixels has a log-probability of -800, say. What is the probability itself in your dtype, and "
    "what is left of a mean of such numbers?"
)


@bank.mistake("the weights are exponentiated before they are averaged, so that those of an improbable image all vanish")
@torch.no_grad()
def exponentiates_directly(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return _log_weights(x, encode, decode, num_samples).exp().mean(1).log()


bank.reason(
    "Go through five samples, and through five images, in pieces of two: how much does each sample count in your "
    "result, and is every image there? Would one large piece give the same?"
)


@bank.mistake("the samples are taken in chunks of 100, and the chunks' means are averaged as if all were of one length")
@torch.no_grad()
def averages_chunks_of_unequal_size(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    chunks = _log_weights(x, encode, decode, num_samples).split(100, 1)
    means = torch.stack([torch.logsumexp(c, 1) - math.log(c.shape[1]) for c in chunks], 1)
    return torch.logsumexp(means, 1) - math.log(len(chunks))


@bank.mistake("the samples are taken in chunks of 100, and the logarithms of the chunks' means are averaged")
@torch.no_grad()
def averages_the_logarithms_of_chunks(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    chunks = _log_weights(x, encode, decode, num_samples).split(100, 1)
    return torch.stack([torch.logsumexp(c, 1) - math.log(c.shape[1]) for c in chunks], 1).mean(1)


@bank.mistake("the samples are taken in chunks of 50, and the last, shorter chunk is dropped")
@torch.no_grad()
def drops_the_last_samples(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    full = max(num_samples // 50 * 50, min(num_samples, 50))
    return torch.logsumexp(_log_weights(x, encode, decode, full), 1) - math.log(full)


@bank.mistake("the images are taken in chunks of 10, and the last, shorter chunk is dropped")
@torch.no_grad()
def drops_the_last_images(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    kept = x[: max(len(x) // 10 * 10, min(len(x), 10))]
    return torch.logsumexp(_log_weights(kept, encode, decode, num_samples), 1) - math.log(num_samples)


bank.reason(
    "Number three images and two draws of each. Write down which image and which draw every row holds, which of them "
    "each number of the result is made of, and the shape of the result."
)


@bank.mistake("the mean over the batch is returned")
@torch.no_grad()
def averages_the_batch(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return (torch.logsumexp(_log_weights(x, encode, decode, num_samples), 1) - math.log(num_samples)).mean()


@bank.mistake("every instance gets the mean over the batch")
@torch.no_grad()
def spreads_the_mean_of_the_batch(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    each = torch.logsumexp(_log_weights(x, encode, decode, num_samples), 1) - math.log(num_samples)
    return torch.full_like(each, float(each.mean()))


@bank.mistake("the mean is taken over the images instead of the samples")
@torch.no_grad()
def averages_over_the_images(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return torch.logsumexp(_log_weights(x, encode, decode, num_samples), 0) - math.log(len(x))


@bank.mistake("images are repeated in one order and their weights read in the other, so that images and samples mix")
@torch.no_grad()
def mixes_images_and_samples(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = []
    for rows in torch.arange(len(x) * num_samples).split(2000):
        image = rows % len(x)
        log_weights.append(_one_weight(x[image], mu[image], logvar[image], decode))
    return torch.logsumexp(torch.cat(log_weights).view(len(x), num_samples), 1) - math.log(num_samples)


@bank.mistake("the images are taken in pieces of ten, which are put together in reversed order")
def reverses_the_pieces(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    pieces = [bounds.importance_log_likelihood(piece, encode, decode, num_samples) for piece in x.split(10)]
    return torch.cat(pieces[::-1])


@bank.mistake("the axis of the samples is kept, so that the result is (batch, 1)")
@torch.no_grad()
def keeps_the_axis(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    log_weights = _log_weights(x, encode, decode, num_samples)
    return torch.logsumexp(log_weights, 1, keepdim=True) - math.log(num_samples)


bank.reason(
    "Mark every number of noise in two calls on two images with three draws each, one image a piece. Which of them "
    "have to be independent, and which are the same with you?"
)


@bank.mistake("all images share the noise of their samples")
@torch.no_grad()
def shares_noise_between_images(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = []
    for _ in range(num_samples):
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu[:1])
        log_weights.append(decode(z).log_prob(x) + _log_prior(z) - _log_normal(mu, logvar, z))
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


@bank.mistake("one sample is drawn and used num_samples times")
@torch.no_grad()
def uses_one_sample_again(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    z = _draw(mu, logvar)
    log_weights = [decode(z).log_prob(x) + _log_prior(z) - _log_normal(mu, logvar, z) for _ in range(num_samples)]
    return torch.logsumexp(torch.stack(log_weights, 1), 1) - math.log(num_samples)


@bank.mistake("the noise of the first fifty images is used again for the next fifty")
def reuses_noise_between_pieces(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    state = torch.get_rng_state()
    values = []
    for piece in x.split(50):
        torch.set_rng_state(state)
        values.append(bounds.importance_log_likelihood(piece, encode, decode, num_samples))
    return torch.cat(values)


@bank.mistake("the generator is seeded inside the function, so that every call draws the same noise")
def seeds_the_generator(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    torch.manual_seed(0)
    return bounds.importance_log_likelihood(x, encode, decode, num_samples)


bank.reason(
    "10,000 images of 784 pixels, 200 draws of each, four bytes a number: how much is that? What does torch keep "
    "beside it for a backward pass, and does anybody ask for one?"
)


@bank.mistake("all samples of all images are held at once, which is far more than there is memory for")
@torch.no_grad()
def holds_all_samples_at_once(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = (t.repeat_interleave(num_samples, 0) for t in encode(x))
    rows = _one_weight(x.repeat_interleave(num_samples, 0), mu, logvar, decode)
    return torch.logsumexp(rows.view(len(x), num_samples), 1) - math.log(num_samples)


@bank.mistake("the graph is kept, as nothing says that this is an evaluation")
def keeps_the_graph(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return torch.logsumexp(_log_weights(x, encode, decode, num_samples), 1) - math.log(num_samples)


bank.reason(
    "Let the images come in double precision and go through your lines: how many digits does each intermediate result "
    "keep? Find the one after which only seven are left."
)


@bank.mistake("the weights are collected in a tensor of the default precision, whatever the data are in")
@torch.no_grad()
def collects_in_single_precision(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    log_weights = torch.zeros(len(x), num_samples)
    for k in range(num_samples):
        log_weights[:, k] = _one_weight(x, mu, logvar, decode)
    return torch.logsumexp(log_weights, 1) - math.log(num_samples)


bank.reason("Call your function twice with the same images. What are they when the second call begins?")


@bank.mistake("the caller's images are overwritten once they are no longer needed here")
def overwrites_the_images(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    value = bounds.importance_log_likelihood(x, encode, decode, num_samples)
    x.zero_()
    return value


@bank.pair("forgets_prior_and_proposal", "averages_the_logarithms")
@torch.no_grad()
def forgets_prior_and_proposal_and_averages_the_logarithms(
    x: Tensor, encode: Any, decode: Any, num_samples: int
) -> Tensor:
    mu, logvar = encode(x)
    return torch.stack([decode(_draw(mu, logvar)).log_prob(x) for _ in range(num_samples)], 1).mean(1)


@bank.pair("forgets_log_k", "averages_the_batch")
@torch.no_grad()
def forgets_log_k_and_averages_the_batch(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return torch.logsumexp(_log_weights(x, encode, decode, num_samples), 1).mean()


@bank.pair("exponentiates_directly", "keeps_the_graph")
def exponentiates_directly_and_keeps_the_graph(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return _log_weights(x, encode, decode, num_samples).exp().mean(1).log()


@bank.pair("forgets_the_proposal", "forgets_log_k")
@torch.no_grad()
def forgets_the_proposal_and_forgets_log_k(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    return forgets_the_proposal(x, encode, decode, num_samples) + math.log(num_samples)


@bank.alternative("one sample of every image at a time, added up with logaddexp as they come")
@torch.no_grad()
def by_streaming(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    mu, logvar = encode(x)
    total = torch.full((len(x),), -math.inf, dtype=x.dtype)
    for _ in range(num_samples):
        total = torch.logaddexp(total, _one_weight(x, mu, logvar, decode))
    return total - math.log(num_samples)


@bank.alternative("image by image, all samples of one at a time, with torch.distributions")
@torch.no_grad()
def image_by_image(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    estimates = []
    for row in x.split(1):
        mu, logvar = encode(row)
        q = Normal(mu, torch.exp(0.5 * logvar))
        z = q.sample((num_samples,)).squeeze(1)
        prior = Normal(torch.zeros_like(z), torch.ones_like(z))
        log_weights = decode(z).log_prob(row.expand(num_samples, -1)) + (prior.log_prob(z) - q.log_prob(z)).sum(1)
        estimates.append(log_weights.logsumexp(0) - math.log(num_samples))
    return torch.stack(estimates)


@bank.alternative("fifty images at a time, their samples one below the other, shifted by the largest weight by hand")
def by_chunks_of_images(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    estimates = []
    for images in x.split(50):
        with torch.no_grad():
            mu, logvar = encode(images)
            rows = _one_weight(
                images.repeat(num_samples, 1), mu.repeat(num_samples, 1), logvar.repeat(num_samples, 1), decode
            )
        log_weights = rows.reshape(num_samples, len(images))
        largest, _ = log_weights.max(0)
        estimates.append(largest + torch.log(torch.exp(log_weights - largest).mean(0)))
    return torch.cat(estimates)


@bank.alternative("the graph is built and the result detached, eight samples of 500 images at a time")
def by_detaching(x: Tensor, encode: Any, decode: Any, num_samples: int) -> Tensor:
    estimates = []
    for images in x.split(500):
        mu, logvar = (t.detach() for t in encode(images))
        log_sums = []
        for first in range(0, num_samples, 8):
            count = min(8, num_samples - first)
            m, v = (t.unsqueeze(1).expand(-1, count, -1).flatten(0, 1) for t in (mu, logvar))
            rows = _one_weight(images.repeat_interleave(count, 0), m, v, decode).detach()
            log_sums.append(rows.view(-1, count).logsumexp(1))
        estimates.append(torch.stack(log_sums).logsumexp(0) - math.log(num_samples))
    return torch.cat(estimates)
