"""Curves over scores of a critic, and over its weight."""

import math
from functools import partial
from operator import itemgetter
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.players import Game, LinearCritic, LinearGenerator, Objective, Penalty

from .asking import Asking
from .curves import Curve, drawn, pointwise
from .curves_vae import F64, line

REAL, FAKE = torch.tensor([1.0, -0.5], dtype=F64), torch.tensor([-1.0, 0.7, 2.0], dtype=F64)


def _score_curves(ask: Asking, unit: str, right: Any) -> list[Curve]:
    """Ask for an estimate over a real score, over a generated one, and over a real one far out."""

    def real(x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.cat([x[None], REAL]), FAKE

    def fake(x: Tensor) -> tuple[Tensor, Tensor]:
        return REAL, torch.cat([x[None], FAKE])

    near, far = line(-6, 6, 41), line(-1000, 1000, 41)
    cases = (("a real score", near, real, "0"), ("a generated score", near, fake, "1"))
    curves = [pointwise(ask, unit, n, x, take, right, wrt=wrt) for n, x, take, wrt in cases]
    return [*curves, pointwise(ask, unit, "a generated score, far out", far, fake, right, wrt="1")]


def jsd_curves(ask: Asking) -> list[Curve]:
    """Ask for the Jensen-Shannon divergence over scores."""

    def right(real: Tensor, fake: Tensor) -> Tensor:
        means = F.softplus(-real).mean() + F.softplus(fake).mean()
        return math.log(2) - 0.5 * means

    return _score_curves(ask, "JSD (nats)", right)


def w1_curves(ask: Asking) -> list[Curve]:
    """Ask for the Wasserstein distance over scores."""
    return _score_curves(ask, "W1 (unit of the scores)", lambda real, fake: real.mean() - fake.mean())


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


def objective_and_loss(game: Game, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Return the objective of a game's critic, and the loss with what the game says that it pays."""
    objective = game.objective(*map(game.critic, (real, fake)))
    paid = torch.zeros_like(objective) if game.penalty is None else game.penalty(game.critic, real, fake)
    return objective, game.coefficient * paid - objective


def critic_loss_curves(ask: Asking) -> list[Curve]:
    """Ask for objective and loss over the weight of a critic, with a penalty and without."""
    real = played(True, REAL[:1]).real[0]
    fake = torch.tensor([[-0.9], [0.5], [-0.2]], dtype=F64)
    one = torch.ones((), dtype=F64)
    cases = (("objective", True, 0), ("loss, with a penalty", True, 1), ("loss, without one", False, 1))

    def take(penalised: bool, weight: Tensor) -> tuple[Game, Tensor, Tensor]:
        return played(penalised, weight), real, fake

    return [
        pointwise(
            ask,
            what,
            "the weight of the critic",
            line(-2, 2, 31),
            partial(take, penalised),
            objective_and_loss,
            itemgetter(i),
            "0.critic.weight",
            (one, None) if i == 0 else (None, one),
        )
        for what, penalised, i in cases
    ]


def critic_loss(ask: Asking) -> Figure:
    """Draw objective and loss over the weight of a critic."""
    return drawn(ask, critic_loss_curves(ask))
