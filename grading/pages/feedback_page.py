"""The page that a student is given of a record: points and how they come about, what does not hold, words."""

from collections.abc import Mapping

from grading.pages import layout
from grading.pages.pictures import Album
from grading.pages.told import selected
from grading.pages.words import html
from grading.records import Record
from grading.terminal import facts


def render(record: Record, figures: Mapping[str, bytes]) -> str:
    """Return the page as HTML; what only an instructor is told is not in it.

    Args:
        record: the graded submission, settled.
        figures: the pictures of its words, by the paths that these name them by.
    """
    album = Album(figures)
    values = {
        **selected(record),
        "words": {question.question: html(question.words, album) for question in record.questions},
        "facts": facts,
    }
    return layout.render("feedback.html.j2", values)
