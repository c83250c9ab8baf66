"""The image experiment: networks, training that can go on, what breaks it, scores, tables and figures."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from exercises.experiments import runs
from exercises.experiments.cifar10 import experiment, tables, training
from exercises.experiments.cifar10.experiment import precision_of, summary_of, train_one
from exercises.experiments.cifar10.figures import all_figures
from exercises.experiments.cifar10.networks import (
    NOISE,
    Critic,
    Generator,
    NormalisedConv2d,
    ResidualBlock,
    as_input,
    as_pixels,
)
from exercises.experiments.cifar10.players import batches, make_game
from exercises.experiments.cifar10.rehearsal import rehearse
from exercises.experiments.cifar10.scores import check_scores, rank_correlation, sample, score_names
from exercises.experiments.cifar10.settings import CONFIGURATIONS, PRESETS, Config
from exercises.experiments.cifar10.training import SHOWN, SUBMITTED, fit, held_out_metric, train_share
from exercises.experiments.runs import RunError
from exercises.experiments.settings import SettingError, with_settings
from solutions.gan import objectives, penalties, scores, steps
from tests.kit.small_images import FUNCTIONS, IMAGES, functions, pooled

TINY = replace(
    PRESETS["quick"], width=2, updates=6, eval_every=2, batch_size=8, samples=100, precision="float32", seed=3
)
NONE, SPECTRAL, R1 = CONFIGURATIONS[0], CONFIGURATIONS[1], CONFIGURATIONS[4]
SCORER = pooled()


# Settings


def test_the_five_configurations_are_those_of_the_assignment():
    told = {c.name: (c.objective, c.spectral, c.coefficient) for c in CONFIGURATIONS}
    assert told == {
        "cifar10-jsd-1": ("jsd", False, 0),
        "cifar10-jsd-2": ("jsd", True, 0),
        "cifar10-jsd-3": ("jsd", False, 1),
        "cifar10-w1-2": ("w1", True, 0),
        "cifar10-w1-3": ("w1", False, 1),
    }


def test_the_paper_preset_is_the_assignment():
    paper = PRESETS["paper"]
    assert (paper.width, paper.batch_size, paper.critic_steps, paper.decay) == (128, 64, 2, 0.998)
    assert (paper.updates, paper.eval_every) == (100_000, 2_000)
    assert (paper.generator_learning_rate, paper.critic_learning_rate) == (2e-4, 4e-4)
    game = make_game(FUNCTIONS, R1, replace(TINY, **{}), IMAGES.train)
    for optimizer, decay in ((game.critic_optimizer, 1e-6), (game.generator_optimizer, 0)):
        assert optimizer.defaults["betas"] == (0, 0.99)
        assert optimizer.defaults["weight_decay"] == decay


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("config=cifar10-w1-4", ["config is 'cifar10-w1-4'", "did you mean 'cifar10-w1-"]),
        ("extractor=inceptoin", ["did you mean 'inception'"]),
        ("precision=half", ["float32, bfloat16"]),
        ("width=0", ["width is 0", "at least 1"]),
        ("width=257", ["width is 257", "at most 256"]),
        ("samples=99", ["samples is 99", "at least 100"]),
        ("samples=100001", ["at most 100000"]),
        ("decay=1.5", ["decay is 1.5", "from 0 to 1"]),
        ("decay=nan", ["from 0 to 1"]),
        ("eval_every=0", ["eval_every is 0"]),
        ("eval_every=100", ["eval_every is 100", "more than a thousandth"]),
    ],
)
def test_an_impossible_setting_is_refused_by_name(assignment, words):
    with pytest.raises(SettingError) as refusal:
        with_settings(PRESETS["paper"], [assignment])
    assert all(word in str(refusal.value) for word in words)


def test_the_last_evaluation_is_after_the_last_update():
    odd = replace(TINY, updates=7, eval_every=3)
    assert [odd.updates_until(i) for i in range(odd.evaluations + 1)] == [0, 3, 6, 7]


# Networks


@pytest.mark.parametrize("h", [2, 16])
def test_the_networks_have_the_parameters_of_the_description(h):
    def normed_block(c):  # 3x3 and 1x1 convolutions without bias, two norms of 2c, and a
        return 9 * c * c + 2 * c + c * c + 2 * c + 1

    def block(c):
        return 9 * c * c + c + c * c + c + 1

    up = [(NOISE, 4 * h), (4 * h, 2 * h), (2 * h, h)]
    down = [(3, h), (h, 2 * h), (2 * h, 4 * h)]
    generator = sum(16 * i * o + 2 * o + normed_block(o) for i, o in up) + 16 * h * 3 + 3
    critic = sum(16 * i * o + o + block(o) for i, o in down) + 16 * 4 * h + 1
    assert sum(p.numel() for p in Generator(h).parameters()) == generator
    assert sum(p.numel() for p in Critic(h).parameters()) == critic


def test_at_the_assignments_width_there_are_seven_and_six_million():
    with torch.device("meta"):
        assert sum(p.numel() for p in Generator(128).parameters()) == 6_892_806
        assert sum(p.numel() for p in Critic(128).parameters()) == 6_079_108


def test_images_and_scores_have_their_shapes_whatever_the_precision():
    for reduced in (False, True):
        images = Generator(2, reduced)(torch.randn(5, NOISE))
        assert images.shape == (5, 3, 32, 32)
        assert images.dtype == torch.float32
        assert images.abs().max() <= 1
        scores_ = Critic(2, reduced)(images)
        assert scores_.shape == (5,)
        assert scores_.dtype == torch.float32


def test_the_work_is_that_of_the_layers_in_the_description():
    """Side by side with the products that each layer of the assignment's table needs."""
    h, n = 4, 3

    def block(c, pixels):
        return 2 * pixels * (9 * c * c + c * c)

    ups = [(NOISE, 4 * h, 1, 4), (4 * h, 2 * h, 4, 8), (2 * h, h, 8, 16)]
    generator = sum(2 * 16 * i * o * below**2 + block(o, side**2) for i, o, below, side in ups)
    generator += 2 * 16 * h * 3 * 16**2
    downs = [(3, h, 16), (h, 2 * h, 8), (2 * h, 4 * h, 4)]
    critic = sum((2 * 16 * i * o) * side**2 + block(o, side**2) for i, o, side in downs) + 2 * 16 * 4 * h
    for network, argument, expected in (
        (Generator(h), torch.randn(n, NOISE), generator),
        (Critic(h), torch.randn(n, 3, 32, 32), critic),
    ):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(argument)
        assert counter.get_total_flops() == n * expected


def test_a_residual_block_mixes_by_a_sigmoid_that_starts_at_minus_three():
    torch.manual_seed(0)
    block = ResidualBlock(nn.Conv2d(2, 2, 1))
    x = torch.randn(1, 2, 4, 4)
    s = 1 / (1 + math.exp(3))
    assert torch.allclose(block(x), (1 - s) * x + s * block.f(x))


def test_bfloat16_computes_what_float32_does_but_for_its_rounding():
    torch.manual_seed(0)
    critic = Critic(8)
    x = torch.rand(32, 3, 32, 32) * 2 - 1
    results = {}
    for reduced in (False, True):
        critic.reduced = reduced
        critic.zero_grad()
        penalty = penalties.r1_penalty(critic, x)
        penalty.backward()
        gradient = torch.cat([p.grad.flatten() for p in critic.parameters() if p.grad is not None])
        results[reduced] = critic(x).detach(), penalty.detach(), gradient
    for exact, rounded in zip(results[False], results[True], strict=True):
        error = (exact - rounded).norm() / exact.norm()
        assert 0 < error < 0.05


def test_every_convolution_of_a_normalised_critic_is_divided_by_its_singular_value():
    torch.manual_seed(0)
    critic = Critic(4, normalise=FUNCTIONS.spectral_norm)
    convolutions = [m for m in critic.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 10
    assert all(isinstance(m, NormalisedConv2d) for m in convolutions)
    for _ in range(50):
        critic(torch.randn(2, 3, 32, 32))
    critic.eval()
    for m in convolutions:
        weight, _ = FUNCTIONS.spectral_norm(m.weight, m.u, 0)
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)
    before = [m.u.clone() for m in convolutions]
    critic(torch.randn(2, 3, 32, 32))
    assert all(torch.equal(m.u, u) for m, u in zip(convolutions, before, strict=True)), "moves in evaluation"


def test_pixels_become_numbers_and_come_back():
    pixels = torch.arange(256, dtype=torch.uint8)
    assert as_input(pixels).aminmax() == (-1, 1)
    assert torch.equal(as_pixels(as_input(pixels)), pixels)
    assert as_pixels(torch.tensor([-2.0, 2.0])).tolist() == [0, 255]


def test_batches_go_through_all_images_before_one_comes_again():
    torch.manual_seed(0)
    images = torch.arange(10).view(10, 1, 1, 1).byte()
    stream = batches(images, 4)
    first, second, third = (as_pixels(next(stream)).flatten().tolist() for _ in range(3))
    assert len({*first, *second}) == 8
    assert len(first) == len(second) == len(third) == 4
    assert len(next(batches(images[:3], 4))) == 3  # fewer images than a batch


# Training


def fitted(tmp_path, configuration=R1, config=TINY, **changed):
    path = tmp_path / "run"
    run = runs.read(path) if path.exists() else runs.create(path, {})
    return run, fit(functions(**changed), configuration, config, IMAGES, SCORER, run)


@pytest.fixture(scope="module", params=[NONE, SPECTRAL, R1], ids=lambda c: c.name)
def whole(request, tmp_path_factory):
    run, _ = fitted(tmp_path_factory.mktemp("whole"), request.param)
    return request.param, run


def test_a_training_leaves_metrics_samples_and_the_generator(whole):
    _, run = whole
    names = score_names("patches", TINY.samples)
    assert names == ("fd_patches_100", "cs_patches_100")
    assert [m["update"] for m in run.metrics()] == [2, 4, 6]
    assert all(math.isfinite(m[key]) for m in run.metrics() for key in ("metric", "objective", *names))
    assert len({p.name for p in (run.path / "samples").glob("*.png")}) == 3
    with Image.open(run.path / "samples" / "00000006.png") as strip:
        assert strip.size == (32 * SHOWN, 32)
    kept, whole_ = load_file(run.path / SUBMITTED), load_file(run.checkpoint)
    assert kept.keys() == {f"model.{name}" for name in Generator(2).state_dict()}
    assert all(torch.equal(tensor, whole_[name.replace("model.", "model.average.")]) for name, tensor in kept.items())


def interrupting(call):
    """A step that is interrupted at its n-th call."""
    calls = iter(range(1, 1000))

    def train_step(game, num_critic_steps, decay):
        if next(calls) == call:
            raise KeyboardInterrupt
        return steps.train_step(game, num_critic_steps, decay)

    return train_step


@pytest.mark.parametrize("call", [2, 3, 6])
def test_a_training_that_was_killed_goes_on_to_the_same_bits(whole, tmp_path, call):
    configuration, run = whole
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path, configuration, train_step=interrupting(call))
    assert len(runs.read(tmp_path / "run").metrics()) == (call - 1) // 2
    torch.randn(7)  # whatever was drawn in between
    resumed, _ = fitted(tmp_path, configuration)
    mine, theirs = load_file(resumed.checkpoint), load_file(run.checkpoint)
    assert mine.keys() == theirs.keys()
    assert any("optimizer.exp_avg_sq.generator" in name for name in mine)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    timeless = [[line | {"seconds": 0, "cpu_seconds": 0} for line in r.metrics()] for r in (resumed, run)]
    assert timeless[0] == timeless[1]
    strips = [(r.path / "samples" / "00000006.png").read_bytes() for r in (resumed, run)]
    assert strips[0] == strips[1]


def test_another_seed_is_another_training(whole, tmp_path):
    configuration, run = whole
    other, _ = fitted(tmp_path, configuration, replace(TINY, seed=4))
    assert other.metrics()[-1]["metric"] != run.metrics()[-1]["metric"]


def test_evaluation_leaves_the_players_as_they_are():
    torch.manual_seed(0)
    game = make_game(FUNCTIONS, SPECTRAL, TINY, IMAGES.train)
    train_share(FUNCTIONS, game, TINY, IMAGES.train, 1)
    before = {name: tensor.clone() for name, tensor in game.networks.state_dict().items()}
    state = torch.get_rng_state()
    training.evaluate(FUNCTIONS, game, TINY, IMAGES, SCORER)
    after = game.networks.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert torch.equal(torch.get_rng_state(), state)
    assert game.critic.training
    assert game.generator.training


def test_the_metric_is_the_objective_on_held_out_images():
    torch.manual_seed(0)
    game = make_game(FUNCTIONS, R1, TINY, IMAGES.train)
    found = held_out_metric(game, TINY, IMAGES.test)
    fake = sample(game.generator, 40, torch.Generator().manual_seed(1000 * TINY.seed + training.METRIC_STREAM))
    with torch.no_grad():
        real_scores, fake_scores = (game.critic(as_input(x)) for x in (IMAGES.test, fake))
    assert found == pytest.approx(float(real_scores.mean() - fake_scores.mean()), abs=1e-5)


# What breaks a training


def test_an_objective_that_is_not_finite_stops_with_its_update_and_keeps_the_checkpoint(tmp_path):
    calls = iter(range(1, 100))

    def train_step(game, num_critic_steps, decay):
        value = steps.train_step(game, num_critic_steps, decay)
        return value * (math.nan if next(calls) == 4 else 1)

    with pytest.raises(RunError, match=r"objective is nan at update 4, .* before\. .*checkpoint of update 2 is kept"):
        fitted(tmp_path, train_step=train_step)
    run = runs.read(tmp_path / "run")
    assert [line["update"] for line in run.metrics()] == [2]
    assert all(tensor.isfinite().all() for tensor in load_file(run.checkpoint).values())
    resumed, _ = fitted(tmp_path)
    assert [line["update"] for line in resumed.metrics()] == [2, 4, 6]


def test_a_metric_that_is_not_finite_on_held_out_images_stops_too(tmp_path):
    def w1(real_scores, fake_scores):
        return objectives.w1(real_scores, fake_scores) * (math.inf if len(real_scores) == len(IMAGES.test) else 1)

    with pytest.raises(RunError, match=r"objective is -?inf on held-out images\. Likely cause"):
        fitted(tmp_path, w1=w1)


@pytest.mark.parametrize(
    ("configuration", "rate", "words"),
    [
        (R1, 1e-3, "in the penalty"),
        (SPECTRAL, 1e-3, "in spectral_norm"),
        (NONE, 1e-3, "log 0 or 0 / 0"),
        (R1, 0.1, "0.1"),
    ],
)
def test_the_likely_cause_is_one_that_can_be(configuration, rate, words):
    game = make_game(FUNCTIONS, configuration, replace(TINY, generator_learning_rate=rate), IMAGES.train)
    assert words in training._cause(game)
    assert "`elbo check gan`" in training._cause(game)


def test_a_parameter_that_is_not_finite_is_named(tmp_path):
    calls = iter(range(1, 100))

    def train_step(game, num_critic_steps, decay):
        value = steps.train_step(game, num_critic_steps, decay)
        if next(calls) == 2:
            with torch.no_grad():
                game.generator.layers[0].weight[0] = math.inf
        return value

    with pytest.raises(RunError, match=r"generator\.layers\.0\.weight is not finite after update 2"):
        fitted(tmp_path, train_step=train_step)


def test_a_score_that_is_no_number_is_told_with_its_function(tmp_path):
    for answer, words in (
        (torch.tensor(math.nan), "frechet_distance gave nan"),
        (torch.tensor(1 + 0j), "frechet_distance gave complex"),
        ("much", "frechet_distance gave a str"),
        (torch.zeros(2), r"frechet_distance gave a tensor of shape \(2,\)"),
    ):
        run = runs.create(tmp_path / str(words[-9:]).strip("\\(),"), {})
        with pytest.raises(RunError, match=words):
            fit(functions(frechet_distance=lambda *_, a=answer: a), R1, TINY, IMAGES, SCORER, run)


def test_a_score_that_disagrees_with_torch_fidelity_is_refused():
    pytest.importorskip("tqdm", reason="torch-fidelity is not installed: pip install -e '.[images]'")
    check_scores(FUNCTIONS, SCORER, IMAGES)
    for part in ("frechet_distance", "inception_score"):
        reference = getattr(scores, part)

        def wrong(*arguments, reference=reference):
            return 1.01 * reference(*arguments)

        with pytest.raises(RunError, match=rf"gan\.{part} gave .* where torch-fidelity gives"):
            check_scores(functions(**{part: wrong}), SCORER, IMAGES)


def test_what_is_to_do_is_told_before_anything_is_written():
    def to_do(*_):
        raise NotImplementedError("your code goes here")

    with pytest.raises(RunError, match="cifar10-jsd-1 needs a function of gan in which something is still to do"):
        rehearse(functions(jsd=to_do), TINY)
    rehearse(functions(jsd=to_do), replace(TINY, config="cifar10-w1-3"))  # which does not need it


def without_average(game, num_critic_steps, decay):
    value = steps.critic_step(game, game.real_batch(), game.noise_batch())
    steps.generator_step(game, game.noise_batch())
    return value


def without_buffers(game, num_critic_steps, decay):
    value = without_average(game, num_critic_steps, decay)
    with torch.no_grad():
        for mean, latest in zip(game.average.parameters(), game.generator.parameters(), strict=True):
            mean.lerp_(latest, 1 - decay)
    return value


@pytest.mark.parametrize(
    ("train_step", "words"),
    [
        (lambda game, n, decay: None, "gave a NoneType, expected a tensor of one number"),
        (lambda game, n, decay: 1.0, "gave a float, expected a tensor of one number"),
        (lambda game, n, decay: torch.zeros(3), r"gave a tensor of shape \(3,\), expected"),
        (lambda game, n, decay: torch.zeros(()), "the critic does not move"),
        (lambda game, n, decay: steps.critic_step(game, game.real_batch(), game.noise_batch()), "generator does not"),
        (without_average, "the moving average does not move"),
        (without_buffers, "the moving average's batch-norm statistics do not move"),
    ],
    ids=range(7),
)
def test_a_step_that_does_not_do_its_work_is_told_before_anything_is_written(train_step, words):
    with pytest.raises(RunError, match=words):
        rehearse(functions(train_step=train_step), TINY)


def changes_u(weight, u, num_iterations):
    for _ in range(num_iterations):
        u.copy_(F.normalize(weight.flatten(1) @ (weight.flatten(1).T @ u), dim=0).detach())
    v = F.normalize(weight.flatten(1).T @ u, dim=0)
    return weight / (u @ (weight.flatten(1) @ v)), u


def test_a_function_that_changes_what_its_gradient_needs_is_named():
    with pytest.raises(RunError, match=r"cifar10-jsd-2: a function changes a tensor in place .* leave u as it is"):
        rehearse(functions(spectral_norm=changes_u), TINY)


@pytest.mark.parametrize("part", ["frechet_distance", "inception_score"])
def test_a_score_that_is_to_do_is_told_before_anything_is_written(part):
    def to_do(*_):
        raise NotImplementedError("your code goes here")

    with pytest.raises(RunError, match="needs a function of gan in which something is still to do"):
        rehearse(functions(**{part: to_do}), TINY)


def failing(error):
    def train_step(game, num_critic_steps, decay):
        raise error

    return lambda: SimpleNamespace(gan=functions(train_step=train_step))


def test_short_memory_says_what_to_take_less_of(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "make_scorer", lambda *_: SCORER)

    def one(error, out):
        train_one(failing(error), TINY, lambda: IMAGES, tmp_path, runs.Run(tmp_path / out, {}), {}, "cpu", R1)

    for number, error in enumerate(
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            RuntimeError("can't allocate memory: x"),
        )
    ):
        with pytest.raises(RunError, match=r"cifar10-w1-3: memory was not enough for width 2 .*--set batch_size=4"):
            one(error, str(number))
    with pytest.raises(RuntimeError, match="another"):
        one(RuntimeError("another"), "other")
    with pytest.raises(RunError, match="cifar10-w1-3: checkpoint cannot be written: No space left"):
        one(OSError(28, "No space left on device", "checkpoint"), "full")


def test_bfloat16_is_chosen_where_the_processor_has_it(monkeypatch):
    for flags, expected in (
        ("fma avx512_bf16 x", "bfloat16"),
        ("fma avx512f", "float32"),
        ("svebf16 bf16", "bfloat16"),
    ):
        monkeypatch.setattr(experiment.Path, "read_text", lambda *_, flags=flags: flags)
        assert precision_of(Config(), "cpu") == expected
    assert precision_of(Config(precision="float32"), "cuda") == "float32"


# Tables and figures


def test_ranks_correlate_as_spearman_said():
    up = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert rank_correlation(up, [10.0, 20.0, 25.0, 1e9, 1e10]) == pytest.approx(1)
    assert rank_correlation(up, [5.0, 4.0, 3.0, 2.0, 1.0]) == pytest.approx(-1)
    assert rank_correlation([1.0, 2.0, 3.0], [2.0, 1.0, 3.0]) == pytest.approx(0.5)  # 1 - 6 * 2 / (3 * 8)
    assert rank_correlation([1.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == pytest.approx(1.5 / math.sqrt(1.5 * 2))  # ties
    assert rank_correlation(up, up) == pytest.approx(1, abs=1e-12)
    assert math.isnan(rank_correlation([1.0, math.nan, 2.0], [1.0, 2.0, 3.0]))
    assert math.isnan(rank_correlation([1.0, 1.0], [1.0, 2.0]))
    assert math.isnan(rank_correlation([1.0], [1.0]))


def lines_of(metric, distance, config):
    key, other = score_names(config.extractor, config.samples)
    return [
        {"epoch": i, "update": 2 * i, "metric": m, key: d, other: 2.0, "seconds": 4.0}
        for i, (m, d) in enumerate(zip(metric, distance, strict=True), start=1)
    ]


def test_the_answer_is_in_numbers():
    found = {
        R1: lines_of([1.0, 3.0, 2.0], [9.0, 8.0, 7.0], TINY),
        NONE: lines_of([1.0, 2.0, 3.0], [9.0, 7.0, 8.0], TINY),
    }
    table = tables.comparison(TINY, found)
    assert [row[0] for row in table.rows] == ["cifar10-w1-3", "cifar10-jsd-1"]
    assert table.rows[0][2:] == ["6", "7.000", "2.000", "2.000", "+0.50", "−1.00", "2.000"]
    told = tables.answer(TINY, found)
    assert "over 3 checkpoints the rank correlation with their order in time is −0.75 for the distance" in told[0]
    assert "and +0.75 for the metric, on average over 2 trainings" in told[0]
    assert told[1] == "the distance tells more of progress than the metric in 2 of 2"
    rising = {R1: lines_of([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], TINY)}
    assert tables.answer(TINY, rising)[1] == "neither of them fell steadily: here neither tells of progress"
    assert tables.answer(TINY, {R1: lines_of([1.0, 2.0], [2.0, 1.0], TINY)}) == []


def test_the_names_say_which_extractor_and_how_many_samples():
    assert score_names("inception", 10_000) == ("fid_10000", "is_10000")
    figures = summary_of(R1, TINY, lines_of([1.0, 3.0, 2.0], [9.0, 8.0, 7.0], TINY))
    assert figures["cifar10.fd_patches_100.cifar10-w1-3"] == 7.0
    assert not any("fid" in name or ".is_" in name for name in figures)
    assert all(isinstance(value, float) and math.isfinite(value) for value in figures.values())


def test_each_configuration_has_its_figures_and_several_are_compared(tmp_path):
    found, whole = {}, runs.Run(tmp_path, {})
    for configuration in (NONE, R1):
        run = runs.create(whole.training(configuration.name), {})
        fit(FUNCTIONS, configuration, TINY, IMAGES, SCORER, run)
        found[configuration] = run.metrics()
    drawn = dict(all_figures(TINY, found, IMAGES, whole))
    assert list(drawn)[:2] == ["sheet", "comparison"]
    assert len(drawn) == 6
    left, right = drawn["cifar10-w1-3-progress"].axes
    assert "W1" in left.get_ylabel()
    assert "patches" in right.get_ylabel()
    assert list(right.lines[0].get_ydata()) == [line["fd_patches_100"] for line in found[R1]]
    rows = np.asarray(drawn["cifar10-w1-3-samples"].axes[0].images[0].get_array())
    assert rows.shape == (3 * 32, 16 * 32, 3)
    alone = dict(all_figures(TINY, {R1: found[R1]}, IMAGES, whole))
    assert list(alone) == ["cifar10-w1-3-progress", "cifar10-w1-3-samples"]
