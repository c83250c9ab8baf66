"""The benchmarks of the image experiment's step: that both sides do the same, and what is counted and told."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from exercises.experiments.cifar10.settings import PRESETS
from tests.bench import cifar10, cifar10_device
from tests.bench.cifar10_device import OPTIONS, Option, flop_of_iteration, make_step

TINY = cifar10.SMALL
IMAGES = torch.randint(256, (16, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
timed = pytest.mark.parametrize("name", cifar10.TIMED)


class Counter(TorchDispatchMode):
    """Counts by the table of torch's FlopCounterMode, which itself breaks off at a gradient of a gradient."""

    flop = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func._overloadpacket):
            self.flop += count(*args, **(kwargs or {}), out_val=result)
        return result


def only_line(text):
    (line,) = text.splitlines()
    return line


@timed
def test_the_original_and_the_kit_make_the_same_iteration(name):
    assert cifar10.largest_difference(cifar10.NAMED[name], TINY) < cifar10.ROUNDING


@timed
@pytest.mark.parametrize(
    "changed",
    [
        {"critic_learning_rate": 4.4e-4},
        {"generator_learning_rate": 2.2e-4},
        {"decay": 0.9},
        {"critic_steps": 1},
    ],
)
def test_another_iteration_is_found_out(name, changed, monkeypatch):
    class Other(cifar10.Original):
        def __init__(self, configuration, config, *batches):
            super().__init__(configuration, replace(config, **changed), *batches)

    monkeypatch.setattr(cifar10, "Original", Other)
    assert cifar10.largest_difference(cifar10.NAMED[name], TINY) > cifar10.ROUNDING


def test_another_penalty_is_found_out(monkeypatch):
    right = cifar10.r1
    monkeypatch.setattr(cifar10, "r1", lambda critic, real: 1.5 * right(critic, real))
    assert cifar10.largest_difference(cifar10.NAMED["cifar10-w1-3"], TINY) > cifar10.ROUNDING


def test_jobs_take_turns_and_the_first_round_does_not_count(capsys):
    order = []
    jobs = {name: lambda name=name: order.append(name) for name in ("original", *cifar10.TARGETS)}
    seconds = cifar10.take_turns(jobs, 2)
    assert {name: len(spent) for name, spent in seconds.items()} == dict.fromkeys(jobs, 2)
    there, back = list(jobs), list(reversed(jobs))
    assert order == [*back, *there, *back]


def test_the_ratio_is_how_many_times_as_long_the_original_takes(capsys):
    cifar10.tell("some", {"original": [4.0, 9.0, 8.0], "float32": [2.0, 3.0, 2.0], "bfloat16": [1.0, 1.0, 1.0]})
    told = [line for line in capsys.readouterr().out.splitlines() if "/" in line]
    assert "float32   3.00 (2.00 to 4.00), target 1.15" in told[0]
    assert "bfloat16  8.00 (4.00 to 9.00), target 2" in told[1]


def test_the_bench_runs_and_tells_every_configuration(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cifar10", "--width", "1", "--batch", "4", "--rounds", "1"])
    monkeypatch.setattr(cifar10.data, "load_colour", lambda name: SimpleNamespace(train=IMAGES))
    cifar10.main()
    told = capsys.readouterr().out
    for name in cifar10.TIMED:
        assert sum(line.startswith(name) for line in told.splitlines()) == 3 + 2


def test_distances_are_kept_by_configuration_and_precision(monkeypatch, capsys, tmp_path):
    trained = []

    def fit(functions, configuration, config, images, scorer, run):
        assert configuration.name == config.config
        trained.append((config.config, config.precision, config.seed))
        run.append_metrics({"epoch": 1, "fd_patches_2000": 7.0})
        run.append_metrics({"epoch": 2, "fd_patches_2000": config.seed + (config.precision == "bfloat16")})

    monkeypatch.setattr(cifar10, "fit", fit)
    found = cifar10.distances(None, None, PRESETS["quick"], 2)
    by = {"float32": [0, 1], "bfloat16": [1, 2]}
    assert found == dict.fromkeys(cifar10.SCORED, by)
    assert len(set(trained)) == 2 * 2 * 2
    capsys.readouterr()
    cifar10.tell_distances({"some": by})
    line = only_line(capsys.readouterr().out)
    assert "float32 0.5000 ± 0.7071  bfloat16 1.5000 ± 0.7071  difference +1.0000, standard error 0.7071" in line
    cifar10.keep(found, PRESETS["quick"], tmp_path / "new" / "precision.json")
    kept = json.loads((tmp_path / "new" / "precision.json").read_text())
    assert kept["distances"] == found
    assert kept["settings"]["updates"] == PRESETS["quick"].updates


@timed
@pytest.mark.parametrize(("width", "batch", "critic_steps"), [(2, 4, 1), (3, 2, 2)])
def test_flop_of_an_iteration_are_those_that_torch_computes(name, width, batch, critic_steps):
    config = replace(TINY, width=width, batch_size=batch, critic_steps=critic_steps)
    step = make_step(OPTIONS["float32"], cifar10.NAMED[name], config, IMAGES, "cpu")
    with Counter() as counter:
        step()
    r1 = cifar10.NAMED[name].coefficient > 0
    assert counter.flop == flop_of_iteration(width, batch, critic_steps, r1)


def test_flop_at_the_width_of_the_paper():
    assert round(flop_of_iteration(128, 64, 2, r1=False) / 1e9) == 473
    assert round(flop_of_iteration(128, 64, 2, r1=True) / 1e9) == 771


@timed
def test_another_layout_makes_the_same_iteration(name):
    values = []
    for option in ("float32", "float32-contiguous"):
        step = make_step(OPTIONS[option], cifar10.NAMED[name], TINY, IMAGES, "cpu")
        values.append([float(step()) for _ in range(3)])
    assert values[0] == pytest.approx(values[1], abs=1e-3)
    assert values[0][0] != values[0][2]


def test_the_contiguous_option_leaves_no_layer_in_another_layout():
    configuration = cifar10.NAMED["cifar10-w1-3"]
    game = cifar10_device.make_game(cifar10.reference(), configuration, replace(TINY, precision="float32"), IMAGES)
    weights = [weight for weight in game.networks.parameters() if weight.dim() == 4]
    assert not all(weight.is_contiguous() for weight in weights)
    cifar10_device.prepare(game, OPTIONS["float32-contiguous"])
    assert all(weight.is_contiguous() for weight in weights)
    assert game.critic.layers(torch.zeros(2, 3, 32, 32).to(memory_format=torch.channels_last)).shape == (2, 1, 1, 1)


def test_an_option_that_fails_is_told_and_the_others_are_measured():
    options = {"good": Option("float32"), "bad": Option("float32", compiled=("nobody",))}
    told = cifar10_device.report(options, cifar10.NAMED["cifar10-w1-3"], TINY, "cpu", rounds=2, times=1)
    assert "nobody" in told["options"]["bad"]["failed"]
    good = told["options"]["good"]
    assert 0 < good["least"] <= good["seconds"] <= good["most"]
    assert good["share_of_peak"] == pytest.approx(told["flop"] / good["seconds"] / told["peak"]["float32"])


def test_a_device_with_a_clock_of_its_own_tells_the_seconds_of_one_time(monkeypatch):
    class Event:
        now = 0.0  # ms

        def __init__(self, enable_timing):
            assert enable_timing
            self.done = False

        def record(self):
            self.at = Event.now

        def synchronize(self):
            self.done = True

        def elapsed_time(self, end):
            assert end.done
            return end.at - self.at

    def job():
        Event.now += 50

    monkeypatch.setattr(torch.cuda, "Event", Event)
    assert cifar10_device.seconds_of(job, "cuda", 4) == pytest.approx(0.05)


def test_the_device_bench_prints_json(monkeypatch, capsys):
    arguments = ["--device", "cpu", "--width", "1", "--batch", "4", "--options", "float32", "bfloat16"]
    monkeypatch.setattr(sys, "argv", ["cifar10_device", *arguments, "--rounds", "1", "--times", "1"])
    cifar10_device.main()
    told = json.loads(capsys.readouterr().out)
    assert list(told["options"]) == ["float32", "bfloat16"]
    assert told["config"] == "cifar10-w1-3"
    assert told["flop"] == flop_of_iteration(1, 4, 2, r1=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["cifar10_device", "--device", "cuda"])
    with pytest.raises(SystemExit, match="finds no CUDA device; use --device cpu"):
        cifar10_device.main()
