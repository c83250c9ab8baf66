"""Properties of objectives.py."""

import math
from collections.abc import Callable
from statistics import fmean

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import assert_at_most, assert_close, assert_finite
from tests.support.common import assert_all_unchanged
from tests.support.flows import assert_gradients
from tests.support.gan import F64, assert_both_precisions, assert_number, number
from tests.support.properties import Function, Part, Topic
from tests.support.strategies import reals, tensor

jsd = Part("gan.jsd", "objectives.py", ("real_scores", "fake_scores"))
w1 = Part("gan.w1", "objectives.py", ("real_scores", "fake_scores"))

Scores = tuple[Tensor, Tensor]


@st.composite
def _scores(draw: st.DrawFn, size: float = 20) -> Scores:
    """Scores of two batches, of the same size or not, as rows or as a column each."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    column = (1,) if draw(st.booleans()) else ()
    return tensor(draw, (n, *column), reals(-size, size)), tensor(draw, (m, *column), reals(-size, size))


def _jsd(scores: Scores) -> float:
    """The estimate by the formula, one score after another."""
    real, fake = scores
    terms = (fmean(map(_log_sigmoid, each.flatten().tolist())) for each in (real, -fake))
    return 0.5 * (math.log(4) + sum(terms))


def _log_sigmoid(score: float) -> float:
    return min(score, 0.0) - math.log1p(math.exp(-abs(score)))


def _jsd_slopes(scores: Scores) -> Scores:
    """The gradients of the formula."""
    real, fake = scores
    return 0.5 * torch.sigmoid(-real) / len(real), -0.5 * torch.sigmoid(fake) / len(fake)


def _w1(scores: Scores) -> float:
    """The estimate by the formula, one score after another."""
    real, fake = (fmean(each.flatten().tolist()) for each in scores)
    return real - fake


def _w1_slopes(scores: Scores) -> Scores:
    """The gradients of the formula."""
    real, fake = scores
    return torch.ones_like(real) / len(real), -torch.ones_like(fake) / len(fake)


ZEROS: Scores = (torch.zeros(2, dtype=F64), torch.zeros(3, dtype=F64))  # of a critic that knows nothing


def _objective_properties(
    part: Part, formula: Callable[[Scores], float], slopes: Callable[[Scores], Scores], stays: str = ""
) -> None:
    """Give an objective the properties that both have; stays: why its value is kept where the gradients say more."""

    def function(topic: Topic) -> Function:
        return getattr(topic, part.name.split(".")[1])

    @part.property("shape", scores=_scores())
    def one_number(gan: Topic, scores: Scores) -> None:
        """The result has the shape (), for scores (n,) and (n, 1), for two batch sizes, and for one sample each."""
        real, fake = scores
        for pair in (scores, (real[:1], fake[:1]), (real.reshape(-1, 1), fake.reshape(-1, 1))):
            assert_number(function(gan).raw(*pair))

    @part.property("shape", most=5, scores=_scores())
    def keeps_the_dtype(gan: Topic, scores: Scores) -> None:
        """Double precision in gives double precision out, single gives single, and both give the same number."""
        assert_both_precisions(lambda dtype: function(gan).raw(*(s.to(dtype) for s in scores)), 100.0)

    @part.property("value", most=5, scores=_scores())
    def leaves_the_scores_alone(gan: Topic, scores: Scores) -> None:
        """The scores hold the same numbers after the call as before."""
        assert_all_unchanged(part.arguments, function(gan).observe(*scores).arguments, scores)

    @part.property("value", edges=[{"scores": ZEROS}], stays=stays, scores=_scores())
    def estimate_by_the_formula(gan: Topic, scores: Scores) -> None:
        """The value is that of the formula, with a mean over each batch by itself."""
        assert_close(number(function(gan).raw(*scores)), torch.tensor(formula(scores), dtype=F64))

    @part.property("gradient", edges=[{"scores": ZEROS}], scores=_scores())
    def gradients_in_both_scores(gan: Topic, scores: Scores) -> None:
        """The gradients by the real scores and by the generated ones are those of the formula."""
        answers = function(gan).gradients(*scores, wrt="01")
        assert_gradients(answers, slopes(scores), part.arguments)


_objective_properties(jsd, _jsd, _jsd_slopes)
_objective_properties(
    w1, _w1, _w1_slopes, stays="it is the definition; a mistake in the value alone would have to be a constant"
)


@st.composite
def _distributions(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """How often each of some atoms stands in the real batch, and in the generated one: at least once."""
    atoms = draw(st.integers(1, 5))
    counts = st.lists(st.integers(1, 4), min_size=atoms, max_size=atoms)
    return draw(counts), draw(counts)


@jsd.property(
    "value",
    stays="it is what the objective is for; the formula says the same without saying why",
    counts=_distributions(),
    shift=reals(-2, 2),
    tilt=reals(-2, 2),
)
def divergence_of_the_best_critic(gan: Topic, counts: tuple[list[int], list[int]], shift: float, tilt: float) -> None:
    """For the critic log p(x) - log q(x) the value is the Jensen-Shannon divergence of the two batches, taken as
    distributions, and for any other critic it is at most that."""
    p, q = (torch.tensor(c, dtype=F64) / sum(c) for c in counts)
    middle = (p + q) / 2
    divergence = 0.5 * ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum())
    best = (p / q).log()
    other = best + shift + tilt * torch.arange(len(p), dtype=F64)
    for scores in (best, other):
        real, fake = (scores.repeat_interleave(torch.tensor(c)) for c in counts)
        value = number(gan.jsd.raw(real, fake))
        assert_at_most(value, divergence, 10.0)
        if scores is best:
            assert_close(value, divergence, 10.0)


@jsd.property("stability", score=st.sampled_from([40.0, 800.0, 1e4]), other=reals(0.5, 3))
def extreme_scores(gan: Topic, score: float, other: float) -> None:
    """At scores as large as 10,000, of either sign, the value is exact, and the gradients are exact and finite."""
    for sign in (1, -1):
        scores = torch.tensor([sign * score, other], dtype=F64), torch.tensor([other, -sign * score], dtype=F64)
        assert_close(number(gan.jsd.raw(*scores)), torch.tensor(_jsd(scores), dtype=F64), 10.0)
        gradients = gan.jsd.gradients(*scores, wrt="01")
        for name, gradient, expected in zip(jsd.arguments, gradients, _jsd_slopes(scores), strict=True):
            assert_finite(gradient, f"the gradient by {name}")
            assert_close(gradient, expected, what=f"the gradient by {name}")


@w1.property(
    "value",
    stays="it shows the sign and the scale by a number that one knows",
    distance=reals(-5, 5),
    constant=reals(-100, 100),
    batch=st.integers(1, 4),
)
def distance_of_two_points(gan: Topic, distance: float, constant: float, batch: int) -> None:
    """For the critic f(x) = x + constant, samples at one point and samples at another have the signed distance of the
    two points, whatever the constant, and exchanging the batches turns the sign."""
    real = torch.full((batch,), constant + distance, dtype=F64)
    fake = torch.full((batch + 1,), constant, dtype=F64)
    expected = torch.tensor(distance, dtype=F64)
    assert_close(number(gan.w1.raw(real, fake)), expected, 1e3)
    assert_close(number(gan.w1.raw(fake, real)), -expected, 1e3)
