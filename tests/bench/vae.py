"""Compares the kit's VAE experiment with the original's kind of loop: CPU time and memory, on one thread.

python -m tests.bench.vae            # about 3 minutes
python -m tests.bench.vae --full     # importance sampling of the whole test set
"""

import argparse
import itertools
import os
import statistics
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

import data
from exercises.experiments.vae.evaluation import average_log_likelihood
from exercises.experiments.vae.networks import VAE, student_decoder
from exercises.experiments.vae.training import Config, train_epoch
from solutions.vae import bounds, likelihoods
from tests.bench import original_vae
from tests.bench.pairs import Job, compare

REFERENCE = SimpleNamespace(
    elbo=bounds.elbo,
    importance_log_likelihood=bounds.importance_log_likelihood,
    log_likelihood_bernoulli=likelihoods.log_likelihood_bernoulli,
)
Place = tuple[str, Path]


def train_original(images_of: Place, size: int) -> Job:
    images = data.load(*images_of)
    model = original_vae.VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    loader = original_vae.batches(images.train)
    endless = itertools.chain.from_iterable(itertools.repeat(loader))
    return lambda: statistics.mean(original_vae.update(model, optimizer, x) for (x,) in itertools.islice(endless, size))


def train_kit(images_of: Place, size: int) -> Job:
    images = data.load(*images_of)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4, fused=True)
    epochs = itertools.count(1)
    parts = itertools.cycle(shares(images.train.contiguous(), 64 * size))
    return lambda: train_epoch(REFERENCE, model, optimizer, next(parts), Config(), next(epochs))


def shares(images: Tensor, size: int) -> Iterator[Tensor]:
    """Cut as many whole shares as there are; a round then has the same number of updates on both sides."""
    return (share for share in images.split(size) if len(share) == size)


def sample_original(images_of: Place, size: int) -> Job:
    images = data.load(*images_of)
    model = original_vae.VAE()
    return lambda: float(original_vae.importance_sampling(model, images.test[:size]).mean())


def sample_kit(images_of: Place, size: int) -> Job:
    images = data.load(*images_of)
    model, test = VAE(), images.test[:size]
    decode = student_decoder(model, REFERENCE)
    return lambda: average_log_likelihood(REFERENCE.importance_log_likelihood, test, model.encode, decode, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=200, help="training updates a round")
    parser.add_argument("--images", type=int, default=500, help="images a round of importance sampling, K = 200")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--full", action="store_true", help="importance sampling of the whole test set, in one round")
    parser.add_argument("--data", type=Path, default=None, help="directory of data files")
    options = parser.parse_args()
    images_of = available(options.data)
    images = data.load(*images_of)
    print(f"{images.name}, one thread, medians of {options.rounds} rounds in turns (smallest to largest)")
    updates = min(options.updates, len(images.train) // 64)
    sides = {"original": partial(train_original, images_of, updates), "kit": partial(train_kit, images_of, updates)}
    compare("train", sides, updates, options.rounds, "an update")
    size, rounds = (len(images.test), 1) if options.full else (options.images, options.rounds)
    sides = {"original": partial(sample_original, images_of, size), "kit": partial(sample_kit, images_of, size)}
    compare("sample", sides, size, rounds, "an image")


def available(root: Path | None) -> Place:
    """Choose binarized MNIST where its file is, and the embedded digits elsewhere; nothing is downloaded."""
    root = data.data_root(root)
    return ("binarized_mnist" if (root / "binarized_mnist.npz").exists() else "digits"), root


if __name__ == "__main__":
    # Threads that wait for each other would be counted as work; the workers inherit this.
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
