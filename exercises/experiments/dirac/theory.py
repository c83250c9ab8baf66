"""What mathematics says about the Dirac GAN: the linearised update, and the limit cycle of the one-centred penalty.

Near the equilibrium psi0 = theta = 0 both objectives are g psi0 theta with g = 1 (W1) or 1/4 (JSD, at psi1 = 0), and R1
with coefficient c is c psi0^2. So a step of the critic is psi0 <- (1 - 2 lr c) psi0 - lr g theta, and one of the
generator theta <- theta + lr g psi0. Source: Mescheder, Geiger and Nowozin (2018), section 3, for the continuous game.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor

from .players import F64, Functions, after_one
from .settings import Config, Training

COUPLING = {"jsd": 0.25, "w1": 1.0}
LIMIT_CYCLE = 4 / math.pi  # of psi0
STEP = 1e-4


def linear_update(training: Training, config: Config) -> Tensor:
    """Return the matrix of one iteration on (psi0, theta) near the equilibrium, (2, 2), by hand.

    Of one alternating update with learning rate lr the determinant is 1 - 2 lr c.
    """
    g = COUPLING[training.objective]
    critic = torch.tensor(
        [[1 - 2 * config.critic_learning_rate * training.coefficient, -config.critic_learning_rate * g], [0.0, 1.0]],
        dtype=F64,
    )
    critic = torch.linalg.matrix_power(critic, config.critic_steps)
    step = config.generator_learning_rate * g
    if config.order == "alternating":
        return torch.tensor([[1.0, 0.0], [step, 1.0]], dtype=F64) @ critic
    return critic + torch.tensor([[0.0, 0.0], [step, 0.0]], dtype=F64)


def measured_update(functions: Functions, training: Training, config: Config) -> Tensor:
    """Return the same matrix of the update that the student's functions make, by differences around the equilibrium.

    [f(h e_j) - f(-h e_j)] / (2 h) for each column j, with all four points as one batch of games.
    """
    starts = torch.zeros(3, 4, dtype=F64)
    starts[0, 0], starts[0, 1], starts[2, 2], starts[2, 3] = STEP, -STEP, STEP, -STEP
    after = after_one(functions, training, config, starts)
    return (after[:, 0::2] - after[:, 1::2]) / (2 * STEP)


def spectral_radius(matrix: Tensor) -> float:
    """Return the largest size of an eigenvalue: what an iteration multiplies a distance with, in the long run."""
    return float(torch.linalg.eigvals(matrix).abs().max())


def half_life(radius: float) -> float:
    """Return the number of updates in which a distance halves, infinite where it does not."""
    return math.log(0.5) / math.log(radius) if 0 < radius < 1 - 1e-9 else math.inf


def limit_cycle(config: Config) -> float:
    """Return the amplitude of theta on the limit cycle of a small one-centred penalty: 4 / pi for players of one speed.

    On the ellipse psi0 = r cos, theta = r sqrt(rate of the generator / rate of the critic) sin, averages over a turn
    make r r' proportional to r^2 / 2 - 2 r / pi, so that r = 4 / pi.
    """
    critic = config.critic_learning_rate * config.critic_steps
    return LIMIT_CYCLE * math.sqrt(config.generator_learning_rate / critic)


def turn(training: Training, config: Config) -> float:
    """Return how many iterations a turn around the equilibrium takes, by the linear update; infinite without turns."""
    angle = float(torch.linalg.eigvals(linear_update(replace(training, coefficient=0.0), config)).angle().abs().max())
    return 2 * math.pi / angle if 0 < angle < math.pi else math.inf


def has_equilibrium(training: Training) -> bool:
    """Whether theory can be linear: the one-centred penalty has a corner at psi0 = 0, where theta is at rest."""
    return training.penalty != "gp"
