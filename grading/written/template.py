"""The text of exercises/report.md: for each question what it asks, room for words, and the answers to fill in."""

import hashlib
import json
import re
import textwrap
from collections.abc import Iterator
from itertools import groupby

from exercises.experiments.dirac.outcomes import WORDS
from grading.rubric import AnswerRubric, QuestionRubric, Rubric

PLACEHOLDER = "Write here."
WIDTH = 116
HEAD = """\
# Report

Name:
Number:

<!-- One section for each question; it is found by the number in its heading. Write your words below what is asked, put
pictures in by their path, as in ![learning curve](../runs/vae-1/figures/learning_curve.png), and fill in the answers
between the quotes: a machine reads those. Formulas go between dollar signs. Comments like this one do not count.
Pictures are PNG, JPEG or GIF, at most 24 and of at most 1 MB each; a path with spaces goes between < and >. -->
"""
EMPTY = re.compile(r"<!-- As handed out: ([0-9a-f]{16}) -->\n?\Z")


def template(rubric: Rubric) -> str:
    """Return the text of exercises/report.md.

    Its last line is a digest of all others, by which it is known as long as nobody has written in it.
    """
    parts = [
        f"## {name} {question.title}\n\n{section_text(name, rubric)}" for name, question in rubric.questions.items()
    ]
    text = "\n".join([HEAD, *parts, ""])
    return f"{text}<!-- As handed out: {_digest(text)} -->\n"


def is_template(text: str) -> bool:
    """Tell whether a report is as some release has handed it out: nothing in it is a student's."""
    text = text.replace("\r\n", "\n")
    found = EMPTY.search(text)
    return found is not None and found[1] == _digest(text[: found.start()])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def section_text(name: str, rubric: Rubric) -> str:
    """Return the text of one section, below its heading."""
    question = rubric.questions[name]
    asked = "\n".join(f"> {line}" for line in textwrap.wrap(question.asks, WIDTH))
    figures = [f"<!-- figure: {figure} -->" for figure in question.figures]
    blocks = [asked, *(["\n".join(figures)] if figures else []), PLACEHOLDER]
    if question.answers:
        blocks.append("\n".join(["```toml", *_fields(question, rubric), "```"]))
    return "\n\n".join(blocks) + "\n"


def _fields(question: QuestionRubric, rubric: Rubric) -> Iterator[str]:
    """Yield a line for each answer, and above those of one form a line that tells the form."""
    for form, answers in groupby(question.answers.items(), lambda item: _form(item[1], rubric)):
        yield f"# {form}"
        for key, answer in answers:
            yield f'{_key(key)} = ""  # {" ".join(answer.sentence.split())}'


def _key(name: str) -> str:
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else json.dumps(name)


def _form(answer: AnswerRubric, rubric: Rubric) -> str:
    """Tell what an answer has to look like."""
    if answer.cost:
        names = " and ".join(answer.growing)
        return f"as a product of powers of {names}, between the quotes: O(1), or for example O({answer.growing[0]}^4)"
    if not answer.claim:
        return "a word, between the quotes" if answer.tolerance is None else "a number, between the quotes"
    claim = rubric.claims[answer.claim]
    if not claim.equals:
        return "a number with two decimals, as your run's summary.json has it, between the quotes"
    if claim.experiment == "dirac":
        return f"one of {', '.join(WORDS)}, between the quotes"
    return "a word, between the quotes"
