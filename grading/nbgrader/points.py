"""What a record says for each cell of the notebooks: points, and the text that stands below it."""

from collections.abc import Iterator

import msgspec

from grading.feedback import block
from grading.manual import Given
from grading.nbgrader import answers_id, check_id, claims_id, question_id, solution_id
from grading.nbgrader.texts import LINES, answers_text, bounded, part_text, runs_text
from grading.notebook.points import points_of
from grading.records import AnswerRecord, Record, RunRecord, points_of_runs
from grading.rubric import Rubric


class Judged(msgspec.Struct, frozen=True):
    """The points of one cell and the text that tells why, in which nothing is more than text."""

    points: float
    text: str


class Told(msgspec.Struct, frozen=True):
    """What a record says of the cells, each by name.

    judged: those that the kit judges. comments: on those in which parts are written. words: to the questions. given:
    what a person gave for words, for every question that the grading was asked for.
    """

    judged: dict[str, Judged]
    comments: dict[str, str | None]
    words: dict[str, str]
    given: dict[str, Given]


def told_of(record: Record, rubric: Rubric) -> Told:
    """Return what a record says of all cells."""
    words = {question_id(question.question): question.words for question in record.questions if question.words}
    return Told(judged(record, rubric), comments(record), words, _given(record, rubric))


def _given(record: Record, rubric: Rubric) -> dict[str, Given]:
    if not {*rubric.parts} <= {*record.circumstances.parts}:
        return {}
    given = {question.question: Given(question.points, question.comment) for question in record.questions}
    return {question_id(name): given.get(name, Given(None)) for name in rubric.questions}


def possible(rubric: Rubric) -> dict[str, float]:
    """Return the points of every cell that the kit judges, by its name."""
    cells = {check_id(name): part.total for name, part in rubric.parts.items()}
    for name, question in rubric.questions.items():
        if question.answers:
            cells[answers_id(name)] = sum(answer.points for answer in question.answers.values())
    for claim in rubric.claims.values():
        name = claims_id(claim.experiment)
        cells[name] = cells.get(name, 0.0) + claim.points
    return {name: points_of(points) for name, points in cells.items()}


def judged(record: Record, rubric: Rubric) -> dict[str, Judged]:
    """Return what a record says for the cells that the kit judges.

    Returns:
        By the name of the cell; without those that this grading was not asked for.
    """
    if record.outcome == "refused":
        return {name: Judged(0.0, bounded(record.reason)) for name in _asked(record, rubric)}
    cells = {check_id(part.part): Judged(points_of(part.points), part_text(part)) for part in record.parts}
    cells |= dict(_answers(record.answers, rubric))
    return cells | dict(_claims(record.runs, rubric) if _measured(record, rubric) else ())


def comments(record: Record) -> dict[str, str | None]:
    """Return what is said of the cells in which parts are written: the messages of those that are not right.

    A comment becomes Markdown in nbgrader's feedback, so it is a block of code, which nothing inside of it can end.
    """
    if record.outcome == "refused":
        return {solution_id(part): block(bounded(record.reason)) for part in record.circumstances.parts}
    return {
        solution_id(part.part): None if part.outcome == "right" else block(part_text(part), LINES)
        for part in record.parts
    }


def _asked(record: Record, rubric: Rubric) -> list[str]:
    """Return the cells that a grading was asked for, of which nothing was found."""
    asked = record.circumstances.parts
    return list(possible(rubric)) if {*asked} == {*rubric.parts} else [check_id(part) for part in asked]


def _measured(record: Record, rubric: Rubric) -> bool:
    """Tell whether runs were asked for: where there are none, the answers that are set beside them tell by counting."""
    claims = {(n, key) for n, question in rubric.questions.items() for key, a in question.answers.items() if a.claim}
    return bool(record.runs) or any(a.possible for a in record.answers if (a.question, a.answer) in claims)


def _answers(answers: list[AnswerRecord], rubric: Rubric) -> Iterator[tuple[str, Judged]]:
    """Yield the cells of which all answers count in this grading."""
    for name, question in rubric.questions.items():
        own = [answer for answer in answers if answer.question == name]
        counting = {answer.answer for answer in own if answer.possible}
        if own and all(key in counting for key, answer in question.answers.items() if answer.points):
            yield answers_id(name), Judged(points_of(sum(a.points for a in own)), answers_text(own))


def _claims(runs: list[RunRecord], rubric: Rubric) -> Iterator[tuple[str, Judged]]:
    for experiment in dict.fromkeys(claim.experiment for claim in rubric.claims.values()):
        own = [_of_experiment(run, experiment, rubric) for run in runs]
        own = [run for run in own if run.claims or run.reason]
        yield claims_id(experiment), Judged(points_of(points_of_runs(own)), runs_text(own))


def _of_experiment(run: RunRecord, experiment: str, rubric: Rubric) -> RunRecord:
    """Return a run with the claims of one experiment alone."""
    known = {name for name, claim in rubric.claims.items() if claim.experiment == experiment}
    return msgspec.structs.replace(run, claims=[claim for claim in run.claims if claim.name in known])
