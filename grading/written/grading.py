"""What a report is worth: its answers, its words and what was odd about it, for one submission's record."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from grading import signs
from grading.intake.limits import listed
from grading.notes import bounded
from grading.records import AnswerRecord, QuestionRecord, RunRecord
from grading.rubric import AnswerRubric, Rubric

from .answering import answer_records, question_records
from .sections import Section, sections

MISSING = "No report.md was handed in: the questions have no words and no answers."
FAILED = "The report could not be graded, which is not the student's fault"
SOME_MISSING = "report.md has no section of {names}: one is found by the number in its heading, as in '## {first}'."
NO_SECTION = "report.md has no section of a question; expected headings such as '## {name} {title}'."


class Written(msgspec.Struct, frozen=True):
    """What was made of a report. notes: sentences on what could not be read."""

    answers: list[AnswerRecord] = []
    questions: list[QuestionRecord] = []
    notes: list[str] = []

    @property
    def points(self) -> float:
        """What the answers earned; the words' points are given by a person."""
        return sum(answer.points for answer in self.answers)


def possible(rubric: Rubric, measured: bool) -> float:
    """Return the points of all words and answers. measured: whether runs are; else no answer beside a run counts."""
    return sum(question.points for question in rubric.questions.values()) + sum(
        answer.points for _, _, answer in _all(rubric) if measured or not answer.claim
    )


def grade_report(
    report: str, figures: Collection[str], runs: Sequence[RunRecord], rubric: Rubric, measured: bool
) -> Written:
    """Read a report.

    Args:
        report: its text, "" where none was handed in.
        figures: the paths of the pictures that were handed in with it.
        runs: what was measured of the submission's runs.
        rubric: the questions.
        measured: whether runs are measured in this grading.
    """
    if not rubric.questions:
        return Written()
    try:
        found = sections(report, rubric)
        notes = bounded(list(_odd(report, found, rubric)))
        return Written(_answers(found, runs, rubric, measured), question_records(found, figures, rubric), notes)
    except Exception as error:  # a defect of the kit: parts and runs count all the same, and a person reads the words
        told = f"{FAILED} ({signs.told(error)})."
        answers = [replace(each, outcome="unmeasured", message=FAILED) for each in _answers({}, (), rubric, measured)]
        return Written(answers, question_records({}, (), rubric), [told])


def _answers(
    found: Mapping[str, Section], runs: Sequence[RunRecord], rubric: Rubric, measured: bool
) -> list[AnswerRecord]:
    answers = answer_records(found, runs, rubric)
    beside_runs = {(name, key) for name, key, answer in _all(rubric) if answer.claim and not measured}
    return [_uncounted(each) if (each.question, each.answer) in beside_runs else each for each in answers]


def _all(rubric: Rubric) -> Iterator[tuple[str, str, AnswerRubric]]:
    for name, question in rubric.questions.items():
        yield from ((name, key, answer) for key, answer in question.answers.items())


def _uncounted(answer: AnswerRecord) -> AnswerRecord:
    message = "no runs are measured in this grading"
    return replace(answer, outcome="unmeasured", points=0.0, possible=0.0, message=message)


def _odd(report: str, found: Mapping[str, Section], rubric: Rubric) -> Iterator[str]:
    if not report:
        yield MISSING
    elif not found:
        name, question = next(iter(rubric.questions.items()))
        yield NO_SECTION.format(name=name, title=question.title)
    elif missing := [name for name in rubric.questions if name not in found]:
        yield SOME_MISSING.format(names=listed(missing, most=20), first=missing[0])
    for name, section in found.items():
        yield from (f"report.md, {name}: {note}." for note in section.notes)
