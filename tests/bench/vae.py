"""Compares the kit's VAE experiment with the original's kind of loop: CPU time and memory, on one thread.

    python -m tests.bench.vae            # about 3 minutes
    python -m tests.bench.vae --full     # importance sampling of the whole test set

Each side lives in a process of its own, and the two take turns, so that neither a busy machine nor the other's memory
falls on one side alone. Memory is the process's peak since it began to measure, less what it held then.
"""

import argparse
import itertools
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
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

REFERENCE = SimpleNamespace(
    elbo=bounds.elbo,
    importance_log_likelihood=bounds.importance_log_likelihood,
    log_likelihood_bernoulli=likelihoods.log_likelihood_bernoulli,
)
Job = Callable[[], float]


def train_original(images: data.Images, size: int) -> Job:
    model = original_vae.VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    loader = original_vae.batches(images.train)
    endless = itertools.chain.from_iterable(itertools.repeat(loader))
    return lambda: statistics.mean(original_vae.update(model, optimizer, x) for (x,) in itertools.islice(endless, size))


def train_kit(images: data.Images, size: int) -> Job:
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4, fused=True)
    epochs = itertools.count(1)
    parts = itertools.cycle(shares(images.train.contiguous(), 64 * size))
    return lambda: train_epoch(REFERENCE, model, optimizer, next(parts), Config(), next(epochs))


def shares(images: Tensor, size: int) -> Iterator[Tensor]:
    """Cut as many whole shares as there are; a round then has the same number of updates on both sides."""
    return (share for share in images.split(size) if len(share) == size)


def sample_original(images: data.Images, size: int) -> Job:
    model = original_vae.VAE()
    return lambda: float(original_vae.importance_sampling(model, images.test[:size]).mean())


def sample_kit(images: data.Images, size: int) -> Job:
    model, test = VAE(), images.test[:size]
    decode = student_decoder(model, REFERENCE)
    return lambda: average_log_likelihood(REFERENCE.importance_log_likelihood, test, model.encode, decode, 200)


JOBS = {"train": (train_original, train_kit), "sample": (sample_original, sample_kit)}


def work(job: str, side: int, images_of: tuple[str, Path], size: int, line: Connection) -> None:
    """Answer each request with the CPU seconds of one round, and with the peak memory grown so far in MB."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    run = JOBS[job][side](data.load(*images_of), size)
    before = forget_peak()
    while line.recv():
        begin = time.process_time()
        value = run()
        seconds = time.process_time() - begin
        line.send((seconds, memory("VmHWM") - before, value))


def forget_peak() -> float:
    """Let the peak of this process's memory begin again at what it holds now, which is returned, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(field: str) -> float:
    """Read a line of /proc/self/status, in MB; Linux has it, and the benchmark runs nowhere else."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[field].split()[0]) / 1024


def compare(job: str, images_of: tuple[str, Path], size: int, rounds: int, unit: str) -> None:
    """Let both sides take turns and print the medians, after one round that is not counted."""
    lines, results = [], ([], [])
    for side in (0, 1):
        here, there = multiprocessing.get_context("spawn").Pipe()
        arguments = (job, side, images_of, size, there)
        multiprocessing.get_context("spawn").Process(target=work, args=arguments, daemon=True).start()
        lines.append(here)
    for counted in [False] + [True] * rounds:
        for line, result in zip(lines, results, strict=True):
            line.send(True)
            answer = line.recv()
            if counted:
                result.append(answer)
    for line in lines:
        line.send(False)
    for name, result in zip(("original", "kit"), results, strict=True):
        milliseconds = [1000 * r[0] / size for r in result]
        spread = f"{min(milliseconds):.2f} to {max(milliseconds):.2f}"
        print(
            f"{job:7s} {name:9s} {statistics.median(milliseconds):7.2f} CPU ms {unit} ({spread})"
            f"  +{max(r[1] for r in result):4.0f} MB  last value {result[-1][2]:.3f}"
        )
    ratios = [a[0] / b[0] for a, b in zip(*results, strict=True)]
    # The least disturbed round of each side: what a quiet machine would show.
    quiet = min(results[0])[0] / min(results[1])[0]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(
        f"{job:7s} ratio     {statistics.median(ratios):7.2f} ({spread}), of the fastest rounds {quiet:.2f}", flush=True
    )


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
    compare("train", images_of, updates, options.rounds, "an update")
    size, rounds = (len(images.test), 1) if options.full else (options.images, options.rounds)
    compare("sample", images_of, size, rounds, "an image")


def available(root: Path | None) -> tuple[str, Path]:
    """Choose binarized MNIST where its file is, and the embedded digits elsewhere; nothing is downloaded."""
    root = data.data_root(root)
    return ("binarized_mnist" if (root / "binarized_mnist.npz").exists() else "digits"), root


if __name__ == "__main__":
    # Threads that wait for each other would be counted as work; the workers inherit this.
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
