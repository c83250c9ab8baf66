"""How far the report is: which sections have words, and which of their answers are filled in.

What a student is given may have a rubric without questions. The report itself tells then what it asks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

import msgspec

from grading.intake.limits import listed, shown
from grading.rubric import AnswerRubric, Criterion, QuestionRubric, Rubric
from grading.written.blocks import fences
from grading.written.sections import Section, sections
from grading.written.template import section_text

from .forms import FIELD, forms_in, reads_as

HEADING = re.compile(r" {0,3}#{1,6}[ \t]*[*_]{0,3}(?:question[ \t]+)?(\d{1,2}\.\d{1,2})(?!\w|\.\d)(.*)", re.IGNORECASE)

NOTHING = Section()
WORDS = [Criterion(1, "words")]


class Answered(msgspec.Struct, frozen=True):
    """How far a section is.

    words: their number. answers: those that are filled in. lacking: those that are not. unread: of those filled in, the
    form that one has to have to be read. notes: what else could not be read.
    """

    question: str
    words: int = 0
    answers: dict[str, float | str] = {}
    lacking: list[str] = []
    unread: dict[str, str] = {}
    notes: list[str] = []
    expects_words: bool = True

    @property
    def problems(self) -> Iterator[str]:
        """Tell what the section lacks."""
        if self.expects_words and not self.words:
            yield f"Question {self.question} has no words in the report."
        if self.lacking:
            yield f"Question {self.question} asks for what is not filled in: {listed(self.lacking)}."
        for name, form in self.unread.items():
            given = shown(self.answers[name])
            yield f"Question {self.question}: {name} = {given} cannot be read; expected {shown(form)}."


def answered(report: str, rubric: Rubric) -> list[Answered]:
    """Go through the questions of a rubric, or through those that the report asks where the rubric has none."""
    known = rubric if rubric.questions else msgspec.structs.replace(rubric, questions=_asked(report, rubric))
    found = sections(report, known)
    return [
        _answered(
            name, found.get(name, NOTHING), known, forms_in(section_text(name, rubric) if rubric.questions else report)
        )
        for name in known.questions
    ]


def _answered(name: str, section: Section, rubric: Rubric, forms: Mapping[str, str]) -> Answered:
    question = rubric.questions[name]
    return Answered(
        name,
        len(section.words.split()),
        section.answers,
        [answer for answer in question.answers if answer not in section.answers],
        {key: forms[key] for key, given in section.answers.items() if not reads_as(forms.get(key, ""), given)},
        [f"Question {name}: {note}." for note in section.notes],
        bool(question.points),
    )


def _asked(report: str, rubric: Rubric) -> dict[str, QuestionRubric]:
    """Return what a report asks: a question for each heading with a number, an answer for each field in TOML."""
    lines = report.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    code = fences(lines)
    hidden = {number for fence in code for number in range(fence.start, fence.end)}
    begun = {n: match for n, line in enumerate(lines) if n not in hidden and (match := HEADING.match(line))}
    fields: dict[str, dict[str, AnswerRubric]] = {match[1]: {} for match in begun.values()}
    # What an answer would be compared with plays no role here, but has to be something.
    answer = AnswerRubric("as the report has it", 1, cost=next(iter(rubric.parts)), growing=("d",))
    for fence in code:
        above = [match[1] for n, match in begun.items() if n < fence.start]
        if above and fence.kind == "toml":
            names = [found[1] for line in lines[fence.first : fence.last] if (found := FIELD.match(line))]
            fields[above[-1]] |= dict.fromkeys(names, answer)
    return {
        match[1]: QuestionRubric(
            "vae", "as the report has it", _quoted(lines[n + 1 :]), WORDS, answers=fields[match[1]]
        )
        for n, match in begun.items()
    }


def _quoted(lines: Sequence[str]) -> str:
    """Return the first quote below a heading, which is the question."""
    quotes = list(takewhile(lambda line: not line.strip() or line.lstrip().startswith(">"), lines))
    return "\n".join(line.lstrip()[1:] for line in quotes if line.strip()) or "nothing"
