"""Curves over scores of a critic, and over its weight."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import itemgetter

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.players import Game, LinearCritic, LinearGenerator, Objective, Penalty

from .asking import Asking
from .curves import Curve, drawn, pointwise, with_slope
from .curves_vae import F64, line

Term = Callable[[Tensor], Tensor]
REAL, FAKE = torch.tensor([1.0, -0.5], dtype=F64), torch.tensor([-1.0, 0.7, 2.0], dtype=F64)


def _score_curves(ask: Asking, unit: str, of_real: Term, of_fake: Term) -> list[Curve]:
    """Ask for an estimate over a real score, over a generated one, and over a generated one far out.

    of_real, of_fake: what each score adds to the mean over its batch.
    """

    def real(x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.cat([x[None], REAL]), FAKE

    def fake(x: Tensor) -> tuple[Tensor, Tensor]:
        return REAL, torch.cat([x[None], FAKE])

    def over_real(x: Tensor) -> Tensor:
        return (of_real(x) + of_real(REAL).sum()) / (len(REAL) + 1) + of_fake(FAKE).mean()

    def over_fake(x: Tensor) -> Tensor:
        return (of_fake(x) + of_fake(FAKE).sum()) / (len(FAKE) + 1) + of_real(REAL).mean()

    near, far = line(-6, 6, 41), line(-1000, 1000, 41)
    return [
        pointwise(ask, unit, name, x, take, with_slope(right, x), wrt=wrt)
        for name, x, take, right, wrt in (
            ("a real score", near, real, over_real, "0"),
            ("a generated score", near, fake, over_fake, "1"),
            ("a generated score, far out", far, fake, over_fake, "1"),
        )
    ]


def jsd_curves(ask: Asking) -> list[Curve]:
    """Ask for the Jensen-Shannon divergence over scores."""
    half = 0.5 * math.log(2)
    return _score_curves(ask, "JSD (nats)", lambda s: half - 0.5 * F.softplus(-s), lambda s: half - 0.5 * F.softplus(s))


def w1_curves(ask: Asking) -> list[Curve]:
    """Ask for the Wasserstein distance over scores."""
    return _score_curves(ask, "W1 (unit of the scores)", lambda s: s, lambda s: -s)


def jsd(ask: Asking) -> Figure:
    """Draw the Jensen-Shannon divergence over scores."""
    return drawn(ask, jsd_curves(ask))


def w1(ask: Asking) -> Figure:
    """Draw the Wasserstein distance over scores."""
    return drawn(ask, w1_curves(ask))


def played(penalised: bool, weight: Tensor) -> Game:
    """Return a game of a linear critic of one feature with this weight."""
    one = torch.ones(1, dtype=F64)
    generator = LinearGenerator(0.8 * one[:, None], -0.4 * one)
    return Game(
        critic=LinearCritic(weight.reshape(1), torch.tensor(0.3, dtype=F64)),
        generator=generator,
        average=generator,
        objective=Objective(-0.3, 0.2),
        penalty=Penalty() if penalised else None,
        coefficient=0.4,
        real=torch.tensor([[[1.2], [0.4], [0.9]]], dtype=F64),
        noise=torch.tensor([[[-0.6], [1.1], [0.2]]], dtype=F64),
        rates=(0.1, 0.1),
    )


def critic_loss_curves(ask: Asking) -> list[Curve]:
    """Ask for objective and loss over the weight of a critic, with a penalty and without."""
    real = played(True, REAL[:1]).real[0]
    fake = torch.tensor([[-0.9], [0.5], [-0.2]], dtype=F64)
    one = torch.ones((), dtype=F64)
    x = line(-2, 2, 31)
    given = played(True, REAL[:1])

    def take(penalised: bool, weight: Tensor) -> tuple[Game, Tensor, Tensor]:
        return played(penalised, weight), real, fake

    def objective(weight: Tensor) -> Tensor:
        return torch.stack([given.objective(*(w * s + given.critic.bias for s in (real, fake))) for w in weight])

    def paid(weight: Tensor) -> Tensor:
        assert given.penalty is not None
        critics = (replace(given.critic, weight=w.reshape(1)) for w in weight)
        return given.coefficient * torch.stack([given.penalty(critic, real, fake) for critic in critics])

    cases = (
        ("objective", True, 0, objective),
        ("loss, with a penalty", True, 1, lambda weight: paid(weight) - objective(weight)),
        ("loss, without one", False, 1, lambda weight: -objective(weight)),
    )
    return [
        pointwise(
            ask,
            what,
            "the weight of the critic",
            x,
            partial(take, penalised),
            with_slope(right, x),
            itemgetter(i),
            "0.critic.weight",
            (one, None) if i == 0 else (None, one),
        )
        for what, penalised, i, right in cases
    ]


def critic_loss(ask: Asking) -> Figure:
    """Draw objective and loss over the weight of a critic."""
    return drawn(ask, critic_loss_curves(ask))
