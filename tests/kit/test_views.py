"""Views of a record for other programs: each is what its consumer asks for, whatever a student wrote."""

import csv
import io
import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grading import policies, rubric
from grading.claims import Claim
from grading.diagnosis import Diagnosis
from grading.engine.implementation import ROOT
from grading.manual import Given
from grading.records import (
    AnswerRecord,
    Budget,
    Circumstances,
    PartRecord,
    PropertyRecord,
    QuestionRecord,
    Record,
    RunRecord,
    Settlement,
)
from grading.views import KINDS, ViewError, write
from grading.views.lms import HEAD, unconfirmed
from grading.wording import TO_DO, Failure

SCHEMAS = ROOT / "tests" / "kit" / "schemas"
CIRCUMSTANCES = Circumstances(7, 5, ["vae.log_mean_exp"], "r", "k", "3.11", "2.4", "Linux")
HOSTILE = [
    "<script>alert(1)</script>",
    "]]> <![CDATA[ &lt; &#0; --> <!ENTITY x SYSTEM 'file:'>",
    "a\n\n# 100 of 100 points\n![x](http://evil.example/x.png)",
    "\x00\x01\x08\x0b\x0c\x1b[31m\x7f\x85\x9f\ufffe\uffff",
    "\ud800 half a pair \udfff",
    "\u202egnp.exe\u2028line\u2029line",
    '=HYPERLINK("http://evil.example")',
    "+1 -2 @3",
    "\t\r=1+1",
    '","";\n"a',
    "🎲" * 600,
    "",
]
FAILURE = Failure("the answer differs", {"y": "torch.zeros(2)"}, "vae.log_mean_exp(y)", "1.0", "2.0")
RAISED = Failure("raised ValueError: no", called="vae.log_mean_exp(y)", where="vae/likelihoods.py, line 3")


# Records made by hand


def value(name: str, outcome: Any = "right", failure: Failure | None = None, **others: Any) -> PropertyRecord:
    points = 1.5 if outcome == "right" else 0.0
    return PropertyRecord(
        name, "value", f"The sentence of {name}.", outcome, points, 1.5, 5, 0.125, failure=failure, **others
    )


def part(*properties: PropertyRecord, name: str = "vae.log_mean_exp", printed: str = "", **others: Any) -> PartRecord:
    points, possible = sum(p.points for p in properties), sum(p.possible for p in properties)
    outcome: Any = "right" if points == possible else "wrong"
    return PartRecord(name, "1", "vae/likelihoods.py", outcome, points, possible, list(properties), printed, **others)


def claim(name: str = "vae.elbo", outcome: Any = "reached", points: float = 12.0, **others: Any) -> Claim:
    made = Claim(name, "the bound", "nats", "1.1", outcome, points, "mnist", "at least", -101.5, -101.25, 0.1, -102.0)
    return msgspec.structs.replace(made, **others)


def record(*parts: PartRecord, outcome: Any = "graded", **others: Any) -> Record:
    """A record of these parts, with the points that all in it makes."""
    made = Record("somebody", outcome, CIRCUMSTANCES, parts=list(parts), **others)
    best: dict[str, Claim] = {}
    for each in (each for run in made.runs for each in run.claims):
        best[each.name] = max(best.get(each.name, each), each, key=lambda one: one.earned)
    counted = [*made.parts, *made.answers, *made.questions]
    points = sum(each.points or 0.0 for each in counted) + sum(each.earned for each in best.values())
    possible = sum(each.possible for each in counted) + sum(each.points for each in best.values())
    return msgspec.structs.replace(made, points=points, possible=made.possible or possible)


def answer(outcome: Any = "right", **others: Any) -> AnswerRecord:
    points = 1.0 if outcome == "right" else 0.0
    return AnswerRecord("1.1", "elbo", "the bound", outcome, points, 1.0, -101.0, -101.25, **others)


def question(points: float | None = None, **others: Any) -> QuestionRecord:
    return QuestionRecord("1.2", "Why does it rise?", 2.0, points=points, **others)


WHOLE = record(
    part(value("a"), value("b", "wrong", FAILURE), value("c", "wrong", RAISED), printed="mine"),
    part(value("d"), name="gan.w1"),
    part(value("e", "todo", Failure(TO_DO)), name="flows.planar"),
    runs=[RunRecord("runs/a", [claim()]), RunRecord("runs/b", reason="there is no checkpoint")],
    answers=[answer(), answer("wrong", message="not what the run has")],
    questions=[question()],
    budget=Budget(120.0, 12.5, 3.0, False),
    isolation=["process", "limits"],
    notes=["a note"],
)


def every_text(said: str) -> list[Record]:
    """Records in which everything that somebody may have written is this."""
    failure = Failure(said, {said: said}, said, said, said, said, said, where=said, traceback=said)
    likeness = Diagnosis([said], said, said)
    properties = value("a", "wrong", failure), value("b", "todo", Failure(said)), value("c")
    judged = part(*properties, printed=said, diagnosis=likeness)
    hostile = claim(message=said, reported=said, measured=said, threshold=said, outcome="refused")
    whole = record(
        judged,
        file=said,
        runs=[RunRecord(said, [hostile]), RunRecord(said, reason=said or "no")],
        answers=[answer("wrong", message=said)],
        questions=[question(words=said, figures=[said], comment=said), question(1.0, comment=said)],
        student=said,
        handed_in_at=said,
        notes=[said] * 50,
        look_at=[said] * 50,
    )
    given = msgspec.structs.replace(whole.answers[0], given=said, measured=said)
    refused = record(outcome="refused", reason=said, student=said, notes=[said], possible=10.0)
    return [msgspec.structs.replace(whole, answers=[given]), refused]


def settled() -> Iterator[Record]:
    """Records of the kit's own rubric, under policies, as they are settled."""
    loaded = rubric.load()
    names = list(loaded.parts)[:4]
    circumstances = msgspec.structs.replace(CIRCUMSTANCES, parts=list(loaded.parts))
    parts = [_part_of(name, loaded.parts[name], right=n % 2 == 0) for n, name in enumerate(names)]
    questions = [QuestionRecord(name, q.title, q.points, "words") for name, q in loaded.questions.items()]
    runs = [RunRecord("runs/a", [claim(points=loaded.claims["vae.elbo"].points)])]
    made = Record("somebody", "graded", circumstances, parts=parts, runs=runs, answers=[answer()], questions=questions)
    made = msgspec.structs.replace(made, handed_in_at="2026-12-03T12:00:00+01:00")
    for changes in (
        {},
        {"drop_lowest": {"vae": 1}},
        {"extra_credit": [names[0], "vae.elbo", "vae.log_likelihood", "1.1"]},
        {"due": "2026-12-01T23:59:00+01:00", "per_day": 0.1},
        {"due": "2026-12-01T23:59:00+01:00", "latest_days": 0, "drop_lowest": {"vae": 2}, "extra_credit": ["1.2"]},
    ):
        policy = msgspec.convert(changes, rubric.Policy)
        for points in ({}, {"1.1": Given(1.5, "well seen"), "1.2": Given(0.0, "")}):
            yield policies.settle(made, msgspec.structs.replace(loaded, policy=policy), points)


def _part_of(name: str, worth: rubric.PartRubric, right: bool) -> PartRecord:
    outcome: Any = "right" if right else "wrong"
    values = [
        PropertyRecord(key, "value", "It holds.", outcome, points if right else 0.0, points, 5, 0.1)
        for key, points in worth.points.items()
    ]
    return PartRecord(name, worth.problem, "f.py", outcome, sum(v.points for v in values), worth.total, values)


def viewed(kind: str, made: Record, place: Path) -> bytes:
    path = write(kind, place, [made])
    return path.read_bytes() if path.is_file() else next(path.glob(f"{made.submission}.*")).read_bytes()


# What every kind holds to


@given(said=st.text(st.characters(exclude_categories=())))
@settings(max_examples=30, deadline=None)
def test_whatever_somebody_wrote_a_view_is_valid(said: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("views")
    for made in every_text(said):
        for kind, assert_valid in VALID.items():
            assert_valid(viewed(kind, made, place))


@pytest.mark.parametrize("number", range(len(HOSTILE)))
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_hostile_student_wrote_a_view_is_valid(kind: str, number: int, tmp_path: Path) -> None:
    for made in every_text(HOSTILE[number]):
        content = viewed(kind, made, tmp_path)
        VALID[kind](content)
        text = content.decode("utf-8-sig")
        assert {c for c in text if not c.isprintable()} <= {"\n", "\r", "\t"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_of_megabytes_is_small(kind: str, tmp_path: Path) -> None:
    for said in ("x" * 1_000_000, "y\n" * 500_000, "🎲" * 250_000):
        for made in every_text(said):
            content = viewed(kind, made, tmp_path)
            VALID[kind](content)
            assert len(content) < 500_000


def test_every_kind_of_record_has_valid_views(tmp_path: Path) -> None:
    refused = record(outcome="refused", reason="this is a PDF; pack a zip.", possible=10.0)
    bare = record(part(value("a")))
    failed = msgspec.structs.replace(refused, grader_failed=True)
    for made in (WHOLE, bare, refused, failed, record(), *settled()):
        for kind, assert_valid in VALID.items():
            assert_valid(viewed(kind, made, tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_property_of_the_instructors_the_outcome_alone_is_told(kind: str, tmp_path: Path) -> None:
    failure = Failure(*["SECRET"], {"SECRET": "SECRET"}, *["SECRET"] * 5, where="SECRET", traceback="SECRET")
    secret = value("the_secret_property", "wrong", failure, instructor_only=True, helpers="reference")
    held = value("the_secret_property", failure=failure, instructor_only=True, helpers="reference")
    for each in (secret, held):
        text = viewed(kind, record(part(value("a", "wrong", FAILURE), each, printed="SECRET")), tmp_path).decode()
        assert not [said for said in ("SECRET", "secret_property", "right helpers") if said in text]


LIKENESS = Diagnosis(["forgets_the_mean"], "the division by K is missing", "HINT")
TOLD = "It equals what you get when the division by K is missing."


@pytest.mark.parametrize("kind", ["gradescope", "exercism", "junit"])
def test_the_mistake_that_a_part_looks_like_is_told_before_what_was_tried(kind: str, tmp_path: Path) -> None:
    failed = value("a", "wrong", FAILURE), value("b"), value("c", "wrong", FAILURE)
    text = viewed(kind, record(part(*failed, diagnosis=LIKENESS), part(value("d"), name="gan.w1")), tmp_path).decode()
    assert text.count(TOLD) == (1 if kind == "gradescope" else 2)  # of the part, or of each that does not hold
    assert text.index(TOLD) < text.index("with y")
    assert "HINT" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_mistake_that_only_the_instructors_properties_find_is_not_named(kind: str, tmp_path: Path) -> None:
    secret = value("secret", "wrong", FAILURE, instructor_only=True)
    for other in (value("a"), value("b", "todo", Failure("waits for vae.elbo"))):
        made = record(part(secret, other, diagnosis=LIKENESS))
        assert "division by K" not in viewed(kind, made, tmp_path).decode()
    told = viewed(kind, record(part(secret, value("a", "wrong", FAILURE), diagnosis=LIKENESS)), tmp_path).decode()
    assert told.count(TOLD) == (kind != "lms")


@pytest.mark.parametrize("kind", KINDS)
def test_a_traceback_and_what_an_answer_was_set_beside_are_not_told(kind: str, tmp_path: Path) -> None:
    failure = Failure("raised ValueError", traceback="the kit's own lines")
    made = record(part(value("a", "wrong", failure)), answers=[answer("wrong", message="")])
    text = viewed(kind, made, tmp_path).decode()
    assert "own lines" not in text
    assert "-101.25" not in text


@pytest.mark.parametrize("kind", ["exercism", "junit", "lms"])
def test_what_an_instructor_may_look_at_is_not_told(kind: str, tmp_path: Path) -> None:
    text = viewed(kind, msgspec.structs.replace(WHOLE, look_at=["LOOK at eval"]), tmp_path).decode()
    assert "LOOK" not in text
    assert "limits" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_views_of_many_records_are_written_and_replaced(kind: str, tmp_path: Path) -> None:
    records = [msgspec.structs.replace(WHOLE, submission=name) for name in ("anna", "berta-2", "Zoë")]
    write(kind, tmp_path, records)
    path = write(kind, tmp_path, iter(records))
    if kind == "lms":
        assert path == tmp_path / "lms.csv"
        assert [row["Student"] for row in table_of(path.read_bytes())] == ["anna", "berta-2", "Zoë"]
    else:
        ending = "xml" if kind == "junit" else "json"
        assert path == tmp_path / kind
        assert {found.name for found in path.iterdir()} == {f"{r.submission}.{ending}" for r in records}


def test_an_unknown_kind_and_what_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match="expected one of gradescope, exercism, junit, lms"):
        write("moodle", tmp_path, [WHOLE])
    (tmp_path / "junit").write_text("in the way")
    with pytest.raises(ViewError, match="cannot be written"):
        write("junit", tmp_path, [WHOLE])


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "", ".hidden", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ViewError, match="no name for a file"):
        write("exercism", tmp_path / "out", [msgspec.structs.replace(WHOLE, submission=name)])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# Gradescope


def assert_gradescope(content: bytes) -> None:
    made = json.loads(content)
    validator("gradescope").validate(made)
    numbers = [made["score"], *(test.get("score", 0) for test in made["tests"])]
    assert all(math.isfinite(number) for number in numbers)
    assert sum(numbers[1:]) == pytest.approx(made["score"], abs=1e-5)


def gradescope(made: Record, place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(viewed("gradescope", made, place))
    return found


def named(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {test["name"]: test for test in made["tests"]}


def test_gradescope_shows_a_test_for_each_part_claim_answer_and_question(tmp_path: Path) -> None:
    made = gradescope(WHOLE, tmp_path)
    assert [(test["name"], test.get("score"), test.get("max_score"), test.get("status")) for test in made["tests"]] == [
        ("vae.log_mean_exp", 1.5, 4.5, "failed"),
        ("gan.w1", 1.5, 1.5, "passed"),
        ("flows.planar", 0, 1.5, "failed"),
        ("runs/b: runs/b is measured", None, None, "failed"),
        ("vae.elbo: the bound, in nats", 12, 12, "passed"),
        ("1.1, elbo: the bound", 1, 1, "passed"),
        ("1.1, elbo: the bound", 0, 1, "failed"),
        ("1.2: Why does it rise?", None, 2, None),
        ("for instructors", None, None, "passed"),
    ]
    assert made["score"] == WHOLE.points == 16
    assert made["execution_time"] == 12.5
    assert made["output"].splitlines()[0] == "16 of 23.5 points"
    assert made["output"].endswith("a note")


def test_gradescope_is_told_what_was_tried_and_once_what_is_the_same(tmp_path: Path) -> None:
    again = value("d", "wrong", FAILURE)
    told = named(gradescope(record(part(value("a"), value("b", "wrong", FAILURE), again)), tmp_path))
    output = told["vae.log_mean_exp"]["output"]
    assert "b (1.5 points): The sentence of b." in output
    assert "d (1.5 points): The sentence of d." in output
    assert output.count("the answer differs") == 1
    assert "vae.log_mean_exp(y)" in output
    assert "The sentence of a." not in output


def test_gradescope_counts_a_claim_of_several_runs_once_as_the_best(tmp_path: Path) -> None:
    missed = claim(outcome="missed", measured=-120.0)
    better = claim(measured=-99.5)
    runs = [RunRecord("runs/a", [missed]), RunRecord("runs/b", [claim()]), RunRecord("runs/c", [better, missed])]
    made = gradescope(record(part(value("a")), runs=runs), tmp_path)
    found = [test for test in made["tests"] if test["name"].startswith("vae.elbo")]
    assert [(test["score"], test["status"]) for test in found] == [(12, "passed")]
    assert "-99.5" in found[0]["output"]


def test_the_leaderboard_has_the_likelihoods_that_count_and_were_confirmed(tmp_path: Path) -> None:
    low = {"relation": "at most", "threshold": 2.7}
    claims = [
        claim("vae.elbo", measured=-101.25),
        claim("vae.log_likelihood", "missed", measured=-97.0),
        claim("flows.negative_log_likelihood.arcs.8", measured=2.5, **low),
        claim("flows.negative_log_likelihood.arcs.2", "wrong", measured=3.0, message="do not agree", **low),
        claim("flows.negative_log_likelihood.sine.2", "missed", measured=math.inf, **low),
        claim("flows.negative_log_likelihood.sine.8", "missed", measured=3.3, message="too noisy", **low),
        claim("flows.negative_log_likelihood.sine.32", measured=2.8, points=0.0, **low),
        claim("flows.reverse_kl.arcs.2", measured=0.5, **low),
        claim("dirac.class.dirac-jsd-1", measured="cycles", reported="cycles", threshold="cycles", relation="is"),
    ]
    practice = RunRecord("runs/digits", [claim("vae.elbo", measured=-70.0, points=0.0)])
    worse = RunRecord("runs/worse", [claim("flows.negative_log_likelihood.arcs.8", measured=2.6, **low)])
    runs = [practice, RunRecord("runs/a", claims), worse]
    assert gradescope(record(part(value("a")), runs=runs), tmp_path)["leaderboard"] == [
        {"name": "vae.elbo", "value": -101.25, "order": "desc"},
        {"name": "vae.log_likelihood", "value": -97.0, "order": "desc"},
        {"name": "flows.negative_log_likelihood.arcs.8", "value": 2.5, "order": "asc"},
    ]


def test_words_have_a_score_as_soon_as_a_person_gave_one(tmp_path: Path) -> None:
    waits = named(gradescope(record(questions=[question()]), tmp_path))["1.2: Why does it rise?"]
    assert "score" not in waits
    assert "waits for a person" in waits["output"]
    given = named(gradescope(record(questions=[question(1.5, comment="well seen")]), tmp_path))[
        "1.2: Why does it rise?"
    ]
    assert (given["score"], given["max_score"]) == (1.5, 2)
    assert "well seen" in given["output"]


def test_under_every_policy_the_scores_and_their_bounds_add_up(tmp_path: Path) -> None:
    for made in settled():
        found = gradescope(made, tmp_path)
        assert found["score"] == pytest.approx(made.points)
        assert sum(test.get("score", 0) for test in found["tests"]) == pytest.approx(made.points, abs=1e-5)
        assert sum(test.get("max_score", 0) for test in found["tests"]) == pytest.approx(made.possible, abs=1e-5)


def test_what_the_policy_changes_is_said(tmp_path: Path) -> None:
    settlement = Settlement(
        6.0, 0.0, 0, dropped=["gan.w1"], extra=["flows.planar"], late_days=2, charged_days=1, penalty=0.5
    )
    parts = [part(value("a"), name=name) for name in ("vae.elbo", "gan.w1", "flows.planar")]
    made = msgspec.structs.replace(record(*parts), settlement=settlement, points=2.5, possible=1.5)
    found = named(gradescope(made, tmp_path))
    assert found["gan.w1"]["output"].startswith("Counts neither way.")
    assert "score" not in found["gan.w1"]
    assert "max_score" not in found["gan.w1"]
    assert found["flows.planar"]["output"].startswith("Counts beyond what is possible.")
    assert (found["flows.planar"]["score"], found["flows.planar"]["max_score"]) == (1.5, 0)
    assert found["rules of the course"]["score"] == -0.5
    assert "2 days" in found["rules of the course"]["output"]


def test_points_of_runs_that_nobody_handed_in_are_shown_as_such(tmp_path: Path) -> None:
    made = msgspec.structs.replace(record(part(value("a"))), possible=21.5)
    missing = named(gradescope(made, tmp_path))["not handed in"]
    assert (missing["score"], missing["max_score"], missing["status"]) == (0, 20, "failed")


def test_only_what_is_for_instructors_is_hidden_and_it_is_always_there(tmp_path: Path) -> None:
    watched = msgspec.structs.replace(WHOLE, look_at=["vae/bounds.py calls eval"])
    for made in (WHOLE, watched, record(outcome="refused", reason="a PDF", possible=10.0)):
        found = gradescope(made, tmp_path)
        hidden = [test for test in found["tests"] if test["visibility"] != "visible"]
        assert [test["name"] for test in hidden] == ["for instructors"]
        assert hidden[0]["visibility"] == "hidden"
        assert not {"score", "max_score"} & hidden[0].keys()  # or students would not see their total
        assert found["stdout_visibility"] == "hidden"
    hidden_test = named(gradescope(watched, tmp_path))["for instructors"]
    assert hidden_test["status"] == "failed"
    assert hidden_test["output"].splitlines() == ["vae/bounds.py calls eval", "isolation: process, limits"]
    shown = gradescope(watched, tmp_path)
    assert "eval" not in json.dumps([shown["output"], shown["tests"][:-1]])


def test_every_text_on_gradescope_is_text(tmp_path: Path) -> None:
    made = gradescope(WHOLE, tmp_path)
    assert {made["output_format"], made["test_output_format"], made["test_name_format"]} == {"text"}
    assert {test[key] for test in made["tests"] for key in ("name_format", "output_format")} == {"text"}


def test_a_refused_submission_says_why_on_gradescope(tmp_path: Path) -> None:
    made = gradescope(record(outcome="refused", reason="a PDF; pack a zip.", possible=10.0), tmp_path)
    assert made["score"] == 0
    assert "a PDF; pack a zip." in made["output"]
    assert named(made)["submission"]["status"] == "failed"
    assert sum(test.get("max_score", 0) for test in made["tests"]) == 10


# Exercism


def assert_exercism(content: bytes) -> None:
    made = json.loads(content)
    validator("exercism").validate(made)
    if made["status"] != "error":
        assert (made["status"] == "pass") == all(test["status"] == "pass" for test in made["tests"])


def exercism(made: Record, place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(viewed("exercism", made, place))
    return found


def test_exercism_sees_a_test_for_each_property_claim_and_answer(tmp_path: Path) -> None:
    made = exercism(WHOLE, tmp_path)
    assert (made["version"], made["status"], made["message"]) == (3, "fail", None)
    assert [(test["name"], test["status"], test.get("task_id")) for test in made["tests"]] == [
        ("vae.log_mean_exp, a: The sentence of a.", "pass", 1),
        ("vae.log_mean_exp, b: The sentence of b.", "fail", 1),
        ("vae.log_mean_exp, c: The sentence of c.", "error", 1),
        ("gan.w1, d: The sentence of d.", "pass", 1),
        ("flows.planar, e: The sentence of e.", "fail", 1),
        ("runs, runs/b: runs/b is measured", "fail", None),
        ("vae, vae.elbo: the bound, in nats", "pass", 1),
        ("1.1, elbo: the bound", "pass", 1),
        ("1.1, elbo: the bound", "fail", 1),
    ]
    wrong = made["tests"][1]
    assert "the answer differs" in wrong["message"]
    assert wrong["test_code"] == "y = torch.zeros(2)\nvae.log_mean_exp(y)"
    assert wrong["output"] == "mine"
    assert made["tests"][0]["message"] is None


def test_exercism_passes_what_is_right_and_errs_where_nothing_was_judged(tmp_path: Path) -> None:
    right = record(part(value("a")), questions=[question()])  # a person's judgement is no test
    assert exercism(right, tmp_path)["status"] == "pass"
    refused = exercism(record(outcome="refused", reason="a PDF"), tmp_path)
    assert (refused["status"], refused["message"], refused["tests"]) == ("error", "a PDF", [])
    assert exercism(record(), tmp_path)["status"] == "error"


@pytest.mark.parametrize("length", [499, 500, 501, 5000, 9000])
def test_exercism_gets_at_most_500_characters_of_output_and_is_told_of_more(length: int, tmp_path: Path) -> None:
    made = exercism(record(part(value("a", "wrong", FAILURE), printed="x" * length)), tmp_path)
    output = made["tests"][0]["output"]
    assert len(output) == min(length, 500)
    assert output.endswith("Output was truncated. Please limit to 500 chars") == (length > 500)


# JUnit


def assert_junit(content: bytes) -> None:
    root = ET.fromstring(content)
    assert root.tag == "testsuites"
    for suite in (root, *root):
        tests = list(suite.iter("testcase"))
        counted = {"tests": len(tests), "failures": _count(suite, "failure"), "errors": _count(suite, "error")}
        if suite is not root:
            counted["skipped"] = _count(suite, "skipped")
        assert {name: int(suite.attrib[name]) for name in counted} == counted


def _count(suite: ET.Element, tag: str) -> int:
    return sum(1 for _ in suite.iter(tag))


def test_junit_is_valid_by_its_schema(tmp_path: Path) -> None:
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: pip install -e '.[dev]'")
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "junit.xsd"))
    refused = record(outcome="refused", reason="a PDF")
    for made in (WHOLE, refused, record(), *settled(), *(made for said in HOSTILE for made in every_text(said))):
        schema.assertValid(etree.fromstring(viewed("junit", made, tmp_path)))
    wrong = viewed("junit", WHOLE, tmp_path).replace(b"<failure", b"<failed").replace(b"</failure", b"</failed")
    assert not schema.validate(etree.fromstring(wrong))


def test_junit_has_a_suite_for_each_topic_and_a_test_for_each_property(tmp_path: Path) -> None:
    root = ET.fromstring(viewed("junit", WHOLE, tmp_path))
    suites = {suite.attrib["name"]: suite for suite in root}
    assert list(suites) == ["vae", "gan", "flows", "runs", "answers", "words"]
    assert [(test.attrib["classname"], test.attrib["name"]) for test in suites["vae"]] == [
        ("vae.log_mean_exp", "a"),
        ("vae.log_mean_exp", "b"),
        ("vae.log_mean_exp", "c"),
    ]
    assert suites["vae"].attrib == {
        "name": "vae", "tests": "3", "failures": "1", "errors": "1", "skipped": "0", "time": "0.375"
    }  # fmt: skip
    _, wrong, raised = suites["vae"]
    assert [child.tag for child in wrong] == ["failure", "system-out"]
    assert wrong[0].attrib["message"] == "the answer differs"
    assert "vae.log_mean_exp(y)" in str(wrong[0].text)
    assert wrong[1].text == "mine"
    assert raised[0].tag == "error"
    assert suites["flows"][0][0].tag == "failure"  # what is still to be written is not passed over
    assert suites["words"][0][0].tag == "skipped"
    assert suites["words"][0][0].attrib["message"] == "waits for a person"


def test_junit_skips_what_nobody_could_judge(tmp_path: Path) -> None:
    made = record(runs=[RunRecord("runs/a", [claim(outcome="without threshold")])], answers=[answer("unmeasured")])
    root = ET.fromstring(viewed("junit", made, tmp_path))
    assert [suite.attrib["skipped"] for suite in root] == ["1", "1"]


def test_a_refused_submission_is_an_error_in_junit(tmp_path: Path) -> None:
    root = ET.fromstring(viewed("junit", record(outcome="refused", reason="a PDF"), tmp_path))
    assert (root.attrib["errors"], root.attrib["tests"]) == ("1", "1")
    assert root[0][0][0].attrib["message"] == "a PDF"


def test_signs_that_xml_has_not_are_replaced(tmp_path: Path) -> None:
    failure = Failure("bell \x07, \ufffe and \ud800", answer="tab\tand\nline")
    made = record(part(value("a", "wrong", failure), printed="\x1b[31mred"))
    root = ET.fromstring(viewed("junit", msgspec.structs.replace(made, submission="a\x07b"), tmp_path))
    assert root.attrib["name"] == "a\N{REPLACEMENT CHARACTER}b"
    test = root[0][0]
    assert test[0].attrib["message"] == "bell \N{REPLACEMENT CHARACTER}, " + "\N{REPLACEMENT CHARACTER} and " + (
        "\N{REPLACEMENT CHARACTER}"
    )
    assert "tab\tand\nline" in str(test[0].text)
    assert test[1].text == "\N{REPLACEMENT CHARACTER}[31mred"


# Moodle and Canvas


def table_of(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def assert_lms(content: bytes) -> None:
    """What the importers of Canvas and of Moodle ask for.

    Canvas, lib/gradebook_importer.rb: the first columns are Student, ID, SIS User ID, SIS Login ID and Section; a cell
    of the first that says Points Possible is no student; every other column is an assignment, but for those whose name
    has Final Score or Final Grade in it. Moodle, grade/import/csv/classes/load_data.php: as many cells in every row,
    somebody in each ("0" and nothing are nobody), and grades that are numbers or "-".
    """
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    assert rows[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    others = [name for name in rows[0][5:] if "Final Score" not in name and "Final Grade" not in name]
    assert others == ["deep-generative-models"]
    for row in rows[1:]:
        assert len(row) == len(rows[0])
        assert "Points Possible" not in row[0]
        assert row[1] == ""  # Canvas would take "12a" for its own 12
        assert row[2] == row[3]
        assert row[2].strip() not in ("", "0")
        assert all(cell == "-" or math.isfinite(float(cell)) for cell in row[5:7])
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row)
        assert not any(cell.startswith("-") and cell != "-" for cell in row)
        assert not any("\n" in cell or "\r" in cell for cell in row)


def test_a_row_has_the_number_of_the_student_or_the_name_of_the_submission(tmp_path: Path) -> None:
    made = [msgspec.structs.replace(WHOLE, submission=name) for name in ("anna", "berta")]
    made[0] = msgspec.structs.replace(made[0], student="s-123@uni.example")
    write("lms", tmp_path, made)
    rows = table_of((tmp_path / "lms.csv").read_bytes())
    assert tuple(rows[0]) == HEAD
    assert [row["SIS User ID"] for row in rows] == ["s-123@uni.example", "berta"]
    assert [row["Student"] for row in rows] == ["anna", "berta"]
    assert rows[0]["deep-generative-models"] == "16"
    assert float(rows[0]["Final Score (percent)"]) == pytest.approx(100 * 16 / 23.5, abs=1e-3)
    assert "waits for a person" in rows[0]["Final Grade (comment)"]


@pytest.mark.parametrize(
    ("students", "told"),
    [
        (["7", "7", "8"], ["a", "b", "8"]),  # one of two is somebody else
        (["Ab", "aB", ""], ["a", "b", "c"]),  # platforms know no capitals
        (["S1", "s2", "-"], ["S1", "s2", "c"]),
        (["C", "", ""], ["a", "b", "c"]),  # the name of another
        (["a", "9", "9"], ["a", "b", "c"]),
        (["0", "=1+1", "-2"], ["a", "b", "c"]),
        (["x\ny", "ü", "7" * 101], ["a", "b", "c"]),
    ],
)
def test_nobody_is_given_points_by_a_number_that_another_may_have(
    students: list[str], told: list[str], tmp_path: Path
) -> None:
    made = [
        msgspec.structs.replace(WHOLE, submission=name, student=student)
        for name, student in zip("abc", students, strict=True)
    ]
    write("lms", tmp_path, made)
    content = (tmp_path / "lms.csv").read_bytes()
    assert_lms(content)
    assert [row["SIS User ID"] for row in table_of(content)] == told


def test_a_number_in_two_submissions_is_said(tmp_path: Path) -> None:
    made = [msgspec.structs.replace(WHOLE, submission=name, student="7") for name in "ab"]
    write("lms", tmp_path, made)
    rows = table_of((tmp_path / "lms.csv").read_bytes())
    assert all("The number 7 stands in another submission too." in row["Final Grade (comment)"] for row in rows)


@pytest.mark.parametrize(
    ("name", "student", "confirmed"),
    [
        ("eve", "1234567", False),
        ("Bob_1234567_assignsubmission_file", "1234567", True),
        ("bobsmith_81_1234567_vae-2", "1234567", True),
        ("1234567", "1234567", True),
        ("s1234567", "S1234567", True),
        ("x_S-123_y", "s-123", True),
        ("eve_12345678", "1234567", False),
        ("eve_s1234567", "1234567", False),
        ("eve_1_234567", "1234567", False),
        ("anna-lms", "", True),
    ],
)
def test_a_number_that_no_platform_wrote_is_the_hand_ins_own_word(
    name: str, student: str, confirmed: bool, tmp_path: Path
) -> None:
    made = msgspec.structs.replace(WHOLE, submission=name, student=student)
    (row,) = table_of(viewed("lms", made, tmp_path))
    assert row["SIS User ID"] == (student or name)
    assert ("is the hand-in's own word" in row["Final Grade (comment)"]) == (not confirmed)
    assert unconfirmed([made]) == ([] if confirmed else [name])


def test_a_number_that_a_platform_wrote_for_another_is_nobodys_own(tmp_path: Path) -> None:
    made = [msgspec.structs.replace(WHOLE, submission=name) for name in ("Bob_1234567_vae", "eve")]
    made[1] = msgspec.structs.replace(made[1], student="1234567")
    write("lms", tmp_path, made)
    bob, eve = table_of((tmp_path / "lms.csv").read_bytes())
    assert (bob["SIS User ID"], eve["SIS User ID"]) == ("Bob_1234567_vae", "eve")
    assert "stands in another submission too" in eve["Final Grade (comment)"]
    assert unconfirmed(made) == []


def test_a_submission_called_0_is_somebody(tmp_path: Path) -> None:
    assert_lms(viewed("lms", msgspec.structs.replace(WHOLE, submission="0"), tmp_path))


def test_where_the_grader_failed_no_grade_is_given(tmp_path: Path) -> None:
    refused = record(outcome="refused", reason="the disk is full", possible=10.0)
    rows = table_of(viewed("lms", msgspec.structs.replace(refused, grader_failed=True), tmp_path))
    assert (rows[0]["deep-generative-models"], rows[0]["Final Score (percent)"]) == ("-", "-")
    rows = table_of(viewed("lms", refused, tmp_path))
    assert (rows[0]["deep-generative-models"], rows[0]["Final Score (percent)"]) == ("0", "0")
    assert "the disk is full" in rows[0]["Final Grade (comment)"]


def test_points_are_written_as_a_platform_reads_them(tmp_path: Path) -> None:
    for points, told in ((1e6, "1000000"), (0.1 + 0.2, "0.3"), (0.00001, "0"), (12.125, "12.125")):
        made = msgspec.structs.replace(WHOLE, points=points)
        assert table_of(viewed("lms", made, tmp_path))[0]["deep-generative-models"] == told


# The schemas


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["gradescope", "exercism"])
def test_a_schema_is_one_and_refuses_what_its_consumer_does_not_know(name: str, tmp_path: Path) -> None:
    Draft202012Validator.check_schema(validator(name).schema)
    made = json.loads(viewed(name, WHOLE, tmp_path))
    assert validator(name).is_valid(made)
    for changes in ({"status": "graded"}, {"score": None, "version": 4}, {"tests": [{"status": "right"}]}):
        assert not validator(name).is_valid({**made, **changes})


VALID = {"gradescope": assert_gradescope, "exercism": assert_exercism, "junit": assert_junit, "lms": assert_lms}
