"""Training of one configuration: updates, an evaluation after every so many, and what happens when they break down."""

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from data import ColourImages

from .. import checkpoints
from ..runs import Run, RunError, write_whole
from ..seeds import seed_epoch
from .networks import NormalisedConv2d, as_input
from .players import Functions, Game, batches, make_game
from .scores import CHUNK, Scorer, evaluating, evenly, sample, score, score_names
from .settings import Config, Configuration

NOTE = "updates"  # a file with the number of updates that are done
LARGE = 1e-2  # a learning rate that is
LOOK_EVERY = 20  # updates; looking at the objective more often would make a GPU wait for it
HELD_OUT = 2_000  # images that the metric is looked at with, and as many of the generator
SUBMITTED = "generator.safetensors"  # what is judged, a twelfth of the checkpoint that a training goes on from
SHOWN = 32  # samples of the fixed noise
NOISE_STREAM, SCORE_STREAM, METRIC_STREAM = 1, 2, 3  # streams of evaluations, beside those of the training


def fit(
    functions: Functions,
    configuration: Configuration,
    config: Config,
    images: ColourImages,
    scorer: Scorer,
    run: Run,
    device: str = "cpu",
) -> Game:
    """Train from the run's checkpoint, or from the start, to the last update; evaluate and keep after every share.

    Every share of the updates begins from the seed (seed, share), and no evaluation draws from torch's own generator:
    a training that is killed and started again ends with the same parameters as one that never was.

    Raises:
        RunError: the objective or a parameter is not finite; the checkpoint is that of the evaluation before.
    """
    seed_epoch(config.seed, 0)
    train = images.train.to(device)
    game = make_game(functions, configuration, config, train, device)
    optimizers = game.critic_optimizer, game.generator_optimizer
    done = checkpoints.restore(run.checkpoint, game.networks, *optimizers) if run.checkpoint.exists() else 0
    run.keep_metrics(done)
    for share in range(done + 1, config.evaluations + 1):
        begin, cpu = time.monotonic(), time.process_time()
        values = train_share(functions, game, config, train, share, partial(_note, run))
        spent = {"seconds": time.monotonic() - begin, "cpu_seconds": time.process_time() - cpu}
        measured = evaluate(functions, game, config, images, scorer)
        save_samples(run, game, config, config.updates_until(share))
        line = {"epoch": share, "update": config.updates_until(share), "objective": float(values.mean()), **measured}
        run.append_metrics(line | spent)
        checkpoints.save(run.checkpoint, game.networks, *optimizers, epoch=share)
    checkpoints.save(run.path / SUBMITTED, game.average, epoch=config.evaluations)
    return game


def _note(run: Run, update: int) -> None:
    """Leave a note of how many updates are done, for whoever shows the progress."""
    write_whole(run.path / NOTE, str(update).encode())


def updates_done(path: Path) -> int:
    """Read how many updates the training in a directory has done; 0 where there is no such note."""
    try:
        return int((path / NOTE).read_bytes()[:20])
    except (OSError, ValueError):
        return 0


def train_share(
    functions: Functions,
    game: Game,
    config: Config,
    images: Tensor,
    share: int,
    look: Callable[[int], None] = lambda update: None,
) -> Tensor:
    """Make the updates between two evaluations.

    look: called every 20 updates with their number.

    Returns:
        (updates,) what train_step returned: the objective of the last update of the critic in each.

    Raises:
        RunError: one is nan or infinite, or a parameter is; names the update.
    """
    seed_epoch(config.seed, share)
    game.real_batch = batches(images, config.batch_size).__next__
    begin, end = config.updates_until(share - 1), config.updates_until(share)
    values = torch.zeros(end - begin, device=images.device)
    for i in range(end - begin):
        values[i] = functions.train_step(game, config.critic_steps, config.decay)
        if i % LOOK_EVERY == LOOK_EVERY - 1 or i == end - begin - 1:
            _expect_finite(game, values[: i + 1], begin)
            look(begin + i + 1)
    return values


def _expect_finite(game: Game, values: Tensor, begin: int) -> None:
    bad = values.isfinite().logical_not().nonzero()
    if len(bad):
        first = int(bad[0])
        before = f"{float(values[first - 1]):.4g} in the update before" if first else "it was finite before"
        raise RunError(
            f"the objective is {float(values[first])} at update {begin + first + 1}, {before}. {_cause(game)} "
            f"The checkpoint of update {begin} is kept."
        )
    state = game.networks.state_dict()
    finite = torch.stack([tensor.isfinite().all() for tensor in state.values()]).tolist()  # one wait for the device
    for name in (name for name, good in zip(state, finite, strict=True) if not good):
        raise RunError(
            f"{name} is not finite after update {begin + len(values)}, though the objective is. {_cause(game)} "
            f"The checkpoint of update {begin} is kept."
        )


def _cause(game: Game) -> str:
    rates = max(o.param_groups[0]["lr"] for o in (game.critic_optimizer, game.generator_optimizer))
    if rates > LARGE:
        cause = f"a learning rate as large as {rates:g}; those of the presets are 2e-4 to 2e-3"
    elif game.penalty is not None:
        cause = "0 / 0 or a root of 0 in the penalty or its gradient, or log 0 in the objective"
    elif any(isinstance(module, NormalisedConv2d) for module in game.critic.modules()):
        cause = "0 / 0 in spectral_norm, or log 0 in the objective"
    else:
        cause = "log 0 or 0 / 0 in the objective or its gradient"
    return f"Likely cause: {cause}. Look with `elbo check gan`."


def evaluate(
    functions: Functions, game: Game, config: Config, images: ColourImages, scorer: Scorer
) -> dict[str, float]:
    """Measure what the players play for on held-out images, and the scores of the moving average's samples.

    Returns:
        'metric', and the two scores by the names of `score_names`.
    """
    drawn = sample(game.average, config.samples, _stream(config, SCORE_STREAM))
    scores = score(functions, scorer.extractor(drawn), scorer.real)
    names = score_names(config.extractor, config.samples)
    return {"metric": held_out_metric(game, config, images.test), **dict(zip(names, scores, strict=True))}


def held_out_metric(game: Game, config: Config, held_out: Tensor) -> float:
    """Apply the objective to the critic's scores of images that it was not trained on, and of as many generated ones.

    held_out: (N, 3, 32, 32) uint8, of which 2,000 are taken, evenly.
    """
    real = evenly(held_out, HELD_OUT)
    fake = sample(game.generator, len(real), _stream(config, METRIC_STREAM))
    device = next(game.critic.parameters()).device
    with evaluating(game.critic):
        scores = [
            torch.cat([game.critic(as_input(x.to(device))) for x in batch.split(CHUNK)]) for batch in (real, fake)
        ]
    if not math.isfinite(value := float(game.objective(*scores))):
        raise RunError(f"the objective is {value} on held-out images. {_cause(game)}")
    return value


def _stream(config: Config, number: int) -> torch.Generator:
    return torch.Generator().manual_seed(1000 * config.seed + number)


def save_samples(run: Run, game: Game, config: Config, update: int) -> None:
    """Write what the moving average makes of the fixed noise, 32 samples side by side, to samples/UPDATE.png."""
    drawn = sample(game.average, SHOWN, _stream(config, NOISE_STREAM))
    (run.path / "samples").mkdir(exist_ok=True)
    strip = drawn.permute(2, 0, 3, 1).reshape(drawn.shape[2], -1, 3)
    Image.fromarray(strip.numpy()).save(run.path / "samples" / f"{update:08d}.png")
