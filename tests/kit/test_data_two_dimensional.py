"""The two densities of the plane: their energies, exact samples, constants and entropies."""

import math

import pytest
import torch

from data.two_dimensional import (
    HALF_WINDOW,
    TARGETS,
    arcs_energy,
    entropy,
    log_normalizer,
    samples,
    sine_energy,
    sine_ridge,
)

both = pytest.mark.parametrize("name", TARGETS)


def test_the_energies_are_those_of_the_assignment():
    z = torch.tensor([[2.0, 0.0], [0.0, 1.5], [-1.0, 2.0]], dtype=torch.float64)
    for (x, y), arcs, sine in zip(z.tolist(), arcs_energy(z).tolist(), sine_energy(z).tolist(), strict=True):
        bumps = math.exp(-(((x - 2) / 0.6) ** 2) / 2) + math.exp(-(((x + 2) / 0.6) ** 2) / 2)
        assert arcs == pytest.approx(((math.hypot(x, y) - 2) / 0.4) ** 2 / 2 - math.log(bumps))
        assert sine == pytest.approx(((y - math.sin(2 * math.pi * x / 4)) / 0.4) ** 2 / 2, abs=1e-12)


def test_constants_and_entropies_are_the_known_ones():
    assert entropy("arcs") == pytest.approx(2.6600, abs=5e-5)
    # A window of width 10 times a normal distribution: both are known in closed form.
    assert log_normalizer("sine") == pytest.approx(math.log(10 * 0.4 * math.sqrt(2 * math.pi)), abs=1e-9)
    assert entropy("sine") == pytest.approx(log_normalizer("sine") + 0.5, abs=1e-9)


@both
def test_training_and_held_out_samples_share_no_row_and_are_always_the_same(name):
    train, held_out = samples(name)
    assert (train.shape, held_out.shape) == ((100_000, 2), (50_000, 2))
    assert len(torch.cat([train, held_out]).unique(dim=0)) == 150_000
    samples.cache_clear()
    assert torch.equal(samples(name)[1], held_out)


@both
def test_samples_have_the_energy_that_the_density_has(name):
    """The mean of U + log Z under p is the entropy; the variance of U is a moment of its own."""
    for drawn in samples(name):
        minus_log_p = TARGETS[name].energy(drawn.double()) + log_normalizer(name)
        error = float(minus_log_p.std()) / math.sqrt(len(drawn))
        assert abs(float(minus_log_p.mean()) - entropy(name)) < 6 * error


def test_samples_of_the_arcs_fill_both_arcs_alike():
    right = float((samples("arcs")[0][:, 0] > 0).float().mean())
    assert abs(right - 0.5) < 6 * 0.5 / math.sqrt(100_000)


def test_samples_of_the_sine_are_even_in_the_window_and_normal_about_the_ridge():
    z = samples("sine")[0].double()
    counts = torch.histc(z[:, 0], 20, -HALF_WINDOW, HALF_WINDOW)
    assert float(((counts - 5000) ** 2 / 5000).sum()) < 19 + 6 * math.sqrt(2 * 19)  # chi squared with 19 degrees
    rest = z[:, 1] - sine_ridge(z)
    assert abs(float(rest.mean())) < 6 * 0.4 / math.sqrt(len(z))
    assert float(rest.std()) == pytest.approx(0.4, rel=6 / math.sqrt(2 * len(z)))
