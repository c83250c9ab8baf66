"""The sections of a report, found by the numbers in their headings, whatever an editor has made of the template."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from grading.notes import OF_SECTION, bounded
from grading.rubric import QuestionRubric, Rubric

from .blocks import Fence, fences, without_comments
from .fields import Answer, loose_answers, read_answers
from .template import PLACEHOLDER

LONGEST = 20_000  # signs of the words to one question
ASKS = (  # what a question is called in the languages of those who write reports; "Figure 1.1" is none
    *(
        "question",
        "problem",
        "task",
        "exercise",
        "answer",
        "frage",
        "aufgabe",
        "antwort",
        "übung",
        "problème",
        "exercice",
    ),
    *(
        "réponse",
        "pregunta",
        "problema",
        "ejercicio",
        "domanda",
        "esercizio",
        "questão",
        "exercício",
        "vraag",
        "opgave",
    ),
    *(
        "fråga",
        "uppgift",
        "spørgsmål",
        "oppgave",
        "pytanie",
        "zadanie",
        "úloha",
        "вопрос",
        "задача",
        "问题",
        "问",
        "题",
    ),
)
BEFORE = rf"(?:(?:{'|'.join(ASKS)}|q)\.?[ \t]{{0,3}})?"
AFTER = r"(?![A-Za-z0-9]|\.\d)"  # so that 3.2.1 is none of 3.2, and 3.20 neither
ANY_HEADING = re.compile(r" {0,3}#{1,6}(?=[ \t]|$)")


class Section(msgspec.Struct, frozen=True):
    """What stands below the heading of one question.

    words: the student's Markdown, without what the template has. answers: what a machine reads, by name, without those
    that are empty. notes: sentences on what could not be read.
    """

    words: str = ""
    answers: dict[str, Answer] = {}
    notes: tuple[str, ...] = ()


def sections(text: str, rubric: Rubric) -> dict[str, Section]:
    """Return the sections that a report has, by question; what stands in several sections of one number is joined.

    Args:
        text: the Markdown of anybody, of which nothing is believed.
        rubric: the questions.
    """
    if not rubric.questions:
        return {}
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    code = {fence.start: fence for fence in fences(lines)}
    found: dict[str, Section] = {}
    notes: dict[str, list[str]] = {}
    for name, start, end in _ranges(lines, code.values(), _heading(rubric.questions)):
        inner = [code[number] for number in range(start, end) if number in code]
        section = _section(lines, start, end, inner, rubric.questions[name], rubric)
        found[name] = _joined(found[name], section) if name in found else section
        notes.setdefault(name, []).extend(section.notes)
    return {name: replace(each, notes=tuple(bounded(notes[name], OF_SECTION))) for name, each in found.items()}


def _heading(names: Mapping[str, QuestionRubric]) -> re.Pattern[str]:
    """Return what a line matches that begins the section of a question: a heading, a bold line, or 'Question 3.2:'."""
    number = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    marked = rf" {{0,3}}#{{1,6}}[ \t]*[*_]{{0,3}}[(§]?{BEFORE}(?P<a>{number}){AFTER}.*"
    bold = rf" {{0,3}}(?:\*\*|__){BEFORE}(?P<b>{number}){AFTER}.{{0,150}}(?:\*\*|__):?[ \t]*"
    plain = rf" {{0,3}}(?:{'|'.join(ASKS)})[ \t]{{1,3}}(?P<c>{number}){AFTER}(?:[.)]?[ \t]*|:.{{0,150}})"
    return re.compile(f"{marked}|{bold}|{plain}", re.IGNORECASE)


def _ranges(lines: Sequence[str], code: Iterable[Fence], heading: re.Pattern[str]) -> Iterator[tuple[str, int, int]]:
    """Yield each section's question, its first line below the heading, and the line that it ends before."""
    hidden = {number for fence in code for number in range(fence.start, fence.end)}
    begun: list[tuple[str, int]] = []
    for number, line in enumerate(lines):
        if number not in hidden and (match := heading.fullmatch(line)):
            begun.append((match["a"] or match["b"] or match["c"], number))
    for (name, number), (_, end) in pairwise([*begun, ("", len(lines))]):
        yield name, number + 1, end


def _section(
    lines: Sequence[str], start: int, end: int, code: Sequence[Fence], question: QuestionRubric, rubric: Rubric
) -> Section:
    answers: dict[str, Answer] = {}
    notes: list[str] = []
    taken: set[int] = set()
    for fence in code:
        if fence.may_hold_answers and fence.names(lines, question.answers):
            read, odd = read_answers(lines[fence.first : fence.last], fence.first + 1, question.answers)
            answers |= read
            notes += odd
            taken.update(range(fence.start, fence.end))
    rest = [lines[number] for number in range(start, end) if number not in taken]
    answers = loose_answers(rest, question.answers) | answers
    words = _words(rest, rubric)
    if len(words) > LONGEST:
        notes.append(f"of the words the first {LONGEST:,} of {len(words):,} signs are kept in the record")
    return Section(words[:LONGEST], answers, tuple(notes))


def _joined(first: Section, second: Section) -> Section:
    words = "\n\n".join(filter(None, [first.words, second.words]))
    return Section(words[:LONGEST], first.answers | second.answers)


def _words(lines: Sequence[str], rubric: Rubric) -> str:
    """Return what is the student's own: no comment, placeholder or quoted question, and no heading at the end."""
    kept = without_comments("\n".join(lines)).split("\n")
    kept = [line for line in _without_questions(kept, rubric) if line.strip().rstrip(".") != PLACEHOLDER.rstrip(".")]
    while kept and (not kept[-1].strip() or ANY_HEADING.match(kept[-1])):
        kept.pop()
    return "\n".join(kept).strip("\n")


def _without_questions(lines: Sequence[str], rubric: Rubric) -> Iterator[str]:
    """Leave out quotes of what is asked, however their lines are broken; other quotes are the student's."""
    asked = {" ".join(question.asks.split()) for question in rubric.questions.values()}
    quote: list[str] = []
    for line in [*lines, ""]:
        if line.lstrip().startswith(">"):
            quote.append(line)
            continue
        if quote and " ".join(" ".join(each.lstrip()[1:] for each in quote).split()) not in asked:
            yield from quote
        quote = []
        yield line
