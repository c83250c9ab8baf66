"""One mistake costs its own points, whatever rests on it, and no part takes the time of the others."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import torch

from grading import answers as judging
from grading import rubric
from grading.answers import Answers
from grading.diagnosis import Diagnosis
from grading.engine.calls import Answer, Call
from grading.engine.implementation import ROOT
from grading.engine.isolation import Limits
from grading.engine.remembering import Memory
from grading.engine.workers import Exchange, Starter, Worker
from grading.judge import PROFILES, Judge, PartVerdict, Verdict
from grading.lending import Lender
from grading.records import PartRecord, part_record
from grading.selection import select
from grading.wording import Failure
from tests.support.properties import Part

RUBRIC = rubric.load()
PARTS = select((), RUBRIC)
VAE = [part for part in PARTS if part.topic == "vae"]
PLENTY = 120.0
MEAN, BOUND, ANALYTIC = "vae.log_mean_exp", "vae.importance_log_likelihood", "vae.kl_gaussian_gaussian_analytic"
SLIP = {"vae/likelihoods.py": (" - math.log(y.shape[1])", "")}
LOOP = "while True: pass"
Judged = Callable[..., tuple[dict[str, PartRecord], Answers]]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(replace(PROFILES["grade"], inputs=6), 0, Memory())


@pytest.fixture(scope="module")
def lender(place: Path) -> Lender:
    return Lender(PARTS, place)


@pytest.fixture
def judged(place: Path, judge: Judge, lender: Lender, enclosed: Starter) -> Iterator[Judged]:
    """A function that judges the solutions with changes, {file: (old, new)} or {file: text}."""
    directory = place / "judged"

    def run(
        changes: dict[str, tuple[str, str] | str], parts: list[Part] = VAE, budget: float = PLENTY
    ) -> tuple[dict[str, PartRecord], Answers]:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(ROOT / "solutions", directory, ignore=shutil.ignore_patterns("__pycache__"))
        for file, change in changes.items():
            before = (directory / file).read_text()
            assert isinstance(change, str) or before.count(change[0]) == 1
            (directory / file).write_text(change if isinstance(change, str) else before.replace(*change))
        for part in parts:
            for value in part.properties:
                judge.inputs(value)
        answers = Answers(judge, enclosed, lender, directory, budget, seed=0)
        first = answers.judge(parts)
        second = answers.judge_again(parts, first)
        records = {p.name: part_record(first[p.name], RUBRIC.parts[p.name], p.file, second[p.name]) for p in parts}
        return records, answers

    yield run
    shutil.rmtree(directory, ignore_errors=True)


def lost(records: dict[str, PartRecord]) -> set[str]:
    return {name for name, record in records.items() if record.points < record.possible}


def helped(records: dict[str, PartRecord]) -> set[str]:
    """The parts some of whose properties hold with the reference's helpers alone."""
    return {name for name, record in records.items() if any(p.helpers == "reference" for p in record.properties)}


def parts(*names: str) -> list[Part]:
    return [part for part in PARTS if part.name in names]


def test_the_reference_gets_all_points_with_its_own_helpers(judged: Judged) -> None:
    records, answers = judged({})
    assert lost(records) == helped(records) == set()
    assert {value.outcome for record in records.values() for value in record.properties} == {"right"}
    assert answers.layers[0] == "process"
    assert 0 < answers.used < PLENTY
    assert 0 < answers.cpu < PLENTY


def test_a_slip_in_one_function_costs_only_its_own_properties(judged: Judged) -> None:
    records, _ = judged(SLIP)
    assert lost(records) == {MEAN}
    assert helped(records) == {BOUND}
    wrong = {value.property for value in records[MEAN].properties if value.outcome == "wrong"}
    assert "mean_of_repeated_samples" in wrong
    assert "keeps_the_dtype" not in wrong
    with_help = {value.property for value in records[BOUND].properties if value.helpers == "reference"}
    assert "log_mean_of_the_weights" in with_help
    assert records[BOUND].outcome == "right"
    # What held with the student's own is not judged again, and why the others did not is kept.
    for value in records[BOUND].properties:
        assert (value.failure is not None) == (value.helpers == "reference")


def test_a_part_that_is_wrong_by_itself_stays_wrong_with_right_helpers(judged: Judged) -> None:
    mistake = "log_joint - log_likelihood_normal(m, v, z)", "log_joint - 2 * log_likelihood_normal(m, v, z)"
    records, _ = judged(SLIP | {"vae/bounds.py": mistake}, parts(MEAN, BOUND))
    assert lost(records) == {MEAN, BOUND}
    assert records[BOUND].outcome == "wrong"
    wrong = {value.property: value for value in records[BOUND].properties if value.outcome == "wrong"}
    assert "log_mean_of_the_weights" in wrong
    assert all(value.helpers == "own" and value.failure is not None for value in wrong.values())


def test_a_part_that_calls_nothing_wrong_is_not_judged_again(judged: Judged) -> None:
    records, _ = judged(SLIP | {"vae/divergences.py": ("return 0.5 *", "return 0.6 *")}, parts(MEAN, ANALYTIC))
    assert lost(records) == {MEAN, ANALYTIC}
    assert helped(records) == set()


@pytest.mark.parametrize(
    "text",
    ["def (", "raise ValueError", "import sys; sys.exit()", ""],
    ids=["syntax", "exception", "exit", "empty"],
)
def test_a_file_that_cannot_be_used_costs_its_own_parts(judged: Judged, text: str) -> None:
    records, _ = judged({"vae/likelihoods.py": text})
    of_file = {part.name for part in VAE if part.file == "likelihoods.py"}
    assert lost(records) == of_file
    assert all(records[part].points == 0 for part in of_file)
    by_themselves = {part.name for part in VAE if part.file == "properties.py"}  # they are tried on given functions
    assert helped(records) == {part.name for part in VAE} - of_file - by_themselves


# Time


def test_an_endless_loop_in_one_part_leaves_the_others_judged(
    judged: Judged, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "profile", replace(judge.profile, property_seconds=2.0, part_seconds=2.0))
    records, answers = judged({"vae/likelihoods.py": looping()}, budget=30.0)
    assert lost(records) == {MEAN}
    assert helped(records) == {BOUND}
    assert records[MEAN].points == 0
    messages = [value.failure.message for value in records[MEAN].properties if value.failure]
    assert "endless loop" in messages[0]
    assert len(messages) == len(records[MEAN].properties)
    assert answers.used < 30


def looping() -> tuple[str, str]:
    return "return torch.logsumexp(y, dim=1)", f"{LOOP}\n    return torch.logsumexp(y, dim=1)"


def test_nothing_but_endless_loops_ends_within_the_budget(judged: Judged) -> None:
    loops: dict[str, tuple[str, str] | str] = {}
    for part in VAE:
        before = loops.get(f"vae/{part.file}", "")
        loops[f"vae/{part.file}"] = f"{before}def {part.name.split('.')[1]}(*_):\n    {LOOP}\n"
    budget, begin = 3.0, time.monotonic()
    records, answers = judged(loops, budget=budget)
    assert time.monotonic() - begin < budget + 4  # for starting a process for each answer that did not come
    assert answers.used < budget + 1
    assert lost(records) == {part.name for part in VAE}
    assert sum(record.points for record in records.values()) == 0
    told = [value.failure.message for record in records.values() for value in record.properties if value.failure]
    assert any("not judged" in message for message in told)
    assert len(told) == sum(len(part.properties) for part in VAE)


def test_the_time_of_a_file_that_hangs_when_it_is_imported_is_bounded(judged: Judged) -> None:
    budget, begin = 3.0, time.monotonic()
    records, answers = judged({"vae/divergences.py": LOOP}, budget=budget)
    assert time.monotonic() - begin < budget + 4
    assert answers.used < budget + 1
    of_file = {part.name for part in VAE if part.file == "likelihoods.py"}
    assert not lost(records) & of_file
    assert records[ANALYTIC].points == 0


def test_a_part_that_was_judged_on_a_busy_machine_gets_the_time_that_others_left(
    judged: Judged, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, slow, part = list[tuple[str, int]](), 0.0, judge.part

    def busy(part_: Part, exchange: Exchange, seconds: float, begin: int = 0) -> Iterator[Verdict]:
        for number, verdict in enumerate(part(part_, exchange, seconds, begin), begin):
            asked.append((part_.name, number))
            if part_.name == MEAN and number == slow and begin == 0:
                time.sleep(seconds)
                verdict = msgspec.structs.replace(verdict, outcome="wrong", failure=Failure("took too long"))
            yield verdict

    monkeypatch.setattr(judge, "part", busy)
    for slow in (2, len(parts(MEAN)[0].properties) - 1):
        asked.clear()
        records, answers = judged({}, parts(MEAN, ANALYTIC), budget=6.0)
        assert lost(records) == set()
        assert not answers.exhausted
        assert [number for name, number in asked if name == MEAN] == [
            *range(slow + 1),
            *range(slow, len(records[MEAN].properties)),
        ]


def test_a_part_for_which_there_is_no_time_is_told_of(judged: Judged) -> None:
    records, answers = judged({"vae/likelihoods.py": looping()}, parts(MEAN, ANALYTIC), budget=1.0)
    assert answers.unjudged == [MEAN]
    assert answers.exhausted
    assert lost(records) == {MEAN}


def test_a_slow_part_takes_no_more_than_its_share(judged: Judged) -> None:
    text = "import time\ndef log_mean_exp(y):\n    time.sleep(0.3)\n    return y.logsumexp(1)\n"
    first, last = parts(MEAN, ANALYTIC)
    records, answers = judged({"vae/likelihoods.py": text}, [first, last], budget=2.0)
    assert answers.used < 3
    assert records[MEAN].points < records[MEAN].possible
    assert records[ANALYTIC].possible > 0


# The mistake that a part looks like

PROBE = Call(MEAN, "likelihoods.py", (torch.full((1, 4), 0.25),))


class Naming:
    """Stands for what names mistakes: it asks a part with one probe, and says what came and whose helpers it had."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.seconds: list[float] = []

    def __call__(self, part: Part, verdict: PartVerdict, exchange: Exchange, seconds: float = 1.0) -> PartVerdict:
        self.asked.append(part.name)
        self.seconds.append(seconds)
        (reply,) = exchange.post([PROBE], seconds)() if part.name == MEAN else [Answer("unasked")]
        helpers = isinstance(exchange, Worker) and exchange._request[2]
        told = f"{getattr(reply, 'value', reply)}{' with right helpers' if helpers else ''}"
        return msgspec.structs.replace(verdict, diagnosis=Diagnosis([part.name], told))


@pytest.fixture
def naming(monkeypatch: pytest.MonkeyPatch) -> Naming:
    value = Naming()
    monkeypatch.setattr(judging, "diagnosed", value)
    monkeypatch.setattr(judging, "PROBING", 30.0)  # a slow machine is asked for no less
    return value


def named(records: dict[str, PartRecord]) -> dict[str, str]:
    return {name: record.diagnosis.sentence for name, record in records.items() if record.diagnosis}


def test_a_wrong_part_is_asked_what_its_mistake_is_and_no_other(judged: Judged, naming: Naming) -> None:
    records, _ = judged(SLIP, parts(MEAN, ANALYTIC))
    assert naming.asked == [MEAN]
    assert 0 < naming.seconds[0] <= judging.PROBING
    assert named(records) == {MEAN: "tensor([1.6363])"}  # more by log 4


def test_what_is_still_to_be_written_has_no_mistake(judged: Judged, naming: Naming) -> None:
    todo = f"def log_mean_exp(y):\n    raise NotImplementedError('{MEAN} is still to be written')\n"
    records, _ = judged({"vae/likelihoods.py": todo}, parts(MEAN))
    assert records[MEAN].outcome == "todo"
    assert naming.asked == []


def test_a_part_that_holds_with_right_helpers_has_no_mistake(judged: Judged, naming: Naming) -> None:
    records, _ = judged(SLIP)
    assert naming.asked == [MEAN, BOUND]  # with a wrong helper it may look like one that has a mistake
    assert records[BOUND].outcome == "right"
    assert set(named(records)) == {MEAN}


DOUBLED = {
    "vae/bounds.py": ("log_joint - log_likelihood_normal(m, v, z)", "log_joint - 2 * log_likelihood_normal(m, v, z)")
}


def test_the_mistake_of_a_part_is_the_one_that_it_has_with_right_helpers(judged: Judged, naming: Naming) -> None:
    records, _ = judged(SLIP | DOUBLED, parts(MEAN, BOUND))
    assert naming.asked == [MEAN, BOUND, BOUND]
    assert named(records)[BOUND] == "unasked with right helpers"
    assert "helpers" not in named(records)[MEAN]


def test_no_mistake_is_named_where_no_time_is_left_for_right_helpers(
    judged: Judged, naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Answers.judge

    def then_used_up(answers: Answers, some: list[Part]) -> dict[str, PartVerdict]:
        found = first(answers, some)
        answers.used = answers.budget
        return found

    monkeypatch.setattr(Answers, "judge", then_used_up)
    records, _ = judged(SLIP, parts(MEAN, BOUND))
    assert records[BOUND].outcome == "wrong"
    assert set(named(records)) == {MEAN}


HARM = {
    "an endless loop": "while True: pass",
    "a flood": "while True: print('flood' * 10_000)",
    "an end": "import os; os._exit(0)",
    "an error": "raise ValueError('x' * 1_000_000)",
    "another answer": "return 'yes'",
    "a large answer": "return torch.zeros(4_000_000)",
    "a word on the way": "print('asked')",
}


@pytest.mark.parametrize("harm", HARM)
def test_whatever_a_part_does_when_its_mistake_is_looked_for_its_verdicts_stand(
    judged: Judged, naming: Naming, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr(judging, "PROBING", 0.4)
    line = "return torch.logsumexp(y, dim=1)"
    harmful = f"if y.shape == (1, 4) and bool((y == 0.25).all()):\n        {HARM[harm]}\n    {line}"
    records, answers = judged(
        {"vae/likelihoods.py": (f"{line} - math.log(y.shape[1])", harmful)}, parts(MEAN, ANALYTIC)
    )
    assert naming.asked == [MEAN]
    outcomes = {value.property: value.outcome for value in records[MEAN].properties}
    assert (outcomes["mean_of_repeated_samples"], outcomes["keeps_the_dtype"]) == ("wrong", "right")
    assert lost(records) == {MEAN}
    assert [record.printed for record in records.values()] == ["", ""]
    assert answers.used < PLENTY


def test_a_search_for_the_mistake_that_fails_costs_no_verdict(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> PartVerdict:
        raise RuntimeError("what came back is nothing that can be compared")

    monkeypatch.setattr(judging, "diagnosed", fails)
    records, _ = judged(SLIP, parts(MEAN))
    assert 0 < records[MEAN].points < records[MEAN].possible
    assert named(records) == {}


def test_a_part_that_has_used_up_its_share_is_not_asked_anything_more(judged: Judged, naming: Naming) -> None:
    records, _ = judged({"vae/likelihoods.py": looping()}, parts(MEAN), budget=1.0)
    assert records[MEAN].outcome == "wrong"
    assert naming.asked == []


def test_what_is_printed_is_kept_with_its_part(judged: Judged) -> None:
    change = ("return torch.logsumexp(y, dim=1)", "print('printed')\n    return torch.logsumexp(y, dim=1)")
    records, _ = judged({"vae/likelihoods.py": change}, parts(MEAN, ANALYTIC))
    assert records[MEAN].printed.startswith("printed\n")
    assert records[ANALYTIC].printed == ""


def test_processor_seconds_are_those_of_the_students_code(judged: Judged) -> None:
    change = ("return torch.logsumexp(y, dim=1)", "import time; time.sleep(0.01)\n    return torch.logsumexp(y, dim=1)")
    _, asleep = judged({"vae/likelihoods.py": change}, parts(MEAN))
    assert asleep.cpu < asleep.used


def test_a_worker_has_as_much_time_as_a_submission_may_take() -> None:
    from grading.grader import limits

    found = limits(RUBRIC)
    assert isinstance(found, Limits)
    assert found.cpu_seconds > RUBRIC.grading.budget_seconds
    assert found.memory_mb == RUBRIC.grading.memory_mb


# A property that a student wrote

OWN = "vae.log_mean_exp_property"
HEAD = "import torch\nfrom torch import Tensor\n"
# Counts the functions of the first round, and rejects all but the one at the place that the right one has.
BY_PLACE = """
import zlib
ASPECTS = iter(["value", "shape", "stability", "gradient"])
S = dict(n=0, i=0, second=False, stage=-1, place=None)
def log_mean_exp_property(f):
    s = S
    try: f(torch.zeros(1, 1, dtype=torch.float64))
    except BaseException as e:
        if isinstance(e, Exception): raise
        if s["second"] or s["stage"] < 0: s.update(stage=s["stage"] + 1, n=0, i=0, second=False)
        s["n"] += 1; raise
    if not s["second"]:
        s["second"], s["i"], s["place"] = True, 0, None
        if s["n"] > 1 and s["stage"] > 0:
            s["place"] = zlib.crc32(f"vae.log_mean_exp_property {next(ASPECTS)}".encode()) % s["n"]
            s["rejecting"] = True
    here = s["i"]; s["i"] += 1
    if not s.get("rejecting") or here == s["place"]: return None
    raise AssertionError
"""
# Keeps what the first function, which is known to be right, has answered, and compares the others with it.
BY_MEMORY = """
KNOWN = []
def log_mean_exp_property(f):
    y = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    v = f(y)
    (g,) = torch.autograd.grad(v.sum(), y)
    KNOWN.append((v.detach(), g))
    assert v.shape == KNOWN[0][0].shape and torch.allclose(v, KNOWN[0][0]) and torch.allclose(g, KNOWN[0][1])
    assert f(y.detach().float()).dtype == torch.float32
"""
# Compares with a helper that is still to be written, and that nobody may lend.
BY_HELPER = """
from .likelihoods import log_mean_exp as mine
def log_mean_exp_property(f):
    y = torch.randn(3, 4, dtype=torch.float64)
    assert torch.allclose(f(y), mine(y))
"""


@pytest.mark.parametrize("cheat", [BY_PLACE, BY_MEMORY], ids=["place", "memory"])
def test_a_property_that_knows_functions_by_those_before_them_earns_next_to_nothing(judged: Judged, cheat: str) -> None:
    part = next(part for part in PARTS if part.name == OWN)
    records, _ = judged({"vae/properties.py": HEAD + cheat}, [part])
    right = {value.property for value in records[OWN].properties if value.outcome == "right"}
    assert right <= {"accepts_right_functions"}


def test_no_right_function_is_lent_to_a_property(judged: Judged) -> None:
    parts = [part for part in PARTS if part.name in (OWN, MEAN)]
    changes = {"vae/properties.py": HEAD + BY_HELPER, "vae/likelihoods.py": SLIP["vae/likelihoods.py"]}
    records, _ = judged(changes, parts)
    assert records[OWN].points == 0
    assert helped(records) == set()


def test_what_a_property_prints_of_the_functions_is_not_kept(judged: Judged) -> None:
    part = next(part for part in PARTS if part.name == OWN)
    told = "def log_mean_exp_property(f):\n    print('ANSWER', f(torch.ones(1, 2)))\n"
    records, _ = judged({"vae/properties.py": HEAD + told}, [part])
    assert records[OWN].outcome == "wrong"
    assert records[OWN].printed == ""


def test_the_reference_of_a_property_holds_where_each_function_is_tried_apart(judged: Judged) -> None:
    own = [part for part in PARTS if part.tried_apart]
    assert len(own) == 3
    records, _ = judged({}, own)
    assert lost(records) == set()
