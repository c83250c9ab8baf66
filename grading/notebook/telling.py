"""What stands below a cell: plain text, and at its end a number, which says what it is."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from grading.terminal import harmless, show_claims, show_part

from .points import points_of
from .words import in_notebook

if TYPE_CHECKING:
    from grading.claims import Claim
    from grading.pack.report import Answered
    from grading.records import AnswerRecord, RunRecord

    from .checking import Judged

WIDTH = 100  # a cell's output has none of its own


class Told:
    """What a cell tells, kept until it is whole: a notebook keeps each piece that is printed apart."""

    def __init__(self) -> None:
        """Make a console for plain text, also where rich would write HTML."""
        self._text = io.StringIO()
        self.console = Console(
            file=self._text, force_terminal=False, force_jupyter=False, color_system=None, width=WIDTH, highlight=False
        )

    def say(self, sentence: str) -> None:
        """Tell a line, of signs that are harmless."""
        self.console.print(harmless(in_notebook(sentence)), soft_wrap=True, markup=False)

    def points(self, earned: float, possible: float) -> float:
        """Print all that was told, say what the number below it is, and return that."""
        self.say(f"{earned:g} of {possible:g} points. The number below is for nbgrader:")
        self._print()
        return points_of(earned)

    def nothing(self, sentence: str) -> float:
        """Print why there are no points."""
        self.say(sentence)
        self._print()
        return 0.0

    def _print(self) -> None:
        print("\n".join(line.rstrip() for line in self._text.getvalue().splitlines()))


def tell_part(told: Told, judged: "Judged") -> None:
    """Tell what `elbo check` tells of a part, and what holds with right helpers."""
    show_part(told.console, judged.told, "this notebook", first=judged.first, note=judged.note)
    if judged.helped:
        told.say(f"  With right functions in place of those before it hold, and count: {', '.join(judged.helped)}")


def tell_answers(told: Told, found: "Sequence[AnswerRecord]") -> None:
    """Tell what was read of each answer, and what it was set beside."""
    for each in found:
        given = "" if each.given is None else f", answered {each.given}"
        told.say(f"{each.outcome}: {each.answer}{given}" + (f"; {each.message}" if each.message else ""))


def tell_forms(told: Told, section: "Answered") -> None:
    """Tell what could be read of each answer, and never what is right."""
    for name, given in section.answers.items():
        form = section.unread.get(name)
        told.say(f"read: {name}, {given}" if form is None else f"cannot be read: {name}, {given}; expected {form}")
    for name in section.lacking:
        told.say(f"not filled in: {name}")
    for note in section.notes:
        told.say(note)


def tell_runs(told: Told, experiment: str, found: "Sequence[RunRecord]") -> None:
    """Tell the claims of each run."""
    if not found:
        told.say(f"There is no run of {experiment} in runs/.")
    for run in found:
        if run.reason:
            told.say(f"{run.run}: {run.reason}")
        else:
            show_claims(told.console, run.run, [_as_here(claim) for claim in run.claims])


def _as_here(claim: "Claim") -> "Claim":
    return msgspec.structs.replace(claim, message=in_notebook(claim.message))
