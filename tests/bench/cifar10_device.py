"""Measures an iteration of the image experiment on a device: seconds, share of the device's peak, what options pay.

    python -m tests.bench.cifar10_device --device cuda --config cifar10-w1-3

JSON to stdout: FLOP of an iteration; FLOP a second of a large matrix product on the same device, which is its peak; for
each option, all taking turns, seconds of an iteration, median, least and most, and its FLOP a second as a share of the
peak in the same precision. Seconds are those of the device's own clock where it is a GPU. An option that fails is told.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from data import shapes
from exercises.experiments.cifar10.players import Game, make_game
from exercises.experiments.cifar10.settings import CONFIGURATIONS, PRESETS, Config, Configuration
from grading.training import functions_of

PRODUCT = {"cpu": 1024, "cuda": 8192}  # rows of the matrices whose product is the peak
IMAGES = 1_000
WARM = {"cpu": 1, "cuda": 10}  # iterations before anything is measured: compilers and libraries choose in them


@dataclass(frozen=True)
class Option:
    """A way to compute the same: precision, layout, networks that torch.compile translates, cuDNN's own trials."""

    precision: str
    channels_last: bool = True
    compiled: tuple[str, ...] = ()
    benchmark: bool = False


OPTIONS = {
    "float32": Option("float32"),
    "float32-contiguous": Option("float32", channels_last=False),
    "float32-benchmark": Option("float32", benchmark=True),
    "bfloat16": Option("bfloat16"),
    "bfloat16-contiguous": Option("bfloat16", channels_last=False),
    "bfloat16-benchmark": Option("bfloat16", benchmark=True),
    "bfloat16-compiled": Option("bfloat16", compiled=("critic", "generator")),
    # torch.compile translates no gradient that is differentiated again, as the penalty's is.
    "bfloat16-compiled-generator": Option("bfloat16", compiled=("generator",)),
}


def flop_of_iteration(width: int, batch: int, critic_steps: int, r1: bool) -> int:
    """Count the floating-point operations of an iteration's convolutions, two for a multiplication and an addition.

    With G and C for what a batch costs in the generator and in the critic, and backward as much for the gradient by a
    layer's input and again for that by its weight: an update of the critic is G + 2 C + 4 C, with R1 6 C more, and one
    of the generator G + C + C + 2 G, less the gradients by the players' own inputs, which nobody asks for.

    R1 is a pass forward, one back to the images, two for the gradient of that one, and two in which the zero that is
    the second derivative of a leaky ReLU goes back through the first: torch computes these, though nothing is in them.
    """
    h = width
    first, last, body = 3 * h * 16 * 16**2, 4 * h * 16, 11_776 * h**2  # body: what lies between, in either player
    start = 100 * 4 * h * 16
    critic, generator = first + body + last, start + body + first
    update = generator + 6 * critic - 2 * first + r1 * (6 * critic - 2 * last)
    return 2 * batch * (critic_steps * update + 3 * generator - start + 2 * critic)


class Contiguous(nn.Module):
    """Undoes the layout that the given networks choose for their input."""

    def forward(self, x: Tensor) -> Tensor:
        return x.contiguous()


def prepare(game: Game, option: Option) -> None:
    """Change the players to what an option says, but for the precision, which they are made with."""
    if not option.channels_last:
        for network in (game.critic, game.generator, game.average):
            layers = nn.Sequential(Contiguous(), network.layers)
            network.layers = layers.to(memory_format=torch.contiguous_format)
    for name in option.compiled:
        getattr(game, name).compile()


def make_step(
    option: Option, configuration: Configuration, config: Config, images: Tensor, device: str
) -> Callable[[], Tensor]:
    """Return what makes an iteration."""
    torch.manual_seed(config.seed)
    functions = functions_of("solutions", "gan").gan
    game = make_game(functions, configuration, replace(config, precision=option.precision), images, device)
    prepare(game, option)

    def step() -> Tensor:
        torch.backends.cudnn.benchmark = option.benchmark
        return functions.train_step(game, config.critic_steps, config.decay)

    return step


def seconds_of(job: Callable[[], object], device: str, times: int) -> float:
    """Measure a job that is done so many times in a row, for once; a device may run behind within the row."""
    if device == "cpu":
        clock = time.perf_counter()
        for _ in range(times):
            job()
        return (time.perf_counter() - clock) / times
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(times):
        job()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000 / times


def peak_of(precision: str, device: str, rounds: int) -> float:
    """Return the FLOP a second of the fastest of some large matrix products."""
    size = PRODUCT[device]
    a, b = (torch.randn(size, size, device=device, dtype=getattr(torch, precision)) for _ in range(2))
    product = lambda: torch.mm(a, b)  # noqa: E731
    seconds_of(product, device, 3)
    return 2 * size**3 / min(seconds_of(product, device, 10) for _ in range(rounds))


def first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def measure(
    options: Mapping[str, Option], configuration: Configuration, config: Config, device: str, rounds: int, times: int
) -> dict[str, Any]:
    """Let the options take turns on a device.

    Returns:
        By option: the seconds of an iteration in each round; or what it failed with, as text.
    """
    images = shapes.shapes("train", max(IMAGES, config.batch_size))[0].to(device)
    steps, found = {}, dict[str, Any]()
    for name, option in options.items():
        try:
            step = make_step(option, configuration, config, images, device)
            seconds_of(step, device, WARM[device])
        except Exception as error:  # an option is a trial: it may fail in torch, in a compiler or for want of memory
            found[name] = first_line(error.__cause__ or error)  # what passed through a function has that as its cause
        else:
            steps[name], found[name] = step, []
    for number in range(rounds):
        for name in reversed(steps) if number % 2 else steps:
            found[name].append(seconds_of(steps[name], device, times))
    return found


def report(
    options: Mapping[str, Option], configuration: Configuration, config: Config, device: str, rounds: int, times: int
) -> dict[str, Any]:
    """Measure and say in numbers what was found, where and of what."""
    if device == "cuda":
        # cuDNN's convolutions of float32 round to TF32 unless forbidden; the peak they are held against does the same.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    flop = flop_of_iteration(config.width, config.batch_size, config.critic_steps, configuration.coefficient > 0)
    peaks = {precision: peak_of(precision, device, rounds) for precision in ("float32", "bfloat16")}
    told: dict[str, Any] = {}
    for name, found in measure(options, configuration, config, device, rounds, times).items():
        if isinstance(found, str):
            told[name] = {"failed": found}
            continue
        median = statistics.median(found)
        share = flop / median / peaks[options[name].precision]
        told[name] = {"seconds": median, "least": min(found), "most": max(found), "share_of_peak": share}
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "config": configuration.name,
        "width": config.width,
        "batch": config.batch_size,
        "flop": flop,
        "tf32": device == "cuda" and torch.backends.cudnn.allow_tf32,
        "peak": peaks,
        "options": told,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    named = {configuration.name: configuration for configuration in CONFIGURATIONS}
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--config", choices=named, default="cifar10-w1-3")
    parser.add_argument("--width", type=int, default=Config.width)
    parser.add_argument("--batch", type=int, default=Config.batch_size, help="images")
    parser.add_argument("--options", nargs="+", choices=OPTIONS, default=list(OPTIONS), metavar="OPTION")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=10, help="iterations of each option in a round")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda: this torch finds no CUDA device; use --device cpu")
    config = replace(PRESETS["paper"], width=arguments.width, batch_size=arguments.batch)
    options = {name: OPTIONS[name] for name in arguments.options}
    rest = named[arguments.config], config, arguments.device, arguments.rounds, arguments.times
    print(json.dumps(report(options, *rest), indent=1))


if __name__ == "__main__":
    main()
