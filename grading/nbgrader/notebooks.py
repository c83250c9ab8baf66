"""The notebooks of the course: one for each topic, made from solutions and handout, and one for the report."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grading.engine.implementation import ROOT
from grading.notebook.points import points_of
from grading.release.handouts import for_students
from grading.rubric import QuestionRubric, Rubric
from grading.selection import select
from grading.training import TOPIC_OF
from grading.written import section_text
from tests.support.properties import Part

from . import answers_id, cells, check_id, claims_id, question_id, solution_id
from .handouts import Handout, cut
from .pieces import pieces

FIRST = Path(__file__).with_name("first_cell.py")
PLACEHOLDER = "Write here."  # of a report's section: the students' words go there
HOW = """\
Write each function in its cell, run the cell, and then the one below it: that judges the function, says what is wrong,
and counts its points. Helpers of your own may stand beside a function, or in cells that you add. `hint("NAME")` gives
the next hint. Graded are the functions as they stand in this notebook: save it."""
TRAINING = """\
## Training with your functions

`train` trains with the functions of the notebooks as they were **saved**. A run is left in `runs/` beside the
notebooks, and belongs to what you hand in. Options come after the experiment's name, one by one:
`train("flows", "--preset", "paper")`. `report()` measures the runs again, and writes them and your report to
`report.html`."""
REPORT = """\
# Report

Put your words where it says so, pictures too (drag them into the cell), and the answers that a machine reads between
the quotes. Save the notebook, and run the cell below a question: it tells whether your answers can be read. Whether
they are right is found when they are graded."""
RUNS = """\
## Runs

What you have trained, in `runs/` beside this notebook, is measured again when it is graded. Here is nothing to do;
`report()` measures it now, and writes it and this report to `report.html`."""


def topic_notebook(topic: str, rubric: Rubric, kit_url: str) -> bytes:
    """Write the notebook of a topic, with the answers in it."""
    parts = select([topic], rubric)
    found = pieces(topic, parts)
    handout = cut(for_students((ROOT / "exercises" / topic / "README.md").read_text(encoding="utf-8")), topic)
    made = [_first(kit_url, "check, hint, report, train"), *_texts("handout", handout.first), cells.text("how", HOW)]
    made.append(cells.given("given", "\n\n\n".join(filter(None, (found.imports, found.given)))))
    for part in parts:
        made += _part(part, found.functions[part.name], handout, rubric)
    return cells.notebook([*made, *_texts("afterwards", handout.last), *_trainings(topic, rubric)])


def report_notebook(rubric: Rubric, kit_url: str) -> bytes:
    """Write the notebook of the report: words for a person, answers for a machine, and what is measured of runs."""
    made = [_first(kit_url, "check_answers, check_runs, report"), cells.text("report", REPORT)]
    for name, question in rubric.questions.items():
        made += _question(name, question, rubric)
    made.append(cells.text("runs", RUNS))
    for experiment in experiments(rubric):
        points = sum(claim.points for claim in rubric.claims.values() if claim.experiment == experiment)
        made.append(cells.judged(claims_id(experiment), f'check_runs("{experiment}")', points_of(points)))
    return cells.notebook(made)


def experiments(rubric: Rubric) -> list[str]:
    """Return the experiments that claims are made on."""
    return list(dict.fromkeys(claim.experiment for claim in rubric.claims.values()))


def _first(kit_url: str, names: str) -> Any:
    """Make the first cell, which finds the kit."""
    code = FIRST.read_text(encoding="utf-8").replace('KIT_URL = ""', f"KIT_URL = {kit_url!r}")
    return cells.given("kit", f"{code}\nfrom grading.notebook import {names}")


def _texts(name: str, sources: Sequence[str]) -> Iterator[Any]:
    for number, source in enumerate(sources, 1):
        yield cells.text(f"{name}-{number}", source)


def _part(part: Part, function: str, handout: Handout, rubric: Rubric) -> Iterator[Any]:
    if part.name in handout.above:
        yield cells.text(f"{solution_id(part.name)}-handout", handout.above[part.name])
    worth, about = rubric.parts[part.name], handout.about.get(part.name, "")
    title = f"### `{part.name.split('.')[1]}`" + (f": {about}" if about else "")
    told = f"Problem {worth.problem}, {worth.total:g} points, about {worth.minutes} minutes."
    yield cells.text(f"{solution_id(part.name)}-part", f"{title}\n\n{told}")
    yield cells.solution(solution_id(part.name), function)
    yield cells.judged(check_id(part.name), f'check("{part.name}")', points_of(worth.total))


def _trainings(topic: str, rubric: Rubric) -> Iterator[Any]:
    """Make a cell for each experiment of a topic, and one for the report; each runs without its first sign."""
    yield cells.text("training", TRAINING)
    for experiment in experiments(rubric):
        if TOPIC_OF[experiment] == topic:
            yield cells.code(f"train-{experiment}", f'# train("{experiment}")')
    yield cells.code("measure", "# report()")


def _question(name: str, question: QuestionRubric, rubric: Rubric) -> Iterator[Any]:
    """Make the cells of a question; in the course's own copy the criteria stand where the students' words go."""
    criteria = "\n".join(f"- ({each.points:g} points) {each.text}" for each in question.criteria)
    asked = section_text(name, rubric).replace(PLACEHOLDER, "\n".join([cells.BEGIN, criteria, cells.END]), 1)
    source = f"## {name} {question.title}\n\n{asked.strip()}"
    yield cells.words(question_id(name), source, points_of(question.points))
    if question.answers:
        points = points_of(sum(answer.points for answer in question.answers.values()))
        yield cells.judged(answers_id(name), f'check_answers("{name}")', points)
