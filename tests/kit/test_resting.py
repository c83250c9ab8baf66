"""Which other parts a part calls is read in its source, whatever stands there, and told with what is wrong of them."""

import os

import pytest

from grading.catalogue import all_parts
from grading.engine.implementation import ROOT
from grading.resting import called, told
from grading.sources import SIZE

PARTS = {part.name: part for part in all_parts()}
ELBO, KL, NORMAL, MEAN = "elbo", "kl_gaussian_gaussian_analytic", "log_likelihood_normal", "log_mean_exp"


def calls(directory, name):
    """The names of what a part calls, without their topic."""
    return {other.split(".")[1] for other in called(directory, PARTS[name], PARTS)}


@pytest.fixture
def bounds(tmp_path):
    """A function that says what vae.elbo calls, given the file where it stands."""
    (tmp_path / "vae").mkdir()

    def read(text):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "vae" / "bounds.py").write_bytes(content)
        return calls(tmp_path, "vae.elbo")

    return read


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("vae.log_mean_exp", set()),
        ("vae.elbo", {KL}),
        ("vae.importance_log_likelihood", {NORMAL, MEAN}),
        ("vae.kl_gaussian_gaussian_mc", {NORMAL}),
        ("vae.log_mean_exp_property", set()),
        ("flows.planar_property", set()),
        ("flows.compose", {"constrain_u"}),
        ("flows.log_density", {"compose"}),
        ("gan.train_step", {"critic_step", "generator_step", "update_average"}),
    ],
)
def test_what_the_reference_calls_is_found(part, expected):
    assert calls(ROOT / "solutions", part) == expected


STUB = "def elbo(x, encode, decode):\n    return "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"from .divergences import {KL}\n{STUB}1", set()),
        (f"from .divergences import {KL}\n{STUB}{KL}(x)", {KL}),
        (f"from .divergences import {KL} as kl\n{STUB}kl(x)", {KL}),
        (f"{STUB}kl(x)\nfrom .divergences import {KL} as kl", {KL}),
        (f"from .divergences import {KL}\nkl = {KL}\n{STUB}kl(x)", {KL}),
        (f"from .divergences import {KL} as k\ndef _of(x):\n    return k(x)\n_by = _of\n{STUB}_by(x)", {KL}),
        (f"from .divergences import {KL}\nif True:\n    def _of(x):\n        return {KL}(x)\n{STUB}_of(x)", {KL}),
        (f"from .divergences import {KL}\nclass Q:\n    def kl(self):\n        return {KL}(1)\n{STUB}Q().kl()", {KL}),
        (f"from .divergences import {KL}\ndef other(x):\n    return {KL}(x)\n{STUB}x", set()),
        (f"def elbo(x):\n    from .divergences import {KL} as kl\n    return [kl(y) for y in x]", {KL}),
        (f"from . import divergences\n{STUB}divergences.{KL}(x)", {KL}),
        (f"from . import divergences as d\n{STUB}d.{KL}(x)", {KL}),
        (f"{STUB}x.{KL}(x)", set()),
        (f"from .likelihoods import *\nfrom .divergences import *\n{STUB}{KL}(x) + {MEAN}(x)", {KL, MEAN}),
        (f"from .likelihoods import *\ndef {MEAN}(y):\n    return y\n{STUB}{MEAN}(x)", set()),
        (f"def {MEAN}(y):\n    return y\n{STUB}{MEAN}(x)", set()),
        (f"from .likelihoods import {MEAN}\ndef elbo({MEAN}):\n    return {MEAN}(1)", set()),
        (f"from .likelihoods import {MEAN}\ndef elbo(x):\n    {MEAN} = x\n    return {MEAN}", set()),
        (f"{STUB}importance_log_likelihood(x, encode, decode, 1)", {"importance_log_likelihood"}),
        (f"{STUB}elbo(x, encode, decode)", set()),
        (f"from .planar import planar\n{STUB}planar(x)", set()),
        (f"from .likelihoods import {NORMAL}\nfrom .likelihoods import {MEAN}\ndef elbo(x):\n    return 1\n"
         f"def _a():\n    return _b()\ndef _b():\n    return _a() + {MEAN}()\ndef elbo(x):\n    return _a()", {MEAN}),
    ],
)  # fmt: skip
def test_a_call_is_found_under_whatever_name_and_through_what_the_file_defines(bounds, text, expected):
    assert bounds(text) == expected


GOOD = f"from .divergences import {KL}\n{STUB}{KL}(x)\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{GOOD}=",
        f"{GOOD}\0",
        b"\xff\xfe" + GOOD.encode(),
        f"# coding: nothing\n{GOOD}",
        f"{GOOD}y = {'(' * 5000}{')' * 5000}",
        f"{GOOD}y = {'-' * 90_000}1",
        f"{GOOD}y = {'+'.join('1' * 90_000)}",
        f"{GOOD}y = {'.a' * 90_000}",
        f"{GOOD}#{'x' * SIZE}",
        "",
    ],
    ids=["syntax", "null", "bytes", "coding", "nested", "signs", "sum", "dots", "large", "empty"],
)
def test_what_is_no_stub_calls_nothing_and_harms_nobody(bounds, text):
    assert bounds(text) == set()


def test_an_odd_escape_warns_nobody(bounds, recwarn):
    assert bounds(f"{GOOD}y = '\\d'\n") == {KL}
    assert len(recwarn) == 0


def test_a_file_that_is_none_calls_nothing(tmp_path):
    (tmp_path / "vae").mkdir()
    assert calls(tmp_path, "vae.elbo") == set()
    os.mkfifo(tmp_path / "vae" / "bounds.py")
    assert calls(tmp_path, "vae.elbo") == set()


def test_only_parts_that_are_asked_for_are_found():
    directory, part = ROOT / "solutions", PARTS["gan.train_step"]
    assert called(directory, part, ["gan.update_average", "gan.w1"]) == ["gan.update_average"]
    assert called(directory, part, []) == []


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ({}, ""),
        ({NORMAL: "wrong"}, "calls vae.log_likelihood_normal, which is wrong: mend that first"),
        ({MEAN: "todo"}, "calls vae.log_mean_exp, which is still to be written: write that first"),
        (
            {NORMAL: "wrong", MEAN: "todo", KL: "wrong"},
            "calls vae.log_likelihood_normal, which is wrong, and vae.log_mean_exp, which is still to be written: "
            "mend those first",
        ),
    ],
)
def test_what_is_not_right_of_it_is_told(outcomes, sentence):
    part = PARTS["vae.importance_log_likelihood"]
    found = told(part, ROOT / "solutions", lambda other: outcomes.get(other.name.split(".")[1], "right"))
    assert found == sentence
