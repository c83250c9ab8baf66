"""A student's own report.md, as the report page shows it: sections, answers beside what was measured, pictures."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from msgspec.structs import replace

from grading.claims import Claim
from grading.intake.encodings import as_utf8
from grading.pack.report import answered
from grading.pages.pictures import LARGEST, MOST
from grading.pages.words import pictures
from grading.records import AnswerRecord, RunRecord
from grading.rubric import QuestionRubric, Rubric
from grading.written import answer_records, is_template, sections

FILE = "report.md"
LONGEST = 500_000  # bytes
HEADING = re.compile(
    r"^ {0,3}#{1,6}[ \t]*[*_]{0,3}(?:question[ \t]+)?(\d{1,2}\.\d{1,2})(?!\w|\.\d)(.*)$", re.IGNORECASE | re.MULTILINE
)


class ReportError(Exception):
    """A report that cannot be read or written; the text says why."""


@dataclass(frozen=True)
class Written:
    """One section. answers: beside what was measured. problems: what it lacks. notes: what in it was read otherwise."""

    question: str
    title: str
    words: str
    answers: tuple[AnswerRecord, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read(
    directory: Path, rubric: Rubric, measured: Mapping[str, Sequence[Claim]]
) -> tuple[list[Written], dict[str, bytes]]:
    """Read the report of an implementation, and the pictures that it shows; nothing where it is absent or untouched.

    A student's rubric may have no questions: the report's headings tell them then, and its fields stay in the words.

    Args:
        directory: of the implementation.
        rubric: with the questions, or without.
        measured: the claims of the runs that are reported with it, by run.

    Raises:
        ReportError: the report cannot be read.
    """
    text = _text(directory / FILE)
    if not text or is_template(text):
        return [], {}
    known = rubric if rubric.questions else replace(rubric, questions=_asked(text))
    found = sections(text, known)
    runs = [RunRecord(name, list(claims)) for name, claims in measured.items()]
    beside: dict[str, list[AnswerRecord]] = defaultdict(list)
    for answer in answer_records(found, runs, known):
        beside[answer.question].append(answer)
    scanned = {each.question: each for each in answered(text, rubric) if each.question in found}
    written = [
        Written(
            name,
            known.questions[name].title,
            own.words,
            tuple(beside[name]),
            tuple(scanned[name].problems),
            tuple(scanned[name].notes),
        )
        for name, own in found.items()
    ]
    return written, _figures(directory, [path for section in written for path in pictures(section.words)])


def _text(file: Path) -> str:
    if not file.is_file():
        return ""
    try:
        content = file.read_bytes() if file.stat().st_size <= LONGEST else None
    except OSError as error:
        raise ReportError(f"{file} cannot be read: {error.strerror}. Make it readable for you.") from error
    if content is None:
        raise ReportError(f"{file} has more than {LONGEST:,} bytes, the most that is read: shorten it.")
    return as_utf8(content)[0].decode(errors="replace").replace("\r\n", "\n")


def _asked(text: str) -> dict[str, QuestionRubric]:
    """Return a question for each heading that begins with a number."""
    return {
        match[1]: QuestionRubric("vae", match[2].strip(" \t#") or "Question", "as the report has it", [])
        for match in HEADING.finditer(text)
    }


def _figures(directory: Path, paths: Sequence[str]) -> dict[str, bytes]:
    """Read pictures by their paths from the report, inside of the folder that the implementation is in."""
    figures: dict[str, bytes] = {}
    root = directory.resolve().parent
    for path in paths[:MOST]:
        try:
            file = (directory / unquote(path)).resolve()
            if file.is_relative_to(root) and file.is_file() and file.stat().st_size <= LARGEST:
                figures[unquote(path)] = file.read_bytes()
        except (OSError, ValueError):  # a name that no file can have
            continue
    return figures
