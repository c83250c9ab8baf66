"""Training of the variational autoencoder: its settings and its loop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from data import Images

from .. import checkpoints
from ..progress import Reporter, reporting
from ..runs import Run, RunError
from ..seeds import check_seed, seed_epoch
from ..settings import check_positive
from .evaluation import average_elbo
from .networks import VAE, Functions, student_decoder

LOOK_EVERY = 50  # updates; looking at the loss more often would make the loop wait for it


@dataclass(frozen=True)
class Config:
    """Settings of a training: images by name, passes over them, images a batch, Adam's step size, the seed."""

    data: str = "binarized_mnist"
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 3e-4
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        check_positive(self, "epochs", "batch_size", "learning_rate")
        check_seed(self.seed)


PRESETS = {"paper": Config(), "quick": Config(data="digits", epochs=40, learning_rate=1e-3)}


def fit(functions: Functions, model: VAE, config: Config, images: Images, run: Run) -> None:
    """Train from the run's checkpoint, or from the model as it is, to the last epoch."""
    device = next(model.parameters()).device
    # Row by row in memory, however they were loaded: a batch is then a copy of 64 rows, not of 50,000 scattered bytes.
    train, valid = images.train.to(device).contiguous(), images.valid.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    done = checkpoints.restore(run.checkpoint, model, optimizer) if run.checkpoint.exists() else 0
    run.keep_metrics(done)
    updates = -(-len(train) // config.batch_size)
    with reporting(config.epochs * updates, done * updates) as report:
        for epoch in range(done + 1, config.epochs + 1):
            begin = time.process_time()
            look = partial(_show, report, epoch, updates)
            loss = train_epoch(functions, model, optimizer, train, config, epoch, look)
            valid_loss = -average_elbo(functions.elbo, valid, model.encode, student_decoder(model, functions))
            seconds = time.process_time() - begin
            run.append_metrics(
                {"epoch": epoch, "train_negative_elbo": loss, "valid_negative_elbo": valid_loss, "cpu_seconds": seconds}
            )
            checkpoints.save(run.checkpoint, model, optimizer, epoch=epoch)
            report.line(
                f"epoch {epoch:3d}  -ELBO: training {loss:.2f}, validation {valid_loss:.2f}  ({seconds:.1f} CPU s)"
            )


def train_epoch(
    functions: Functions,
    model: VAE,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    config: Config,
    epoch: int,
    look: Callable[[int, float], None] = lambda batch, loss: None,
) -> float:
    """Update the model once for every batch of a permutation of the images.

    The loss is the average of -elbo(x, encode, decode) over the batch, with the student's functions.

    Args:
        functions: the student's.
        model, optimizer: changed in place.
        images: (N, 784) uint8 zeros and ones.
        config: the settings; with `epoch` they fix the permutation and all noise.
        epoch: from 1 on.
        look: called every 50 updates with the number of updates of this epoch and the average loss so far.

    Returns:
        nats, the average loss of the epoch's batches.

    Raises:
        RunError: a loss is nan or infinite.
    """
    seed_epoch(config.seed, epoch)
    decode = student_decoder(model, functions)
    batches = torch.randperm(len(images)).to(images.device).split(config.batch_size)
    losses = torch.zeros(len(batches), device=images.device)
    for batch, rows in enumerate(batches):
        # Before the forward pass, which then works in the memory of the old gradients.
        optimizer.zero_grad()
        loss = -functions.elbo(images[rows].float(), model.encode, decode).mean()
        loss.backward()
        optimizer.step()
        losses[batch] = loss.detach()
        if batch % LOOK_EVERY == LOOK_EVERY - 1 or batch == len(batches) - 1:
            look(batch + 1, finite_average(losses[: batch + 1], epoch, config))
    return float(losses.mean())


def finite_average(losses: Tensor, epoch: int, config: Config) -> float:
    """Average the losses of an epoch so far.

    Raises:
        RunError: one is nan or infinite; names epoch and batch, both from 1 on, and the likely cause.
    """
    average = float(losses.mean())
    if math.isfinite(average):
        return average
    batch = int((~losses.isfinite()).nonzero()[0, 0])
    value = float(losses[batch])
    if config.learning_rate > 0.01:
        cause = f"the learning rate of {config.learning_rate:g} is large; the given one is {Config.learning_rate:g}"
    elif math.isnan(value):
        cause = "nan comes from 0 * log 0, from inf - inf, or from a square root or logarithm of a negative number"
    else:
        cause = "infinity comes from log 0 or from an exponential that overflows"
    raise RunError(
        f"-ELBO is {value} at epoch {epoch}, batch {batch + 1}. Likely cause: {cause}. "
        "The checkpoint of the last whole epoch is kept. Look at the parts that elbo calls with `elbo check vae`."
    )


def _show(report: Reporter, epoch: int, updates: int, batch: int, loss: float) -> None:
    report.step((epoch - 1) * updates + batch, f"epoch {epoch}  -ELBO {loss:.2f}")
