"""Training of one planar flow: its loop, its evaluations, and what happens when a loss is not finite."""

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from data import two_dimensional
from data.two_dimensional import TARGETS

from .. import checkpoints
from ..runs import Run, RunError
from ..seeds import seed_epoch
from .evaluation import constant_of, look
from .networks import DIM, Functions, Layers, PlanarFlow, idle_weights, layers_of, small_weights
from .settings import Config, Training

MANY = 16  # layers
EPOCHS = 20  # equal shares of a training; after each the flow is measured and kept

Objective = Callable[[Layers, Tensor], Tensor]


def objective_of(functions: Functions, training: Training) -> Objective:
    """Make the loss of a batch, objective(layers, batch) of (batch,) nats, from the student's functions."""
    if training.mode == "samples":
        return functions.negative_log_likelihood
    energy = TARGETS[training.target].energy
    return lambda layers, z0: functions.reverse_kl(layers, z0, energy)


def batches_of(training: Training, count: int, batch_size: int) -> Tensor:
    """Draw the batches of so many updates, (count, batch_size, 2): rows of the training samples, or base noise."""
    if training.mode == "density":
        return torch.randn(count, batch_size, DIM)
    samples, _ = two_dimensional.samples(training.target)
    return samples[torch.randint(len(samples), (count, batch_size))]


def make_optimizer(config: Config, weights: Tensor) -> torch.optim.Optimizer:
    """Make the optimizer that the settings name."""
    if config.optimizer == "adam":
        return torch.optim.Adam([weights], lr=config.learning_rate, fused=True)
    return torch.optim.RMSprop([weights], lr=config.learning_rate)


def learning_rate_at(config: Config, iteration: int) -> float:
    """Return the learning rate of an update, from 1 on: constant, or lr (1 + cos(pi (t - 1) / T)) / 2."""
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * (1 + math.cos(math.pi * (iteration - 1) / config.iterations)) / 2


def initial_weights(training: Training, config: Config) -> Tensor:
    """Draw the weights that a training begins with, (k, 2 d + 1).

    'assignment': u and w from N(0, 0.01^2), in coordinates where that does nothing. 'tuned': layers that do nothing
    with w from N(0, I); but from samples, few layers that press the plane together, which most often find the better
    of the optima that there are. Many such layers begin as a point, from which some trainings do not recover.
    """
    few = training.mode == "samples" and training.k < MANY
    return small_weights(training.k) if few or config.start == "assignment" else idle_weights(training.k)


def last_iteration(config: Config, epoch: int) -> int:
    """Return the number of updates that are done after an epoch."""
    return config.iterations * epoch // EPOCHS


def fit(functions: Functions, flow: PlanarFlow, training: Training, config: Config, run: Run) -> None:
    """Train from the run's checkpoint, or from the flow as it is, to the last epoch."""
    optimizer = make_optimizer(config, flow.weights)
    done = checkpoints.restore(run.checkpoint, flow, optimizer) if run.checkpoint.exists() else 0
    run.keep_metrics(done)
    for epoch in range(done + 1, EPOCHS + 1):
        begin = time.process_time()
        loss = train_epoch(functions, flow, optimizer, training, config, epoch)
        seconds = time.process_time() - begin
        held_out = look(functions, flow.layers(), training)
        if not math.isfinite(held_out):
            raise RunError(
                f"the loss on held-out points is {held_out} after iteration {last_iteration(config, epoch)}, though on "
                "the batches it was finite. Look at the layers with `elbo check flows`."
            )
        run.append_metrics(
            {
                "epoch": epoch,
                "iteration": last_iteration(config, epoch),
                "train_loss": loss + constant_of(training),
                "held_out_loss": held_out,
                "cpu_seconds": seconds,
            }
        )
        checkpoints.save(run.checkpoint, flow, optimizer, epoch=epoch)


def train_epoch(
    functions: Functions,
    flow: PlanarFlow,
    optimizer: torch.optim.Optimizer,
    training: Training,
    config: Config,
    epoch: int,
) -> float:
    """Update the flow for one epoch, a twentieth of the iterations.

    Returns:
        nats, the average loss of its batches.

    Raises:
        RunError: a loss is nan or infinite.
    """
    seed_epoch(config.seed, epoch)
    objective = objective_of(functions, training)
    first = last_iteration(config, epoch - 1) + 1
    batches = batches_of(training, last_iteration(config, epoch) - first + 1, config.batch_size)
    total = 0.0
    for iteration, batch in enumerate(batches.unbind(), first):
        optimizer.param_groups[0]["lr"] = learning_rate_at(config, iteration)
        optimizer.zero_grad()
        loss = objective(flow.layers(), batch).mean()
        value = loss.item()
        if not math.isfinite(value):
            raise RunError(_broken_down(value, flow, config, epoch, iteration))
        try:
            loss.backward()
        except RuntimeError as error:
            raise RunError(f"the loss at iteration {iteration} has no gradient: {error}") from error
        optimizer.step()
        total += value
    return total / max(1, len(batches))


def _broken_down(value: float, flow: PlanarFlow, config: Config, epoch: int, iteration: int) -> str:
    """Tell where a training broke down, with which parameters, and why most likely."""
    layers = layers_of(flow.weights.detach(), flow.shifted)
    finite = flow.weights.detach().isfinite().all(1)
    dots = torch.stack([(u * w).sum() for u, w, _ in layers])
    # The layer whose parameters are broken, or else the one that is the furthest beyond the constraint.
    worst = int(finite.logical_not().nonzero()[0]) if not finite.all() else int(dots.argmin())
    if not finite.all():
        cause = "a gradient was nan or infinite in the iteration before, while the loss was not"
    elif config.learning_rate > 0.1:
        cause = f"the learning rate of {config.learning_rate:g} is large; the given one is {Config.learning_rate:g}"
    elif math.isnan(value) and float(dots[worst]) < -1:
        cause = "u is not constrained, and a logarithm of a negative determinant was taken"
    elif math.isnan(value):
        cause = "0 / 0, inf - inf, or a logarithm or root of a negative number, as no w.u is below -1"
    else:
        cause = "a logarithm of 0, where a layer folds the plane, or an overflow"
    told = ("u", layers[worst][0]), ("w", layers[worst][1]), ("b", layers[worst][2]), ("w.u", dots[worst])
    numbers = ", ".join(f"{name} = {_short(entries.tolist())}" for name, entries in told)
    return (
        f"the loss is {value} at iteration {iteration}; layer {worst + 1} of {len(layers)} has {numbers}. "
        f"Likely cause: {cause}. The last checkpoint is that of iteration {last_iteration(config, epoch - 1)}. "
        "Look at the layers with `elbo check flows`."
    )


def _short(entries: float | list[float]) -> str:
    return f"({', '.join(map(_short, entries))})" if isinstance(entries, list) else f"{entries:.4g}"
