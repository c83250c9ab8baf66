"""What `elbo pack` prints: what is in the archive, what the grader sees in it, and what is missing."""

from rich.console import Console
from rich.markup import escape

from grading.intake.choosing import stub_files
from grading.intake.limits import listed, size
from grading.listing import possible
from grading.terminal import MARKS, harmless

from .inspection import Seen, SeenRun
from .report import Answered

FIGURES = 3  # of a run that are shown


def show(console: Console, seen: Seen, packed: int) -> None:
    """Print what the grader sees, line by line. packed: bytes of the archive."""
    lines = [("stub files", f"{len(seen.files)} of {len(stub_files())}")]
    if seen.parts:
        lines += [("parts", _parts(seen))]
    lines += [("run", _run(run)) for run in seen.runs]
    lines += [("report", _report(seen))]
    lines += [("archive", size(packed))]
    for name, told in lines:
        console.print(f"[dim]{name:<10}[/]  {escape(harmless(told))}", soft_wrap=True)
    for note in seen.notes:
        console.print(f"[dim]note[/]        {escape(harmless(note))}", soft_wrap=True)
    if seen.problems:
        console.print("\nmissing or wrong:")
    for problem in seen.problems:
        console.print(f"  {MARKS['wrong']} {escape(harmless(problem))}", soft_wrap=True)
    console.print()


def _parts(seen: Seen) -> str:
    told = []
    for state in ("right", "wrong", "todo"):
        names = [row.part for row in seen.parts if row.state == state]
        if names:
            told.append(f"{len(names)} {state}" + (f" ({listed(names)})" if state != "right" else ""))
    earned = sum(row.earned for row in seen.parts)
    return f"{', '.join(told)}: {earned:g} of {possible(seen.parts):g} points"


def _run(run: SeenRun) -> str:
    figures = [
        f"{name} = {f'{value:.4g}' if isinstance(value, float) else value}" for name, value in run.reports.items()
    ]
    told = listed(figures, FIGURES) or "reports no figure that has a threshold"
    return f"{run.run}, {run.experiment} on {run.data}: {told}"


def _report(seen: Seen) -> str:
    told = "; ".join(f"{section.question}: {_section(section)}" for section in seen.sections)
    return told or "no section with the number of a question"


def _section(section: Answered) -> str:
    told = f"{section.words} word{'s' * (section.words != 1)}"
    asked = len(section.answers) + len(section.lacking)
    return f"{told}, {len(section.answers) - len(section.unread)} of {asked} answers" if asked else told
