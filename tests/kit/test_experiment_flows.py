"""The experiment of planar flows: what is trained, that it can go on, what breaks it, and how it is measured."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from exercises.experiments import runs
from exercises.experiments.flows import figures
from exercises.experiments.flows.evaluation import Score, coverage, impossible, near_ridge, push, score_names, scores
from exercises.experiments.flows.experiment import rehearse, slow_ones, train_all, train_one, trained
from exercises.experiments.flows.inversion import invert
from exercises.experiments.flows.networks import PlanarFlow, layers_of, load_model
from exercises.experiments.flows.settings import PRESETS, Config, Training, trainings
from exercises.experiments.flows.training import EPOCHS, _broken_down, initial_weights, last_iteration, learning_rate_at
from exercises.experiments.runs import RunError
from exercises.experiments.settings import SettingError, with_settings
from exercises.experiments.side_by_side import work_through
from grading.engine.implementation import ROOT
from grading.pages.run_tables import tables
from grading.training import functions_of
from solutions.flows import composition, objectives, planar
from tests.kit.asked_figures import asked_of

FUNCTIONS = SimpleNamespace(
    constrain_u=planar.constrain_u,
    planar=planar.planar,
    compose=composition.compose,
    negative_log_likelihood=objectives.negative_log_likelihood,
    reverse_kl=objectives.reverse_kl,
)
LOAD = partial(functions_of, "solutions", "flows")
TINY = Config(iterations=60, batch_size=16)
ARCS = Training("arcs", "samples", 2)
RECORD = {"experiment": "flows"}


def loading(**changed):
    """What loads the reference with other functions in it."""
    return lambda: SimpleNamespace(flows=SimpleNamespace(**{**vars(FUNCTIONS), **changed}))


# Settings


def test_all_trainings_are_the_twelve_of_the_assignment():
    names = [t.name for t in trainings(Config())]
    assert len(set(names)) == 12
    assert names[:4] == ["arcs-samples-2", "arcs-samples-8", "arcs-samples-32", "arcs-density-2"]


def test_any_of_the_trainings_can_be_named():
    chosen = with_settings(PRESETS["quick"], ["target=arcs", "mode=samples", "k=8"])
    assert [t.name for t in trainings(chosen)] == ["arcs-samples-8"]
    assert [t.name for t in trainings(Config(mode="density", k="5"))] == ["arcs-density-5", "sine-density-5"]
    assert trainings(Config(mode="explore")) == []


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("target=arc", ["target is 'arc'", "did you mean 'arcs'"]),
        ("mode=sample", ["mode is 'sample'", "did you mean 'samples'"]),
        ("k=0", ["k is '0'", "from 1 to 1000"]),
        ("k=1001", ["k is '1001'", "from 1 to 1000"]),
        ("k=" + "9" * 5000, ["k is '999", "from 1 to 1000"]),
        ("k=many", ["k is 'many'", "'all'"]),
        ("optimizer=sgd", ["optimizer is 'sgd'", "rmsprop, adam"]),
        ("schedule=linear", ["schedule is 'linear'", "constant, cosine"]),
        ("start=zero", ["start is 'zero'", "assignment, tuned"]),
        ("iterations=0", ["iterations is 0", "at least 1"]),
        ("seed=-1", ["seed is -1"]),
    ],
)
def test_an_impossible_setting_is_refused_by_name(assignment, words):
    with pytest.raises(SettingError) as refusal:
        with_settings(PRESETS["paper"], [assignment])
    assert all(word in str(refusal.value) for word in words)


def test_the_paper_preset_is_the_assignment():
    paper = PRESETS["paper"]
    assert (paper.optimizer, paper.learning_rate, paper.batch_size) == ("rmsprop", 5e-4, 128)
    assert (paper.iterations, paper.schedule) == (20_000, "constant")
    torch.manual_seed(0)
    weights = initial_weights(Training("arcs", "density", 10_000), paper)
    assert weights[:, :4].std().item() == pytest.approx(0.01, rel=0.02)
    assert (weights[:, 4] == 0).all()


def moved_at_first(preset, mode, k):
    """How far, on average, the points of the base are from where a flow sends them before training."""
    torch.manual_seed(0)
    z, config = torch.randn(200, 2), PRESETS[preset]
    layers = layers_of(initial_weights(Training("arcs", mode, k), config), config.shifted)
    return float((push(composition.compose, layers, z) - z).norm(dim=1).mean())


def test_a_flow_begins_as_its_start_says():
    assert moved_at_first("paper", "samples", 32) < 0.1
    assert moved_at_first("paper", "density", 32) < 0.1
    assert moved_at_first("best", "samples", 32) < 0.1
    assert moved_at_first("best", "density", 2) < 0.1
    assert moved_at_first("best", "samples", 2) > 0.3  # pressed together


@pytest.mark.parametrize("shifted", [True, False])
def test_weights_of_every_instance_are_layers_of_its_own(shifted):
    torch.manual_seed(0)
    weights = torch.randn(3, 7, 5)
    for instance in range(7):
        shared = layers_of(weights[:, instance], shifted)
        for layer, own in zip(shared, layers_of(weights, shifted), strict=True):
            assert all(torch.allclose(t, rows[instance]) for t, rows in zip(layer, own, strict=True))


def test_the_cosine_schedule_goes_from_the_learning_rate_to_almost_nothing():
    config = replace(TINY, schedule="cosine", learning_rate=0.5)
    rates = [learning_rate_at(config, i) for i in range(1, 61)]
    assert rates[0] == 0.5
    assert rates[30] == pytest.approx(0.25)
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 1e-3


# Inversion and scores


@pytest.mark.parametrize("seed", range(3))
def test_the_way_back_through_a_flow_ends_where_it_began(seed):
    torch.manual_seed(seed)
    layers = layers_of(torch.randn(6, 5, dtype=torch.float64), shifted=False)
    z = torch.randn(40, 2, dtype=torch.float64)
    there = push(composition.compose, layers, z)
    assert torch.allclose(invert(planar.constrain_u, layers, there), z, atol=1e-6)


def on_the_ridge(z1):
    """Points of the ridge above or below these z1."""
    return torch.stack([z1, torch.sin(math.pi * z1 / 2)], 1)


EVEN = on_the_ridge(torch.linspace(-4.999, 4.999, 20_000))


def test_coverage_is_the_overlap_with_an_even_spread_over_the_ridge():
    assert coverage(EVEN).value == pytest.approx(1, abs=1e-3)
    assert coverage(EVEN[:10_000]).value == pytest.approx(0.5, abs=1e-3)
    assert coverage(EVEN[:1]).value == pytest.approx(1 / 20)
    assert coverage(EVEN + torch.tensor([100.0, 0.0])) == Score(0.0, 0.0)
    assert coverage(torch.cat([EVEN, EVEN + torch.tensor([0.0, 9.0])])).value == pytest.approx(0.5, abs=1e-3)
    outside = torch.cat([EVEN, EVEN + torch.tensor([100.0, 0.0])])  # only what is inside of the window counts
    assert coverage(outside).value == coverage(EVEN).value


def test_the_target_itself_has_the_coverage_that_the_handout_calls_ideal():
    z1 = torch.linspace(-4.999, 4.999, 100_000)
    torch.manual_seed(0)
    target = on_the_ridge(z1) + torch.stack([0 * z1, 0.4 * torch.randn(len(z1))], 1)
    assert coverage(target).value == pytest.approx(0.954, abs=0.004)


def test_the_error_of_coverage_is_what_repeated_samples_vary_by():
    torch.manual_seed(0)
    repeated = [coverage(on_the_ridge(2 * torch.randn(2000))) for _ in range(200)]
    spread = float(torch.tensor([score.value for score in repeated]).std())
    assert 0.7 < repeated[0].error / spread < 1.4


def test_near_the_ridge_is_within_two_deviations():
    z = torch.tensor([[1.0, 1.79], [1.0, 1.81], [3.0, -1.79], [3.0, 0.0]])
    assert near_ridge(z).tolist() == [True, False, True, False]


def test_each_training_has_the_figures_that_suit_it():
    assert score_names(ARCS) == ("flows.negative_log_likelihood.arcs.2",)
    assert score_names(Training("arcs", "density", 8)) == ("flows.reverse_kl.arcs.8",)
    assert score_names(Training("sine", "density", 8)) == ("flows.near_ridge.sine.8", "flows.coverage.sine.8")
    standard = layers_of(torch.zeros(1, 5), shifted=False)  # w = 0: nothing moves
    (score,) = scores(FUNCTIONS, standard, ARCS).values()
    assert score.value == pytest.approx(math.log(2 * math.pi) + 0.5 * (2.0 / 2 * 4.4), rel=0.1)


# A training


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("flows") / "whole"
    train_one(LOAD, ARCS, TINY, path, RECORD)
    return runs.read(path)


def test_a_training_leaves_a_run_of_its_own(whole):
    assert [m["iteration"] for m in whole.metrics()] == [3 * share for share in range(1, EPOCHS + 1)]
    assert whole.finished
    assert load_model(whole.checkpoint, 2, TINY.shifted).weights.isfinite().all()
    assert whole.summary()["flows.negative_log_likelihood.arcs.2"] > 2.66


def test_training_lowers_the_loss(whole):
    losses = [m["held_out_loss"] for m in whole.metrics()]
    assert losses[-1] < losses[0] - 0.03


def test_iterations_that_no_share_divides_are_all_done():
    odd = replace(TINY, iterations=47)
    assert last_iteration(odd, EPOCHS) == 47
    assert [last_iteration(odd, share) for share in range(EPOCHS + 1)] == sorted(
        last_iteration(odd, share) for share in range(EPOCHS + 1)
    )


def stopping(call, error):
    """The reference, whose likelihood raises an error at its n-th call."""
    calls = iter(range(1, 10_000))

    def likelihood(layers, x):
        if next(calls) == call:
            raise error
        return objectives.negative_log_likelihood(layers, x)

    return loading(negative_log_likelihood=likelihood)


@pytest.mark.parametrize("call", [2, 4, 31, 65])  # a share is three updates and one look
def test_a_stopped_training_goes_on_to_the_same_bits(whole, tmp_path, call):
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train_one(stopping(call, KeyboardInterrupt()), ARCS, TINY, path, RECORD)
    assert len(runs.read(path).metrics()) == (call - 1) // 4
    train_one(LOAD, ARCS, TINY, path, RECORD)
    resumed = runs.read(path)
    mine, theirs = load_file(resumed.checkpoint), load_file(whole.checkpoint)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    for line, other in zip(resumed.metrics(), whole.metrics(), strict=True):
        assert line | {"cpu_seconds": 0} == other | {"cpu_seconds": 0}


@pytest.mark.parametrize("preset", ["quick", "best"])
def test_the_other_presets_train_in_both_modes(preset, tmp_path):
    config = replace(PRESETS[preset], iterations=40)
    for training in (ARCS, Training("arcs", "density", 2)):
        train_one(LOAD, training, config, tmp_path / training.name, RECORD)


# What breaks a training


def broken_down(tmp_path, likelihood, config=TINY):
    """The message of a training with this likelihood that breaks down, and what is kept of it."""
    with pytest.raises(RunError) as stopped:
        train_one(loading(negative_log_likelihood=likelihood), ARCS, config, tmp_path / ARCS.name, RECORD)
    assert not (tmp_path / ARCS.name).exists()
    return str(stopped.value), runs.read(tmp_path / f"{ARCS.name}.broken-1")


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [(math.nan, "as no w.u is below -1"), (math.inf, "a logarithm of 0")],
)
def test_a_loss_that_is_not_finite_stops_with_iteration_parameters_and_cause(tmp_path, wrong, cause):
    calls = iter(range(1, 10_000))

    def likelihood(layers, x):
        return objectives.negative_log_likelihood(layers, x) + (wrong if next(calls) == 6 else 0)

    message, kept = broken_down(tmp_path, likelihood)
    for words in (
        "arcs-samples-2",
        f"loss is {wrong} at iteration 5",
        "of 2 has u = (",
        "w = (",
        "b = ",
        "w.u = ",
        cause,
    ):
        assert words in message
    assert "The last checkpoint is that of iteration 3." in message
    assert f"is kept in {kept.path}" in message
    load_model(kept.checkpoint, 2, TINY.shifted)
    assert len(kept.metrics()) == 1


def test_a_mended_function_begins_its_training_anew(tmp_path, whole):
    broken_down(tmp_path, lambda layers, x: objectives.negative_log_likelihood(layers, x) * math.nan)
    train_one(LOAD, ARCS, TINY, tmp_path / ARCS.name, RECORD)
    assert runs.read(tmp_path / ARCS.name).summary().keys() == whole.summary().keys()


def test_an_unconstrained_layer_is_named_as_the_cause():
    flow = PlanarFlow(torch.tensor([[0.1, 0.0, 1.0, 0.0, 0.0], [-3.0, 0.0, 1.0, 0.0, 0.5]]), shifted=False)
    message = _broken_down(math.nan, flow, TINY, epoch=1, iteration=2)
    assert "layer 2 of 2 has u = (-3, 0), w = (1, 0), b = 0.5, w.u = -3." in message
    assert "u is not constrained" in message


def test_a_gradient_that_is_not_finite_is_named_as_the_cause(tmp_path):
    def likelihood(layers, x):
        (u, _, _) = layers[1]
        return objectives.negative_log_likelihood(layers, x) + (0 * u.sum()).sqrt()  # 0, with an infinite slope

    message, _ = broken_down(tmp_path, likelihood)
    assert "layer 2 of 2 has u = (nan, nan)" in message
    assert "a gradient was nan or infinite" in message


def test_a_large_learning_rate_is_named_as_the_cause(tmp_path):
    def likelihood(layers, x):
        return objectives.negative_log_likelihood(layers, x) * math.nan

    assert "the learning rate of 5 is large" in broken_down(tmp_path, likelihood, replace(TINY, learning_rate=5.0))[0]


def test_a_loss_without_a_gradient_is_told_with_its_iteration(tmp_path):
    def likelihood(layers, x):
        return objectives.negative_log_likelihood(layers, x).detach()

    assert "the loss at iteration 1 has no gradient" in broken_down(tmp_path, likelihood)[0]


def test_a_held_out_loss_that_is_not_finite_stops_too(tmp_path):
    def likelihood(layers, x):
        return objectives.negative_log_likelihood(layers, x) * (math.nan if len(x) > 1000 else 1)

    assert "the loss on held-out points is nan after iteration 3" in broken_down(tmp_path, likelihood)[0]


def test_a_directory_that_a_kill_left_empty_is_filled(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json.part").write_text("{")
    train_one(LOAD, ARCS, TINY, tmp_path / "run", RECORD)
    assert runs.read(tmp_path / "run").finished


def todo(*_):
    raise NotImplementedError("flows.planar is still to be written, in flows/planar.py")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"planar": todo}, r"training needs flows\.planar.*still to be written"),
        ({"constrain_u": lambda u, w: u.sum()}, r"flows\.constrain_u gave \(\) .* expected \(2,\)"),
        ({"compose": lambda layers, z: z}, r"flows\.compose gave \(2, 2\) .* expected \(\(2, 2\), \(2,\)\)"),
        ({"negative_log_likelihood": lambda layers, x: x.mean()}, r"negative_log_likelihood gave \(\)"),
        ({"reverse_kl": lambda layers, z0, energy: None}, r"reverse_kl gave NoneType"),
    ],
)
def test_a_missing_or_misshapen_function_is_met_before_any_time_is_spent(changed, words):
    with pytest.raises(RunError, match=words):
        rehearse(loading(**changed)().flows, trainings(Config()))


def test_only_what_is_used_is_rehearsed():
    rehearse(loading(reverse_kl=todo)().flows, [ARCS])
    rehearse(loading(compose=todo, constrain_u=todo, negative_log_likelihood=todo)().flows, [])


def test_a_slow_function_is_told_before_the_training_begins():
    def slowly(layers, x):
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        return objectives.negative_log_likelihood(layers, x)

    functions = loading(negative_log_likelihood=slowly)().flows
    (line,) = slow_ones(functions, trainings(Config(k="2", mode="samples")), Config())
    assert line.startswith("slow: one loss of sine-samples-2 takes 0.05")
    assert "so 20000 take 1" in line


# Functions that have changed


def train_one_here(tmp_path, source, likelihood=objectives.negative_log_likelihood):
    """Leave a run with one training, of functions of this source."""
    run = runs.create(tmp_path / "run", RECORD)
    train_one(loading(negative_log_likelihood=likelihood), ARCS, TINY, run.training(ARCS.name), RECORD, source)
    run.write_summary({})
    return run


def test_what_other_functions_trained_is_kept_beside_and_trained_anew(tmp_path, capsys):
    run = train_one_here(tmp_path, "before", lambda layers, x: objectives.negative_log_likelihood(layers, x) + 1)
    before = trained(run, ARCS).summary()
    train_all(LOAD, [ARCS], TINY, run, RECORD, "after")
    assert (
        "arcs-samples-2 was trained by other functions: it is kept as arcs-samples-2.older-1" in capsys.readouterr().out
    )
    assert runs.read(run.path / "trainings" / "arcs-samples-2.older-1").summary() == before
    name = "flows.negative_log_likelihood.arcs.2"
    assert trained(run, ARCS).summary()[name] == pytest.approx(before[name] - 1, abs=1e-3)
    assert not run.finished  # its summary was one of the older training


@pytest.mark.parametrize("source", ["", "before"])
def test_what_these_functions_trained_or_nobody_knows_who_stays(tmp_path, capsys, source):
    run = train_one_here(tmp_path, source)
    before = run.training(ARCS.name).stat().st_ino
    train_all(LOAD, [ARCS], TINY, run, RECORD, "before")
    assert run.training(ARCS.name).stat().st_ino == before
    assert run.finished
    assert capsys.readouterr().out == ""


def test_a_training_that_was_begun_before_its_source_was_told_goes_on(tmp_path):
    run = train_one_here(tmp_path, "")
    own = trained(run, ARCS)
    (own.path / "summary.json").unlink()
    train_all(LOAD, [ARCS], TINY, run, RECORD, "after")
    assert trained(run, ARCS).finished


# What cannot be


@pytest.mark.parametrize(
    ("training", "loss", "told"),
    [
        (ARCS, 1.9862, "below the entropy of the data, which no density is: a log-determinant is wrong"),
        (ARCS, 2.655, ""),  # noise of the held-out points
        (Training("sine", "samples", 8), 1.0, "below the entropy of the data"),
        (Training("arcs", "density", 8), -0.3, "below 0, which no divergence is: a log-determinant is wrong"),
        (Training("arcs", "density", 8), -0.004, ""),
        (Training("sine", "density", 8), -9.0, ""),  # has no lower bound
    ],
)
def test_a_loss_that_no_flow_has_is_told_apart_from_noise(training, loss, told):
    assert impossible(training, loss).startswith(told)
    assert bool(impossible(training, loss)) == bool(told)


def test_a_log_determinant_that_is_wrong_is_told_as_the_training_ends_and_beside_the_bound(tmp_path, capsys):
    run = runs.create(tmp_path / "run", RECORD | {"settings": {"target": "arcs", "mode": "samples", "k": "2"}})
    train_all(too_likely, [ARCS], TINY, run, RECORD)
    told = "below the entropy of the data, which no density is: a log-determinant is wrong"
    printed = capsys.readouterr().out
    assert printed.count(told) == 1
    (table,) = tables(run)
    assert table.rows[0][4] == "2.6600"
    assert table.note == f"arcs-samples-2: {told}."


def too_likely():
    """The reference, whose likelihood is too large; at the top of a file, so that another process can load it."""
    return loading(negative_log_likelihood=lambda layers, x: objectives.negative_log_likelihood(layers, x) - 3)()


# Side by side


def ends_well():
    """Do nothing."""


def breaks_down():
    """Break down as a training does."""
    raise RunError("the loss is nan")


def dies():
    """End the process without an answer, as one does that the system killed."""
    os._exit(3)


def test_jobs_that_break_down_are_told_and_the_others_are_done():
    errors = work_through({"good": ends_well, "bad": breaks_down}, 2, lambda: (0, []))
    assert errors == ["the loss is nan"]


def fails():
    """Fail as no training should."""
    raise ValueError("what is this?")


def leaves():
    """Leave as a student's function may."""
    sys.exit(3)


def test_a_process_that_ends_without_an_answer_is_told_and_takes_no_other_job_with_it(tmp_path):
    jobs = {"bad": dies, "fails": fails, "leaves": leaves, "good": partial((tmp_path / "done").touch)}
    assert sorted(work_through(jobs, 4, lambda: (0, []))) == [
        "bad: its process ended without an answer; was memory short?",
        "fails: raised ValueError: what is this?",
        "leaves: raised SystemExit: 3",
    ]
    assert (tmp_path / "done").exists()


def test_trainings_that_broke_down_are_told_and_what_is_finished_is_kept(tmp_path, whole):
    run = runs.create(tmp_path / "run", RECORD)
    run.training(ARCS.name).parent.mkdir()
    os.symlink(whole.path, run.training(ARCS.name))
    broken = Training("sine", "samples", 2)
    with pytest.raises(
        RunError, match=r"sine-samples-2: the loss is nan[\s\S]*0 of 1 trainings ended well[\s\S]*--resume"
    ):
        train_all(nan_functions, [ARCS, broken], TINY, run, RECORD)
    assert trained(run, broken) is None
    assert runs.read(run.path / "trainings" / "sine-samples-2.broken-1").metrics() == []


def nan_functions():
    """The reference, whose likelihood is nan; at the top of a file, so that another process can load it."""
    return loading(negative_log_likelihood=lambda layers, x: x[:, 0] * math.nan)()


# The whole run, by the command


@pytest.fixture(scope="module")
def run(elbo, tmp_path_factory):
    path = tmp_path_factory.mktemp("flows") / "run"
    done = elbo("train", "flows", "-i", "solutions", "--set", "iterations=40", "--set", "k=2", "--out", path)
    assert done.returncode == 0, done.stderr
    return runs.read(path), done.stdout


def test_a_run_holds_every_training_and_its_figures(run):
    found, printed = run
    names = [t.name for t in trainings(Config(k="2"))]
    assert sorted(p.name for p in (found.path / "trainings").iterdir()) == sorted(names)
    expected = {name for t in trainings(Config(k="2")) for name in score_names(t)}
    assert set(found.summary()) == {*expected, "training_cpu_seconds"}
    for name in expected:
        assert f"{name} = {found.summary()[name]:.4f}" in printed
    drawn = {p.name: p.stat().st_size for p in (found.path / "figures").iterdir()}
    kinds = [f"{target}-{mode}" for target in ("arcs", "sine") for mode in ("samples", "density")]
    assert set(drawn) == {f"{kind}{end}.png" for kind in kinds for end in ("", "-curves")} | {"layers.gif"}
    assert asked_of("flows") <= {*drawn, "one_layer.png"}  # the last by exploring, below
    assert max(drawn.values()) < 300_000


def test_a_run_is_measured_again_and_agrees_with_its_own_report(elbo, run, tmp_path):
    found, _ = run
    done = elbo("report", found.path, "--out", tmp_path / "report.html", "--json", tmp_path / "report.json")
    assert done.returncode == 1  # forty iterations reach no threshold
    (claims,) = json.loads((tmp_path / "report.json").read_text())["runs"].values()
    assert len(claims) == 5
    for claim in claims:
        assert claim["reported"] == found.summary()[claim["name"]]
        assert claim["outcome"] in ("missed", "reached"), claim["message"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "has no lower bound" in page
    assert page.count("data:image/png;base64,") == 8
    assert page.count("data:image/gif;base64,") == 1


def other_target(run):
    config = run / "config.json"
    config.write_text(config.read_text().replace('"all"', '"other"', 1))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda p: (p / "config.json").write_text((p / "config.json").read_text().replace('"all"', '"other"', 1)),
            "other",
        ),
        (lambda p: (p / "trainings" / "arcs-samples-2" / "summary.json").unlink(), "not finished"),
        (lambda p: (p / "trainings" / "arcs-samples-2" / "metrics.jsonl").write_text('{"epoch": 1}\n'), "iteration"),
    ],
)
def test_a_run_that_was_changed_by_hand_is_refused(elbo, run, tmp_path, damage, words):
    subprocess.run(["cp", "-r", run[0].path, tmp_path / "run"], check=True)
    damage(tmp_path / "run")
    done = elbo("report", tmp_path / "run", "--out", tmp_path / "report.html")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_link_in_the_place_of_a_training_is_refused(elbo, run, tmp_path):
    subprocess.run(["cp", "-r", run[0].path, tmp_path / "run"], check=True)
    place = tmp_path / "run" / "trainings" / "arcs-samples-2"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    done = elbo("report", tmp_path / "run", "--out", tmp_path / "report.html")
    assert (done.returncode, "is a link" in done.stderr) == (2, True)


def test_exploring_draws_single_layers(elbo, tmp_path):
    done = elbo("train", "flows", "-i", "solutions", "--set", "mode=explore", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert [p.name for p in (tmp_path / "run" / "figures").iterdir()] == ["one_layer.png"]
    assert (tmp_path / "run" / "figures" / "one_layer.png").stat().st_size < 300_000


def test_ctrl_c_keeps_what_is_done_and_the_run_goes_on(elbo, tmp_path):
    out = tmp_path / "run"
    chosen = [f"--set={field}" for field in ("target=arcs", "mode=samples", "iterations=3000")]
    arguments = ["train", "flows", "-i", "solutions", *chosen, "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "grading.cli", *arguments],
        cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: list(out.glob("trainings/*/checkpoint.safetensors")))
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "of 60 shares of the trainings are kept" in told
    assert "Traceback" not in told
    done = elbo(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    assert runs.read(out).finished


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the children of a process are read from /proc")
def test_a_killed_run_leaves_no_process_behind_and_goes_on(elbo, tmp_path):
    out = tmp_path / "run"
    chosen = [f"--set={field}" for field in ("target=arcs", "mode=samples", "iterations=3000")]
    arguments = ["train", "flows", "-i", "solutions", *chosen, "--out", str(out)]
    process = subprocess.Popen([sys.executable, "-m", "grading.cli", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_for(lambda: list(out.glob("trainings/*/checkpoint.safetensors")))
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert workers
    process.kill()
    process.wait()
    wait_for(lambda: not any(running(worker) for worker in workers))
    done = elbo(*arguments, "--resume")
    assert done.returncode == 0, done.stderr


def running(process):
    """Whether a process is there and no zombie."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_figure_of_a_flow_of_any_k_is_drawn(whole):
    flow = {Training("arcs", "samples", 2): load_model(whole.checkpoint, 2, TINY.shifted).layers()}
    assert len(figures.learned(FUNCTIONS, flow).axes) == 4
