"""Problem 1: a variational autoencoder of binary images, trained with the student's functions."""

from .experiment import train
from .networks import VAE, load_model
from .training import PRESETS, Config

__all__ = ["PRESETS", "VAE", "Config", "load_model", "train"]
