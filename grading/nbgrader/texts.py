"""What stands below a cell that was judged: the text that a terminal shows, without anything that would be more."""

import io
from collections.abc import Callable, Sequence

from rich.console import Console

from grading.judge import PartVerdict, Verdict
from grading.pages.told import told_diagnosis
from grading.records import AnswerRecord, PartRecord, PropertyRecord, RunRecord
from grading.terminal import harmless, show_claims, show_part
from grading.wording import TO_DO, Failure

WIDTH, LINES = 110, 400  # of a text below a cell
LONGEST = 100_000  # characters of one
OURS = "a property of the instructor's"


def part_text(part: PartRecord) -> str:
    """Return what a terminal shows of a part; of an instructor's property no more than that it does not hold."""
    secret = any(value.instructor_only for value in part.properties)
    printed = "" if secret else part.printed
    verdict = PartVerdict(part.part, [_told(v) for v in part.properties], printed, told_diagnosis(part))
    helped = [_told(value).property for value in part.properties if value.helpers == "reference"]

    def show(console: Console) -> None:
        console.print(f"{part.points:g} of {part.possible:g} points")
        if part.properties:
            show_part(console, verdict, part.file)
        if helped:
            told = f"  With right functions in place of those before it hold, and count: {', '.join(helped)}"
            console.print(told, soft_wrap=True, markup=False)

    return _written(show)


def _told(value: PropertyRecord) -> Verdict:
    """Return a property as a verdict, of which a secret is taken out."""
    name, aspect, sentence, failure = value.property, value.aspect, value.sentence, value.failure
    if value.outcome != "right":
        failure = failure or Failure(TO_DO if value.outcome == "todo" else "does not hold")
    if value.instructor_only:
        name, aspect, sentence = OURS, "not shown", "What it tries is not shown."
        failure = failure and Failure(TO_DO if value.outcome == "todo" else "does not hold")
    return Verdict(name, aspect, sentence, value.outcome, value.inputs, value.seconds, failure)


def runs_text(runs: Sequence[RunRecord]) -> str:
    """Return what a terminal shows of the runs of an experiment, and of those that nobody could measure."""

    def show(console: Console) -> None:
        if not runs:
            console.print("No run of it was handed in.")
        for run in runs:
            if run.reason:
                console.print(f"{run.run}: not measured: {harmless(run.reason)}", soft_wrap=True, markup=False)
            else:
                show_claims(console, run.run, run.claims)

    return _written(show)


def answers_text(answers: Sequence[AnswerRecord]) -> str:
    """Return the answers to one question, what they were set beside, and what came of it."""
    lines = []
    for answer in answers:
        values = {"given": answer.given, "measured": answer.measured}
        told = [f"{name} {_figure(value)}" for name, value in values.items() if value is not None]
        lines.append(f"{answer.outcome:10} {answer.answer}: {'; '.join([answer.sentence, *told])}")
        lines += [f"{'':10} {answer.message}"] if answer.message else []
    return bounded("\n".join(lines))


def _figure(value: float | str) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _written(show: Callable[[Console], None]) -> str:
    """Return what is printed to a console without colours."""
    file = io.StringIO()
    show(Console(file=file, width=WIDTH, no_color=True, force_terminal=False, highlight=False, emoji=False))
    return bounded(file.getvalue())


def bounded(text: str) -> str:
    """Return the beginning of a long text, without signs that a terminal would obey."""
    lines = harmless(text[:LONGEST]).splitlines()
    more = [f"... {len(lines) - LINES} lines more"] if len(lines) > LINES else []
    return "\n".join(line.rstrip() for line in [*lines[:LINES], *more]) + "\n"
