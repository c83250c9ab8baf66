"""Properties of properties.py: a property that a student wrote tells right functions from wrong ones."""

import torch
from torch import Tensor

from tests.support.answered import Subject
from tests.support.made import Made
from tests.support.own_properties import define
from tests.support.players import LinearCritic, QuadraticCritic
from tests.support.properties import Part

from . import test_penalties

own = Part(
    "gan.gradient_penalty_property",
    "properties.py",
    ("gradient_penalty", "linear_critic", "quadratic_critic"),
    tried_apart=True,
)


def _fits(critic: LinearCritic | QuadraticCritic, real: Tensor, fake: Tensor) -> str:
    """Say what is wrong with the shapes of samples, or with a critic for them."""
    if not isinstance(critic, (LinearCritic, QuadraticCritic)):
        return "gradient_penalty takes a critic first, made by linear_critic or quadratic_critic"
    if not (isinstance(real, Tensor) and isinstance(fake, Tensor)):
        return "gradient_penalty takes two tensors of samples after the critic"
    if real.shape != fake.shape or real.dim() < 2 or not real.numel():
        return (
            f"gradient_penalty takes real and fake of one shape (n, ...), not {tuple(real.shape)}, {tuple(fake.shape)}"
        )
    sample = real.shape[1:]
    if isinstance(critic, LinearCritic) and (critic.weight.shape != sample or critic.bias.dim()):
        return f"a linear critic of samples {tuple(sample)} has a weight of that shape, and a bias ()"
    if isinstance(critic, QuadraticCritic) and (len(sample) != 1 or critic.root.shape != (*sample, *sample)):
        return f"a quadratic critic of samples (d,) has a root (d, d), not {tuple(critic.root.shape)}"
    return ""


def _middle(critic, real, fake):
    middle = 0.5 * (_values(real) + _values(fake))
    return critic, middle, middle


def _values(samples):
    return samples if isinstance(samples, Tensor) else samples.values


MADE = {
    "rounded": Made("it rounds otherwise", None, after=lambda v, *_: v * (1 + 1e-15)),
    "takes_the_factor": Made("the factor lambda = 10 is taken with it", "value", after=lambda v, *_: 10 * v),
    "sums_the_batch": Made(
        "the squares are summed, not averaged", "value", after=lambda v, c, real, fake: v * len(_values(real))
    ),
    "forgets_the_square": Made("a root is taken of the mean square", "value", after=lambda v, *_: (v + 1e-12).sqrt()),
    "a_little_more": Made("a thousandth is added", "value", after=lambda v, *_: v + 1e-3),
    "one_for_each_sample": Made(
        "a value for each sample is returned", "shape", after=lambda v, c, real, fake: v.expand(len(_values(real)))
    ),
    "keeps_the_axis": Made("the result is (1,)", "shape", after=lambda v, *_: v.unsqueeze(0)),
    "number_of_python": Made("a number of Python is returned", "shape", after=lambda v, *_: v.item()),
    "double": Made("the result is made double precision", "shape", after=lambda v, *_: v.double()),
    "nan_of_a_flat_critic": Made(
        "the value is nan where the critic is flat",
        "stability",
        after=lambda v, *_: v.where((v - 1).abs() > 1e-9, torch.nan),
    ),
    "without_gradient": Made("no gradient flows", "gradient", after=lambda v, *_: v.detach()),
    "half_a_gradient": Made("half of the gradient is lost", "gradient", after=lambda v, *_: 0.5 * (v + v.detach())),
    "takes_the_middle": Made("eps is 1/2 always", "randomness", before=_middle),
    "real_samples": Made(
        "the critic is asked at the real samples", "randomness", before=lambda c, real, fake: (c, real, real)
    ),
    "mixes_the_pairs": Made(
        "the generated samples come in another order",
        "randomness",
        before=lambda c, real, fake: (c, real, _values(fake).roll(1, 0)),
    ),
    "seeds_the_generator": Made("every call draws the same numbers", "randomness", seeded=True),
}

SUBJECT = Subject(own, test_penalties.one_centred, _fits, ("linear_critic", "quadratic_critic"), draws=True)
define(SUBJECT, MADE)
