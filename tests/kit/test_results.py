"""What the handout says of the reference is what was measured, and the thresholds are what comes of it."""

import json
import math
import statistics

import pytest

from exercises.experiments.cifar10 import settings as images
from exercises.experiments.cifar10.scores import pairs_in_order
from exercises.experiments.dirac import settings as dirac
from exercises.experiments.dirac import theory
from exercises.experiments.flows.settings import PRESETS
from grading.engine.implementation import ROOT
from grading.release.handouts import for_students
from grading.rubric import load
from tests.bench.flow_seeds import RESULTS, student_t_99, threshold
from tests.bench.image_seeds import RESULTS as IMAGE_RESULTS

# Inception Score and FID of a hand-in of 2020.
HAND_IN = {
    "cifar10-jsd-1": (3.483, 124.472),
    "cifar10-jsd-2": (4.873, 40.891),
    "cifar10-jsd-3": (5.424, 33.065),
    "cifar10-w1-2": (3.642, 84.269),
    "cifar10-w1-3": (5.812, 24.911),
}
FOUND = json.loads(RESULTS.read_text())
CLAIMS = {name: claim for name, claim in load().claims.items() if claim.experiment == "flows"}
by_claim = pytest.mark.parametrize("name", CLAIMS)


def rows_of(name):
    """The cells of a figure's rows in the handout: of the table that students see, and of what the reference finds."""
    _, kind, target, k = name.split(".")
    label = {"negative_log_likelihood": f"{target}, {k}", "reverse_kl": f"arcs, reverse KL, {k}"} | {
        "near_ridge": f"sine, share near the ridge, {k}",
        "coverage": f"sine, coverage, {k}",
    }
    text = (ROOT / "exercises" / "flows" / "README.md").read_text(encoding="utf-8")
    shown, found = [line for line in text.splitlines() if line.startswith(f"| {label[kind]} |")]
    assert shown in for_students(text)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in (shown, found)]


@by_claim
def test_the_handout_says_what_was_measured(name):
    shown, found = rows_of(name)
    paper, quick, best = (FOUND[preset]["scores"][name] for preset in ("paper", "quick", "best"))
    spread = f"{statistics.median(paper):.4f} ({min(paper):.4f} to {max(paper):.4f})"
    assert [spread, f"{statistics.median(quick):.4f}", f"{statistics.median(best):.4f}"] == found[-3:]
    line = (CLAIMS[name].at_most or CLAIMS[name].at_least)["two_dimensional"]
    assert shown[-1] == f"{CLAIMS[name].relation} {line:.3f}"


@by_claim
def test_a_threshold_is_what_the_spread_of_the_reference_gives(name):
    claim, values = CLAIMS[name], FOUND["paper"]["scores"][name]
    line = claim.threshold("two_dimensional")
    assert len(values) >= 10
    # Rounded to three digits, to the side that fails nobody.
    assert abs(line - threshold(name, values)) < 0.0015
    assert all(value <= line if claim.at_most else value >= line for value in values)


@pytest.mark.parametrize("preset", PRESETS)
def test_results_are_those_of_the_settings_that_there_are(preset):
    settings = vars(PRESETS[preset])
    assert FOUND[preset]["settings"] == settings


@pytest.mark.parametrize(("freedom", "quantile"), [(9, 2.8214), (23, 2.4999), (99, 2.3646)])
def test_the_quantile_is_that_of_the_tables(freedom, quantile):
    assert student_t_99(freedom) == pytest.approx(quantile, abs=0.001)


def test_the_threshold_of_values_that_broke_down_is_no_number():
    assert math.isnan(threshold("flows.reverse_kl.arcs.2", [1.0, math.inf, 2.0]))


# The Dirac GAN

DIRAC = json.loads((ROOT / "exercises" / "experiments" / "results" / "dirac" / "summary.json").read_text())
HANDOUT = (ROOT / "exercises" / "gan" / "README.md").read_text(encoding="utf-8")


def cells(beginning):
    """The cells of the row of the handout of Problem 2 that begins like this."""
    (row,) = [line for line in HANDOUT.splitlines() if line.startswith(f"| {beginning} |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("number", range(1, 6))
def test_the_handout_says_what_each_configuration_did(number):
    row = cells(f"{number}, {number + 5}")
    trainings = [dirac.CONFIGURATIONS[start + number - 1].training for start in (0, 10)]
    for with_average in (0, 5):
        names = [f"dirac.class.dirac-{t.objective}-{number + with_average}" for t in trainings]
        assert row[3] == "; ".join(DIRAC[name] for name in names)
    assert row[4] == "; ".join(f"{DIRAC[f'dirac.amplitude.{t.name}']:.4f}" for t in trainings)


@pytest.mark.parametrize("training", [t for t in dirac.Config().trainings if t.penalty != "gp"], ids=lambda t: t.name)
def test_the_handout_says_the_radius_that_was_measured(training):
    _, measured, closed, half_life = cells(training.title)
    radius = DIRAC[f"dirac.radius.{training.name}"]
    assert (measured, closed) == (f"{radius:.6f}", f"{math.sqrt(1 - 0.2 * training.coefficient):.6f}")
    assert half_life == ("none" if training.penalty == "none" else f"{theory.half_life(radius):.0f}")


def test_the_dirac_gan_was_run_with_the_assignments_settings():
    config = json.loads((ROOT / "exercises" / "experiments" / "results" / "dirac" / "config.json").read_text())
    assert config["settings"] == vars(dirac.Config())


# The variational autoencoder


@pytest.mark.parametrize(("key", "question"), [("vae.elbo", "1.1"), ("vae.log_likelihood", "1.2")])
def test_the_handout_says_the_thresholds_of_both_data_sets(key, question):
    text = (ROOT / "exercises" / "vae" / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {question} (")]
    found = [cell.strip().replace("−", "-") for cell in row.strip("|").split("|")]
    claim = load().claims[key]
    assert found[0] == f"{question} ({claim.points:g} points)"
    assert [found[2], found[4]] == [f"at least {claim.at_least[data]:g}" for data in ("binarized_mnist", "digits")]


# Images

IMAGES = json.loads(IMAGE_RESULTS.read_text())
IMAGE_CLAIMS = {name: claim for name, claim in load().claims.items() if claim.experiment == "cifar10"}


def test_the_five_were_run_with_the_settings_of_the_preset_quick():
    assert IMAGES["settings"] == {k: v for k, v in vars(images.PRESETS["quick"]).items() if k != "seed"}
    assert IMAGES["seeds"] == 5
    assert tuple(IMAGES["order"]) == images.ORDERS["shapes"]


@pytest.mark.parametrize("name", [name for name in IMAGE_CLAIMS if "patches" in name and "order" not in name])
def test_a_threshold_on_shapes_is_what_the_spread_of_the_reference_gives(name):
    claim, values = IMAGE_CLAIMS[name], IMAGES["scores"][name]
    line, kind = claim.threshold("shapes"), "loss" if claim.at_most else "near_ridge"
    assert abs(line - threshold(kind, values)) < 0.01
    assert all(value <= line if claim.at_most else value >= line for value in values)


def rows_of_images(heading):
    """The rows of the handout's table under a heading, by configuration, each as its cells."""
    text = (ROOT / "exercises" / "gan" / "README.md").read_text(encoding="utf-8")
    lines = text[text.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return dict(zip((c.name for c in images.CONFIGURATIONS), rows, strict=True))


def rank(value):
    return f"{value:+.2f}".replace("-", "−")


def test_the_handout_says_what_the_five_seeds_gave():
    for name, cells in rows_of_images("shapes, `quick`, 5 seeds").items():
        distance, score, metric, ranked = (
            IMAGES["scores"][f"cifar10.{key}.{name}"]
            for key in ("fd_patches_2000", "cs_patches_2000", "rank_of_metric", "rank_of_distance")
        )
        assert cells[1] == f"{statistics.mean(distance):.1f} ({min(distance):.1f} to {max(distance):.1f})"
        assert cells[2] == f"{statistics.mean(score):.2f} ({min(score):.2f} to {max(score):.2f})"
        assert cells[3:] == [rank(statistics.mean(metric)), rank(statistics.mean(ranked))]


def test_the_handout_says_what_the_run_on_photographs_gave_beside_the_hand_in():
    run = IMAGE_RESULTS.parents[1] / "cifar10-jpeg"
    summary, config = (json.loads((run / f"{name}.json").read_text()) for name in ("summary", "config"))
    quick = vars(images.PRESETS["quick"])
    changed = {key for key, value in config["settings"].items() if value != quick[key]}
    assert changed == {"data", "updates", "eval_every", "precision"}
    for name, cells in rows_of_images("CIFAR-10").items():
        figures = {key: summary[f"cifar10.{key}.{name}"] for key in ("fd_patches_2000", "cs_patches_2000")}
        assert cells[1:3] == [f"{figures['fd_patches_2000']:.1f}", f"{figures['cs_patches_2000']:.2f}"]
        assert cells[3:5] == [rank(summary[f"cifar10.rank_of_{what}.{name}"]) for what in ("metric", "distance")]
        assert cells[5:] == [f"{value:.3f}" for value in reversed(HAND_IN[name])]


def test_the_order_asks_for_one_pair_less_than_the_fewest_that_a_seed_of_the_reference_had():
    """A pair that samples do not decide does not count where it is measured."""
    key = "fd_patches_2000"
    distances = [
        {c.name: IMAGES["scores"][f"cifar10.{key}.{c.name}"][seed] for c in images.CONFIGURATIONS} for seed in range(5)
    ]
    found = min(pairs_in_order(each, "shapes") for each in distances)
    assert IMAGE_CLAIMS[f"cifar10.order.{key}"].at_least == {"shapes": found - 1}


def test_the_thresholds_on_cifar10_are_the_hand_ins():
    for configuration, (score, distance) in HAND_IN.items():
        assert IMAGE_CLAIMS[f"cifar10.fid_10000.{configuration}"].at_most["cifar10"] == round(1.2 * distance, 1)
        assert IMAGE_CLAIMS[f"cifar10.is_10000.{configuration}"].at_least["cifar10"] == round(score / 1.1, 2)
    assert sorted(HAND_IN, key=lambda name: HAND_IN[name][1]) == list(images.ORDERS["cifar10"])
