"""Properties of scores.py."""

from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical

from tests.support.closeness import assert_at_least, assert_at_most, assert_close
from tests.support.common import assert_all_unchanged, assert_unchanged
from tests.support.gan import F64, assert_both_precisions, assert_number, number
from tests.support.properties import Part, Topic
from tests.support.strategies import reals, tensor

inception = Part("gan.inception_score", "scores.py", ("probabilities",))
frechet = Part("gan.frechet_distance", "scores.py", ("mean1", "cov1", "mean2", "cov2"))


@st.composite
def _probabilities(draw: st.DrawFn) -> Tensor:
    """Rows of distributions over some classes, more rows than classes or fewer, some entries very small."""
    n, classes = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    weights = tensor(draw, (n, classes), reals(0.01, 1)) ** draw(st.sampled_from([1, 4]))
    return weights / weights.sum(1, keepdim=True)


@inception.property("shape", p=_probabilities())
def one_number(gan: Topic, p: Tensor) -> None:
    """The result has the shape (), also for one image."""
    for rows in (p, p[:1]):
        assert_number(gan.inception_score.raw(rows))


@inception.property("shape", most=5, p=_probabilities())
def keeps_the_dtype(gan: Topic, p: Tensor) -> None:
    """Double precision in gives double precision out, single gives single, and both give the same number."""
    assert_both_precisions(lambda dtype: gan.inception_score.raw(p.to(dtype)), 10.0)


@inception.property("value", most=5, p=_probabilities())
def leaves_its_argument_alone(gan: Topic, p: Tensor) -> None:
    """The probabilities hold the same numbers after the call as before, zeros among them."""
    certain = torch.eye(p.shape[1], dtype=F64)
    for rows in (p, torch.cat([p, certain])):
        assert_unchanged("probabilities", gan.inception_score.observe(rows).arguments[0], rows)


@inception.property("value", p=_probabilities())
def exponential_of_the_mean_divergence(gan: Topic, p: Tensor) -> None:
    """The value is the exponential of the average KL divergence from each row to the average row."""
    # The mean of the divergences is what the average row is less sure of than the rows are.
    rows, average = (Categorical(each, validate_args=False).entropy() for each in (p, p.mean(0)))
    assert_close(number(gan.inception_score.raw(p)), (average - rows.mean()).exp())


@inception.property("stability", classes=st.integers(2, 6), copies=st.integers(1, 3), used=st.integers(1, 6))
def certain_and_even(gan: Topic, classes: int, copies: int, used: int) -> None:
    """Rows that are certain, of ones and zeros, score the number of classes that they use evenly, for 0 log 0 is 0."""
    used = min(used, classes)
    p = torch.eye(classes, dtype=F64)[:used].repeat(copies, 1)
    assert_close(number(gan.inception_score.raw(p)), torch.tensor(float(used), dtype=F64), 10.0)


@inception.property(
    "value",
    stays="it shows between which numbers a score lies, and that only differences between images raise it",
    p=_probabilities(),
)
def from_one_to_the_number_of_classes(gan: Topic, p: Tensor) -> None:
    """The value lies between 1 and the number of classes, and is 1 where all rows are the same."""
    value = number(gan.inception_score.raw(p))
    assert_at_least(value, torch.tensor(1.0, dtype=F64), 10.0)
    assert_at_most(value, torch.tensor(float(p.shape[1]), dtype=F64), 10.0)
    assert_close(number(gan.inception_score.raw(p[:1].expand(3, -1))), torch.tensor(1.0, dtype=F64), 10.0)


# The Frechet distance

Normals = tuple[Tensor, Tensor, Tensor, Tensor]


@st.composite
def _roots(draw: st.DrawFn, features: int = 4) -> tuple[Tensor, Tensor]:
    """Draw two matrices with positive eigenvalues that do not commute: (d, d) each."""
    d = draw(st.integers(1, features))
    a, b = (tensor(draw, (d, d), reals(-1, 1)) for _ in range(2))
    return a @ a.T + 0.1 * torch.eye(d, dtype=F64), b @ b.T + 0.3 * torch.eye(d, dtype=F64)


@st.composite
def _means(draw: st.DrawFn, d: int) -> tuple[Tensor, Tensor]:
    return tensor(draw, (d,), reals(-3, 3)), tensor(draw, (d,), reals(-3, 3))


@st.composite
def _normals(draw: st.DrawFn) -> Normals:
    s, t = draw(_roots())
    mean1, mean2 = draw(_means(len(s)))
    return mean1, s, mean2, t


@frechet.property("shape", normals=_normals())
def one_number_for_two_normals(gan: Topic, normals: Normals) -> None:
    """The result has the shape (), also for one feature, and is real."""
    mean1, cov1, mean2, cov2 = normals
    for n in (len(mean1), 1):
        assert_number(gan.frechet_distance.raw(mean1[:n], cov1[:n, :n], mean2[:n], cov2[:n, :n]))


@frechet.property("shape", most=5, normals=_normals())
def keeps_the_precision(gan: Topic, normals: Normals) -> None:
    """Double precision in gives double precision out, single gives single, and both give the same number."""
    size = float(sum(t.abs().sum() for t in normals))
    assert_both_precisions(lambda dtype: gan.frechet_distance.raw(*(t.to(dtype) for t in normals)), 100 + 10 * size)


@frechet.property("value", most=5, normals=_normals())
def leaves_means_and_covariances_alone(gan: Topic, normals: Normals) -> None:
    """The arguments hold the same numbers after the call as before."""
    assert_all_unchanged(frechet.arguments, gan.frechet_distance.observe(*normals).arguments, normals)


@st.composite
def _diagonal(draw: st.DrawFn) -> Normals:
    d = draw(st.integers(1, 4))
    mean1, mean2 = draw(_means(d))
    scales = [tensor(draw, (d,), reals(0.1, 3)) for _ in range(2)]
    return mean1, torch.diag(scales[0] ** 2), mean2, torch.diag(scales[1] ** 2)


@frechet.property("value", normals=_diagonal())
def diagonal_covariances(gan: Topic, normals: Normals) -> None:
    """For diagonal covariances the value is |mean1 - mean2|^2 plus the squared differences of the standard deviations,
    and 0 for two normals that are the same."""
    mean1, cov1, mean2, cov2 = normals
    deviations = cov1.diagonal().sqrt() - cov2.diagonal().sqrt()
    expected = (mean1 - mean2).square().sum() + deviations.square().sum()
    terms = mean1.square().sum() + mean2.square().sum() + cov1.trace() + cov2.trace()
    assert_close(number(gan.frechet_distance.raw(*normals)), expected, terms)
    assert_close(number(gan.frechet_distance.raw(mean1, cov1, mean1, cov1)), torch.zeros((), dtype=F64), terms)


@frechet.property("value", roots=_roots())
def covariances_that_do_not_commute(gan: Topic, roots: tuple[Tensor, Tensor]) -> None:
    """For covariances S and T S T with T >= 0 the value is tr(S + T S T - 2 T S), whichever of the two comes first."""
    # x -> T x is the cheapest way from N(0, S) to N(0, T S T): Olkin and Pukelsheim (1982).
    s, t = roots
    other = t @ s @ t
    other = (other + other.T) / 2
    expected = s.trace() + other.trace() - 2 * (t @ s).trace()
    zero = torch.zeros(len(s), dtype=F64)
    for pair in ((s, other), (other, s)):
        value = number(gan.frechet_distance.raw(zero, pair[0], zero, pair[1]))
        assert_close(value, expected, s.trace() + other.trace())


@st.composite
def _of_few_samples(draw: st.DrawFn) -> tuple[Tensor, Tensor, int]:
    """Draw standard deviations along the same axes, some of them 0 in one, in the other, or in both, and a seed."""
    d = draw(st.integers(2, 4))
    some = st.sampled_from([0.0, 0.0, 1.0]) | reals(0.5, 2)
    return tensor(draw, (d,), some), tensor(draw, (d,), some), draw(st.integers(0, 99))


@frechet.property("stability", few=_of_few_samples())
def covariances_of_few_samples(gan: Topic, few: tuple[Tensor, Tensor, int]) -> None:
    """Covariances of less than full rank, as fewer samples than features have, give the real, finite distance all the
    same, to six digits."""
    first, second, seed = few
    square = torch.randn(len(first), len(first), dtype=F64, generator=torch.Generator().manual_seed(seed))
    axes = torch.linalg.qr(square).Q
    cov1, cov2 = (axes * scale**2 @ axes.T for scale in (first, second))
    zero = torch.zeros(len(first), dtype=F64)
    # A root of a rounding error of 1e-16 is 1e-8.
    expected = (first - second).square().sum()
    value = number(gan.frechet_distance.raw(zero, (cov1 + cov1.T) / 2, zero, (cov2 + cov2.T) / 2))
    assert_close(value, expected, 1e3 * (1 + cov1.trace() + cov2.trace()))


@frechet.property(
    "value",
    stays="it says what a distance between distributions has to be: the same from any side and in any coordinates",
    normals=_normals(),
    turn=reals(-3, 3),
    scale=reals(0.5, 2),
)
def any_side_and_any_coordinates(gan: Topic, normals: Normals, turn: float, scale: float) -> None:
    """Exchanging the two normals, shifting both, or turning the coordinates changes nothing; features that are c times
    as large make the value c^2 times as large."""
    mean1, cov1, mean2, cov2 = normals
    value = number(gan.frechet_distance.raw(*normals))
    angles = torch.zeros_like(cov1)
    angles[0, -1], angles[-1, 0] = turn, -turn
    q: Any = scale * torch.linalg.matrix_exp(angles - angles.diagonal().diag())
    terms = 1e3 * (1 + value + cov1.trace() + cov2.trace())
    assert_close(number(gan.frechet_distance.raw(mean2 + turn, cov2, mean1 + turn, cov1)), value, terms)
    turned = gan.frechet_distance.raw(q @ mean1, q @ cov1 @ q.T, q @ mean2, q @ cov2 @ q.T)
    assert_close(number(turned), scale**2 * value, 10 * terms)
