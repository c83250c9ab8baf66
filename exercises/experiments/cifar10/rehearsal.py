"""Trying the student's functions on tiny networks, before anything is loaded or written and any time is spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..runs import RunError
from ..seeds import seed_epoch
from .extractors import statistics
from .players import Functions, Game, make_game
from .scores import score
from .settings import Config, Configuration

MORE = "`elbo check gan` tells more"


def rehearse(functions: Functions, config: Config) -> None:
    """Make one iteration of every configuration, and score some noise.

    Raises:
        RunError: a function is still to do, train_step or a score returns no number, or one of the three networks
            does not move.
    """
    tiny = replace(config, width=1, batch_size=4, decay=0.5, precision="float32")
    torch.manual_seed(config.seed)
    images = torch.randint(256, (16, 3, 32, 32), dtype=torch.uint8)
    for configuration in config.chosen:
        with _told(configuration):
            _iterate(functions, configuration, tiny, images)
    features = torch.randn(20, 4, dtype=torch.float64)
    with _told(None):
        score(functions, (features, features.softmax(1)), statistics(features + 1))


@contextmanager
def _told(configuration: Configuration | None) -> Iterator[None]:
    """Say in which configuration something is to do, or a tensor was changed that is still needed."""
    name = configuration.name if configuration else "the experiment"
    try:
        yield
    except NotImplementedError as error:
        raise RunError(f"{name} needs a function of gan in which something is still to do: {error}") from error
    except (RunError, RuntimeError) as error:
        if "inplace operation" not in str(error):
            raise
        what = "spectral_norm has to leave u as it is" if configuration and configuration.spectral else MORE
        raise RunError(f"{name}: a function changes a tensor in place that its gradient still needs: {what}") from error


def _iterate(functions: Functions, configuration: Configuration, tiny: Config, images: Tensor) -> None:
    seed_epoch(tiny.seed, 0)
    game = make_game(functions, configuration, tiny, images)
    before = {name: _state(network) for name, network in game.networks.items()}
    value = functions.train_step(game, tiny.critic_steps, tiny.decay)
    if not isinstance(value, Tensor) or value.numel() != 1:
        found = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise RunError(f"gan.train_step gave {found}, expected a tensor of one number; {MORE}")
    for name, start in before.items():
        _expect_moved(configuration, game, name, start)


def _expect_moved(configuration: Configuration, game: Game, name: str, start: tuple[Tensor, Tensor]) -> None:
    """Check that a network is not where it was: its parameters, and the statistics of batch norm where it has some."""
    whose = "the moving average" if name == "average" else f"the {name}"
    for what, then, now in zip(("", "'s batch-norm statistics"), start, _state(game.networks[name]), strict=True):
        if len(then) and torch.equal(then, now):
            verb = "do" if what else "does"
            raise RunError(f"{configuration.name}: {whose}{what} {verb} not move in an iteration; {MORE}")


def _state(network: nn.Module) -> tuple[Tensor, Tensor]:
    parameters = [parameter.detach().flatten() for parameter in network.parameters()]
    followed = [buffer.flatten() for name, buffer in network.named_buffers() if "running" in name]
    return torch.cat(parameters), torch.cat([torch.zeros(0), *followed])
