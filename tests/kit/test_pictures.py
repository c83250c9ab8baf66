"""Pictures of wrong parts: what they are made of, that they are made, and that no answer breaks them."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from grading.catalogue import all_parts
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import Implementation, locate
from grading.engine.wire import Foreign
from grading.engine.worker import reply
from grading.engine.workers import AtOnce, Starter, Worker
from grading.pictures import PICTURES, WITHOUT, draw
from grading.pictures.asking import Asking
from grading.pictures.canvas import NOTHING, limits
from grading.pictures.constraint import constraint
from grading.pictures.curves import sentence_of
from grading.pictures.curves_scores import w1_curves
from grading.pictures.curves_vae import kl_analytic_curves, log_mean_exp_curves
from grading.pictures.curves_weights import spectral_norm_curves
from grading.pictures.densities import of_a_flow
from grading.pictures.densities_vae import of_a_normal, of_coins
from grading.pictures.estimators import elbo_spreads, kl_mc_spreads
from grading.pictures.estimators_flows import reverse_kl_spreads
from grading.pictures.folding import LAYERS, STRONG, asked, warp
from grading.pictures.iteration import UPDATES, iteration
from grading.pictures.penalties import cost, points
from grading.pictures.spread import shared
from grading.pictures.updates import steps
from tests.support.oracles import rows_of, sent

F64 = torch.float64
SOLUTIONS = Implementation(locate("solutions"))
# Two mistakes of each part that look different.
MISTAKES = {
    "vae.log_likelihood_bernoulli": ("forgets_the_zeros", "adds_an_epsilon"),
    "vae.log_likelihood_normal": ("subtracts_the_constant_once", "clamps_the_log_variance"),
    "vae.log_mean_exp": ("exponentiates_directly", "detaches_one_maximum"),
    "vae.kl_gaussian_gaussian_analytic": ("averages_features", "swaps_q_and_p"),
    "vae.kl_gaussian_gaussian_mc": ("takes_absolute_values", "samples_from_p"),
    "vae.elbo": ("adds_the_kl", "takes_the_mean_for_z"),
    "vae.importance_log_likelihood": ("seeds_the_generator", "forgets_log_k"),
    "gan.jsd": ("forgets_the_half", "takes_the_logarithm_of_the_sigmoid"),
    "gan.w1": ("takes_medians", "detaches_the_real_scores"),
    "gan.gradient_penalty": ("draws_for_each_entry", "is_one_sided"),
    "gan.r1_penalty": ("adds_noise_to_the_samples", "sums_the_batch"),
    "gan.inception_score": ("forgets_the_exponential", "turns_the_divergence"),
    "gan.frechet_distance": ("takes_the_root_of_each_entry", "multiplies_the_roots"),
    "gan.spectral_norm": ("takes_the_frobenius_norm", "detaches_sigma"),
    "gan.critic_loss": ("subtracts_the_penalty", "detaches_the_penalty"),
    "gan.critic_step": ("never_clears_the_gradients", "steps_both"),
    "gan.generator_step": ("forgets_the_step", "climbs_the_objective"),
    "gan.train_step": ("updates_the_critic_once", "swaps_the_decay"),
    "gan.update_average": ("swaps_the_decay", "copies_the_buffers"),
    "flows.planar": ("forgets_the_constraint", "forgets_b"),
    "flows.constrain_u": ("adds_m", "scales_u"),
    "flows.compose": ("evaluates_at_the_image", "reverses_the_order"),
    "flows.log_density": ("subtracts_the_log_determinant", "reverses_the_order"),
    "flows.negative_log_likelihood": ("forgets_the_constant", "forgets_the_sign"),
    "flows.reverse_kl": ("adds_the_log_determinant", "averages_the_energies"),
    "flows.flow_elbo": ("subtracts_the_log_determinant", "takes_the_mean_for_the_sample"),
}


@pytest.fixture(scope="module")
def parts():
    return {part.name: part for part in all_parts()}


@pytest.fixture(scope="module")
def asking(parts) -> Callable[..., Asking]:
    """A function that asks a part of the reference, or a function in its place, in this process."""

    def make(name: str, function: Callable[..., Any] | None = None) -> Asking:
        implementation = Implementation(locate("solutions"))
        if function is not None:
            implementation.replace(name, function)
        return Asking(parts[name], AtOnce(lambda calls, seconds: [reply(implementation, call) for call in calls]))

    return make


@pytest.fixture(scope="module")
def mistaken(asking) -> Callable[[str, str], Asking]:
    """A function that asks a mistake of the bank in this process."""
    from grading.bank import find

    return lambda name, mistake: asking(name, find(name, mistake).function)


@pytest.fixture
def seen(parts, starter: Starter, tmp_path) -> Callable[..., Path | None]:
    """A function that draws a part of the reference, or a mistake of the bank, through a worker as a check does."""

    def make(name: str, entry: str = "") -> Path | None:
        worker = Worker(starter, locate("solutions"), f"{name}.{entry}" if entry else "")
        try:
            return draw(parts[name], worker, tmp_path / "new")
        finally:
            worker.close()

    return make


def test_every_part_has_a_picture_or_is_named_among_those_without(parts) -> None:
    assert PICTURES.keys() | WITHOUT == parts.keys()
    assert not PICTURES.keys() & WITHOUT
    assert PICTURES.keys() == MISTAKES.keys()


def told(path: Path) -> str:
    """Return what a picture says that one sees, of a picture of the right kind and size."""
    with Image.open(path) as image:
        image.load()
        assert image.format == "PNG"
        assert image.width == 800
        assert 300 <= image.height <= 700
        assert image.convert("L").getpixel((3, image.height - 3)) == 255  # a light background
        assert path.stat().st_size < 300_000
        return image.text["Description"]


@pytest.mark.parametrize("name", MISTAKES)
def test_the_reference_is_drawn_and_looks_right_and_mistakes_do_not(seen, name: str) -> None:
    path = seen(name)
    assert path.name == f"{name}.png"
    assert told(path) == f"{name}: {NOTHING}"
    sentences = [told(seen(name, mistake)) for mistake in MISTAKES[name]]
    assert not any(NOTHING in sentence for sentence in sentences), sentences
    assert len(set(sentences)) == len(sentences)


# What pictures are made of


def test_an_unconstrained_layer_folds_and_a_right_one_does_not(asking, mistaken) -> None:
    wrong = warp(asked(mistaken("flows.planar", "forgets_the_constraint"), *STRONG), [STRONG])
    assert float(wrong.determinant.min()) < -0.1
    assert bool(wrong.folded[wrong.determinant <= 0].all())
    assert int(wrong.folded.sum()) > int((wrong.determinant <= 0).sum())  # what it is folded onto has company too
    right = warp(asked(asking("flows.planar"), *STRONG), [STRONG])
    assert float(right.determinant.min()) > 0
    assert not bool(right.folded.any())
    assert right.off < 1e-3


def test_a_mapping_that_is_not_one_to_one_is_folded_though_no_determinant_is_negative() -> None:
    # The square of a complex number: points and their negatives meet, and the determinant is 4 |z|^2.
    def square(z: Tensor) -> tuple[Tensor, None]:
        return torch.stack([z[:, 0] ** 2 - z[:, 1] ** 2, 2 * z[:, 0] * z[:, 1]], 1), None

    found = warp(square, [])
    assert float((found.determinant > 0).double().mean()) > 0.99
    assert float(found.folded.double().mean()) > 0.9


def test_finite_differences_measure_the_log_determinant(asking) -> None:
    found = warp(asked(asking("flows.compose"), LAYERS, last=True), LAYERS)
    z, exact = map(torch.from_numpy, sent(rows_of(LAYERS, found.points), 2))
    assert torch.equal(found.right, z)
    assert float((found.determinant - exact.exp()).abs().max()) < 1e-4
    right = asked(asking("flows.compose"), LAYERS, last=True)
    wrong = warp(lambda z: (right(z)[0], -right(z)[1]), LAYERS)
    assert wrong.off == pytest.approx(2 * float(exact.abs().max()), rel=1e-3)


def test_vectors_that_the_constraint_moves_across_w(asking, mistaken) -> None:
    assert constraint(asking("flows.constrain_u")).across < 1e-9
    assert constraint(mistaken("flows.constrain_u", "scales_u")).across > 1
    assert "below −1" in constraint(asking("flows.constrain_u", lambda u, w: u * 1.0)).sentence


def test_points_of_a_right_penalty_lie_on_the_segments(asking, mistaken) -> None:
    right = points(asking("gan.gradient_penalty"))
    assert not bool(right.off.any())
    assert 0 <= float(right.shares.min()) <= float(right.shares.max()) <= 1
    for mistake in ("draws_for_each_entry", "draws_normal_numbers"):
        assert float(points(mistaken("gan.gradient_penalty", mistake)).off.double().mean()) > 0.5
    ends = points(mistaken("gan.gradient_penalty", "asks_at_both"))
    assert ends.sentence == "100% of the points on the segments are at their ends"
    assert "equally far" in points(mistaken("gan.gradient_penalty", "draws_once")).sentence


def test_points_of_r1_are_the_real_samples(asking, mistaken) -> None:
    assert not bool(points(asking("gan.r1_penalty")).off.any())
    assert bool(points(mistaken("gan.r1_penalty", "adds_noise_to_the_samples")).off.all())


def test_what_a_penalty_costs(asking, mistaken) -> None:
    assert cost(asking("gan.gradient_penalty")).sentence == ""
    one_sided = cost(mistaken("gan.gradient_penalty", "is_one_sided"))
    assert float(one_sided.yours[0]) == 0
    assert float(one_sided.right[0]) == 1
    assert "no gradient" in cost(mistaken("gan.gradient_penalty", "creates_no_graph")).sentence


def test_densities_integrate_to_one_or_not(asking, mistaken) -> None:
    for name, mistake, integral in (
        ("flows.log_density", "adds_the_constant_again", 1 / (2 * torch.pi)),
        ("flows.negative_log_likelihood", "forgets_the_constant", 2 * torch.pi),
    ):
        assert of_a_flow(asking(name))[0].integral == pytest.approx(1, abs=2e-3)
        assert of_a_flow(mistaken(name, mistake))[0].integral == pytest.approx(integral, rel=2e-3)
    one, two, _ = of_a_normal(mistaken("vae.log_likelihood_normal", "subtracts_the_constant_once"))
    assert one.integral == pytest.approx(1, abs=1e-3)
    assert two.integral == pytest.approx((2 * torch.pi) ** 0.5, rel=1e-3)


def test_probabilities_of_coins(asking, mistaken) -> None:
    found, curves = of_coins(asking("vae.log_likelihood_bernoulli"))
    assert found.integral == pytest.approx(1)
    assert sentence_of(curves) == NOTHING
    assert of_coins(mistaken("vae.log_likelihood_bernoulli", "forgets_the_zeros"))[0].integral > 1.1
    _, clamped = of_coins(mistaken("vae.log_likelihood_bernoulli", "cuts_off_at_minus_100"))
    assert "not infinite at 1 of 61" in sentence_of(clamped)


def test_estimates_are_compared_with_the_truth(asking, mistaken) -> None:
    right, trend = kl_mc_spreads(asking("vae.kl_gaussian_gaussian_mc"))
    assert [spread.sentence for spread in right] == ["", ""]
    assert trend.sentence == ""
    assert all(abs(float(s.right.mean()) - s.truth) < 0.05 for s in right)
    same = kl_mc_spreads(mistaken("vae.kl_gaussian_gaussian_mc", "seeds_the_generator"))[0][0]
    assert "are the same" in same.sentence
    again, flat = kl_mc_spreads(mistaken("vae.kl_gaussian_gaussian_mc", "uses_one_sample_again"))
    assert "vary" in again[0].sentence
    assert float(flat.yours[-1]) > 3 * float(flat.right[-1])
    never = kl_mc_spreads(mistaken("vae.kl_gaussian_gaussian_mc", "takes_absolute_values"))[0][0]
    assert "none of 300 values is below" in never.sentence
    shift = elbo_spreads(mistaken("vae.elbo", "adds_the_kl"))[0]
    assert "its mean over 300 draws" in shift.sentence


def test_means_of_right_terms_are_those_of_quadrature(asking) -> None:
    for spread in reverse_kl_spreads(asking("flows.reverse_kl")):
        assert abs(float(spread.right.mean()) - spread.truth) < 0.1


def test_instances_that_share_their_noise_go_together(asking, mistaken) -> None:
    assert shared(elbo_spreads(asking("vae.elbo"))) == ""
    assert "go together" in shared(elbo_spreads(mistaken("vae.elbo", "shares_noise_between_instances")))


def test_curves_tell_value_gradient_and_overflow(asking, mistaken) -> None:
    assert sentence_of(log_mean_exp_curves(asking("vae.log_mean_exp"))) == NOTHING
    near, *_, far = log_mean_exp_curves(mistaken("vae.log_mean_exp", "exponentiates_directly"))
    assert near.sentence == ""
    assert "nan or infinite" in far.sentence
    divided = log_mean_exp_curves(mistaken("vae.log_mean_exp", "forgets_to_divide"))[0]
    assert torch.allclose(divided.yours - divided.right, torch.tensor(3.0, dtype=F64).log())
    detached = log_mean_exp_curves(mistaken("vae.log_mean_exp", "detaches_one_maximum"))[0]
    assert "its gradient" in detached.sentence
    assert "no gradient comes back" in w1_curves(mistaken("gan.w1", "detaches_the_real_scores"))[0].sentence
    features = kl_analytic_curves(mistaken("vae.kl_gaussian_gaussian_analytic", "averages_features"))[0]
    assert torch.allclose(2 * features.yours, features.right)


def test_both_ways_to_take_v_in_power_iteration_are_right(asking) -> None:
    from grading.bank import find

    torchs = find("gan.spectral_norm", "as_torch_does").function
    assert sentence_of(spectral_norm_curves(asking("gan.spectral_norm", torchs))) == NOTHING


def test_steps_of_a_player(asking, mistaken) -> None:
    right = steps(asking("gan.critic_step"))
    assert torch.allclose(right.after, right.right)
    assert "lead up" in steps(mistaken("gan.critic_step", "climbs_the_loss")).sentence
    assert "the generator moves too" in steps(mistaken("gan.critic_step", "steps_both")).sentence
    assert "left frozen" in steps(mistaken("gan.generator_step", "leaves_the_critic_frozen")).sentence
    assert steps(mistaken("gan.generator_step", "forgets_the_step")).sentence == "no step is made"


def test_the_order_of_an_iteration(asking, mistaken) -> None:
    right = iteration(asking("gan.train_step"))
    assert [right.count(row) for row in ("critic step", "generator step", "noise")] == [UPDATES, 1, UPDATES + 1]
    for mistake, said in (
        ("updates_the_critic_once", "critic's steps 1, expected 4"),
        ("updates_the_generator_first", "the generator steps before the critic's last step"),
        ("reuses_the_noise_for_the_generator", "batches of noise"),
        ("averages_before_the_generator", "the decay"),
    ):
        assert said in iteration(mistaken("gan.train_step", mistake)).sentence


# Answers that nobody thought of


Messages = list[list[Answer | Fault]]


@pytest.fixture(scope="module")
def honest(parts) -> Callable[[str], Messages]:
    """A function that returns what the reference replies to the messages of a part's picture."""

    @cache
    def make(name: str) -> Messages:
        messages: Messages = []

        def answer(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
            messages.append([reply(SOLUTIONS, call) for call in calls])
            return messages[-1]

        PICTURES[name](Asking(parts[name], AtOnce(answer)))
        return messages

    return make


def tampered(messages: Messages, value: Any) -> AtOnce:
    """Replies as the reference gives them, with another value in place of every tensor."""
    left = iter(messages)
    return AtOnce(lambda calls, seconds: [changed(each, value) for each in next(left)])


def changed(answer: Answer, value: Any) -> Answer:
    """Put a value, or what a function makes of each tensor, into all that an answer holds."""

    def put(old: Any) -> Any:
        if isinstance(old, Tensor):
            return value(old) if callable(value) else value
        return tuple(map(put, old)) if isinstance(old, (tuple, list)) else old

    return Answer(
        *(put(each) for each in (answer.value, answer.has_graph, answer.gradients, answer.arguments)), put(answer.asked)
    )


def mixed(tensor: Tensor) -> Tensor:
    """Replace the entries of a tensor in turn by those that no picture can show, but for some."""
    bad = torch.tensor([float("nan"), float("inf"), 1e308, -1e308, -float("inf"), 0.0], dtype=F64)
    return bad.repeat(tensor.numel() // 6 + 1)[: tensor.numel()].reshape(tensor.shape)


HOSTILE: dict[str, Any] = {
    "text": "$\\frac{1}{0}$ <script>",
    "foreign": Foreign("a.type"),
    "nothing": None,
    "nan": lambda t: t.double() * float("nan"),
    "mixed": mixed,
    "cut": lambda t: t.flatten()[:1],
    "empty": lambda t: t.flatten()[:0],
    "complex": lambda t: t.to(torch.complex128),
    "deep": lambda t: t[(None,) * 5],
}


@pytest.mark.parametrize("name", PICTURES)
def test_hostile_answers_give_a_picture_or_none(parts, honest, tmp_path, name: str) -> None:
    for what, value in HOSTILE.items():
        path = draw(parts[name], tampered(honest(name), value), tmp_path / what)
        assert (path is None) == (not list(tmp_path.glob(f"{what}/*")))
        assert path is None or told(path).startswith(name)


@pytest.mark.parametrize("name", ["flows.planar", "vae.log_mean_exp", "gan.jsd", "flows.reverse_kl"])
def test_nan_answers_are_drawn_and_named(parts, honest, name: str) -> None:
    figure = PICTURES[name](Asking(parts[name], tampered(honest(name), HOSTILE["nan"])))
    assert "nan" in figure.get_suptitle()


def test_faults_silence_and_missing_pictures_give_none(parts, tmp_path) -> None:
    def silent(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        return [Fault("silent", "TimeoutError", "no answer in time")] * len(calls)

    assert all(draw(parts[name], AtOnce(silent), tmp_path) is None for name in parts)
    assert list(tmp_path.iterdir()) == []


def test_all_messages_of_a_picture_have_one_deadline(parts) -> None:
    given: list[float] = []

    def slow(calls: Sequence[Call], seconds: float) -> list[Answer | Fault]:
        given.append(seconds)
        return [reply(SOLUTIONS, call) for call in calls]

    PICTURES["vae.kl_gaussian_gaussian_mc"](Asking(parts["vae.kl_gaussian_gaussian_mc"], AtOnce(slow), 100.0))
    assert given == sorted(given, reverse=True)
    assert given[-1] < given[0] <= 100


def test_a_picture_that_stands_there_is_replaced(parts, tmp_path) -> None:
    path = tmp_path / "there" / "gan.w1.png"
    path.parent.mkdir()
    path.write_bytes(b"old")
    assert draw(parts["gan.w1"], AtOnce(lambda calls, s: [reply(SOLUTIONS, c) for c in calls]), path.parent) == path
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_frame_shows_what_is_right_whatever_the_answers_are() -> None:
    right = torch.tensor([1.0, 2.0, float("-inf")])
    low, high = limits(right, torch.tensor([1e300, -1e300, float("nan")]))
    assert low < 1
    assert high > 2
    assert high - low < 10
    constant = torch.full((3,), 5.0)
    low, high = limits(constant, constant + 1e-12)
    assert low < 5 < high
