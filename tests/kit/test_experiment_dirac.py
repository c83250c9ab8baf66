"""The Dirac GAN: the trajectories against a formula, the theory, the four words, what breaks it, and its claims."""

import json
import math
import subprocess
import sys
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from exercises.experiments import runs
from exercises.experiments.dirac import predictions, tables, theory, trajectories
from exercises.experiments.dirac.experiment import path_of, read_all, rehearse, train, train_all
from exercises.experiments.dirac.outcomes import outcome
from exercises.experiments.dirac.players import Critics, draw_starts, make_game, update_of
from exercises.experiments.dirac.settings import CONFIGURATIONS, OBJECTIVES, ORDERS, Config, Training
from exercises.experiments.dirac.training import simulate
from exercises.experiments.dirac.trajectories import Trajectory
from exercises.experiments.runs import RunError
from exercises.experiments.settings import SettingError, with_settings
from grading.bank import entries, find
from grading.claims import measure_claims
from grading.engine.implementation import ROOT, locate
from grading.handed_in import finished_runs
from grading.repeating import repeated
from grading.rubric import load
from grading.training import functions_of
from solutions.gan import averaging, objectives, penalties, steps

AGAIN = partial(repeated, locate("solutions"))

FUNCTIONS = SimpleNamespace(
    jsd=objectives.jsd,
    w1=objectives.w1,
    r1_penalty=penalties.r1_penalty,
    gradient_penalty=penalties.gradient_penalty,
    critic_step=steps.critic_step,
    generator_step=steps.generator_step,
    train_step=steps.train_step,
    update_average=averaging.update_average,
)
LOAD = partial(functions_of, "solutions", "gan")
SHORT = Config(iterations=40, starts=3)
TRAININGS = Config().trainings
by_training = pytest.mark.parametrize("training", TRAININGS, ids=lambda t: t.name)


def by_hand(training, config, starts):
    """The trajectories of all starts by the formula of their update, (iterations + 1, 4, starts)."""
    psi0, psi1, theta = starts.clone()
    average, found = theta, [torch.stack([psi0, psi1, theta, theta])]
    c, lr = training.coefficient, config.critic_learning_rate
    for _ in range(config.iterations):
        score = psi0 * theta + psi1
        if training.objective == "jsd":
            up0, up1 = -0.5 * score.sigmoid() * theta, 0.5 * ((-psi1).sigmoid() - score.sigmoid())
        else:
            up0, up1 = -theta, torch.zeros_like(theta)
        paid = {"none": 0 * psi0, "r1": 2 * c * psi0, "gp": 2 * c * (psi0.abs() - 1) * psi0.sign()}[training.penalty]
        psi0, psi1 = psi0 + lr * (up0 - paid), psi1 + lr * up1
        slope = 0.5 * (psi0 * theta + psi1).sigmoid() if training.objective == "jsd" else 1.0
        theta = theta + config.generator_learning_rate * slope * psi0
        average = config.decay * average + (1 - config.decay) * theta
        found.append(torch.stack([psi0, psi1, theta, average]))
    return torch.stack(found)


# Settings


def test_the_twenty_configurations_are_those_of_the_assignment():
    names = [c.name for c in CONFIGURATIONS]
    assert names == [f"dirac-{objective}-{n}" for objective in ("jsd", "w1") for n in range(1, 11)]
    assert [c.averaged for c in CONFIGURATIONS] == 2 * (5 * [False] + 5 * [True])
    assert [t.name for t in TRAININGS[:5]] == ["jsd", "jsd-r1-0.01", "jsd-r1-0.1", "jsd-gp-0.01", "jsd-gp-0.1"]
    assert len(TRAININGS) == 10  # the moving average does not touch the players


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("configuration=dirac-jsd-11", "did you mean 'dirac-jsd-1"),
        ("order=alternate", "did you mean 'alternating'"),
        ("decay=1.5", "expected a number from 0 to 1"),
        ("decay=nan", "expected a number from 0 to 1"),
        ("critic_steps=0", "at least 1"),
        ("starts=100000", "at most 10000000"),
        ("generator_learning_rate=0", "above 0"),
        ("seed=-1", "0 to"),
    ],
)
def test_impossible_settings_are_refused(assignment, words):
    with pytest.raises(SettingError, match=words):
        with_settings(Config(), [assignment])


# The trajectories


@by_training
def test_all_starts_of_all_games_go_where_the_formula_says(training):
    config = replace(SHORT, iterations=300)
    together = [t for t in TRAININGS if t.objective == training.objective]
    found = simulate(FUNCTIONS, together, config)[training]
    expected = by_hand(training, config, draw_starts(config.starts, config.seed))
    assert torch.allclose(found.path, expected[:, :, 0], rtol=0, atol=1e-12)
    assert torch.allclose(found.starts.double(), expected[:, [0, 2]].transpose(1, 2), rtol=0, atol=1e-6)


def test_a_game_does_not_depend_on_how_many_are_played_beside_it():
    alone, many = (simulate(FUNCTIONS, TRAININGS[:1], replace(SHORT, starts=n)) for n in (1, 20))
    assert torch.allclose(alone[TRAININGS[0]].path, many[TRAININGS[0]].path, rtol=0, atol=1e-13)


def test_the_seed_is_the_start_and_the_second_start_is_half_as_far_out():
    starts = draw_starts(30, 7)
    assert torch.equal(starts[:, :1], draw_starts(1, 7))
    assert torch.equal(starts[:, 1], starts[:, 0] / 2)
    assert not torch.equal(starts, draw_starts(30, 8))
    assert 0.5 < float(draw_starts(2000, 0).std()) < 0.9


def test_all_starts_are_kept_thinned_out():
    config = replace(SHORT, iterations=2500)
    found = simulate(FUNCTIONS, [Training("w1", "r1", 0.1)], config)[Training("w1", "r1", 0.1)]
    assert found.path.shape == (2501, 4)
    assert found.starts.shape == (1251, 3, 2)
    assert torch.allclose(found.starts[1, 0].double(), found.path[2, [0, 2]], atol=1e-6)


def test_real_and_generated_samples_may_be_scored_in_one_batch_and_other_numbers_of_rows_not():
    critics = Critics().of(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 10.0]))
    assert critics(torch.tensor([[1.0], [1.0], [3.0], [3.0]])).tolist() == [1, 12, 3, 16]
    with pytest.raises(ValueError, match=r"where 2 games are the rows of one batch"):
        critics(torch.zeros(3, 1))


# What the bank calls right answers can be trained with

PARTS = ("jsd", "w1", "r1_penalty", "gradient_penalty", "critic_step", "generator_step", "train_step", "update_average")
RIGHT = [(part, e.name) for part in PARTS for e in entries(f"gan.{part}") if e.kind == "alternative"]


@pytest.mark.parametrize(("part", "name"), RIGHT)
def test_a_right_answer_that_is_written_differently_plays_the_same_game(part, name):
    functions = SimpleNamespace(**{**vars(FUNCTIONS), part: find(f"gan.{part}", name).function})
    for order in ORDERS:  # simultaneous updates call critic_step and generator_step themselves
        config = replace(SHORT, iterations=3, starts=2, order=order)
        for training in (Training("jsd", "r1", 0.1), Training("w1", "gp", 0.1)):
            (expected,) = simulate(FUNCTIONS, [training], config).values()
            try:
                (found,) = simulate(functions, [training], config).values()
            except ValueError:  # it takes one sample at a time
                (found,) = simulate(functions, [training], replace(config, together=False)).values()
            assert torch.allclose(found.path, expected.path, rtol=0, atol=1e-9)


def interleaved(game, real, noise):
    """A critic's update that is right, but scores samples in another order."""
    fake = game.generator(noise).detach()
    scores = game.critic(torch.stack([real, fake], 1).flatten(0, 1))
    value = game.objective(scores[0::2], scores[1::2])
    paid = 0.0 if game.penalty is None else game.coefficient * game.penalty(game.critic, real, fake)
    game.critic_optimizer.zero_grad()
    (paid - value).backward()
    game.critic_optimizer.step()


def test_samples_in_another_order_are_told_and_can_be_played_singly():
    functions = SimpleNamespace(**{**vars(FUNCTIONS), "critic_step": interleaved})
    config = replace(SHORT, order="simultaneous", configuration="dirac-w1-3")
    with pytest.raises(RunError, match=r"row i of game i: are samples scored in another order"):
        rehearse(functions, config)
    playable, left_out = rehearse(functions, replace(config, together=False))
    assert (len(playable), left_out) == (1, {})


# Theory

rates = st.floats(0.01, 0.3)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([t for t in TRAININGS if t.penalty != "gp"]),
    st.sampled_from(ORDERS),
    st.integers(1, 3),
    rates,
    rates,
)
def test_the_update_at_the_equilibrium_is_that_of_the_theory(training, order, critic_steps, critic, generator):
    config = Config(
        order=order, critic_steps=critic_steps, critic_learning_rate=critic, generator_learning_rate=generator
    )
    measured = theory.measured_update(FUNCTIONS, training, config)
    assert torch.allclose(measured, theory.linear_update(training, config), rtol=0, atol=1e-9)


@pytest.mark.parametrize("training", [t for t in TRAININGS if t.penalty != "gp"], ids=lambda t: t.name)
def test_the_spectral_radius_has_the_closed_form(training):
    matrix = theory.linear_update(training, Config())
    assert float(torch.linalg.det(matrix)) == pytest.approx(1 - 0.2 * training.coefficient)
    assert theory.spectral_radius(matrix) == pytest.approx(math.sqrt(1 - 0.2 * training.coefficient))


def test_simultaneous_updates_spiral_out_where_alternating_ones_converge():
    training = Training("w1", "r1", 0.01)
    radii = [theory.spectral_radius(theory.linear_update(training, Config(order=order))) for order in ORDERS]
    assert radii == pytest.approx([0.9990, 1.0040], abs=5e-5)
    assert theory.half_life(radii[0]) == pytest.approx(692, abs=1)
    assert theory.half_life(radii[1]) == math.inf


def test_the_limit_cycle_of_the_penalty_has_the_amplitude_of_the_theory():
    training = Training("w1", "gp", 0.1)
    found = outcome(simulate(FUNCTIONS, [training], replace(Config(), starts=2))[training])
    assert found.end == pytest.approx(1.2721, abs=2e-4)  # 4 / pi = 1.2732 for a small coefficient
    assert abs(found.end - theory.LIMIT_CYCLE) < 0.002


# The four words


def trajectory(radius, iterations=2000, spread=(1.0, 2.0, 0.5)):
    """Starts that go round at distances radius(t, r0)."""
    t = torch.arange(iterations + 1, dtype=torch.float64)
    starts = torch.stack(
        [radius(t, r)[:, None] * torch.stack([torch.cos(t / 9), torch.sin(t / 9)], 1) for r in spread], 1
    )
    theta = starts[:, 0, 1]
    path = torch.stack([starts[:, 0, 0], 0 * t, theta, 0.05 * theta], 1)
    return Trajectory(path, starts[::2].float())


@pytest.mark.parametrize(
    ("radius", "word"),
    [
        (lambda t, r: r * 0.998**t, "converges"),
        (lambda t, r: r + 0 * t, "cycles"),
        (lambda t, r: r * 0.9999**t, "cycles"),
        (lambda t, r: r * 1.002**t, "diverges"),
        (lambda t, r: 1.27 + (r - 1.27) * 0.995**t, "limit cycle"),
    ],
)
def test_a_trajectory_is_told_by_one_of_four_words(radius, word):
    found = outcome(trajectory(radius))
    assert found.word == word
    if word in ("cycles", "limit cycle"):
        assert found.average_word == "converges"  # which hides the cycle


def test_the_factor_is_that_along_the_path():
    assert outcome(trajectory(lambda t, r: r * 0.998**t)).factor == pytest.approx(0.998)


def test_what_ends_at_exactly_zero_converges():
    found = outcome(trajectory(lambda t, r: r * (t < 500)))
    assert found.word == found.average_word == "converges"


@cache
def played():
    """The twenty configurations with the assignment's settings."""
    batches = [[t for t in TRAININGS if t.objective == objective] for objective in OBJECTIVES]
    found = [simulate(FUNCTIONS, batch, replace(Config(), starts=10, seed=20113225)) for batch in batches]
    return {training: outcome(t) for each in found for training, t in each.items()}


def test_of_the_twenty_the_eight_with_r1_converge_and_the_average_hides_it():
    words = {c.name: played()[c.training].word for c in CONFIGURATIONS}
    assert sum(word == "converges" for word in words.values()) == 8
    thresholds = {name: claim.equals["dirac"] for name, claim in load().claims.items() if claim.experiment == "dirac"}
    assert {f"dirac.class.{name}": word for name, word in words.items()} == thresholds
    assert {each.average_word for each in played().values()} == {"converges"}


# What breaks it


def test_a_function_that_is_still_to_do_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(RunError, match=r"gan.train_step is still to be written"):
        train(partial(functions_of, "exercises", "gan"), SHORT, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_player_that_does_not_move_is_told():
    still = SimpleNamespace(**{**vars(FUNCTIONS), "train_step": lambda game, *_: game.objective(*2 * [torch.zeros(1)])})
    with pytest.raises(RunError, match=r"jsd: the critic does not move in an iteration"):
        rehearse(still, SHORT)


def nan_below(limit):
    """The R1 penalty, with a gradient that is nan once every slope is below a limit."""

    def penalty(critic, real):
        value = penalties.r1_penalty(critic, real)
        return value * math.nan if value.item() < limit else value

    return SimpleNamespace(**{**vars(FUNCTIONS), "r1_penalty": penalty})


def test_what_is_not_finite_stops_a_training_and_what_it_had_is_kept(tmp_path):
    config = replace(Config(), iterations=1000, starts=2)
    load_broken = lambda: SimpleNamespace(gan=nan_below(1e-2))  # noqa: E731
    from exercises.experiments.dirac.experiment import train_together

    batch = tuple(t for t in TRAININGS if t.objective == "w1")
    with pytest.raises(RunError) as told:
        train_together(load_broken, batch, config, tmp_path, "")
    message = str(told.value)
    name = message.split()[0]
    assert name.startswith("w1-r1-0.")
    assert "broke down: psi0 is nan at iteration" in message
    assert "in the penalty or its gradient" in message
    aside = load_file(tmp_path / "trajectories" / f"{name}.broken-1.safetensors")
    assert bool(aside["path"].isfinite().all())
    assert f"at iteration {len(aside['path'])};" in message
    done = sorted(p.name for p in (tmp_path / "trajectories").glob("*") if "broken" not in p.name)
    assert {"w1.safetensors", "w1-gp-0.1.safetensors"} <= set(done)  # the others were trained without it
    assert "w1-r1-0.1.safetensors" not in done


def test_a_turned_sign_is_told_as_a_likely_cause():
    def climbs(game, *_):
        with torch.no_grad():
            for parameter in (game.critic.psi0, game.critic.psi1, game.generator.theta, game.average.theta):
                parameter.mul_(1e3)

    runaway = SimpleNamespace(**{**vars(FUNCTIONS), "train_step": climbs})
    with pytest.raises(RunError, match=r"a sign is turned|gone too far out"):
        simulate(runaway, TRAININGS[:1], replace(SHORT, iterations=400))


def test_a_run_goes_on_with_the_trainings_that_are_missing(tmp_path):
    chosen = [TRAININGS[0], TRAININGS[9]]
    train_all(LOAD, SHORT, chosen, tmp_path)
    gone, kept = (path_of(tmp_path, training) for training in chosen)
    before = load_file(gone)["path"]
    time = kept.stat().st_mtime_ns
    gone.unlink()
    train_all(LOAD, SHORT, chosen, tmp_path)
    assert torch.allclose(load_file(gone)["path"], before, rtol=0, atol=1e-12)
    assert kept.stat().st_mtime_ns == time


def test_what_other_functions_trained_is_kept_beside_and_trained_anew(tmp_path, capsys):
    chosen = TRAININGS[5:6]
    train_all(LOAD, SHORT, chosen, tmp_path, "before")
    train_all(LOAD, SHORT, chosen, tmp_path, "after")
    path = path_of(tmp_path, chosen[0])
    assert "w1 was trained by other functions" in capsys.readouterr().out
    assert (trajectories.source_of(path), trajectories.source_of(path.with_suffix(".older-1.safetensors"))) == (
        "after",
        "before",
    )


def test_the_games_that_can_be_played_are_drawn_and_reported_all_the_same(tmp_path):
    def to_do(*_):
        raise NotImplementedError("gan.r1_penalty is still to be written, in gan/penalties.py")

    functions = SimpleNamespace(**{**vars(FUNCTIONS), "r1_penalty": to_do})
    playable, left_out = rehearse(functions, replace(SHORT, configuration="all"))
    assert [t.penalty for t in playable] == 2 * ["none", "gp", "gp"]
    assert set(left_out.values()) == {"gan.r1_penalty is still to be written, in gan/penalties.py"}


def test_a_run_of_which_a_part_broke_down_can_be_reported(tmp_path, submission):
    wrong = submission(
        {"gan/penalties.py": [("    return gradient.square()", "    return float('nan') * gradient.square()")]}
    )
    place, config = tmp_path / "run", replace(Config(), starts=2, iterations=300)
    with pytest.raises(RunError) as told:
        train(partial(functions_of, str(wrong), "gan"), config, place)
    assert "6 of 10 trainings ended well" in str(told.value)
    assert str(told.value).count("broke down") == 2  # once for each objective
    (found,) = finished_runs([place])
    assert sorted(found.summary())[0] == "dirac.amplitude.jsd"
    assert (place / "figures" / "sheet.png").is_file()
    (first, second), _ = tables.told(found, config)
    assert (len(first.rows), len(second.rows)) == (12, 6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"PK\x03\x04", "cannot be read"),
        ({"path": torch.zeros(3, 4)}, "holds torch.float32 of shape"),
        ({"path": torch.zeros(41, 4).double()}, "holds nothing as starts"),
        ({"path": torch.zeros(41, 4).double() + math.nan, "starts": torch.zeros(41, 3, 2)}, "nan or infinity"),
    ],
)
def test_a_trajectory_of_nobody_knows_whom_is_read_without_trust(tmp_path, content, words):
    path = tmp_path / "t.safetensors"
    path.write_bytes(content) if isinstance(content, bytes) else save_file(content, path)
    with pytest.raises(RunError, match=words):
        trajectories.read(path, SHORT)


# Predictions


def test_the_file_of_predictions_asks_for_every_training_and_tells_nothing():
    path = ROOT / "exercises" / "gan" / predictions.FILE
    assert predictions.read(path) == {}
    assert all(f'{name} = ""' in path.read_text() for name in predictions.NAMES)
    assert len(predictions.NAMES) == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('dirac-jsd-1 = "oscillates"', "expected one of 'converges', 'cycles', 'limit cycle', 'diverges', or ''"),
        ('dirac-jsd-7 = "cycles"', "is no configuration"),
        ("dirac-jsd-1 = 3", "dirac-jsd-1 is 3"),
        ("dirac-jsd-1", "cannot be read as TOML"),
    ],
)
def test_a_prediction_of_another_kind_is_refused(tmp_path, text, words):
    (tmp_path / "predictions.toml").write_text(text)
    with pytest.raises(RunError, match=words):
        predictions.read(tmp_path / "predictions.toml")


def test_no_file_is_no_prediction(tmp_path):
    assert predictions.read(tmp_path / "nowhere.toml") == {}


# A run, and its claims


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of four configurations with the assignment's settings, by the command."""
    place = tmp_path_factory.mktemp("dirac") / "run"
    config = replace(Config(), starts=3, seed=20113225, configuration="dirac-w1-9")
    return train(LOAD, config, place, name="solutions", preset="quick", predictions={"dirac-w1-4": "converges"})


def copied(run, tmp_path, **changed):
    """The same run with another summary."""
    place = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(run.path), str(place)], check=True)
    summary = json.loads((place / "summary.json").read_text()) | changed
    (place / "summary.json").write_text(json.dumps(summary))
    return runs.read(place)


def test_a_run_reports_a_class_for_each_configuration_and_draws_it(run):
    assert run.summary()["dirac.class.dirac-w1-9"] == "limit cycle"
    assert {path.name for path in (run.path / "figures").iterdir()} == {"dirac-w1-9.png", "games.gif"}
    assert finished_runs([run.path])


def test_claims_are_measured_by_repeating_the_run_with_the_implementations_functions(run):
    (claim,) = measure_claims(run, load(), None, AGAIN)
    assert (claim.outcome, claim.reported, claim.measured) == ("reached", "limit cycle", "limit cycle")
    assert claim.earned == 0.5


def test_another_word_than_the_repeated_runs_is_wrong(run, tmp_path):
    other = copied(run, tmp_path, **{"dirac.class.dirac-w1-9": "converges"})
    (claim,) = measure_claims(other, load(), None, AGAIN)
    assert (claim.outcome, claim.earned) == ("wrong", 0)
    assert "reported 'converges', repeated 'limit cycle'" in claim.message


@pytest.mark.parametrize("word", [None, 3.0, "x" * 100, ["limit cycle"], "\x1b[31mcycles", "\ud800"])
def test_what_is_no_word_is_refused(run, tmp_path, word):
    (claim,) = measure_claims(copied(run, tmp_path, **{"dirac.class.dirac-w1-9": word}), load(), None, AGAIN)
    assert claim.outcome == "refused"


def test_functions_that_do_something_else_miss_the_claim(run, tmp_path, submission):
    wrong = submission({"gan/penalties.py": [("(norm - 1).square()", "norm.square()")]})
    (claim,) = measure_claims(run, load(), None, partial(repeated, wrong))
    assert (claim.outcome, claim.measured) == ("wrong", "converges")
    honest = copied(run, tmp_path, **{"dirac.class.dirac-w1-9": "converges"})
    assert [c.outcome for c in measure_claims(honest, load(), None, partial(repeated, wrong))] == ["missed"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("raise ValueError('no')", "cannot be repeated"),
        ("__import__('os')._exit(0)", "no predicate"),
        ("__import__('os')._exit(3)", "cannot be repeated"),
    ],
)
def test_functions_that_do_not_get_to_the_end_refuse_the_claim(run, submission, line, words):
    broken = submission(
        {"gan/steps.py": [("    update_average(game.average", f"    {line}\n    update_average(game.average")]}
    )
    (claim,) = measure_claims(run, load(), None, partial(repeated, broken))
    assert claim.outcome == "refused"
    assert "cannot be re" in claim.message


def test_other_settings_have_no_claim(run, tmp_path):
    place = copied(run, tmp_path).path
    config = json.loads((place / "config.json").read_text())
    for change in ({"order": "simultaneous"}, {"iterations": 10}, {"critic_steps": 2}, {"starts": 1}):
        config["settings"] = asdict(replace(Config(), configuration="dirac-w1-9")) | change
        (place / "config.json").write_text(json.dumps(config))
        assert list(measure_claims(runs.read(place), load(), None, AGAIN)) == []


def test_tables_set_prediction_beside_outcome_and_theory_beside_experiment(run):
    (first, second), notes = tables.told(run, Config(starts=3, seed=20113225, configuration="dirac-w1-9"))
    assert first.rows[0][:4] == ["dirac-w1-9", "W1, GP 0.01", "converges ✗", "limit cycle"]
    assert second.rows[0][-1] == "1.2732"
    assert notes == []


def test_tables_show_the_radius_of_the_students_update(tmp_path):
    config = replace(Config(), configuration="dirac-jsd-2", iterations=100, starts=2)
    found = train(LOAD, config, tmp_path / "run")
    (_, table), notes = tables.told(found, config)
    (row,) = table.rows
    assert row[1:3] == ["0.998999", "0.998999"]
    assert row[4] == "692"
    assert notes == ["classes mean little: a tenth of the iterations is less than a turn, which takes 251"]


def test_an_update_that_is_not_the_theorys_is_marked():
    training, config = Training("w1", "r1", 0.1), Config()
    outcomes = {training: outcome(simulate(FUNCTIONS, [training], replace(SHORT, iterations=100))[training])}
    radii = {training.name: 0.9949}
    assert tables.theory_and_experiment(config, outcomes, radii).rows[0][1] == "0.994900 ✗"
    assert tables.notes(config, outcomes, radii)[0].startswith("your update is not that of the theory for w1-r1-0.1")


@pytest.mark.parametrize(("rate", "steps"), [(0.02, 1), (0.05, 2), (0.4, 1)])
def test_the_limit_cycle_of_players_of_two_speeds_is_an_ellipse(rate, steps):
    config = replace(Config(), critic_learning_rate=rate, critic_steps=steps, starts=2, iterations=8000)
    training = Training("w1", "gp", 0.1)
    found = outcome(simulate(FUNCTIONS, [training], config)[training])
    assert found.end == pytest.approx(theory.limit_cycle(config), rel=0.03)
    assert found.word == "limit cycle"


def test_a_run_whose_trajectory_was_changed_is_not_opened(run, tmp_path):
    other = copied(run, tmp_path)
    path_of(other.path, Training("w1", "gp", 0.01)).write_bytes(b"")
    with pytest.raises(RunError, match=r"cannot be read"):
        finished_runs([other.path])
    (other.path / "trajectories").rename(tmp_path / "elsewhere")
    (other.path / "trajectories").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match=r"is a link"):
        finished_runs([other.path])


def test_the_command_prints_both_tables_and_the_report_shows_them(tmp_path, run):
    command = [sys.executable, "-m", "grading.cli", "train", "dirac", "-i", "solutions", "--out", str(tmp_path / "r")]
    done = subprocess.run(
        [*command, "--set", "configuration=dirac-jsd-3", "--set", "iterations=200", "--set", "starts=2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Prediction and outcome" in done.stdout
    assert "0.989949" in done.stdout
    page = tmp_path / "page.html"
    command = [sys.executable, "-m", "grading.cli", "report", str(run.path), "-i", "solutions", "--out", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "is limit cycle" in done.stdout
    text = page.read_text()
    assert all(word in text for word in ("Prediction and outcome", "Theory beside experiment", "limit cycle", "1.2732"))


def test_simultaneous_players_answer_each_other_as_they_were():
    starts = draw_starts(2, 0)
    config = replace(Config(), order="simultaneous", critic_steps=1)
    game = make_game(FUNCTIONS, [Training("w1", "none", 0.0)], config, starts)
    update_of(FUNCTIONS, game, config)()
    psi0, _, theta = starts
    assert torch.allclose(game.state()[0], psi0 - 0.1 * theta)
    assert torch.allclose(game.state()[2], theta + 0.1 * psi0)
    assert torch.allclose(game.state()[3], 0.998 * theta + 0.002 * game.state()[2], rtol=0, atol=1e-14)


def test_all_trajectories_of_a_run_are_read(run):
    config = Config(starts=3, seed=20113225, configuration="dirac-w1-9")
    assert list(read_all(Path(run.path), config)) == [Training("w1", "gp", 0.01)]


# What a student's functions may do while their run is repeated


@pytest.mark.parametrize(
    "line",
    [
        "print('x' * 10_000_000)",
        "sys.exit(0)",
        "[os.write(fd, b'x' * 99) for fd in range(3, 40) if not os.set_blocking(fd, False)]",
        "os.closerange(0, 99)",
        "open('/etc/passwd').read()",
        "open(__file__, 'a').write('x = 1')",
        "torch.zeros(1 << 33)",
    ],
)
def test_whoever_judges_goes_on_whatever_a_function_does(run, submission, line):
    broken = submission({"gan/averaging.py": [("import torch\n", f"import os\nimport sys\n\nimport torch\n{line}\n")]})
    (claim,) = measure_claims(run, load(), None, partial(repeated, broken))
    assert claim.outcome == ("reached" if line.startswith("print") else "refused")
    assert not (broken / "gan" / "averaging.py").read_text().endswith("x = 1")


def test_a_failure_is_found_once_for_all_claims(tmp_path):
    called = []

    def fails(_):
        called.append(1)
        raise RunError("no")

    place = tmp_path / "run"
    runs.create(place, {"experiment": "dirac", "data": {"name": "dirac"}, "settings": asdict(Config())}).write_summary(
        {}
    )
    summary = {name: "cycles" for name in load().claims if name.startswith("dirac.")}
    runs.read(place).write_summary(summary)
    assert [c.outcome for c in measure_claims(runs.read(place), load(), None, fails)] == 20 * ["refused"]
    assert len(called) == 1
