"""Claims: the rule that compares, the error of a measurement, and checkpoints and summaries that nobody vouches for."""

import json
import math
import pickle
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

import data
from data.two_dimensional import samples
from exercises.experiments import runs
from exercises.experiments.flows.evaluation import score_names
from exercises.experiments.flows.settings import Config, trainings
from exercises.experiments.vae.evaluation import average_elbo, average_log_likelihood
from exercises.experiments.vae.networks import VAE
from grading import measuring
from grading.claims import judge, measure_claims
from grading.engine.implementation import locate
from grading.repeating import repeated
from grading.rubric import RubricError, load
from solutions.vae import bounds

AGAIN = partial(repeated, locate("solutions"))

nats = st.floats(-1e4, 1e3)
NOISIEST = 1.0
errors = st.floats(1e-3, NOISIEST)
RELATIONS = st.sampled_from(["at least", "at most"])


@given(nats, errors, st.floats(-5.6, 5.6))
def test_a_report_within_four_errors_of_a_difference_agrees(measured, error, deviation):
    outcome, message = judge(measured + deviation * error, measured, error, NOISIEST, -1e6, "at least")
    assert (outcome, message) == ("reached", "")


@given(nats, errors, st.floats(5.7, 1e6), st.sampled_from([-1, 1]), st.none() | nats, RELATIONS)
def test_a_report_further_away_is_wrong_whatever_the_threshold(measured, error, deviation, sign, threshold, relation):
    outcome, message = judge(measured + sign * deviation * error, measured, error, NOISIEST, threshold, relation)
    assert outcome == "wrong"
    assert f"measured {measured:.3f}" in message


@given(nats, errors, nats)
def test_a_threshold_is_reached_unless_three_errors_do_not_reach_it(measured, error, threshold):
    assume(abs(measured + 3 * error - threshold) > 1e-6)
    expected = "reached" if measured + 3 * error >= threshold else "missed"
    assert judge(measured, measured, error, NOISIEST, threshold, "at least")[0] == expected
    # The other direction is the same on a mirrored line.
    assert judge(-measured, -measured, error, NOISIEST, -threshold, "at most")[0] == expected


@given(nats, errors, RELATIONS)
def test_at_the_line_noise_fails_nobody(threshold, error, relation):
    assert judge(threshold, threshold, error, NOISIEST, threshold, relation)[0] == "reached"


@given(nats, errors, RELATIONS)
def test_a_figure_with_more_noise_than_a_result_may_have_is_missed(measured, error, relation):
    outcome, message = judge(measured, measured, 1.1 * error, error, measured, relation)
    assert (outcome, "too noisy" in message) == ("missed", True)


def test_no_threshold_and_no_number_are_told():
    assert judge(-1.0, -1.0, 0.1, 1.0, None, "at least")[0] == "without threshold"
    for value in (math.nan, math.inf, -math.inf):
        assert judge(-1.0, value, 0.1, 1.0, -2.0, "at least") == ("missed", "the measured figure is not finite")


# Measuring


@pytest.fixture
def measured(images, monkeypatch):
    """A function that measures the claims of a run on few images."""
    monkeypatch.setattr(measuring, "SAMPLES", 10)
    monkeypatch.setattr(data, "load", lambda name, root: images)
    return lambda run: {claim.name: claim for claim in measure_claims(run, load(), None, AGAIN)}


def test_a_run_agrees_with_what_was_measured_before_and_nothing_else_does(make_run, measured):
    first = measured(make_run("first"))
    assert {c.outcome for c in first.values()} == {"wrong"}  # it reports -500
    honest = {name: claim.measured + claim.standard_error for name, claim in first.items()}
    again = measured(make_run("again", summary=honest))
    thresholds = {name: claim.threshold for name, claim in again.items()}
    for name, claim in again.items():
        assert claim.measured == first[name].measured  # measuring is repeatable
        assert claim.outcome == ("reached" if claim.measured > thresholds[name] else "missed")
        assert claim.earned == (claim.points if claim.outcome == "reached" else 0)
    tampered = {"vae.elbo": honest["vae.elbo"] + 10}
    claim = measured(make_run("tampered", summary=honest | tampered))["vae.elbo"]
    assert (claim.outcome, claim.earned) == ("wrong", 0)


@pytest.mark.parametrize(
    ("measure", "average"),
    [
        (measuring.elbo, lambda m, x: average_elbo(bounds.elbo, x, m.encode, m.decode)),
        (
            measuring.log_likelihood,
            lambda m, x: average_log_likelihood(bounds.importance_log_likelihood, x, m.encode, m.decode, 5),
        ),
    ],
    ids=["elbo", "log likelihood"],
)
def test_the_standard_error_is_what_repeated_measurements_vary_by(measure, average, images, monkeypatch):
    monkeypatch.setattr(measuring, "SAMPLES", 5)
    torch.manual_seed(4)
    model = VAE()
    many = data.Images("digits", "", *(part.repeat(5, 1) for part in (images.train, images.valid, images.test)))
    value, error = measure(model, many)
    repeated = torch.tensor([average(model, many.valid if measure is measuring.elbo else many.test) for _ in range(25)])
    # 15 pieces and 25 repetitions: the standard deviations are known to about 18 % and 14 %.
    assert 0.4 < error / float(repeated.std()) < 2.5
    assert abs(value - float(repeated.mean())) < 5 * error


def foreign(path):
    save_file({"weight": torch.zeros(3)}, path)


def another_shape(path):
    save_file({**load_file(path), "model.encoder.0.bias": torch.zeros(7)}, path)


def not_finite(path):
    tensors = load_file(path)
    tensors["model.encoder.0.bias"][0] = math.nan
    save_file(tensors, path)


def pickled(path):
    path.write_bytes(pickle.dumps(Trap(path.with_name("trapped"))))


class Trap:
    """Unpickling it would leave a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cut off or no safetensors file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "cut off or no safetensors file"),
        (lambda path: path.write_bytes(b"\xff" * 100), "cut off or no safetensors file"),
        (foreign, "checkpoint of another network"),
        (another_shape, "checkpoint of another network"),
        (not_finite, "nan or infinity in model.encoder.0.bias"),
        (pickled, "is a pickle"),
        (lambda path: torch.save({}, path), "is a pickle"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_refused_with_the_reason(make_run, measured, damage, words):
    run = make_run()
    damage(run.checkpoint)
    for claim in measured(run).values():
        assert (claim.outcome, claim.measured, claim.earned) == ("refused", None, 0)
        assert words in claim.message
    assert not (run.path / "trapped").exists()


@pytest.mark.parametrize(
    "value", ["-500", None, True, [1.0], 10**400, math.nan, -math.inf], ids=lambda value: str(value)[:9]
)
def test_a_reported_figure_that_is_no_number_is_refused(make_run, measured, value):
    run = make_run(summary={"vae.elbo": value})
    claim = measured(run)["vae.elbo"]
    assert claim.outcome == "refused"
    assert "expected a number" in claim.message
    assert len(claim.message) < 200
    assert json.loads((run.path / "summary.json").read_text())


def test_a_claim_that_nothing_measures_is_an_error_of_the_rubric(make_run, measured, monkeypatch):
    rubric = load()
    rubric.claims["vae.elbos"] = rubric.claims["vae.elbo"]
    with pytest.raises(RubricError, match=r"'vae.elbos'"):
        list(measure_claims(make_run(), rubric, None, AGAIN))


# Flows


@pytest.fixture
def flow_run(tmp_path):
    """A function that makes a run of flows by hand, with these weights for each training, and measures it."""

    def measure(weights, **settings):
        config = Config(start="tuned", k=str(len(weights)), **settings)
        run = runs.create(
            tmp_path / f"run-{len(list(tmp_path.iterdir()))}",
            {"experiment": "flows", "data": {"name": "two_dimensional"}, "settings": asdict(config)},
        )
        names = [name for training in trainings(config) for name in score_names(training)]
        for training in trainings(config):
            path = run.training(training.name)
            path.mkdir(parents=True)
            save_file({"model.weights": torch.tensor(weights)}, path / "checkpoint.safetensors")
        run.write_summary(dict.fromkeys(names, 1.8378770351409912))
        return {claim.name: claim for claim in measure_claims(run, load(), None, AGAIN)}

    return measure


IDLE = [0.0, 0.0, 0.0, 0.0, 0.0]


def test_a_flow_that_does_nothing_is_measured_in_double_precision(flow_run):
    claims = flow_run([IDLE, IDLE], target="arcs", mode="samples")
    (claim,) = claims.values()
    _, held_out = samples("arcs")
    expected = math.log(2 * math.pi) + 0.5 * float((held_out.double() ** 2).sum(1).mean())
    assert claim.measured == pytest.approx(expected, abs=1e-12)
    assert (claim.outcome, claim.relation) == ("wrong", "at most")


@pytest.mark.parametrize("shift", [1e9, 1e20, 1e30])
def test_layers_that_rounding_makes_a_constant_are_no_flow(flow_run, shift):
    there_and_back = [[shift, shift, 0.0, 0.0, 20.0], [-shift, -shift, 0.0, 0.0, 20.0]]
    for mode in ("samples", "density"):
        for claim in flow_run(there_and_back, mode=mode).values():
            assert claim.outcome != "reached"
            assert claim.outcome == "refused" or shift == 1e9  # double precision still tells points apart
            assert not claim.earned


def test_a_flow_that_does_nothing_earns_nothing(flow_run):
    for claim in flow_run([IDLE, IDLE]).values():
        assert not claim.earned
