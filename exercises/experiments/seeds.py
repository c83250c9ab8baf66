"""One random stream for each epoch, so that a run can go on from an epoch's number."""

import torch

from .settings import SettingError


def check_seed(seed: int) -> None:
    """Check that a number can be the seed of an experiment.

    Raises:
        SettingError: it is negative or too large.
    """
    if not 0 <= seed < 2**31:
        raise SettingError(f"seed is {seed}, expected an integer from 0 to {2**31 - 1}")


def seed_epoch(seed: int, epoch: int) -> None:
    """Seed torch from (seed, epoch), epoch 0 for the initial weights."""
    torch.manual_seed(1000 * seed + epoch)
