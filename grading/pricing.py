"""Points of what was found: a record keeps outcomes and measurements, and the rubric of today says what they are worth.

So a threshold, points, a secret or the key of an answer that an instructor changes count for the whole class when it is
counted again, and nothing has to be judged or measured for that.
"""

from msgspec.structs import replace

from grading.claims import judged_again
from grading.records import AnswerRecord, PartRecord, PropertyRecord, Record, RunRecord
from grading.rubric import AnswerRubric, PartRubric, Rubric
from grading.written.answering import beside_rubric


def priced(record: Record, rubric: Rubric) -> Record:
    """Return a record with the points, thresholds and secrets of a rubric; what that does not name stays as it is."""
    parts = [
        _part(part, rubric.parts[part.part]) if part.part in rubric.parts and part.properties else part
        for part in record.parts
    ]
    answers = [_answer(answer, asked) if (asked := _asked(answer, rubric)) else answer for answer in record.answers]
    return replace(record, parts=parts, runs=[_run(run, rubric) for run in record.runs], answers=answers)


def _part(part: PartRecord, rubric: PartRubric) -> PartRecord:
    properties = [_property(value, rubric) for value in part.properties]
    earned = sum(value.points for value in properties)
    return replace(part, properties=properties, points=earned, possible=rubric.total, problem=rubric.problem)


def _property(value: PropertyRecord, rubric: PartRubric) -> PropertyRecord:
    possible = rubric.points.get(value.property, value.possible)
    earned = possible if value.outcome == "right" else 0.0
    secret = value.property in rubric.instructor_only
    return replace(value, points=earned, possible=possible, instructor_only=secret)


def _run(run: RunRecord, rubric: Rubric) -> RunRecord:
    claims = [
        judged_again(claim, rubric.claims[claim.name]) if claim.name in rubric.claims else claim for claim in run.claims
    ]
    return replace(run, claims=claims)


def _asked(answer: AnswerRecord, rubric: Rubric) -> AnswerRubric | None:
    question = rubric.questions.get(answer.question)
    return question.answers.get(answer.answer) if question else None


def _answer(answer: AnswerRecord, rubric: AnswerRubric) -> AnswerRecord:
    """Return an answer with its points; one that counts nothing, as no run was asked for, stays that."""
    possible = rubric.points if answer.possible else 0.0
    if rubric.accepted and answer.given is not None:
        answer = beside_rubric(answer, rubric)
    return replace(answer, points=possible if answer.outcome == "right" else 0.0, possible=possible)
