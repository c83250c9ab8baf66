"""Properties of properties.py: a property that a student wrote tells right functions from wrong ones."""

import math

import torch
from torch import Tensor

from tests.support.answered import Subject
from tests.support.made import Made
from tests.support.own_properties import define
from tests.support.properties import Part

from . import test_likelihoods

own = Part("vae.log_mean_exp_property", "properties.py", ("log_mean_exp",), tried_apart=True)


def _fits(y: Tensor) -> str:
    return "" if y.dim() == 2 and y.numel() else f"log_mean_exp takes y of the shape (batch, K), not {tuple(y.shape)}"


MADE = {
    "rounded": Made("it rounds otherwise", None, after=lambda v, y: v * (1 + 1e-15)),
    "the_sum": Made("the division by K is missing", "value", after=lambda v, y: v + math.log(y.shape[1])),
    "twice": Made("all is twice as large", "value", after=lambda v, y: 2 * v),
    "one_more": Made("1 is added", "value", after=lambda v, y: v + 1),
    "a_little_more": Made("a millionth is added", "value", after=lambda v, y: v + 1e-6),
    "of_the_batch": Made(
        "the sum is divided by the batch size instead of K",
        "value",
        after=lambda v, y: v + math.log(y.shape[1]) - math.log(len(y)),
    ),
    "of_the_next_row": Made("each row gets the value of the next one", "value", after=lambda v, y: v.roll(-1, 0)),
    "keeps_the_axis": Made("the axis of the samples is kept", "shape", after=lambda v, y: v.unsqueeze(1)),
    "squeezes": Made("a batch of one loses its axis", "shape", after=lambda v, y: v.squeeze()),
    "of_the_whole_batch": Made("the batch is averaged too", "shape", after=lambda v, y: v.mean()),
    "single": Made("the result is made single precision", "shape", after=lambda v, y: v.float()),
    "overflows": Made("large exponentials overflow", "stability", after=lambda v, y: torch.where(v > 700, math.inf, v)),
    "vanishes": Made("small exponentials vanish", "stability", after=lambda v, y: torch.where(v < -700, -math.inf, v)),
    "without_gradient": Made("no gradient flows", "gradient", after=lambda v, y: v.detach()),
    "half_a_gradient": Made("half of the gradient is lost", "gradient", after=lambda v, y: 0.5 * (v + v.detach())),
}

SUBJECT = Subject(own, test_likelihoods.log_mean_exp, _fits)
define(SUBJECT, MADE)
