"""What becomes of the points that were earned, against sums done by hand and against what holds of every policy."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading import rubric as rubrics
from grading.claims import Claim
from grading.manual import Given
from grading.policies import asked_for, by_number, late_days, settle, shared
from grading.records import AnswerRecord, Circumstances, PartRecord, QuestionRecord, Record, RunRecord, Settlement
from grading.rubric import (
    AnswerRubric,
    ClaimRubric,
    Criterion,
    PartRubric,
    Policy,
    QuestionRubric,
    Rubric,
)

PARTS = {"vae.a": 4.0, "vae.b": 2.0, "vae.c": 8.0, "gan.d": 6.0}
DUE = datetime(2026, 12, 1, 23, 59, tzinfo=timezone(timedelta(hours=1)))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CLAIM = ClaimRubric("1.1", "vae", "s", 10.0, "digits", "nats", 1.0, at_least={"digits": -200.0})
COST = AnswerRubric("the cost", 1.0, cost="vae.a", growing=("d",))
QUESTIONS = {
    "1.1": QuestionRubric(
        "vae",
        "The bound",
        "Say.",
        [Criterion(2.0, "x"), Criterion(1.0, "y")],
        answers={"elbo": AnswerRubric("it", 1.0, "vae.elbo")},
    ),
    "3.2": QuestionRubric("flows", "The cost", "Say.", [Criterion(3.0, "x")], answers={"cost": COST}),
}


def rubric(**policy: Any) -> Rubric:
    hints = ("a", "b", "c")
    parts = {name: PartRubric("1", 5, hints, {"holds": points}) for name, points in PARTS.items()}
    return Rubric(parts, {"vae.elbo": CLAIM}, questions=QUESTIONS, policy=Policy(**policy))


def claim(outcome: str = "reached") -> Claim:
    return Claim("vae.elbo", "s", "nats", "1.1", outcome, 10.0, "digits", "at least")  # type: ignore[arg-type]


def part(name: str, points: float) -> PartRecord:
    return PartRecord(name, "1", "file.py", "wrong", points, PARTS[name], [])


def answer(question: str, key: str, points: float) -> AnswerRecord:
    return AnswerRecord(question, key, "s", "right" if points else "wrong", points, 1.0)


def record(earned: dict[str, float] | None = None, parts: Any = tuple(PARTS), **changes: Any) -> Record:
    """A record of 26 of 38 points: 15 for parts, 10 for a claim, 1 of 2 for answers; a person gives up to 6."""
    earned = {"vae.a": 3.0, "vae.b": 1.0, "vae.c": 8.0, "gan.d": 3.0} if earned is None else earned
    made = Record(
        "anna",
        "graded",
        Circumstances(7, 5, list(parts), "r", "k", "3.11", "2.4", "Linux"),
        points=1e3,
        possible=1e3,
        parts=[part(name, earned[name]) for name in parts],
        runs=[RunRecord("runs/a", [claim("missed")]), RunRecord("runs/b", [claim()]), RunRecord("runs/c", [claim()])],
        answers=[answer("1.1", "elbo", 1.0), answer("3.2", "cost", 0.0)],
        questions=[QuestionRecord(name, "", 0.0, "words") for name in QUESTIONS],
        student="1234567",
    )
    return msgspec.structs.replace(made, **changes)


def at(late: timedelta) -> str:
    return (DUE + late).astimezone(UTC).isoformat()


def settled(record: Record, rubric: Rubric, given: dict[str, Given] | None = None) -> tuple[float, float, Settlement]:
    found = settle(record, rubric, given or {})
    assert found.settlement is not None
    return found.points, found.possible, found.settlement


# What is counted


def test_parts_runs_answers_and_words_count() -> None:
    given = {"1.1": Given(2.5, "well argued")}
    points, possible, how = settled(record(), rubric(), given)
    assert (points, possible) == (28.5, 38)  # 20 for parts, 10 for the claim, 2 for answers, 6 for words
    assert how == Settlement(machine=26.0, manual=2.5, waiting=1)


def test_a_claim_counts_once_and_one_that_no_run_makes_is_still_possible() -> None:
    assert settled(record(runs=[]), rubric())[:2] == (16, 38)


def test_words_get_points_comment_title_and_what_is_possible() -> None:
    first, second = settle(record(), rubric(), {"1.1": Given(2.5, "well argued")}).questions
    assert first == QuestionRecord("1.1", "The bound", 3.0, "words", points=2.5, comment="well argued")
    assert second == QuestionRecord("3.2", "The cost", 3.0, "words")


def test_points_that_a_person_takes_back_are_gone() -> None:
    before = settle(record(), rubric(), {"1.1": Given(2.5, "well argued")})
    assert settle(before, rubric(), {}) == settle(record(), rubric(), {})


def test_a_comment_alone_is_kept_and_the_words_wait() -> None:
    found = settle(record(), rubric(), {"1.1": Given(None, "where is the curve?")})
    assert (found.questions[0].points, found.questions[0].comment) == (None, "where is the curve?")
    assert found.settlement is not None
    assert (found.settlement.waiting, found.settlement.manual) == (2, 0)


def test_no_points_at_all_are_points_that_were_given() -> None:
    assert settled(record(), rubric(), {"1.1": Given(0.0), "3.2": Given(0.0)})[2].waiting == 0


def test_where_parts_were_asked_for_these_alone_count() -> None:
    some = record(parts=["vae.b", "gan.d"])
    points, possible, how = settled(some, asked_for(rubric(), only=True, runs=True), {"1.1": Given(2.5)})
    assert (points, possible, how) == (4, 8, Settlement(4.0, 0.0, 0))
    assert settled(some, rubric())[:2] == (4, 8)


def test_all_parts_by_name_are_still_without_claims_and_questions() -> None:
    assert settled(record(), asked_for(rubric(), only=True, runs=True))[:2] == (15, 20)


def test_where_no_runs_are_measured_neither_claims_nor_answers_on_them_count() -> None:
    asked = asked_for(rubric(extra_credit=["vae.elbo", "vae.b"]), only=False, runs=False)
    assert settled(record(), asked)[:2] == (15, 18 + 6 + 1)


def test_a_refused_one_has_no_points_and_the_same_possible() -> None:
    refused = Record("ben", "refused", record().circumstances, reason="a PDF")
    assert settled(refused, rubric())[:2] == (0, 38)


def test_a_person_may_give_points_for_what_no_machine_could_read() -> None:
    refused = Record("ben", "refused", record().circumstances, reason="a PDF")
    found = settle(refused, rubric(), {"3.2": Given(2.0, "by hand")})
    assert (found.points, [question.question for question in found.questions]) == (2, ["3.2"])


def test_many_small_points_make_round_numbers() -> None:
    earned = dict.fromkeys(PARTS, 0.1) | {"vae.a": 0.2}
    assert settled(record(earned, runs=[], answers=[]), rubric())[0] == 0.5


# Dropped parts


@pytest.mark.parametrize(
    ("earned", "dropped", "points", "possible"),
    [
        # 3 of 4, 1 of 2, 8 of 8: the second has the lowest share, though the first has lost as many points.
        ({"vae.a": 3, "vae.b": 1, "vae.c": 8, "gan.d": 3}, ["vae.b"], 14, 18),
        # Of equal shares the dearest if they are below that of all parts, else the cheapest: both help most.
        ({"vae.a": 2, "vae.b": 1, "vae.c": 4, "gan.d": 0}, ["vae.b"], 6, 18),
        ({"vae.a": 0, "vae.b": 0, "vae.c": 0, "gan.d": 6}, ["vae.c"], 6, 12),
        ({"vae.a": 4, "vae.b": 2, "vae.c": 8, "gan.d": 0}, ["vae.b"], 12, 18),
        ({"vae.a": 0, "vae.b": 0, "vae.c": 0, "gan.d": 0}, ["vae.c"], 0, 12),  # of nothing at all too the dearest
        ({"vae.a": 4, "vae.b": 2, "vae.c": 8, "gan.d": 6}, ["vae.b"], 18, 18),  # of everything the cheapest
    ],
)
def test_the_lowest_part_of_a_topic_counts_neither_way(
    earned: dict[str, float], dropped: list[str], points: float, possible: float
) -> None:
    found = settled(record(earned, runs=[], answers=[]), rubric(drop_lowest={"vae": 1}))
    assert (found[2].dropped, found[0], found[1]) == (dropped, points, possible + 18)


def test_several_of_several_topics_are_dropped() -> None:
    more = PartRecord("gan.e", "1", "file.py", "wrong", 1.0, 4.0, [])
    parts = rubric().parts | {"gan.e": PartRubric("1", 5, ("a", "b", "c"), {"holds": 4.0})}
    circumstances = Circumstances(7, 5, list(parts), "r", "k", "3.11", "2.4", "Linux")
    made = msgspec.structs.replace(record(), parts=[*record().parts, more], circumstances=circumstances)
    policy = Policy(drop_lowest={"vae": 2, "gan": 1})
    found = settled(made, msgspec.structs.replace(rubric(), parts=parts, policy=policy))
    assert (found[2].dropped, found[0], found[1]) == (["vae.b", "vae.a", "gan.e"], 8 + 3 + 10 + 1, 8 + 6 + 18)


def test_of_a_topic_that_was_not_asked_for_in_full_nothing_is_dropped() -> None:
    found = settled(record(parts=["vae.b", "gan.d"]), rubric(drop_lowest={"vae": 1}))
    assert (found[2].dropped, found[:2]) == ([], (4, 8))


def test_extra_credit_is_not_dropped() -> None:
    found = settled(record(), rubric(drop_lowest={"vae": 1}, extra_credit=["vae.b"]))
    assert found[2].dropped == ["vae.a"]


# Extra credit


def test_extra_credit_counts_beyond_what_is_possible() -> None:
    extra = ["vae.c", "vae.elbo", "3.2"]
    points, possible, how = settled(record(), rubric(extra_credit=extra), {"3.2": Given(1.0)})
    assert (points, possible) == (27, 38 - 8 - 10 - 4)
    assert (how.extra, how.machine, how.manual) == (extra, 26, 1)


# Late ones


@pytest.mark.parametrize(
    ("late", "days"),
    [
        (-400 * DAY, 0),
        (timedelta(0), 0),
        (timedelta(microseconds=1), 1),
        (DAY, 1),
        (DAY + timedelta(microseconds=1), 2),
        (36 * HOUR, 2),
        (10 * DAY, 10),
    ],
)
def test_a_begun_day_counts_as_whole(late: timedelta, days: int) -> None:
    assert settled(record(handed_in_at=at(late)), rubric(due=DUE))[2].late_days == days


@pytest.mark.parametrize(
    ("late", "charged", "penalty"),
    [
        (-HOUR, 0, 0.0),
        (HOUR, 0, 0.0),
        (2 * DAY, 0, 0.0),
        (2 * DAY + HOUR, 1, 2.6),
        (5 * DAY, 3, 7.8),
        (7 * DAY, 5, 13.0),
    ],
)
def test_each_day_beyond_the_free_ones_takes_a_share_of_what_was_earned(
    late: timedelta, charged: int, penalty: float
) -> None:
    policy = {"due": DUE, "free_days": 2, "per_day": 0.1, "latest_days": 7}
    points, possible, how = settled(record(handed_in_at=at(late)), rubric(**policy))
    assert (how.charged_days, how.penalty, points, possible) == (charged, penalty, 26 - penalty, 38)


def test_after_the_latest_day_nothing_is_left() -> None:
    points, possible, how = settled(record(handed_in_at=at(7 * DAY + HOUR)), rubric(due=DUE, latest_days=7))
    assert (points, possible, how.penalty, how.late_days) == (0, 38, 26, 8)


def test_points_are_never_below_none() -> None:
    points, _, how = settled(record(handed_in_at=at(300 * DAY)), rubric(due=DUE, per_day=0.3))
    assert (points, how.penalty) == (0, 26)


def test_what_a_person_gave_is_taken_from_as_well() -> None:
    points, _, how = settled(record(handed_in_at=at(HOUR)), rubric(due=DUE, per_day=0.5), {"1.1": Given(3.0)})
    assert (points, how.penalty, how.machine, how.manual) == (14.5, 14.5, 26, 3)


@pytest.mark.parametrize("who", ["anna", "1234567"])
def test_an_extension_is_known_by_name_or_by_number(who: str) -> None:
    late = record(handed_in_at=at(3 * DAY - HOUR))
    assert settled(late, rubric(due=DUE, per_day=0.1, extensions={who: 2}))[2].late_days == 1
    assert settled(late, rubric(due=DUE, per_day=0.1, extensions={"ben": 2}))[2].late_days == 3


def test_whoever_has_an_extension_by_name_has_no_other_one() -> None:
    """A number in a manifest may be anybody's."""
    late, policy = record(handed_in_at=at(3 * DAY - HOUR)), Policy(due=DUE, extensions={"anna": 1, "1234567": 7})
    assert late_days(late, policy) == 2
    assert not by_number(late, policy)
    assert late_days(late, msgspec.structs.replace(policy, extensions={"anna": 0, "1234567": 7})) == 3
    assert by_number(late, msgspec.structs.replace(policy, extensions={"1234567": 7}))


@pytest.mark.parametrize(
    ("students", "several"),
    [
        ({"anna": "1234567", "eve": "1234567", "ben": ""}, {"1234567"}),
        ({"1234567": "", "eve": "1234567"}, {"1234567"}),  # the name of another
        ({"anna": "1234567", "eve": "7", "ben": "", "carl": ""}, set()),
        ({"1234567": "1234567"}, set()),
    ],
)
def test_a_number_that_several_claim_is_nobodys(students: dict[str, str], several: set[str]) -> None:
    assert shared(students) == several
    policy = Policy(due=DUE, extensions={"1234567": 2})
    for name, student in students.items():
        made = record(submission=name, student=student, handed_in_at=at(2 * DAY))
        has = name == "1234567" or (student == "1234567" and not several)
        assert late_days(made, policy, shared(students)) == (0 if has else 2)
        by = policy if name != "1234567" else Policy(due=DUE, extensions={"7": 2})
        assert by_number(made, by, shared(students)) == (has and name != "1234567")
        found = settle(made, rubric(due=DUE, extensions={"1234567": 2}), {}, shared(students)).settlement
        assert found is not None
        assert found.late_days == (0 if has else 2)


@pytest.mark.parametrize("changes", [{"handed_in_at": ""}, {"handed_in_at": at(9 * DAY)}])
def test_nothing_is_late_without_a_time_or_without_a_due_one(changes: dict[str, str]) -> None:
    due = None if changes["handed_in_at"] else DUE
    assert settled(record(**changes), rubric(due=due, per_day=0.5))[2].late_days == 0


def test_a_time_without_a_zone_is_in_that_of_the_due_one() -> None:
    assert late_days(record(handed_in_at="2026-12-01T23:59:00"), Policy(due=DUE)) == 0
    assert late_days(record(handed_in_at="2026-12-02T00:00:00"), Policy(due=DUE)) == 1


# What holds of every policy

NAMES = [*PARTS, "vae.elbo", *QUESTIONS]
SHARES = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 1.0])
POLICIES = st.fixed_dictionaries(
    {
        "due": st.just(DUE),
        "free_days": st.integers(0, 4),
        "per_day": SHARES,
        "latest_days": st.none() | st.integers(0, 6),
        "extensions": st.dictionaries(st.sampled_from(["anna", "ben", "1234567"]), st.integers(0, 3)),
        "drop_lowest": st.dictionaries(st.just("vae"), st.integers(0, 2)),
        "extra_credit": st.lists(st.sampled_from(NAMES), unique=True),
    }
).filter(lambda policy: policy["latest_days"] is None or policy["free_days"] <= policy["latest_days"])
EARNED = st.fixed_dictionaries({name: SHARES.map(lambda s, most=most: s * most) for name, most in PARTS.items()})
LATE = st.none() | st.integers(-50, 400).map(lambda hours: hours * HOUR)
GIVEN = st.dictionaries(st.sampled_from(list(QUESTIONS)), st.sampled_from([0.0, 0.5, 1.25, 3.0]).map(Given))
examples = settings(max_examples=150, deadline=None)


@examples
@given(POLICIES, EARNED, LATE, GIVEN)
def test_points_lie_between_none_and_all_that_was_earned(
    policy: dict[str, Any], earned: dict[str, float], late: timedelta | None, given: dict[str, Given]
) -> None:
    made = record(earned, handed_in_at="" if late is None else at(late))
    points, possible, how = settled(made, rubric(**policy), given)
    extra = sum({**PARTS, "vae.elbo": 10.0, "1.1": 4.0, "3.2": 4.0}[name] for name in policy["extra_credit"])
    assert 0 <= points <= possible + extra + 1e-6
    assert points == pytest.approx(how.machine + how.manual - how.penalty, abs=1e-5)
    assert 0 <= how.penalty <= how.machine + how.manual + 1e-6
    assert set(how.dropped).isdisjoint(how.extra)


@examples
@given(POLICIES, EARNED, LATE, GIVEN, GIVEN)
def test_settling_twice_is_settling_once(
    policy: dict[str, Any],
    earned: dict[str, float],
    late: timedelta | None,
    given: dict[str, Given],
    other: dict[str, Given],
) -> None:
    made, by = record(earned, handed_in_at="" if late is None else at(late)), rubric(**policy)
    once = settle(made, by, given)
    assert settle(once, by, given) == once
    assert settle(settle(made, rubric(), other), by, given) == once  # whatever held before


@examples
@given(POLICIES, EARNED, st.integers(-50, 400), st.integers(0, 100))
def test_who_hands_in_earlier_never_has_fewer_points(
    policy: dict[str, Any], earned: dict[str, float], hours: int, earlier: int
) -> None:
    late = settled(record(earned, handed_in_at=at(hours * HOUR)), rubric(**policy))
    early = settled(record(earned, handed_in_at=at((hours - earlier) * HOUR)), rubric(**policy))
    assert early[0] >= late[0]
    assert early[1] == late[1]


@examples
@given(POLICIES, EARNED, LATE, st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.sampled_from([0.0, 0.5, 1.0]))
def test_more_points_from_a_person_are_never_fewer_in_all(
    policy: dict[str, Any], earned: dict[str, float], late: timedelta | None, points: float, more: float
) -> None:
    made = record(earned, handed_in_at="" if late is None else at(late))
    found = [settled(made, rubric(**policy), {"1.1": Given(each)}) for each in (points, points + more)]
    assert found[0][0] <= found[1][0]


def test_the_kits_own_rubric_gives_all_points_for_all() -> None:
    whole = rubrics.load()
    parts = [PartRecord(n, p.problem, "f.py", "right", p.total, p.total, []) for n, p in whole.parts.items()]
    claims = [
        Claim(n, c.sentence, c.unit, c.problem, "reached", c.points, c.graded_on, c.relation)
        for n, c in whole.claims.items()
    ]
    answers = [
        AnswerRecord(n, key, a.sentence, "right", a.points, a.points)
        for n, q in whole.questions.items()
        for key, a in q.answers.items()
    ]
    made = record(parts=tuple(PARTS), answers=answers, runs=[RunRecord("runs/a", claims)])
    circumstances = msgspec.structs.replace(made.circumstances, parts=list(whole.parts))
    made = msgspec.structs.replace(made, parts=parts, circumstances=circumstances)
    points, possible, _ = settled(made, whole, {name: Given(q.points) for name, q in whole.questions.items()})
    assert points == possible > 100
