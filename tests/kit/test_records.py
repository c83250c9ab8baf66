"""The record of a submission: its points, its form as JSON, and the schema of that."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grading import records, rubric
from grading.claims import Claim
from grading.diagnosis import Diagnosis
from grading.judge import Outcome, PartVerdict, Verdict
from grading.records import (
    SCHEMA,
    VERSION,
    Budget,
    Circumstances,
    PartRecord,
    Record,
    RunRecord,
    part_record,
    points_of_runs,
    summary,
)
from grading.wording import Failure

CIRCUMSTANCES = Circumstances(7, 5, ["vae.log_mean_exp"], "r", "k", "3.11", "2.4", "Linux")
NAME = "vae.log_mean_exp"
RUBRIC = rubric.load().parts[NAME]
OWN = Diagnosis(["forgets_the_mean"], "the division by K is missing", "How many are there?")
HELPED = Diagnosis(["keeps_the_axis"], "the axis is kept")
FAILURE = Failure("the answer differs", inputs={"y": "torch.zeros(2)"}, where="vae/likelihoods.py, line 3")


def verdict(name: str, outcome: Outcome, failure: Failure | None = None) -> Verdict:
    return Verdict(name, "value", f"The sentence of {name}.", outcome, 5, 0.123456, failure)


def verdicts(**others: Outcome) -> list[Verdict]:
    """Verdicts on all properties of the part, right but for some."""
    return [verdict(name, others.get(name, "right"), FAILURE if others.get(name) else None) for name in RUBRIC.points]


def recorded(second: PartVerdict | None = None, printed: str = "", **others: Outcome) -> PartRecord:
    first = PartVerdict(NAME, verdicts(**others), printed, OWN)
    return part_record(first, RUBRIC, "vae/likelihoods.py", second)


def again(outcome: Outcome, failure: Failure | None = None, diagnosis: Diagnosis | None = None) -> PartVerdict:
    """What came of judging one property again, with right helpers."""
    return PartVerdict(NAME, [verdict("keeps_the_dtype", outcome, failure)], diagnosis=diagnosis)


def claim(name: str, points: float, outcome: Any = "reached") -> Claim:
    return Claim(name, "sentence", "nats", "1.1", outcome, points, "digits", "at least", -1.5, -1.5, 0.1, -2.0)


def record(**changes: Any) -> Record:
    parts = [recorded(keeps_the_dtype="wrong")]
    runs = [RunRecord("runs/a", [claim("vae.elbo", 15.0)], isolation=["process"]), RunRecord("runs/b", reason="no")]
    made = Record(
        "somebody",
        "graded",
        CIRCUMSTANCES,
        handed_in="h",
        hash="t",
        seed=3,
        points=parts[0].points + 15,
        possible=40,
        parts=parts,
        runs=runs,
        notes=["é \u2028 \x1b"],
        isolation=["process", "limits"],
        budget=Budget(120, 1.5, 0.5, False),
    )
    return msgspec.structs.replace(made, **changes)


# Points


def test_every_property_earns_its_own_points() -> None:
    points = RUBRIC.points["keeps_the_dtype"]
    assert recorded().points == RUBRIC.total == recorded().possible
    assert recorded(keeps_the_dtype="wrong").points == RUBRIC.total - points
    assert recorded(keeps_the_dtype="todo").points == RUBRIC.total - points
    assert sum(value.points for value in recorded(keeps_the_dtype="wrong").properties) == RUBRIC.total - points
    assert [value.possible for value in recorded().properties] == list(RUBRIC.points.values())


@pytest.mark.parametrize(("outcome", "expected"), [("wrong", "wrong"), ("todo", "todo"), ("right", "right")])
def test_a_part_is_as_good_as_its_worst_property(outcome: Outcome, expected: str) -> None:
    assert recorded(keeps_the_dtype=outcome).outcome == expected


def test_what_holds_with_right_helpers_counts_and_says_so() -> None:
    found = recorded(again("right"), keeps_the_dtype="wrong")
    (helped,) = (value for value in found.properties if value.helpers == "reference")
    assert (helped.property, helped.outcome, helped.points) == ("keeps_the_dtype", "right", helped.possible)
    assert helped.failure == FAILURE  # of the student's own helpers
    assert (found.outcome, found.points) == ("right", RUBRIC.total)


@pytest.mark.parametrize("outcome", ["wrong", "todo"])
def test_what_does_not_hold_with_right_helpers_either_is_judged_with_its_own(outcome: Outcome) -> None:
    found = recorded(again(outcome, Failure("another")), keeps_the_dtype="wrong")
    (value,) = (value for value in found.properties if value.property == "keeps_the_dtype")
    assert (value.helpers, value.outcome, value.points, value.failure) == ("own", "wrong", 0, FAILURE)


def test_right_helpers_never_take_points_away() -> None:
    assert recorded(again("wrong", FAILURE)) == recorded()


def test_the_mistake_of_a_wrong_part_is_kept() -> None:
    assert recorded(keeps_the_dtype="wrong").diagnosis == OWN


@pytest.mark.parametrize("outcome", ["right", "todo"])
def test_what_is_not_wrong_has_no_mistake(outcome: Outcome) -> None:
    assert recorded(keeps_the_dtype=outcome).diagnosis is None


def test_of_a_part_that_was_judged_with_right_helpers_the_mistake_is_the_one_found_then() -> None:
    assert recorded(again("wrong", FAILURE, HELPED), keeps_the_dtype="wrong").diagnosis == HELPED
    assert recorded(again("wrong", FAILURE), keeps_the_dtype="wrong").diagnosis is None
    assert recorded(PartVerdict(NAME, []), keeps_the_dtype="wrong").diagnosis is None
    assert recorded(again("right", None, HELPED), keeps_the_dtype="wrong").diagnosis is None


def test_a_property_that_is_the_instructors_own_is_marked() -> None:
    assert not any(value.instructor_only for value in recorded().properties)
    own = msgspec.structs.replace(RUBRIC, instructor_only=["keeps_the_dtype"])
    found = part_record(PartVerdict(NAME, verdicts()), own, "vae/likelihoods.py", None)
    assert [value.property for value in found.properties if value.instructor_only] == ["keeps_the_dtype"]


def test_of_what_was_printed_the_beginning_is_kept() -> None:
    printed = recorded(printed="begin" + "x" * 100_000).printed
    assert printed.startswith("begin")
    assert len(printed) < 10_000


def test_a_claim_that_several_runs_make_counts_once_with_the_best_of_them() -> None:
    missed, reached = claim("vae.elbo", 15.0, "missed"), claim("vae.elbo", 15.0)
    other = claim("vae.log_likelihood", 10.0)
    assert points_of_runs([]) == 0
    assert points_of_runs([RunRecord("a", [missed])]) == 0
    assert points_of_runs([RunRecord("a", [reached]), RunRecord("b", [missed])]) == 15
    assert points_of_runs([RunRecord("a", [missed]), RunRecord("b", [reached])]) == 15
    assert points_of_runs([RunRecord("a", [reached, other]), RunRecord("b", [reached, other])]) == 25
    assert points_of_runs([RunRecord("a", reason="no")]) == 0


@pytest.mark.parametrize("outcome", ["missed", "wrong", "refused", "without threshold"])
def test_a_claim_that_is_not_reached_earns_nothing(outcome: str) -> None:
    assert points_of_runs([RunRecord("a", [claim("vae.elbo", 15.0, outcome)])]) == 0


def test_a_summary_counts_parts_by_outcome() -> None:
    parts = [recorded(), recorded(keeps_the_dtype="wrong"), recorded(keeps_the_dtype="todo"), recorded()]
    row = summary(record(parts=parts))
    assert (row.submission, row.outcome, row.points, row.possible) == ("somebody", "graded", record().points, 40)
    assert (row.right, row.wrong, row.todo, row.notes, row.seconds, row.reason) == (2, 1, 1, 1, 1.5, "")
    refused = summary(Record("nobody", "refused", CIRCUMSTANCES, reason="a PDF"))
    assert (refused.outcome, refused.points, refused.seconds, refused.reason) == ("refused", 0, 0, "a PDF")


# As JSON


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    for made in (record(), Record("nobody", "refused", CIRCUMSTANCES, reason="a PDF")):
        (tmp_path / "r.json").write_bytes(records.encode(made))
        assert records.read(tmp_path / "r.json") == made


def test_a_record_from_before_mistakes_were_named_is_read(tmp_path: Path) -> None:
    before = json.loads(records.encode(record()))
    assert before["parts"][0].pop("diagnosis") == {
        "mistakes": ["forgets_the_mean"],
        "sentence": "the division by K is missing",
        "reasoning": "How many are there?",
    }
    (tmp_path / "r.json").write_text(json.dumps(before))
    (part,) = records.read(tmp_path / "r.json").parts
    assert part == msgspec.structs.replace(record().parts[0], diagnosis=None)


def test_a_record_is_lines_that_can_be_compared() -> None:
    text = records.encode(record()).decode()
    assert text.endswith("}\n")
    assert text.splitlines()[1] == ' "submission": "somebody",'
    assert json.loads(text)["version"] == VERSION
    assert records.encode(record()) == records.encode(record())


def test_a_key_of_a_later_kit_is_passed_over(tmp_path: Path) -> None:
    later = json.loads(records.encode(record())) | {"mood": "sunny"}
    (tmp_path / "r.json").write_text(json.dumps(later))
    assert records.read(tmp_path / "r.json") == record()


@pytest.mark.parametrize("version", [0, VERSION + 1, -1])
def test_another_version_is_refused(tmp_path: Path, version: int) -> None:
    (tmp_path / "r.json").write_bytes(records.encode(record(version=version)))
    with pytest.raises(ValueError, match=f"version {version}, expected {VERSION}"):
        records.read(tmp_path / "r.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", records.encode(record())[:-40]])
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011  whatever msgspec finds
        records.read(tmp_path / "r.json")


def test_the_schema_that_lies_beside_it_is_that_of_the_record() -> None:
    assert SCHEMA.read_bytes() == records.schema(), (
        f"{SCHEMA.name} is not what the record is. If older records can still be read, write it again: python -c "
        "'from grading import records; records.SCHEMA.write_bytes(records.schema())'. If not, raise VERSION first."
    )


def test_the_schema_names_every_field_and_what_is_needed() -> None:
    found = json.loads(records.schema())["$defs"]
    assert set(found["Record"]["properties"]) == set(json.loads(records.encode(record())))
    assert set(found["Record"]["required"]) == {"submission", "outcome", "circumstances"}
    assert found["Record"]["properties"]["outcome"]["enum"] == ["graded", "refused"]
    assert found["PropertyRecord"]["properties"]["helpers"]["enum"] == ["own", "reference"]


def test_a_record_is_not_changed_after_it_was_made() -> None:
    with pytest.raises(AttributeError):
        record().points = 100  # type: ignore[misc]
