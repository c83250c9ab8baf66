"""The image experiment by its command on shapes: trained, killed and gone on with, reported, measured again, graded."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file

from exercises.experiments import runs
from exercises.experiments.cifar10 import inception
from exercises.experiments.cifar10.scores import pairs_in_order
from exercises.experiments.cifar10.settings import CONFIGURATIONS, ORDERS
from exercises.experiments.cifar10.training import SUBMITTED
from exercises.experiments.runs import RunError
from grading import evidence, measuring_images
from grading.claims import judge, measure_claims
from grading.engine.implementation import ROOT
from grading.handed_in import finished_runs
from grading.intake.experiments import is_of_run
from grading.rubric import load
from tests.kit.asked_figures import asked_of

# The scores of the preset quick, whose names have thresholds, on networks that take no time.
SMALL = ["width=2", "updates=6", "eval_every=2", "batch_size=8", "precision=float32"]
COMMAND = ["train", "cifar10", "-i", "solutions", "--preset", "quick", *(f for s in SMALL for f in ("--set", s))]
DISTANCE, SCORE = "cifar10.fd_patches_2000.cifar10-w1-3", "cifar10.cs_patches_2000.cifar10-w1-3"
LINE = '{"epoch": 1, "update": %s, "metric": 1, "seconds": 1, "fd_patches_2000": %s, "cs_patches_2000": 1}\n'
never = partial(pytest.fail, "nothing is repeated")


@pytest.fixture(scope="module")
def whole(elbo, tmp_path_factory):
    """A run of all five, and what the command printed."""
    out = tmp_path_factory.mktemp("images") / "whole"
    ended = elbo(*COMMAND, "--out", out)
    assert ended.returncode == 0, ended.stderr
    return runs.read(out), ended.stdout


def test_the_five_are_trained_scored_and_drawn(whole):
    run, said = whole
    names = [c.name for c in CONFIGURATIONS]
    assert sorted(p.name for p in (run.path / "trainings").iterdir()) == sorted(names)
    figures = {f"{name}-{kind}" for name in names for kind in ("progress", "samples")} | {"sheet", "comparison"}
    assert {p.stem for p in (run.path / "figures").glob("*.png")} == figures
    assert asked_of("cifar10") <= {f"{name}.png" for name in figures}
    assert max(p.stat().st_size for p in (run.path / "figures").glob("*.png")) < 300_000
    summary = run.summary()
    for kind in ("fd_patches_2000", "cs_patches_2000", "metric", "seconds_an_update"):
        assert all(isinstance(summary[f"cifar10.{kind}.{name}"], float) for name in names)
    assert "Fréchet distance, patches classifier, 2,000 samples" in said
    assert all(f"{name} " in said for name in names)
    assert "FID" not in said
    assert "over 3 checkpoints the rank correlation with their order in time is" in said


def test_a_run_that_was_killed_goes_on_to_the_same_parameters(whole, tmp_path, elbo):
    options = (*COMMAND, "--set", "config=cifar10-jsd-2", "--out", str(tmp_path / "run"))
    command = [sys.executable, "-m", "grading.cli", *options]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, start_new_session=True
    ) as running:
        deadline = time.monotonic() + 200
        while not any(tmp_path.glob("run/trainings/*/checkpoint.safetensors")) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
    own = tmp_path / "run" / "trainings" / "cifar10-jsd-2"
    assert 0 < len(runs.read(own).metrics()) < 3
    ended = elbo(*options, "--resume")
    assert ended.returncode == 0, ended.stderr
    names = ("checkpoint.safetensors", SUBMITTED)
    for mine, theirs in (
        (load_file(path / name) for path in (own, whole[0].path / "trainings" / own.name)) for name in names
    ):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_run_goes_on_only_under_its_own_settings(whole, call):
    status, _, said = call(*COMMAND, "--set", "width=3", "--out", whole[0].path, "--resume")
    assert status == 2
    assert "was run with settings = {'width': 2}, not with {'width': 3}" in said


# Measured again


@pytest.fixture
def handed_in(whole, tmp_path):
    """A copy of the run without what a training goes on from, in which anything may be changed."""
    path = tmp_path / "run"
    shutil.copytree(whole[0].path, path, ignore=shutil.ignore_patterns("checkpoint.safetensors"))
    return path


def claims_of(path):
    (run,) = finished_runs([path])
    return {claim.name: claim for claim in measure_claims(run, load(), None, never)}


def change_summary(path, **figures):
    summary = json.loads((path / "summary.json").read_text())
    (path / "summary.json").write_text(json.dumps(summary | figures))


@pytest.fixture
def only_one(handed_in):
    """The run of one configuration, as --set config=cifar10-w1-3 leaves it."""
    config = json.loads((handed_in / "config.json").read_text())
    config["settings"]["config"] = "cifar10-w1-3"
    (handed_in / "config.json").write_text(json.dumps(config))
    for path in (handed_in / "trainings").iterdir():
        if path.name != "cifar10-w1-3":
            shutil.rmtree(path)
    return handed_in


def test_scores_are_measured_again_from_samples_of_the_generator(only_one):
    claims = claims_of(only_one)
    assert {DISTANCE, SCORE} <= set(claims)
    for name in (DISTANCE, SCORE):
        claim = claims[name]
        assert abs(claim.reported - claim.measured) <= 4 * 2**0.5 * claim.standard_error
        assert claim.reported != claim.measured
        assert claim.outcome == "missed"  # after six updates
    assert not any("fid" in name or ".is_" in name for name in claims)


def test_the_order_of_the_five_is_measured_where_there_are_five(handed_in, only_one):
    assert not any("order" in name for name in claims_of(only_one))


def test_the_order_of_the_five_is_that_of_their_measured_distances(handed_in):
    claims = claims_of(handed_in)
    order = claims["cifar10.order.fd_patches_2000"]
    assert order.outcome == "missed"  # after six updates
    assert order.measured <= order.reported <= order.measured + 4 * 2**0.5 * order.standard_error
    change_summary(handed_in, **{order.name: 11.5})
    assert claims_of(handed_in)[order.name].outcome == "wrong"


def test_a_figure_that_was_made_up_is_found_out(only_one):
    change_summary(only_one, **{DISTANCE: 1.0})
    claims = claims_of(only_one)
    assert claims[DISTANCE].outcome == "wrong"
    assert "reported 1.000, measured 1" in claims[DISTANCE].message
    assert claims[SCORE].outcome == "missed"


def test_a_generator_of_another_network_is_refused(only_one):
    path = only_one / "trainings" / "cifar10-w1-3" / SUBMITTED
    tensors = load_file(path)
    name = "model.layers.0.weight"
    for changed in ({name: tensors[name][:, :1].contiguous()}, {name: tensors[name] * float("nan")}):
        save_file(tensors | changed, path)
        assert claims_of(only_one)[DISTANCE].outcome == "refused"
    path.unlink()
    assert "cannot be read" in claims_of(only_one)[DISTANCE].message
    path.symlink_to("/etc/passwd")
    with pytest.raises(RunError, match="is a link"):
        claims_of(only_one)


def test_scores_of_other_samples_have_no_threshold(only_one):
    config = json.loads((only_one / "config.json").read_text())
    config["settings"]["samples"] = 500
    (only_one / "config.json").write_text(json.dumps(config))
    metrics = only_one / "trainings" / "cifar10-w1-3" / "metrics.jsonl"
    metrics.write_text(metrics.read_text().replace("patches_2000", "patches_500"))
    assert claims_of(only_one) == {}


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("metrics.jsonl", '{"epoch": 1, "update": 1, "metric": 1, "seconds": 1}\n', "fd_patches_2000 and cs_"),
        ("metrics.jsonl", LINE % ("0", "1"), "`update`|>= 1"),
        ("metrics.jsonl", LINE % ("1", "9" * 400), "is not what an experiment writes"),
        ("metrics.jsonl", LINE % ("1", "true"), "is not what an experiment writes"),
        ("metrics.jsonl", LINE % ("1", "NaN"), "is not what an experiment writes"),
        ("metrics.jsonl", 4 * (LINE % ("1", "1")), "found 4 evaluations, expected 1 to 3"),
        ("metrics.jsonl", '{"epoch": 1, "update": "x"}\n', "is not what an experiment writes"),
        ("metrics.jsonl", "", "found 0 evaluations, expected 1 to 3"),
    ],
)
def test_metrics_that_no_experiment_writes_are_refused(only_one, file, content, words):
    (only_one / "trainings" / "cifar10-w1-3" / file).write_text(content)
    with pytest.raises(RunError, match=words):
        finished_runs([only_one])


def change_config(path, change):
    config = json.loads((path / "config.json").read_text())
    change(config)
    (path / "config.json").write_text(json.dumps(config))


def test_a_run_without_any_training_is_refused(only_one):
    shutil.rmtree(only_one / "trainings")
    with pytest.raises(RunError, match="has no training"):
        finished_runs([only_one])


def test_a_run_that_names_two_data_sets_is_refused(only_one):
    change_config(only_one, lambda config: config["settings"].update(data="cifar10"))
    with pytest.raises(RunError, match="names two data sets"):
        finished_runs([only_one])


def test_scores_beside_other_images_are_not_compared(only_one):
    change_config(only_one, lambda config: config["data"].update(source="JPEG files of mine.tar"))
    with pytest.raises(RunError, match=r"was scored beside 'JPEG files of mine\.tar', and here are"):
        claims_of(only_one)


def test_the_page_has_the_table_the_answer_and_the_figures(only_one, elbo, tmp_path):
    ended = elbo("report", only_one, "-i", "solutions", "--out", tmp_path / "report.html")
    assert ended.returncode == 1, ended.stderr  # thresholds are missed
    assert "cifar10.fd_patches_2000.cifar10-w1-3" in ended.stdout
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("Fréchet distance, patches classifier, 2,000 samples", "Over 3 checkpoints the rank", "W1, R1 1"):
        assert words in page
    assert page.count("data:image/png") == 12


def test_a_submission_is_measured_behind_a_closed_door(only_one, place):
    into = place / "taken"
    shutil.copytree(only_one, into / "runs" / "images")
    for path in (into, *into.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    record = evidence.measure(into, "runs/images", "", 3, ())
    assert record.reason == ""
    outcomes = {claim.name: claim.outcome for claim in record.claims}
    assert outcomes[DISTANCE] == outcomes[SCORE] == "missed"
    shutil.rmtree(into)


def test_what_is_handed_in_is_what_is_measured(whole):
    kept = [p for p in whole[0].path.rglob("*") if p.is_file() and is_of_run(p.relative_to(whole[0].path))]
    names = {p.name for p in kept}
    assert "checkpoint.safetensors" not in names
    assert {"config.json", "summary.json", "metrics.jsonl", SUBMITTED} <= names
    assert not {p.suffix for p in kept} & {".png"}


def test_pairs_are_counted_in_the_order_of_the_data_set():
    for data, order in ORDERS.items():
        assert sorted(order) == sorted(c.name for c in CONFIGURATIONS)
        assert pairs_in_order({name: place for place, name in enumerate(order)}, data) == 10
        assert pairs_in_order({name: -place for place, name in enumerate(order)}, data) == 0
        first, second, *_ = order
        places = {name: place for place, name in enumerate(order)}
        assert pairs_in_order(places | {first: places[second], second: places[first]}, data) == 9


def test_pairs_that_the_samples_do_not_decide_may_stand_either_way():
    def found(gap):
        places = {name: ORDERS["shapes"].index(name) for name in ORDERS["shapes"]}
        return {c: lambda c=c: {"fd": (gap * places[c.name], 0.1)} for c in CONFIGURATIONS}

    assert measuring_images._order(found(10.0), "fd", "shapes") == (10, 0)
    assert measuring_images._order(found(-10.0), "fd", "shapes") == (0, 0)
    value, error = measuring_images._order(found(0.01), "fd", "shapes")
    assert value == 0
    assert judge(10, value, error, 10, 8, "at least")[0] == "missed"  # and not wrong
    assert judge(10, value, 0, 10, 8, "at least")[0] == "wrong"


def test_the_jackknife_finds_the_error_of_a_mean():
    torch.manual_seed(0)
    values = torch.randn(5000, 1, dtype=torch.float64)
    (error, _) = measuring_images.jackknife((values, values), lambda rest: (float(rest[0].mean()), 0.0))
    assert error == pytest.approx(1 / 5000**0.5, rel=0.5)


# What cannot be carried out


def test_a_missing_extra_says_what_to_install(call, monkeypatch, tmp_path):
    monkeypatch.setattr(inception, "_fidelity", lambda module: None)
    status, _, said = call(*COMMAND, "--set", "extractor=inception", "--out", tmp_path / "run")
    assert status == 2
    assert "pip install -e '.[images]'" in said
    assert "--set extractor=patches" in said
    assert not (tmp_path / "run").exists()


def test_missing_weights_say_where_they_belong(call, monkeypatch, tmp_path):
    pytest.importorskip("tqdm", reason="torch-fidelity is not installed: pip install -e '.[images]'")
    monkeypatch.setattr(inception, "URL", "http://127.0.0.1:9/weights.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    options = ("--set", "extractor=inception", "--data", tmp_path, "--out", tmp_path / "run")
    status, _, said = call(*COMMAND, *options)
    assert status == 2
    assert all(words in said for words in (inception.FILE, "cannot be downloaded", "--data DIR"))
    assert not (tmp_path / "run").exists()


def test_a_damaged_archive_is_left_as_it_is(call, tmp_path):
    archive = tmp_path / "cifar10-mine.tar.xz"
    archive.write_bytes(b"\xfd7zXZ\x00 cut off")
    status, _, said = call(*COMMAND, "--set", "data=cifar10", "--data", archive, "--out", tmp_path / "run")
    assert status == 2
    assert "cifar10-mine.tar.xz" in said
    assert "Traceback" not in said
    assert archive.read_bytes() == b"\xfd7zXZ\x00 cut off"


def test_other_functions_than_those_that_it_began_with_are_told(whole, elbo, submission, tmp_path):
    mine = submission({"gan/objectives.py": [("import math\n", "import math\n\nMINE = 1\n")]})
    less = ("--set", "config=cifar10-jsd-1", "--set", "updates=2")
    options = [*(mine if word == "solutions" else word for word in COMMAND), *less]
    assert elbo(*options, "--out", tmp_path / "run").returncode == 0
    again = elbo(*options, "--out", tmp_path / "run", "--resume")
    assert "other functions" not in again.stdout
    file = mine / "gan" / "objectives.py"
    file.write_text(file.read_text().replace("MINE = 1", "MINE = 2"))
    changed = elbo(*options, "--out", tmp_path / "run", "--resume")
    assert changed.returncode == 0
    assert "goes on with other functions than those that it began with" in changed.stdout


def test_memory_that_is_short_in_a_students_step_is_no_mistake_of_theirs(elbo, submission, tmp_path):
    counted = "CALLS = []\n\n\ndef train_step("
    short = "    CALLS.append(1)\n    if len(CALLS) > 3:\n        raise torch.OutOfMemoryError('CUDA out of memory')\n"
    loop = "    for _ in range(num_critic_steps):\n"
    mine = submission({"gan/steps.py": [("def train_step(", counted), (loop, short + loop)]})
    options = [*(mine if word == "solutions" else word for word in COMMAND), "--set", "config=cifar10-jsd-1"]
    ended = elbo(*options, "--out", tmp_path / "run")
    assert ended.returncode == 2
    assert "memory was not enough for width 2 and batches of 8: CUDA out of memory" in ended.stderr
    assert "--set batch_size=4" in ended.stderr
    assert "elbo check" not in ended.stderr


def test_stubs_say_what_is_to_do(call, tmp_path):
    command = [word if word != "solutions" else "exercises" for word in COMMAND]
    status, _, said = call(*command, "--out", tmp_path / "run")
    assert status == 2
    assert "needs a function of gan in which something is still to do" in said
    assert not (tmp_path / "run").exists()


def test_unknown_names_are_answered_with_the_nearest(call, tmp_path):
    for setting, words in (("data=shape", "Did you mean shapes"), ("config=cifar10-w1-1", "did you mean 'cifar10-w1-")):
        status, _, said = call(*COMMAND, "--set", setting, "--out", tmp_path / "run")
        assert status == 2
        assert words in said
