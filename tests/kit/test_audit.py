"""The audit names what is not proved: mistakes that pass, right answers that fail, properties that earn no place."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from msgspec.structs import replace
from torch import Tensor

from grading import audit
from grading.audit import ALTERNATIVES, MISTAKES, PartAudit, audit_part
from grading.bank import Bank, entries, find
from grading.catalogue import topic_parts
from grading.diagnosis import Diagnosis
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import Implementation
from grading.engine.worker import reply
from grading.engine.workers import Starter
from grading.judge import Judge, Profile
from tests.support.closeness import WrongAnswer, assert_close
from tests.support.properties import PARTS, Part, Topic

NAME = "toy.twice"
N = st.integers(1, 9)


class Beside:
    """Answers in this process with an entry of the bank, where the audit would start a worker."""

    def __init__(self, bank: Bank, directory: Path, entry: str) -> None:
        self.implementation = Implementation(directory)
        self.entry = next((e for e in bank.entries if e.full_name == entry), None)
        self.implementation.replace(NAME, self.entry.function if self.entry else right)

    def post(self, calls: Sequence[Call], seconds: float) -> Callable[[], list[Answer | Fault]]:
        replies = [reply(self.implementation, call) for call in calls]
        return lambda: replies

    def close(self) -> None: ...


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Bank:
    value = Bank(NAME)
    value.reason("Twice is what, of one?")
    monkeypatch.setattr(audit, "Worker", lambda starter, directory, entry="": Beside(value, directory, entry))
    monkeypatch.setattr(audit, "entries", lambda part: value.entries if part == NAME else [])
    return value


@pytest.fixture(autouse=True)
def named(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> dict[str, Diagnosis | None]:
    """What entries are taken for, by name, "" for the reference; at first mistakes for themselves."""
    taken: dict[str, Diagnosis | None] = {}

    def name(part: str, beside: Beside, seconds: float) -> Diagnosis | None:
        entry = beside.entry
        itself = Diagnosis([entry.name], entry.sentence) if entry and entry.kind == "mistake" else None
        return taken.get(entry.name if entry else "", itself)

    monkeypatch.setattr(audit, "name", name)
    monkeypatch.setattr(
        audit, "diagnosed", lambda part, verdict, beside, seconds: replace(verdict, diagnosis=name("", beside, seconds))
    )
    return taken


@pytest.fixture
def part() -> Iterator[Part]:
    yield Part(NAME, "toy.py", ("x",))
    del PARTS[NAME]


def doubles(topic: Topic, n: int) -> None:
    """Returns twice the number."""
    assert_close(topic.twice(torch.tensor([float(n)])), torch.tensor([2.0 * n]))


def is_positive(topic: Topic, n: int) -> None:
    """Returns a positive number."""
    if not topic.twice(torch.tensor([float(n)])).item() > 0:
        raise WrongAnswer("not positive")


def keeps_the_shape(topic: Topic, n: int) -> None:
    """Returns the shape of its argument."""
    if topic.twice.observe(torch.zeros(n)).value.shape != (n,):
        raise WrongAnswer("another shape")


def fill(bank: Bank, mistakes: Sequence[Callable[..., Any]], alternatives: Sequence[Callable[..., Any]]) -> None:
    """Enter as many entries as are expected: the given functions, and more of the first of them."""
    for kind, functions, least in ((bank.mistake, mistakes, MISTAKES), (bank.alternative, alternatives, ALTERNATIVES)):
        for number in range(max(least, len(functions))):
            function = functions[number] if number < len(functions) else functions[0]

            def entry(x: Tensor, function: Callable[..., Any] = function) -> Any:
                return function(x)

            entry.__name__ = f"{kind.__name__}_{number}"
            kind(f"a {kind.__name__} of number {number}")(entry)


def audited(part: Part, starter: Starter | None = None) -> PartAudit:
    profile = Profile(inputs=3, property_seconds=60, part_seconds=60, shrink_seconds=0)
    return audit_part(part, Judge(profile), starter or Starter(None))


def right(x: Tensor) -> Tensor:
    return x * 2


def keeps(x: Tensor) -> Tensor:
    return x


def transposes(x: Tensor) -> Tensor:
    return 2 * x[:, None]


def stays_away(x: Tensor) -> Tensor:
    raise NotImplementedError


@pytest.fixture
def proved(part: Part) -> Part:
    part.property("value", n=N)(doubles)
    part.property("shape", n=N)(keeps_the_shape)
    return part


def test_a_part_that_is_proved_has_no_problems(proved: Part, bank: Bank) -> None:
    fill(bank, [keeps, transposes], [right])
    found = audited(proved)
    assert found.problems == []
    assert found.properties == ["doubles", "keeps_the_shape"]
    assert found.needed["keeps_the_shape"] == ["mistake_1"]
    assert found.needed["doubles"] == [f"mistake_{i}" for i in range(MISTAKES) if i != 1]
    assert found.rows["mistake_1"] == ("mistake", "a mistake of number 1", ["keeps_the_shape"])
    assert found.rows["alternative_0"] == ("alternative", "a alternative of number 0", [])


def test_a_mistake_that_passes_is_a_problem(proved: Part, bank: Bank) -> None:
    fill(bank, [keeps, transposes, right], [right])
    assert audited(proved).problems == ["the mistake toy.twice.mistake_2 passes every property: a mistake of number 2"]


def test_an_alternative_that_is_rejected_is_a_problem(proved: Part, bank: Bank) -> None:
    fill(bank, [keeps, transposes], [right, transposes])
    assert audited(proved).problems == ["the alternative toy.twice.alternative_1 is rejected by keeps_the_shape"]


def test_an_alternative_still_to_be_written_is_rejected(proved: Part, bank: Bank) -> None:
    fill(bank, [keeps, transposes], [right, stays_away])
    assert audited(proved).problems == [
        "the alternative toy.twice.alternative_1 is rejected by doubles, keeps_the_shape"
    ]


def test_a_property_that_no_mistake_needs_is_a_problem(proved: Part, bank: Bank) -> None:
    proved.property("value", n=N)(is_positive)
    fill(bank, [keeps, transposes, lambda x: -2 * x], [right])
    found = audited(proved)
    assert found.rows["mistake_2"][2] == ["doubles", "is_positive"]
    assert found.problems == ["no mistake needs the property toy.twice.is_positive, and it does not say why it stays"]


def test_a_property_that_no_mistake_needs_may_say_why_it_stays(proved: Part, bank: Bank) -> None:
    proved.property("value", stays="it is the theorem", n=N)(is_positive)
    fill(bank, [keeps, transposes], [right])
    found = audited(proved)
    assert found.problems == []
    assert found.stays == {"doubles": "", "keeps_the_shape": "", "is_positive": "it is the theorem"}


def test_a_reason_to_stay_that_is_out_of_date_is_a_problem(part: Part, bank: Bank) -> None:
    part.property("value", stays="it is the theorem", n=N)(doubles)
    fill(bank, [keeps], [right])
    assert audited(part).problems == ["the property toy.twice.doubles says why it stays, but mistake_0 needs it"]


def test_a_bank_with_too_few_entries_is_a_problem(part: Part, bank: Bank) -> None:
    part.property("value", n=N)(doubles)
    bank.mistake("returns its argument")(keeps)
    assert audited(part).problems == [
        f"the bank has 1 mistakes of toy.twice, at least {MISTAKES} are expected",
        f"the bank has 0 alternatives of toy.twice, at least {ALTERNATIVES} are expected",
    ]


def test_a_mistake_that_is_taken_for_another_is_a_problem(
    proved: Part, bank: Bank, named: dict[str, Diagnosis | None]
) -> None:
    fill(bank, [keeps, transposes], [right])
    named["mistake_2"] = Diagnosis(["mistake_0", "mistake_3"], "something")
    named["mistake_4"] = None
    found = audited(proved)
    assert found.named["mistake_2"] == ["mistake_0", "mistake_3"]
    assert found.named["mistake_4"] == []
    assert [problem.partition(": ")[0] for problem in found.problems] == [
        "the mistake toy.twice.mistake_2 is named as mistake_0 or mistake_3",
        "the mistake toy.twice.mistake_4 is named by no name",
    ]
    assert all("elbo audit --write" in problem for problem in found.problems)


def test_a_mistake_may_have_the_answers_of_another(
    proved: Part, bank: Bank, named: dict[str, Diagnosis | None]
) -> None:
    fill(bank, [keeps, transposes], [right])
    named["mistake_2"] = Diagnosis(["mistake_0", "mistake_2"], "a mistake of number 0 (or: a mistake of number 2)")
    found = audited(proved)
    assert found.problems == []
    assert found.named["mistake_2"] == ["mistake_0", "mistake_2"]


def test_a_name_in_words_of_yesterday_is_a_problem(
    proved: Part, bank: Bank, named: dict[str, Diagnosis | None]
) -> None:
    fill(bank, [keeps, transposes], [right])
    named["mistake_0"] = Diagnosis(["mistake_0"], "what it was called yesterday")
    (problem,) = audited(proved).problems
    assert problem.startswith("the mistake toy.twice.mistake_0 is named in words that are no longer those of the bank")


def test_a_right_answer_that_is_named_is_a_problem(
    proved: Part, bank: Bank, named: dict[str, Diagnosis | None]
) -> None:
    fill(bank, [keeps, transposes], [right])
    named["alternative_1"] = named[""] = Diagnosis(["mistake_0"], "a mistake of number 0")
    assert audited(proved).problems == [
        "the alternative toy.twice.alternative_1 is named as the mistake mistake_0",
        "the reference of toy.twice is named as the mistake mistake_0",
    ]


def test_a_mistake_says_where_to_think_again(proved: Part, bank: Bank) -> None:
    bank.reason("")
    fill(bank, [keeps, transposes], [right])
    assert audited(proved).problems == [
        f"the mistake toy.twice.mistake_{i} does not say where to think again" for i in range(MISTAKES)
    ]


def test_a_pair_is_two_mistakes_at_once_and_proves_no_property(proved: Part, bank: Bank) -> None:
    fill(bank, [keeps, transposes], [right])
    pair = bank.pair("mistake_0", "mistake_1")
    pair(lambda x: x[:, None])
    (entry,) = (e for e in bank.entries if e.pair)
    assert (entry.kind, entry.pair) == ("mistake", ("mistake_0", "mistake_1"))
    assert entry.sentence == "a mistake of number 0; and a mistake of number 1"
    found = audited(proved)
    assert found.problems == []
    assert entry.name not in [name for names in found.needed.values() for name in names]
    with pytest.raises(KeyError, match="nothing"):
        bank.pair("mistake_0", "nothing")


def test_a_part_without_a_file_in_the_bank_has_no_entries() -> None:
    assert entries("toy.nothing") == entries("vae.nothing") == []


def test_an_entry_is_found_by_its_name() -> None:
    entry = find("vae.log_mean_exp", "forgets_to_divide")
    assert entry.full_name == "vae.log_mean_exp.forgets_to_divide"
    assert entry.kind == "mistake"
    with pytest.raises(KeyError, match=r"vae\.log_mean_exp\.nothing"):
        find("vae.log_mean_exp", "nothing")


def test_the_audit_of_a_real_part_goes_through_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (real,) = (p for p in topic_parts("vae") if p.name == "vae.log_mean_exp")
    starter = Starter.spawning_once()
    found = audited(real, starter)
    starter.close()
    assert list(found.rows) == [entry.name for entry in entries("vae.log_mean_exp")]
    assert found.rows["by_hand"][2] == []
    assert "keeps_the_dtype" in found.rows["returns_single_precision"][2]
    assert found.named["returns_single_precision"] == ["returns_single_precision"]
    assert found.named["by_hand"] == []
