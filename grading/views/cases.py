"""What was judged, as one list of cases: what the views that tell tests are made from.

Of a property of the instructor's a case holds the outcome alone, so no view has to think of it. Nor has a view to think
of what others wrote: every text in a case is harmless and of bounded length.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from grading.claims import Claim
from grading.pages.told import told_diagnosis
from grading.records import AnswerRecord, PartRecord, PropertyRecord, QuestionRecord, Record, RunRecord, best_claims
from grading.terminal import facts
from grading.wording import Failure

from .text import cut, figure, one_line

WIDTH = 20  # of the name of a fact
HELPED = "holds with right helpers in the place of yours"
Result = Literal["pass", "fail", "error", "skipped"]
OF_CLAIMS: dict[str, Result] = {"reached": "pass", "without threshold": "skipped"}  # all else is a fail
OF_ANSWERS: dict[str, Result] = {"right": "pass", "unmeasured": "skipped"}


@dataclass(frozen=True)
class Case:
    """One thing that was judged: a property, a claim, an answer or the words to a question.

    suite: the part's topic, or "runs", "answers" or "words". group: the part, experiment or question. name: unique in
    its group. title: for a person. result: "error" where the student's code raised one, "skipped" where nobody judged.
    points: None where nobody gave some yet. message: why it is no "pass", in a line. details: all that may be told.
    mistake: of a failed property's part, a sentence, where it is known. code: what was tried, as one would type it.
    printed: by the part's code.
    """

    suite: str
    group: str
    name: str
    title: str
    problem: str
    result: Result
    points: float | None
    possible: float
    message: str = ""
    details: str = ""
    mistake: str = ""
    code: str = ""
    printed: str = ""
    seconds: float = 0.0


def cases(record: Record) -> Iterator[Case]:
    """Yield the cases of a record: of its parts, then of its runs, answers and words."""
    for part in record.parts:
        yield from (_bounded(_property(part, value, n)) for n, value in enumerate(part.properties, start=1))
    yield from (_bounded(_unmeasured(run)) for run in record.runs if run.reason)
    yield from (_bounded(_claim(claim)) for claim in best_claims(record.runs))
    yield from (_bounded(_answer(answer)) for answer in record.answers)
    yield from (_bounded(_question(question)) for question in record.questions)


def _bounded(case: Case) -> Case:
    lines = ("suite", "group", "name", "title", "problem", "message", "mistake")
    bounded: dict[str, Any] = {name: one_line(getattr(case, name)) for name in lines}
    bounded |= {name: cut(getattr(case, name)) for name in ("details", "code", "printed")}
    return replace(case, **bounded)


def _property(part: PartRecord, value: PropertyRecord, number: int) -> Case:
    secret = value.instructor_only
    told = value.failure if value.outcome != "right" and not secret else None
    diagnosis = told_diagnosis(part) if value.outcome == "wrong" and not secret else None
    result: Result = "pass" if value.outcome == "right" else "error" if told and told.where else "fail"
    return Case(
        suite=part.part.partition(".")[0],
        group=part.part,
        name=f"property {number}, the instructor's" if secret else value.property,
        title="A property of the instructor's." if secret else value.sentence,
        problem=part.problem,
        result=result,
        points=value.points,
        possible=value.possible,
        message="" if result == "pass" else told.message if told else "does not hold",
        details=_details(told) if told else HELPED if value.helpers == "reference" and not secret else "",
        mistake=f"It {diagnosis.told}." if diagnosis else "",
        code=_code(told) if told else "",
        # What a part prints may be the inputs of any of its properties.
        printed="" if any(each.instructor_only for each in part.properties) else part.printed,
        seconds=value.seconds,
    )


def _details(failure: Failure) -> str:
    return "\n".join(f"{name:{WIDTH}}  {cut(text)}" for name, text in facts(failure))


def _code(failure: Failure) -> str:
    """Write what was tried as one would type it, or nothing where no call is known."""
    inputs = [f"{name} = {cut(value)}" for name, value in failure.inputs.items()]
    return "\n".join([*inputs, failure.called]) if failure.called else ""


def _unmeasured(run: RunRecord) -> Case:
    return Case("runs", "runs", run.run, f"{run.run} is measured", "", "fail", None, 0.0, run.reason, run.reason)


def _claim(claim: Claim) -> Case:
    result = OF_CLAIMS.get(claim.outcome, "fail")
    threshold = "" if claim.threshold is None else f"{claim.relation} {figure(claim.threshold)}"
    rows = [("reported", figure(claim.reported)), ("measured", figure(claim.measured)), ("has to be", threshold)]
    practice = "" if claim.points else "No points are given for it on this data set."
    told = [one_line(claim.message), *(f"{name:{WIDTH}}  {one_line(text)}" for name, text in rows if text), practice]
    return Case(
        suite="runs",
        group=claim.name.partition(".")[0],
        name=claim.name,
        title=f"{claim.sentence}, in {claim.unit}" if claim.unit else claim.sentence,
        problem=claim.problem,
        result=result,
        points=claim.earned,
        possible=claim.points,
        message="" if result == "pass" else claim.message or f"measured {figure(claim.measured)}, not {threshold}",
        details="\n".join(line for line in told if line),
    )


def _answer(answer: AnswerRecord) -> Case:
    """Make the case of an answer, with its message: that tells of what it was set beside as much as may be told."""
    result = OF_ANSWERS.get(answer.outcome, "fail")
    given = "" if answer.given is None else f"answered {figure(answer.given)}"
    return Case(
        suite="answers",
        group=answer.question,
        name=answer.answer,
        title=answer.sentence,
        problem=answer.question,
        result=result,
        points=answer.points,
        possible=answer.possible,
        message="" if result == "pass" else answer.message or f"the answer is {answer.outcome}",
        details="\n".join(line for line in (one_line(given), one_line(answer.message)) if line),
    )


def _question(question: QuestionRecord) -> Case:
    points = question.points
    given = "waits for a person" if points is None else f"{points:g} of {question.possible:g} points, by a person"
    return Case(
        suite="words",
        group=question.question,
        name=question.question,
        title=question.title,
        problem=question.question,
        result="skipped",
        points=points,
        possible=question.possible,
        message=given,
        details="\n".join([given, *filter(None, [question.comment])]),
    )
