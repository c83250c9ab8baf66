"""The answers that a machine reads, set beside what it measures; and the words, for a person."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec.structs import replace

from grading.claims import Claim, judge
from grading.records import AnswerRecord, QuestionRecord, RunRecord
from grading.rubric import AnswerRubric, ClaimRubric, Rubric

from . import costs, orders
from .fields import Answer
from .numbers import number_in, rounding
from .pictures import shown_in
from .sections import Section

COMMANDS = {
    "vae": "elbo train vae --preset paper",
    "dirac": "elbo train dirac",
    "cifar10": "elbo train cifar10 --preset paper",
    "flows": "elbo train flows",
}
SAME = {"converge": "converges", "cycle": "cycles", "limit cycles": "limit cycle", "diverge": "diverges"}
UNREAD = 'it cannot be read as one order; expected one alone such as "O(1)", in {names}'


def question_records(sections: Mapping[str, Section], figures: Collection[str], rubric: Rubric) -> list[QuestionRecord]:
    """Return the words to every question, for a person who gives their points.

    figures: the paths of the pictures that were handed in, as the words show them.
    """
    found = {name: sections.get(name, Section()) for name in rubric.questions}
    return [
        QuestionRecord(
            name,
            question.title,
            question.points,
            words=found[name].words,
            figures=[path for path in shown_in(found[name].words) if path in figures],
        )
        for name, question in rubric.questions.items()
    ]


def answer_records(sections: Mapping[str, Section], runs: Sequence[RunRecord], rubric: Rubric) -> list[AnswerRecord]:
    """Set every answer beside what was measured: of the submission's own runs, or of the reference's functions.

    A record tells what was measured of a submission's runs, which are its own and which `elbo report` shows too. What
    was counted of the reference is the answer itself: it stands in no record but that of a right one, wherever a
    record is shown, or one would hand in again what one has read off there.

    Raises:
        CostError: the rubric asks for a cost that nothing measures.
    """
    return list(_answers(sections, runs, rubric))


def _answers(sections: Mapping[str, Section], runs: Sequence[RunRecord], rubric: Rubric) -> Iterator[AnswerRecord]:
    costs.expect_measured(rubric)
    for name, question in rubric.questions.items():
        section = sections.get(name, Section())
        for key, answer in question.answers.items():
            given = section.answers.get(key)
            told = AnswerRecord(name, key, answer.sentence, "missing", 0.0, answer.points, given=_written(given))
            if given is None:
                yield replace(told, message=_missing(section))
            elif answer.cost:
                yield _beside_cost(told, str(given), answer)
            elif not answer.claim:
                yield beside_rubric(told, answer)
            else:
                yield _beside_runs(told, given, runs, answer.claim, rubric.claims[answer.claim])


def _missing(section: Section) -> str:
    return f"nothing could be read: {'; '.join(section.notes)}" if section.notes else ""


def _written(given: Answer | None) -> Answer | None:
    """Return an answer as JSON can hold it."""
    return given if given is None or isinstance(given, str) or math.isfinite(given) else str(given)


def _beside_cost(told: AnswerRecord, given: str, answer: AnswerRubric) -> AnswerRecord:
    """Compare a cost with that of the reference's function, which is counted."""
    counted = costs.measured(answer.cost, answer.growing)
    exponents = orders.exponents_in(given, answer.growing)
    if exponents is None:
        return replace(told, outcome="wrong", message=UNREAD.format(names=" and ".join(answer.growing)))
    told = replace(told, measured=orders.told(counted) if exponents == counted else None)
    return _judged(told, exponents == counted, f"read as {orders.told(exponents)}; counted was another")


def beside_rubric(told: AnswerRecord, answer: AnswerRubric) -> AnswerRecord:
    """Compare an answer with what the rubric accepts, which is told, like a cost, only where the answer is right."""
    given = told.given if told.given is not None else ""
    right = next((each for each in answer.accepted if _is(given, each, answer.tolerance or 0.0)), None)
    expected = "another" if answer.tolerance is None or number_in(given) is not None else "a number"
    told = replace(told, points=0.0, measured=right, message="")
    return _judged(told, right is not None, f"answered {given!r}, expected {expected}")


def _is(given: Answer, accepted: Answer, tolerance: float) -> bool:
    if isinstance(accepted, str):
        return _word(given if isinstance(given, str) else f"{given:g}") == _word(accepted)
    number = number_in(given)
    return number is not None and abs(number - accepted) <= tolerance + 1e-9 * max(1.0, abs(accepted))  # of rounding


def _judged(told: AnswerRecord, right: bool, message: str) -> AnswerRecord:
    if right:
        return replace(told, outcome="right", points=told.possible)
    return replace(told, outcome="wrong", message=message)


def _beside_runs(
    told: AnswerRecord, given: Answer, runs: Sequence[RunRecord], name: str, claim: ClaimRubric
) -> AnswerRecord:
    """Compare an answer with what was measured of the runs; it is right if it agrees with one of them."""
    made = [each for run in runs for each in run.claims if each.name == name]
    counted = [each for each in made if each.data == claim.graded_on and each.measured is not None]
    if not counted:
        return replace(told, outcome="unmeasured", message=_unmeasured(made, runs, claim))
    compared = [(each, *_agrees(given, each, claim)) for each in counted]
    best, agrees, message = next((each for each in compared if each[1]), compared[0])
    return _judged(replace(told, measured=best.measured), agrees, message)


def _unmeasured(made: Sequence[Claim], runs: Sequence[RunRecord], claim: ClaimRubric) -> str:
    """Tell why there is nothing to compare an answer with, and what makes it."""
    if refused := [each.message for each in made if each.data == claim.graded_on]:
        return f"nothing could be measured: {refused[0]}"
    practice = sorted({each.data for each in made})
    found = f"a run on {practice[0]} is practice" if practice else f"no run on {claim.graded_on} was measured"
    reasons = "".join(f" ({run.run}: {run.reason})" for run in runs if run.reason)
    command = COMMANDS.get(claim.experiment, f"elbo train {claim.experiment}")
    return f"{found}; `{command}` makes one on {claim.graded_on}{reasons[:300]}"


def _agrees(given: Answer, claim: Claim, rubric: ClaimRubric) -> tuple[bool, str]:
    """Tell whether an answer agrees with one measurement, and else why not."""
    if isinstance(claim.measured, str):
        return _word(str(given)) == _word(claim.measured), f"answered {given!r}, measured {claim.measured!r}"
    number = number_in(given)
    if number is None or claim.measured is None:
        return False, f"answered {given!r}, expected a number"
    error = claim.standard_error or 0.0
    # A student may round to what they think is exact enough: the figure that agrees best is judged.
    most = rounding(given, (rubric.noisiest or 0.0) / 10)
    nearest = min(max(claim.measured, number - most), number + most)
    outcome, reason = judge(nearest, claim.measured, error, rubric.noisiest or 0.0, None, claim.relation)
    unlike = f"answered {number:.6g}, measured {claim.measured:.6g} ± {error:.2g}: the two do not agree"
    return outcome == "without threshold", unlike if outcome == "wrong" else reason


def _word(text: str) -> str:
    """Return a word without what people write differently."""
    plain = " ".join(text.casefold().replace("-", " ").replace("_", " ").strip(" .,;\"'").split())
    return SAME.get(plain, plain)
