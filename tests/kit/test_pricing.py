"""Counting a record again by another rubric: what was found stays, what it is worth is the rubric's of today."""

from msgspec.structs import replace

from grading.claims import Claim
from grading.looking import unmeasured
from grading.pricing import priced
from grading.records import AnswerRecord, Circumstances, PartRecord, PropertyRecord, Record, RunRecord
from grading.rubric import AnswerRubric, load

RUBRIC = load()
PART, CLAIM, WORD = "vae.log_mean_exp", "vae.elbo", "dirac.class.dirac-jsd-1"
HERE = Circumstances(1, 5, [PART], "rubric", "kit", "3.11", "2.13", "here")


def property_of(name, outcome):
    possible = RUBRIC.parts[PART].points[name]
    return PropertyRecord(name, "value", "It holds.", outcome, possible * (outcome == "right"), possible, 5, 0.1)


def claim(name=CLAIM, **changes):
    rubric = RUBRIC.claims[name]
    made = Claim(
        name, rubric.sentence, rubric.unit, rubric.problem, "reached", rubric.points, rubric.graded_on, rubric.relation,
        -101.2, -101.2, 0.05, rubric.threshold(rubric.graded_on),
    )  # fmt: skip
    return replace(made, **changes)


def record(*claims, answers=()):
    names = list(RUBRIC.parts[PART].points)
    values = [property_of(names[0], "wrong"), *(property_of(name, "right") for name in names[1:])]
    part = PartRecord(PART, "1", "vae/likelihoods.py", "wrong", 0.0, 0.0, values)
    runs = [RunRecord("runs/vae-1", list(claims))]
    return Record("anna", "graded", HERE, parts=[part], runs=runs, answers=list(answers))


def rubric_with(part=None, **claims):
    parts = {**RUBRIC.parts, PART: part or RUBRIC.parts[PART]}
    return replace(RUBRIC, parts=parts, claims={**RUBRIC.claims, **claims.pop("claims", {})})


def test_the_same_rubric_changes_nothing_but_the_sums():
    before = record(claim(), answers=[AnswerRecord("1.1", "elbo", "s", "right", 1.0, 1.0)])
    (part,) = priced(before, RUBRIC).parts
    assert priced(before, RUBRIC).runs == before.runs
    assert priced(before, RUBRIC).answers == before.answers
    assert part.properties == before.parts[0].properties
    assert part.points == RUBRIC.parts[PART].total - part.properties[0].possible


def test_points_of_a_property_count_for_those_that_hold():
    own = RUBRIC.parts[PART]
    first, second = list(own.points)[:2]
    changed = replace(own, points={**own.points, first: 7.0, second: 9.0}, instructor_only=[second])
    (part,) = priced(record(), rubric_with(changed)).parts
    assert [value.points for value in part.properties[:2]] == [0.0, 9.0]
    assert [value.possible for value in part.properties[:2]] == [7.0, 9.0]
    assert [value.instructor_only for value in part.properties[:2]] == [False, True]
    assert part.possible == changed.total


def test_a_threshold_that_moves_is_reached_or_missed_by_what_was_measured():
    own = RUBRIC.claims[CLAIM]
    stricter = rubric_with(claims={CLAIM: replace(own, at_least={own.graded_on: -100.0}, points=3.0)})
    (found,) = priced(record(claim()), stricter).runs[0].claims
    assert (found.outcome, found.threshold, found.points, found.earned) == ("missed", -100.0, 3.0, 0.0)
    (back,) = priced(priced(record(claim()), stricter), RUBRIC).runs[0].claims
    assert back == claim()


def test_what_was_wrong_or_refused_stays_that():
    wrong = claim(outcome="wrong", reported=-90.0)
    refused = claim(outcome="refused", measured=None, standard_error=None, message="no checkpoint")
    found = priced(record(wrong, refused), RUBRIC).runs[0].claims
    assert [each.outcome for each in found] == ["wrong", "refused"]
    assert found[1].message == "no checkpoint"


def test_a_word_is_compared_with_the_word_of_today():
    measured = claim(WORD, reported="cycles", measured="cycles", standard_error=None)
    own = RUBRIC.claims[WORD]
    changed = rubric_with(claims={WORD: replace(own, equals={own.graded_on: "converges"})})
    assert priced(record(measured), RUBRIC).runs[0].claims[0].outcome == "reached"
    assert priced(record(measured), changed).runs[0].claims[0].outcome == "missed"


def test_a_run_on_other_data_is_practice_until_the_rubric_says_otherwise():
    practice = claim(data="digits", points=0.0, threshold=-85.0, measured=-82.0, reported=-82.0)
    own = RUBRIC.claims[CLAIM]
    changed = rubric_with(claims={CLAIM: replace(own, graded_on="digits")})
    assert priced(record(practice), RUBRIC).runs[0].claims[0].earned == 0
    assert priced(record(practice), changed).runs[0].claims[0].earned == own.points


def test_answers_have_the_points_of_today_and_count_nothing_where_they_did_not():
    question = RUBRIC.questions["1.1"]
    dearer = {"elbo": replace(question.answers["elbo"], points=5.0)}
    changed = replace(RUBRIC, questions={**RUBRIC.questions, "1.1": replace(question, answers=dearer)})
    told = AnswerRecord("1.1", "elbo", "s", "right", 1.0, 1.0)
    others = [told, replace(told, outcome="wrong", points=0.0), replace(told, points=0.0, possible=0.0)]
    found = priced(record(answers=others), changed).answers
    assert [(answer.points, answer.possible) for answer in found] == [(5.0, 5.0), (0.0, 5.0), (0.0, 0.0)]


def test_an_answer_is_compared_with_the_key_of_today():
    """A key that was wrong is mended for the whole class; what was not answered, or not read, stays that."""
    question = RUBRIC.questions["1.1"]

    def keyed(**key):
        answers = {"own": AnswerRubric("s", 2.0, **key)}
        return replace(RUBRIC, questions={"1.1": replace(question, answers=answers)})

    told = AnswerRecord("1.1", "own", "s", "wrong", 0.0, 1.0, given="1.5", message="answered '1.5', expected another")
    others = [told, replace(told, given=None, outcome="missing", message="")]
    right, missing = priced(record(answers=others), keyed(equals=1.4, tolerance=0.1)).answers
    assert (right.outcome, right.points, right.measured, right.message) == ("right", 2.0, 1.4, "")
    assert (missing.outcome, missing.points, missing.possible) == ("missing", 0.0, 2.0)
    (back, _) = priced(record(answers=[right, missing]), keyed(equals=["x", "y"])).answers
    assert (back.outcome, back.points, back.measured, back.message) == ("wrong", 0.0, None, told.message)
    (none,) = priced(record(answers=[replace(told, possible=0.0)]), keyed(equals="1.5")).answers
    assert (none.outcome, none.points, none.possible) == ("right", 0.0, 0.0)


def test_what_the_rubric_does_not_name_stays():
    gone = replace(RUBRIC, parts={}, claims={}, questions={})
    before = record(claim(), answers=[AnswerRecord("1.1", "elbo", "s", "right", 1.0, 1.0)])
    assert priced(before, gone) == before


def test_an_instructor_is_told_of_runs_that_were_not_measured():
    refused = claim(outcome="refused", message="its process ended without a word")
    runs = [RunRecord("runs/a", reason="ImportError"), RunRecord("runs/b", [claim(), refused]), RunRecord("runs/c")]
    assert list(unmeasured(runs)) == [
        "runs/a: nothing measured: ImportError",
        "runs/b: 1 of 2 figures not measured: its process ended without a word",
    ]
