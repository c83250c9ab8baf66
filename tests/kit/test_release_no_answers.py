"""No function of the student release is an answer: each is handed in as every part that it could be called as.

Functions in functions, methods and lambdas count too, each copied alone as one would paste it into a stub: under the
names of the stub's arguments where it takes some from around it, with its numbers made tensors, and a flow of layers as
a layer as well. None earns half of a part's points.
"""

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from itertools import chain

import numpy as np
import pytest
from torch import Tensor

from solutions.flows.composition import compose
from tests.kit import handing_in
from tests.kit.copied import functions

GIVEN = """
class Pictures:
    def curves(self, ask):
        def right(layers, z0):
            z, log_abs_det = compose(layers, z0)
            return -0.5 * (z0**2 + math.log(2 * math.pi)).sum(1) - log_abs_det + energy(z)

        return right, lambda real, fake: real.mean() - fake.mean()

    @staticmethod
    def exact(y: Tensor) -> Tensor:
        return y.logsumexp(1) - math.log(y.shape[1])

def flow(layers, z):
    return compose(layers, z)

def log_mean(y):
    return y.mean(1)

def number(real, fake):
    return float(real.mean() - fake.mean())

def sure(probabilities):
    average = probabilities.numpy().mean(0)
    terms = np.nan_to_num(probabilities.numpy() * np.log(probabilities.numpy() / average))
    return np.exp(terms.sum(1).mean())

def forever(y):
    while True:
        pass
"""


@pytest.mark.filterwarnings("ignore")
def test_answers_are_found_wherever_they_stand():
    namespace = {"math": math, "np": np, "Tensor": Tensor, "compose": compose}
    found = handing_in.earning(functions("given.py", GIVEN, namespace))
    assert {(where, part) for where, part, share in found if share > 0.9} == {
        ("given.py, line 4", "flows.reverse_kl"),
        ("given.py, line 8", "gan.w1"),
        ("given.py, line 11", "vae.log_mean_exp"),
        ("given.py, line 14", "flows.compose"),
        ("given.py, line 14", "flows.planar"),
        ("given.py, line 23", "gan.inception_score"),
    }


def test_no_function_that_students_are_given_is_an_answer():
    paths = sorted(handing_in.files())
    assert len(paths) > 60
    assert {"tests/support/oracles.py", "grading/pictures/curves_scores.py", "tests/gan/test_scores.py"} <= set(paths)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        assert list(chain(*pool.map(handing_in.answering, (paths[::2], paths[1::2])))) == []
