"""The forms of answers, as the comment above them in the report says them; nothing here knows what is right."""

import re

from exercises.experiments.dirac.outcomes import WORDS
from grading.written.answering import SAME
from grading.written.blocks import fences
from grading.written.fields import Answer
from grading.written.numbers import number_in
from grading.written.orders import exponents_in

FIELD = re.compile(r"""[ \t]*["']?([A-Za-z0-9_.-]{1,100})["']?[ \t]*=""")
ORDER = re.compile(r"as a product of powers of (\w+(?: and \w+)*), between the quotes")
NUMBER, WORD = "a number ", f"one of {', '.join(WORDS)}"


def forms_in(text: str) -> dict[str, str]:
    """Return the form of each answer in the blocks of a text, "" for one that no comment stands above."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    forms: dict[str, str] = {}
    for fence in (fence for fence in fences(lines) if fence.may_hold_answers):
        form = ""
        for line in lines[fence.first : fence.last]:
            if line.lstrip().startswith("#"):
                form = line.strip("# \t")
            elif found := FIELD.match(line):
                forms[found[1]] = form
    return forms


def reads_as(form: str, given: Answer) -> bool:
    """Tell whether an answer can be read in a form; a form that nobody knows takes any.

    >>> reads_as("as a product of powers of d and k, between the quotes: O(1)", "O(d")
    False
    """
    if order := ORDER.match(form):
        return exponents_in(str(given), order[1].split(" and ")) is not None
    if form.startswith(NUMBER):
        return number_in(given) is not None
    return _word(str(given)) in WORDS if form.startswith(WORD) else True


def _word(text: str) -> str:
    plain = " ".join(text.casefold().replace("-", " ").replace("_", " ").strip(" .,;\"'").split())
    return SAME.get(plain, plain)
