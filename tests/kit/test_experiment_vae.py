"""The VAE experiment: its network, its settings, its run directory, going on with a run, and what it refuses."""

import contextlib
import json
import math
import pickle
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from data import Images
from exercises.experiments import runs
from exercises.experiments.checkpoints import CheckpointError
from exercises.experiments.settings import SettingError, with_settings
from exercises.experiments.vae import figures
from exercises.experiments.vae.evaluation import average_elbo, average_log_likelihood
from exercises.experiments.vae.experiment import train
from exercises.experiments.vae.networks import (
    VAE,
    BernoulliFromLogits,
    BernoulliFromMeans,
    load_model,
    means_,
    student_decoder,
)
from exercises.experiments.vae.training import PRESETS, Config
from solutions.vae import bounds, likelihoods
from tests.kit.asked_figures import asked_of

FUNCTIONS = SimpleNamespace(
    elbo=bounds.elbo,
    importance_log_likelihood=bounds.importance_log_likelihood,
    log_likelihood_bernoulli=likelihoods.log_likelihood_bernoulli,
)
SOLUTIONS = SimpleNamespace(vae=FUNCTIONS)
TINY = Config(data="noise", epochs=3, batch_size=16)


def noise(count, seed):
    return torch.rand(count, 784, generator=torch.Generator().manual_seed(seed)).lt(0.2).to(torch.uint8)


# Five batches of 16 and a rest of 4 to train on.
IMAGES = Images("noise", "random numbers", train=noise(84, 1), valid=noise(20, 2), test=noise(50, 3))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return train(SOLUTIONS, TINY, IMAGES, tmp_path_factory.mktemp("runs") / "run", name="solutions", preset="tiny")


@pytest.fixture(autouse=True)
def quickly(finished, monkeypatch):
    """Draw no figures, which take most of so short a run; the finished run above has them."""
    monkeypatch.setattr(runs.Run, "save_figure", lambda *_: None)


def functions_where(elbo):
    return SimpleNamespace(vae=SimpleNamespace(**{**vars(FUNCTIONS), "elbo": elbo}))


def stopping(call, error):
    """Make functions whose elbo raises an error at its n-th call; the rehearsal's is the first."""
    calls = iter(range(1, 10_000))

    def elbo(x, encode, decode):
        if next(calls) == call:
            raise error
        return bounds.elbo(x, encode, decode)

    return functions_where(elbo)


# The network


def test_the_network_has_the_shapes_and_the_size_of_the_assignment():
    model = VAE()
    mu, logvar = model.encode(torch.zeros(5, 784))
    assert mu.shape == logvar.shape == (5, 100)
    assert model.logits(mu).shape == (5, 784)
    encoder = 785 * 300 + 301 * 300 + 301 * 200
    decoder = 101 * 300 + 301 * 300 + 301 * 784
    assert sum(p.numel() for p in model.parameters()) == encoder + decoder


def test_an_untrained_decoder_draws_dark_pixels():
    average = means_(VAE().logits(torch.randn(20, 100))).mean().item()
    assert average == pytest.approx(1 / (1 + math.exp(5)), rel=0.1)


def test_means_stay_inside_the_open_interval_for_any_logit():
    logits = torch.tensor([-1e4, -200.0, -90.0, -5.0, 0.0, 16.6, 17.0, 200.0, 1e4])
    inside = means_(logits.clone())
    assert (inside > 0).all()
    assert (inside < 1).all()
    assert torch.allclose(inside[3:6], logits[3:6].sigmoid(), rtol=2e-7, atol=0)


def test_both_likelihoods_agree():
    logits, x = 4 * torch.randn(7, 784), (torch.rand(7, 784) < 0.5).float()
    by_means = BernoulliFromMeans(means_(logits.clone()), FUNCTIONS.log_likelihood_bernoulli).log_prob(x)
    assert torch.allclose(BernoulliFromLogits(logits).log_prob(x), by_means, rtol=1e-4)


# Settings


def test_settings_are_read_by_the_type_of_their_field():
    changed = with_settings(PRESETS["quick"], ["epochs=3", "learning_rate = 1e-2", "data=binarized_mnist"])
    assert (changed.epochs, changed.learning_rate, changed.data) == (3, 0.01, "binarized_mnist")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("epochs", ["FIELD=VALUE"]),
        ("epoch=3", ["'epoch'", "did you mean 'epochs'"]),
        ("epochs=2.5", ["epochs", "'2.5'", "an integer"]),
        ("epochs=0", ["epochs", "0", "at least 1"]),
        ("batch_size=-4", ["batch_size", "-4", "at least 1"]),
        ("learning_rate=fast", ["learning_rate", "'fast'", "a number"]),
        ("learning_rate=nan", ["learning_rate", "nan", "finite"]),
        ("learning_rate=inf", ["learning_rate", "inf", "finite"]),
        ("learning_rate=0", ["learning_rate", "above 0"]),
    ],
)
def test_an_impossible_setting_is_refused_by_name(assignment, words):
    with pytest.raises(SettingError) as refusal:
        with_settings(PRESETS["quick"], [assignment])
    assert all(word in str(refusal.value) for word in words)


# A run


def test_a_run_holds_what_it_was_and_what_came_out(finished):
    assert finished.config["settings"] == {
        "data": "noise",
        "epochs": 3,
        "batch_size": 16,
        "learning_rate": 3e-4,
        "seed": 0,
    }
    assert finished.config["data"] == {"name": "noise", "source": "random numbers"}
    assert finished.config["versions"]["torch"]
    assert [m["epoch"] for m in finished.metrics()] == [1, 2, 3]
    summary = finished.summary()
    assert summary["vae.elbo"] == -finished.metrics()[-1]["valid_negative_elbo"]
    assert summary["vae.log_likelihood"] == summary["log_likelihood_by_samples"]["200"]
    drawn = {p.name: p.stat().st_size for p in (finished.path / "figures").iterdir()}
    assert set(drawn) == {"learning_curve.png", "log_likelihood.png", "reconstructions.png", "samples.png"}
    assert asked_of("vae") <= set(drawn)
    assert max(drawn.values()) < 300_000


def test_training_lowers_the_loss(finished):
    losses = [m["train_negative_elbo"] for m in finished.metrics()]
    assert losses == sorted(losses, reverse=True)


def test_a_checkpoint_measures_again_what_the_run_reports(finished):
    model = load_model(finished.checkpoint)
    torch.manual_seed(0)
    elbo = average_elbo(bounds.elbo, IMAGES.valid, model.encode, model.decode)
    assert elbo == pytest.approx(finished.summary()["vae.elbo"], rel=0.02)
    likelihood = average_log_likelihood(
        bounds.importance_log_likelihood, IMAGES.test, model.encode, student_decoder(model, FUNCTIONS), 200
    )
    assert likelihood == pytest.approx(finished.summary()["vae.log_likelihood"], rel=0.02)


def test_the_seed_decides_every_bit(finished, tmp_path):
    again = train(SOLUTIONS, TINY, IMAGES, tmp_path / "again")
    other = train(SOLUTIONS, replace(TINY, seed=1), IMAGES, tmp_path / "other")
    assert same_tensors(finished, again)
    assert again.summary()["vae.log_likelihood"] == finished.summary()["vae.log_likelihood"]
    assert not same_tensors(finished, other)


def same_tensors(run, other):
    mine, theirs = load_file(run.checkpoint), load_file(other.checkpoint)
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_run_is_never_overwritten(finished):
    before = finished.checkpoint.read_bytes()
    with pytest.raises(runs.RunError, match="--resume"):
        train(SOLUTIONS, TINY, IMAGES, finished.path)
    assert finished.checkpoint.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(runs.RunError, match="cannot be written"):
        runs.create(tmp_path / "file" / "run", {})


def test_only_a_run_is_read(tmp_path):
    with pytest.raises(runs.RunError, match="is not there"):
        runs.read(tmp_path / "nothing")
    with pytest.raises(runs.RunError, match=r"config\.json"):
        runs.read(tmp_path)


# Stopping and going on. An epoch of TINY calls elbo six times to train and once on the validation images.


@pytest.mark.parametrize(("call", "kept"), [(4, 0), (9, 1), (11, 1), (20, 2)], ids=str)
def test_a_stopped_run_goes_on_to_the_same_bits(finished, tmp_path, call, kept):
    out = tmp_path / "run"
    with pytest.raises(runs.RunInterrupted, match=f"{kept} of 3 epochs .* --resume"):
        train(stopping(call, KeyboardInterrupt()), TINY, IMAGES, out, name="solutions", preset="tiny")
    assert [m["epoch"] for m in runs.read(out).metrics()] == list(range(1, kept + 1))
    with pytest.raises(runs.RunError, match="not finished"):
        runs.read(out).summary()
    resumed = train(SOLUTIONS, TINY, IMAGES, out, resume=True, name="solutions", preset="tiny")
    assert same_tensors(finished, resumed)
    for mine, whole in zip(resumed.metrics(), finished.metrics(), strict=True):
        assert {**mine, "cpu_seconds": 0} == {**whole, "cpu_seconds": 0}
    assert resumed.summary()["vae.log_likelihood"] == finished.summary()["vae.log_likelihood"]


def answers_more(x, encode, decode):
    return bounds.elbo(x, encode, decode) + 1


@pytest.mark.parametrize("epochs", [1, 3])
def test_what_other_functions_trained_is_kept_beside_and_trained_anew(finished, tmp_path, capsys, epochs):
    path = tmp_path / "run"
    stop = stopping(1 + epochs * 7 + 1, KeyboardInterrupt()) if epochs < 3 else functions_where(answers_more)
    with pytest.raises(runs.RunInterrupted) if epochs < 3 else contextlib.nullcontext():
        train(stop, TINY, IMAGES, path, source="before")
    kept = len(runs.read(path).metrics())
    train(SOLUTIONS, TINY, IMAGES, path, resume=True, source="after")
    assert f"{path} was trained by other functions: it is kept as " in capsys.readouterr().out
    assert len((path / "metrics.older-1.jsonl").read_text().splitlines()) == kept
    assert runs.read(path).config["source"] == "after"
    assert runs.read(path).summary()["vae.elbo"] == finished.summary()["vae.elbo"]
    train(SOLUTIONS, TINY, IMAGES, path, resume=True, source="after")
    assert "trained anew" not in capsys.readouterr().out


def test_a_run_that_does_not_tell_its_functions_goes_on_as_it_is(finished, tmp_path, capsys):
    path = tmp_path / "run"
    shutil.copytree(finished.path, path)
    train(SOLUTIONS, TINY, IMAGES, path, resume=True, name="solutions", preset="tiny", source="after")
    assert "trained anew" not in capsys.readouterr().out
    assert not list(path.glob("*older*"))


def test_a_kill_between_two_files_leaves_a_run_that_goes_on(finished, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(runs.RunInterrupted):
        train(stopping(9, KeyboardInterrupt()), TINY, IMAGES, out)
    with (out / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "train_negative_elbo": 1.0}\n{"epoch": 3, "trai')
    (out / "checkpoint.safetensors.part").write_bytes(b"half a file")
    assert [m["epoch"] for m in runs.read(out).metrics()] == [1, 2]
    resumed = train(SOLUTIONS, TINY, IMAGES, out, resume=True)
    assert same_tensors(finished, resumed)
    assert [m["epoch"] for m in resumed.metrics()] == [1, 2, 3]


def test_a_run_goes_on_only_under_its_own_settings(finished):
    with pytest.raises(runs.RunError, match="settings"):
        train(SOLUTIONS, replace(TINY, epochs=4), IMAGES, finished.path, resume=True, name="solutions", preset="tiny")


@pytest.mark.parametrize(("value", "cause"), [(float("nan"), "0 \\* log 0"), (float("inf"), "log 0")])
def test_a_loss_that_is_not_finite_stops_with_epoch_batch_and_cause(tmp_path, value, cause):
    calls = iter(range(1, 10_000))

    def elbo(x, encode, decode):
        return bounds.elbo(x, encode, decode) + (value if next(calls) == 11 else 0)

    with pytest.raises(runs.RunError, match=f"epoch 2, batch 3.*{cause}"):
        train(functions_where(elbo), TINY, IMAGES, tmp_path / "run")
    load_model(tmp_path / "run" / "checkpoint.safetensors")
    assert len(runs.read(tmp_path / "run").metrics()) == 1


def test_a_missing_or_misshapen_function_is_met_before_anything_is_written(tmp_path):
    with pytest.raises(runs.RunError, match=r"vae\.elbo.*to do"):
        train(stopping(1, NotImplementedError("todo")), TINY, IMAGES, tmp_path / "run")
    with pytest.raises(runs.RunError, match=r"vae\.elbo gave \(\).*\(2,\)"):
        train(functions_where(lambda *a: bounds.elbo(*a).mean()), TINY, IMAGES, tmp_path / "run")
    assert not (tmp_path / "run").exists()


# Checkpoints from anybody


def damage_shape(tensors):
    tensors["model.decoder.4.weight"] = torch.zeros(784, 301)


def damage_number(tensors):
    tensors["model.encoder.2.bias"][7] = float("nan")


def damage_type(tensors):
    tensors["model.encoder.2.bias"] = torch.zeros(300, dtype=torch.float64)


def damage_names(tensors):
    del tensors["model.encoder.0.weight"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [(damage_shape, "784, 301"), (damage_number, "nan"), (damage_type, "F64"), (damage_names, "no tensor")],
)
def test_a_checkpoint_of_another_network_is_refused(finished, tmp_path, damage, words):
    tensors = load_file(finished.checkpoint)
    damage(tensors)
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError, match=words):
        load_model(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("length", [0, 5, 400, 100_000, -1])
def test_a_cut_off_checkpoint_is_refused(finished, tmp_path, length):
    (tmp_path / "cut.safetensors").write_bytes(finished.checkpoint.read_bytes()[:length])
    with pytest.raises(CheckpointError, match="cut off"):
        load_model(tmp_path / "cut.safetensors")


def test_a_header_that_promises_more_than_the_file_has_takes_no_memory(tmp_path):
    table = {"model.encoder.0.weight": {"dtype": "F32", "shape": [300, 10**12], "data_offsets": [0, 12 * 10**14]}}
    header = json.dumps(table).encode()
    (tmp_path / "huge.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError):
        load_model(tmp_path / "huge.safetensors")


class Trap:
    """Fails the test if anybody unpickles it."""

    def __reduce__(self):
        return pytest.fail, ("the pickle was opened",)


def test_a_pickle_is_never_opened(tmp_path):
    (tmp_path / "plain.safetensors").write_bytes(pickle.dumps(Trap()))
    torch.save({"model": torch.zeros(1)}, tmp_path / "torch.safetensors")
    for name in ("plain", "torch"):
        with pytest.raises(CheckpointError, match="pickle"):
            load_model(tmp_path / f"{name}.safetensors")


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(tmp_path / "none.safetensors")


# Figures


def test_a_learning_curve_of_one_epoch_is_drawn_with_a_threshold():
    one = [{"epoch": 1, "train_negative_elbo": 200.0, "valid_negative_elbo": 150.0}]
    assert "threshold" in figures.learning_curve(one, 102.0).axes[0].get_legend().get_texts()[-1].get_text()
