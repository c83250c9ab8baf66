"""Compares an iteration of the image experiment with the original's kind of step: CPU time, on one thread.

    python -m tests.bench.cifar10            # about 2 minutes
    python -m tests.bench.cifar10 --scores   # a quarter of an hour: whether bfloat16 costs anything in the scores

An iteration is two updates of the critic, one of the generator, and the moving average, at the width and the batch of
the preset `paper`. The original's kind of step is written anew: contiguous images in float32 from a DataLoader, a graph
of the generator in the critic's update too, the real scores again in the generator's, gradients of the critic there
that nobody uses, an optimizer that is not fused. It does the same mathematics, which is checked before it is timed.
"""

import argparse
import itertools
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import data
from data import ColourImages
from exercises.experiments import runs
from exercises.experiments.cifar10.experiment import precision_of
from exercises.experiments.cifar10.networks import as_input
from exercises.experiments.cifar10.players import make_game
from exercises.experiments.cifar10.scores import Scorer, make_scorer, score_names
from exercises.experiments.cifar10.settings import CONFIGURATIONS, PRESETS, Config, Configuration
from exercises.experiments.cifar10.training import fit
from grading.training import functions_of

RESULTS = Path(__file__).parents[2] / "exercises" / "experiments" / "results" / "cifar10" / "precision.json"
NAMED = {configuration.name: configuration for configuration in CONFIGURATIONS}
TIMED = ("cifar10-w1-3", "cifar10-jsd-1")
SCORED = ("cifar10-w1-3", "cifar10-jsd-2")
TARGETS = {"float32": 1.15, "bfloat16": 2.0}  # times the kit shall be faster
SMALL = replace(PRESETS["paper"], width=2, batch_size=4)  # sums of few terms round little
SMOOTH = 1e-3  # an optimizer's eps: without it Adam's first step is the gradient's sign, which rounding may turn
ROUNDING = 1e-6  # of a parameter that moves by 1e-4


class ResidualBlock(nn.Module):
    def __init__(self, f: nn.Module) -> None:
        super().__init__()
        self.f = f
        self.a = nn.Parameter(torch.tensor(-3.0))

    def forward(self, x: Tensor) -> Tensor:
        s = torch.sigmoid(self.a)
        return (1 - s) * x + s * self.f(x)


def make_generator(h: int) -> nn.Sequential:
    def normed(channels: int, side: int) -> tuple[nn.Module, ...]:
        convolution = nn.Conv2d(channels, channels, side, padding=side // 2, bias=False)
        return convolution, nn.BatchNorm2d(channels), nn.ReLU()

    def up(inputs: int, outputs: int, stride: int, padding: int) -> tuple[nn.Module, ...]:
        grow = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
        block = ResidualBlock(nn.Sequential(*normed(outputs, 3), *normed(outputs, 1)))
        return grow, nn.BatchNorm2d(outputs), nn.ReLU(), block

    layers = *up(100, 4 * h, 1, 0), *up(4 * h, 2 * h, 2, 1), *up(2 * h, h, 2, 1)
    return nn.Sequential(*layers, nn.ConvTranspose2d(h, 3, 4, 2, 1), nn.Tanh())


def make_critic(h: int) -> nn.Sequential:
    def down(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
        f = nn.Conv2d(outputs, outputs, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(outputs, outputs, 1)
        block = ResidualBlock(nn.Sequential(*f, nn.LeakyReLU(0.2)))
        return nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2), block

    return nn.Sequential(*down(3, h), *down(h, 2 * h), *down(2 * h, 4 * h), nn.Conv2d(4 * h, 1, 4))


def jsd(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return (F.logsigmoid(real_scores).mean() + F.logsigmoid(-fake_scores).mean() + math.log(4)) / 2


def w1(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    return real_scores.mean() - fake_scores.mean()


def r1(critic: nn.Module, real: Tensor) -> Tensor:
    x = real.clone().requires_grad_(True)
    scores = critic(x)
    (gradient,) = torch.autograd.grad(scores, x, torch.ones_like(scores), create_graph=True, retain_graph=True)
    return gradient.view(len(real), -1).pow(2).sum(1).mean()


class Original:
    """Both players and their updates, without spectral norm."""

    def __init__(self, configuration: Configuration, config: Config, real: Iterator[Tensor], noise: Iterator[Tensor]):
        self.generator, self.critic = make_generator(config.width), make_critic(config.width)
        self.average = deepcopy(self.generator)
        self.critic_optimizer = torch.optim.Adam(
            self.critic.parameters(), lr=config.critic_learning_rate, betas=(0.0, 0.99), weight_decay=1e-6
        )
        self.generator_optimizer = torch.optim.Adam(
            self.generator.parameters(), lr=config.generator_learning_rate, betas=(0.0, 0.99)
        )
        self.objective = {"jsd": jsd, "w1": w1}[configuration.objective]
        self.coefficient, self.config = configuration.coefficient, config
        self.real, self.noise = real, noise

    def iteration(self) -> float:
        for _ in range(self.config.critic_steps):
            real = next(self.real)
            value = self.update_critic(real, next(self.noise))
        self.update_generator(real, next(self.noise))
        self.update_average(self.config.decay)
        return value

    def update_critic(self, real: Tensor, noise: Tensor) -> float:
        self.critic_optimizer.zero_grad()
        fake = self.generator(noise.view(-1, 100, 1, 1)).detach()
        value = self.objective(self.critic(real), self.critic(fake))
        loss = -value
        if self.coefficient:
            loss = loss + self.coefficient * r1(self.critic, real)
        loss.backward()
        self.critic_optimizer.step()
        return value.item()

    def update_generator(self, real: Tensor, noise: Tensor) -> None:
        self.generator_optimizer.zero_grad()
        self.objective(self.critic(real), self.critic(self.generator(noise.view(-1, 100, 1, 1)))).backward()
        self.generator_optimizer.step()

    def update_average(self, decay: float) -> None:
        latest = self.generator.state_dict()
        for name, mean in self.average.state_dict().items():
            mean.copy_(decay * mean + (1 - decay) * latest[name])


def original_batches(images: Tensor, size: int) -> Iterator[Tensor]:
    """Go through float images for ever as a notebook does, one by one into a batch."""
    loader = DataLoader(TensorDataset(as_input(images)), batch_size=size, shuffle=True, drop_last=True)
    while True:
        for (batch,) in loader:
            yield batch


def largest_difference(configuration: Configuration, config: Config) -> float:
    """Make an iteration in both ways, from one start and on the same batches; how far apart do they end?

    Returns:
        The largest difference of a parameter, or of a statistic of batch norm, of any of the three networks.
    """
    torch.manual_seed(config.seed)
    images = torch.randint(256, (config.critic_steps, config.batch_size, 3, 32, 32), dtype=torch.uint8)
    real, noise = as_input(images), torch.randn(config.critic_steps + 1, config.batch_size, 100)
    game = make_game(reference(), configuration, replace(config, precision="float32"), images[0])
    game.real_batch, game.noise_batch = iter(real).__next__, iter(noise).__next__
    original = Original(configuration, config, iter(real), iter(noise))
    for name, network in game.networks.items():
        getattr(original, name).load_state_dict(network.layers.state_dict())
    for side in (original, game):
        for optimizer in (side.critic_optimizer, side.generator_optimizer):
            optimizer.param_groups[0]["eps"] = SMOOTH
    original.iteration()
    reference().train_step(game, config.critic_steps, config.decay)
    pairs = [
        (getattr(original, name).state_dict()[key], value)
        for name, network in game.networks.items()
        for key, value in network.layers.state_dict().items()
    ]
    return max(float((ours - theirs).abs().max()) for ours, theirs in pairs if theirs.is_floating_point())


def jobs_of(configuration: Configuration, config: Config, images: Tensor) -> dict[str, Callable[[], object]]:
    """Return an iteration of each side, by its name, from random starts."""
    noise = (torch.randn(config.batch_size, 100) for _ in itertools.count())
    original = Original(configuration, config, original_batches(images, config.batch_size), noise)
    functions = reference()
    jobs: dict[str, Callable[[], object]] = {"original": original.iteration}
    for precision in TARGETS:
        game = make_game(functions, configuration, replace(config, precision=precision), images)
        jobs[precision] = lambda game=game: functions.train_step(game, config.critic_steps, config.decay)
    return jobs


def take_turns(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the CPU seconds of each job in so many rounds, every other one backwards; a first one does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name in list(jobs) if number % 2 else reversed(jobs):
            begin = time.process_time()
            jobs[name]()
            if number:
                seconds[name].append(time.process_time() - begin)
    return seconds


def tell(title: str, seconds: Mapping[str, Sequence[float]]) -> None:
    """Print each side's seconds, and how many times as long the original takes as each of the others."""
    for name, spent in seconds.items():
        print(f"{title:14s} {name:9s} {_spread(spent)} CPU s an iteration")
    for name, target in TARGETS.items():
        ratios = [a / b for a, b in zip(seconds["original"], seconds[name], strict=True)]
        print(f"{title:14s} original / {name:9s} {_spread(ratios)}, target {target:g}", flush=True)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def distances(images: ColourImages, scorer: Scorer, config: Config, seeds: int) -> dict[str, dict[str, list[float]]]:
    """Train with both precisions from the same seeds: the Frechet distance at the end of each training.

    Returns:
        By configuration and precision, a number for each seed.
    """
    key, _ = score_names(config.extractor, config.samples)
    found: dict[str, dict[str, list[float]]] = {name: {precision: [] for precision in TARGETS} for name in SCORED}
    for name, seed, precision in itertools.product(SCORED, range(seeds), TARGETS):
        one = replace(config, config=name, seed=seed, precision=precision)
        with tempfile.TemporaryDirectory() as folder:
            run = runs.create(Path(folder) / "run", {"experiment": "cifar10"})
            fit(reference(), NAMED[name], one, images, scorer, run)
            found[name][precision].append(round(run.metrics()[-1][key], 5))
        print(f"{name:14s} seed {seed} {precision:8s} {key} {found[name][precision][-1]:.4f}", flush=True)
    return found


def tell_distances(found: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Print means and standard deviations side by side, and whether the means differ by more than seeds do."""
    for name, by in found.items():
        sides = {precision: (statistics.mean(v), statistics.stdev(v), len(v)) for precision, v in by.items()}
        means = "  ".join(f"{precision} {mean:.4f} ± {spread:.4f}" for precision, (mean, spread, _) in sides.items())
        difference = sides["bfloat16"][0] - sides["float32"][0]
        error = math.hypot(*(spread / count**0.5 for _, spread, count in sides.values()))
        print(f"{name:14s} {means}  difference {difference:+.4f}, standard error {error:.4f}", flush=True)


def keep(found: Mapping[str, Any], config: Config, path: Path) -> None:
    """Write the distances to a file, beside the settings that they belong to."""
    settings = {key: value for key, value in asdict(config).items() if key not in ("config", "precision", "seed")}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"settings": settings, "torch": torch.__version__, "distances": found}, indent=1) + "\n")


def reference() -> Any:
    return functions_of("solutions", "gan").gan


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--width", type=int, default=Config.width)
    parser.add_argument("--batch", type=int, default=Config.batch_size, help="images")
    parser.add_argument("--scores", action="store_true", help="train with both precisions instead, from --seeds seeds")
    parser.add_argument("--seeds", type=int, default=3, help="2 or more")
    options = parser.parse_args()
    torch.set_num_threads(1)
    images = data.load_colour("shapes")
    if precision_of(Config(), "cpu") != "bfloat16":
        print("this processor does not compute in bfloat16, which is slow on it; the targets are for one that does")
    if options.scores:
        config = PRESETS["quick"]
        found = distances(images, make_scorer(config.extractor, images, data.data_root()), config, options.seeds)
        tell_distances(found)
        keep(found, config, RESULTS)
        return
    config = replace(PRESETS["paper"], width=options.width, batch_size=options.batch)
    print(f"width {config.width}, batch {config.batch_size}, one thread, medians of {options.rounds} rounds in turns")
    for name in TIMED:
        apart = largest_difference(NAMED[name], SMALL)
        assert apart < ROUNDING, f"{name}: the two ways end {apart:.2g} apart, expected less than {ROUNDING:g}"
        tell(name, take_turns(jobs_of(NAMED[name], config, images.train), options.rounds))


if __name__ == "__main__":
    main()
