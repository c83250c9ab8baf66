"""A wrong part is named as the mistake whose answers it gives, however it is written; what is not one is not named."""

import math
import re
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from grading.bank import entries, of
from grading.catalogue import all_parts
from grading.diagnosis import fingerprints as known_fingerprints
from grading.diagnosis import naming
from grading.diagnosis.fingerprints import FILE, Fingerprints, Known, agree
from grading.diagnosis.observing import readings
from grading.engine.calls import Answer, Call, Cost, Fault
from grading.engine.implementation import Implementation, locate
from grading.engine.worker import reply
from grading.engine.workers import AtOnce
from grading.judge import PartVerdict, Verdict
from grading.wording import Failure
from solutions.flows import planar as planar_flow
from solutions.gan import penalties

CALL = Call("toy.twice", "toy.py", (torch.zeros(2),))
FINE = 1e-9


def exchange_of(part: str, function: Callable[..., Any]) -> AtOnce:
    implementation = Implementation(locate("solutions"))
    implementation.replace(part, function)
    return AtOnce(lambda calls, seconds: [reply(implementation, call) for call in calls])


# Written otherwise than the bank's


def without_the_mean(y: Tensor) -> Tensor:
    top = y.max(dim=1).values
    return top + torch.exp(y - top[:, None]).sum(dim=1).log()


def with_columns(y: Tensor) -> Tensor:
    return (torch.logsumexp(y, dim=-1) - math.log(y.size(1))).unsqueeze(-1)


def with_the_deviation_as_variance(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return torch.distributions.Normal(mu, logvar.exp()).log_prob(z).flatten(1).sum(1)


def without_the_constant(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    squares = (z - mu).square() * torch.exp(-logvar)
    return -(logvar + squares).flatten(1).sum(1) / 2


def by_the_mean_over_features(mu: Tensor, target: Tensor) -> Tensor:
    likely = torch.where(target.bool(), mu, 1 - mu)
    return likely.log().flatten(1).mean(dim=1)


def around_zero(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    epsilon = torch.rand(real.size(0), *[1] * (real.ndim - 1), dtype=real.dtype)
    x = torch.lerp(fake, real, epsilon).requires_grad_(True)
    (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return g.flatten(1).pow(2).sum(1).mean()


def times_ten(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    return penalties.gradient_penalty(critic, real, fake).mul(10.0)


def with_the_sign_lost(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Any:
    f, log_abs_det = planar_flow.planar(z, u, w, b)
    return f, -log_abs_det


@pytest.mark.parametrize(
    ("part", "function", "mistake"),
    [
        ("vae.log_mean_exp", without_the_mean, "forgets_to_divide"),
        ("vae.log_mean_exp", with_columns, "keeps_the_axis"),
        ("vae.log_likelihood_normal", with_the_deviation_as_variance, "takes_logvar_for_log_sigma"),
        ("vae.log_likelihood_normal", without_the_constant, "forgets_the_constant"),
        ("vae.log_likelihood_bernoulli", by_the_mean_over_features, "averages_the_features"),
        ("gan.gradient_penalty", around_zero, "is_centred_at_zero"),
        ("gan.gradient_penalty", times_ten, "takes_the_factor"),
        ("flows.planar", with_the_sign_lost, "turns_the_sign"),
    ],
)
def test_a_mistake_is_named_however_it_is_written(part: str, function: Callable[..., Any], mistake: str) -> None:
    found = naming.name(part, exchange_of(part, function), 10)
    assert found is not None
    assert found.mistakes == [mistake]


def with_the_deviation_summed_once(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return torch.distributions.Normal(mu, logvar.exp()).log_prob(z).sum(1)


def test_what_is_done_to_vectors_is_named_where_images_are_wrong_besides() -> None:
    part = "vae.log_likelihood_normal"
    found = naming.name(part, exchange_of(part, with_the_deviation_summed_once), 10)
    assert found is not None
    assert found.mistakes == ["takes_logvar_for_log_sigma"]
    assert found.sentence.endswith(naming.ON_TOP)


def unconstrained(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Any:
    h = torch.tanh((z * w).sum(-1) + b)
    return z + u * h[:, None], torch.log(torch.abs(1 + (1 - h**2) * (u * w).sum(-1)))


def test_a_mistake_is_named_although_a_pair_with_it_looks_alike() -> None:
    found = naming.name("flows.planar", exchange_of("flows.planar", unconstrained), 10)
    assert found is not None
    assert found.mistakes == ["forgets_the_constraint"]


def test_what_is_no_mistake_of_the_bank_is_not_named() -> None:
    def thirds(y: Tensor) -> Tensor:
        return torch.logsumexp(y, 1) / 3

    assert naming.name("vae.log_mean_exp", exchange_of("vae.log_mean_exp", thirds), 10) is None


@pytest.mark.parametrize(
    "junk", [None, "text", 3, [1, [2, [3]]], torch.ones(2, 3, dtype=torch.complex64), torch.empty(0), {"a": 1}]
)
def test_an_answer_that_is_junk_is_not_named(junk: Any) -> None:
    assert naming.name("vae.log_mean_exp", exchange_of("vae.log_mean_exp", lambda y: junk), 10) is None


def test_a_part_without_fingerprints_has_no_names() -> None:
    assert naming.name("toy.twice", exchange_of("toy.twice", without_the_mean), 10) is None


def test_the_file_knows_every_mistake_in_the_words_of_the_bank() -> None:
    for part in (part for part in all_parts() if of(part.name).named):
        known = known_fingerprints.load(part.name)
        assert known is not None, f"{part.name} has no fingerprints: elbo audit --write {part.name}"
        mistakes = {entry.name: entry for entry in entries(part.name) if entry.kind == "mistake"}
        assert sorted(name for one in known.mistakes for name in one.names) == sorted(mistakes)
        for one in known.mistakes:
            assert all(mistakes[name].sentence in one.sentence for name in one.names)
            assert one.reasoning == mistakes[one.names[0]].reasoning
            assert known.named([one.differs.get(i, right) for i, right in enumerate(known.right)]) is one
        assert known.named(known.right) is None


def test_the_file_is_small_and_has_no_code() -> None:
    assert FILE.stat().st_size < 1_000_000
    text = FILE.read_text(encoding="utf-8")
    assert not re.search(r"def \w+\(|return [\w-]+[.(\[]|import \w+\b|lambda \w+:|torch\.\w+\(|@bank", text)


# Which verdicts are diagnosed

(PART,) = (part for part in all_parts() if part.name == "vae.log_mean_exp")


def verdict(*outcomes: str, called: str = "vae.log_mean_exp(...)") -> PartVerdict:
    failure = Failure("wrong", called=called)
    return PartVerdict(
        PART.name,
        [Verdict("p", "value", "", o, 1, 0.0, None if o == "right" else failure) for o in outcomes],  # type: ignore[arg-type]
    )


class Never:
    """An exchange that must not be asked."""

    def post(self, calls: Sequence[Call], seconds: float) -> Any:
        raise AssertionError("asked")


@pytest.mark.parametrize(
    "given", [verdict("right", "right"), verdict("todo", "todo"), verdict("right", "wrong", called="")]
)
def test_what_is_right_or_to_do_or_does_not_answer_is_not_asked(given: PartVerdict) -> None:
    assert naming.diagnosed(PART, given, Never()) is given  # type: ignore[arg-type]


def test_a_wrong_part_is_named_and_keeps_the_rest_of_its_verdict() -> None:
    given = verdict("right", "wrong")
    found = naming.diagnosed(PART, given, exchange_of(PART.name, without_the_mean))
    assert found.diagnosis is not None
    assert found.diagnosis.mistakes == ["forgets_to_divide"]
    assert found.diagnosis.told.startswith("equals what you get when the division by K is missing")
    assert msgspec.structs.replace(found, diagnosis=None) == given


def test_whoever_stops_answering_is_not_named() -> None:
    silent = Fault("silent", "TimeoutError", "no answer")
    exchange = AtOnce(lambda calls, seconds: [silent for _ in calls])
    assert naming.diagnosed(PART, verdict("wrong"), exchange).diagnosis is None


# Comparing


@pytest.mark.parametrize(
    ("one", "other", "right", "strictly", "loosely"),
    [
        ("float64[2]", "float64[2]", "float64[2]", True, True),
        ("float64[2]", "float64[2, 1]", "float64[2]", False, False),
        ([1.0], [1.0 + 1e-12], [3.0], True, True),
        ([1.0], [1.0 + 1e-6], [3.0], False, False),
        ([1.0 + 3e-7], [1.0 - 2e-7], [1.0], False, True),  # both right to six digits
        ([1.0], [1.0 - 2e-7], [1.0], False, False),  # one is right, the other to six digits
        (["nan"], ["nan"], [1.0], True, True),
        (["inf"], ["-inf"], [1.0], False, False),
        ([1.0, 2.0], [1.0], [1.0], False, False),
        ([1.0], "", [1.0], False, False),
    ],
)
def test_readings_agree_but_for_rounding(one: Any, other: Any, right: Any, strictly: bool, loosely: bool) -> None:
    assert agree(one, other, right, FINE, loosely=False) is strictly
    assert agree(one, other, right, FINE, loosely=True) is loosely


def prints(*differs: dict[int, Any], fragile: Sequence[int] = (), pairs: Sequence[str] = ()) -> Fingerprints:
    made = zip_longest(differs, (pair.split() for pair in pairs), fillvalue=[])
    mistakes = [Known([f"m{i}"], f"s{i}", "", d, pair) for i, (d, pair) in enumerate(made)]  # type: ignore[arg-type]
    return Fingerprints(b"", ["a", [1.0], [2.0]], {}, list(fragile), mistakes)


def name_in(known: Fingerprints, *seen: Any, places: Sequence[int] | None = None) -> list[str]:
    found = known.named(list(seen), places)
    return found.names if found else []


def test_what_is_fragile_decides_only_between_mistakes_that_agree_otherwise() -> None:
    both = prints({0: "b"}, {0: "b", 2: [5.0]}, {1: [7.0]}, fragile=[2])
    assert name_in(both, "b", [1.0], [2.0]) == ["m0"]
    assert name_in(both, "b", [1.0], [5.0]) == ["m1"]
    assert name_in(both, "b", [1.0], [6.0]) == []  # it might be either
    assert name_in(both, "a", [7.0], [9.0]) == ["m2"]


def test_what_shows_in_no_number_is_named_only_where_all_agrees() -> None:
    one = prints({0: "raised ValueError: no"}, fragile=[2])
    assert name_in(one, "raised ValueError: no", [1.0], [2.0]) == ["m0"]
    assert name_in(one, "raised ValueError: no", [1.0], [6.0]) == []


def test_the_right_answer_is_one_of_those_that_it_might_be() -> None:
    one = prints({2: [5.0]}, fragile=[2])
    assert name_in(one, "a", [1.0], [2.0]) == []
    assert name_in(one, "a", [1.0], [6.0]) == []
    assert name_in(one, "a", [1.0], [5.0]) == ["m0"]


def test_where_it_might_be_a_mistake_or_a_pair_with_it_that_one_is_named() -> None:
    both = prints({0: "b"}, {0: "b", 2: [5.0]}, {0: "b", 2: [7.0]}, fragile=[2], pairs=["", "m0 other", "m0 third"])
    assert name_in(both, "b", [1.0], [6.0]) == ["m0"]
    assert name_in(both, "b", [1.0], [5.0]) == ["m1"]
    apart = prints({0: "b"}, {0: "b", 2: [5.0]}, fragile=[2], pairs=["", "third other"])
    assert name_in(apart, "b", [1.0], [6.0]) == []


def test_some_readings_may_be_compared_alone() -> None:
    one = prints({0: "b", 2: [5.0]})
    assert name_in(one, "b", [1.0], [9.0]) == []
    assert name_in(one, "b", [1.0], [9.0], places=[0, 1]) == ["m0"]
    assert name_in(one, "a", [1.0], [9.0], places=[0, 1]) == []


# What is seen


def test_a_reply_gives_as_many_readings_as_its_call_whatever_comes_back() -> None:
    for call in (
        CALL,
        Call("toy.twice", "toy.py", (), wrt=("0", "1")),
        Call("toy.twice", "toy.py", (), watch="effects", wrt=("0",)),
        Call("toy.twice", "toy.py", (), watch="cost"),
    ):
        fault = Fault("raised", "ValueError", "no 12 of 13")
        whole = Answer(torch.ones(3), gradients=(None,) * len(call.wrt), cost=Cost(1, 2, 3))
        assert len(readings([call], [fault])) == len(readings([call], [whole])) >= 2
        assert readings([call], [fault])[0] == "raised ValueError: no # of #"


def test_numbers_are_spread_over_a_large_answer_and_all_of_them_count() -> None:
    large = torch.arange(100.0, dtype=torch.float64)
    changed = large.clone()
    changed[51] += 1
    form, numbers = readings([CALL], [Answer(large)])
    assert form == "float64[100]"
    assert numbers[:5] == [0.0, 25.0, 50.0, 74.0, 99.0]
    assert readings([CALL], [Answer(changed)])[1] != numbers
    assert readings([CALL], [Answer(torch.tensor([math.nan, -math.inf]))])[1] == ["nan", "-inf"]
