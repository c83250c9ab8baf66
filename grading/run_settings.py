"""The settings of a run that anybody may have written, as the experiment has them."""

from dataclasses import replace
from typing import TypeVar

import msgspec

from exercises.experiments.cifar10 import settings as cifar10
from exercises.experiments.dirac import settings as dirac
from exercises.experiments.flows import settings as flows
from exercises.experiments.runs import Run, RunError

Settings = TypeVar("Settings")


def dirac_config(run: Run) -> dirac.Config:
    """Read the settings of a run of the Dirac GAN.

    Raises:
        RunError: they are none that the experiment has; so do the functions below.
    """
    return _settings(run, dirac.Config)


def flows_config(run: Run) -> flows.Config:
    """Read the settings of a run of flows."""
    return _settings(run, flows.Config)


def cifar10_config(run: Run) -> cifar10.Config:
    """Read the settings of a run of the image experiment."""
    return _settings(run, cifar10.Config)


def is_the_assignments(config: dirac.Config) -> bool:
    """Tell whether a run is of the assignment's settings, for any seed and with starts enough to tell cycles apart."""
    theirs = replace(dirac.Config(), configuration=config.configuration, seed=config.seed)
    return config.starts > 1 and config == replace(theirs, starts=config.starts, together=config.together)


def _settings(run: Run, kind: type[Settings]) -> Settings:
    try:
        return msgspec.convert(run.config.get("settings"), kind)
    except ValueError as error:  # so is half a surrogate pair, and a validation error
        raise RunError(f"{run.path / 'config.json'} is not what an experiment writes: {error}") from error
