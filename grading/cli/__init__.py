"""The command `elbo`: its subcommands, and how a request that cannot be carried out ends."""

import io
import os
import sys

import typer

from . import grading, judging, running, upkeep
from .shared import Refusal

app = typer.Typer(
    help="An exercise kit for deep generative models: fill in the stubs, check them, train with them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for module in (judging, running, grading, upkeep):
    app.registered_commands += module.app.registered_commands
app.add_typer(upkeep.release, name="release")


def main() -> None:
    """Run the command; a request that cannot be carried out ends with status 2 and one message."""
    # Threads that spin while they wait would starve the process beside this one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ shows a ? for it
    try:
        app()
    except Exception as error:
        if not _is_refusal(error):
            raise
        print(f"elbo: {error}", file=sys.stderr)
        sys.exit(2)


def _is_refusal(error: Exception) -> bool:
    """Whether an error is a request that cannot be carried out, rather than a defect of the kit."""
    from data import DataError
    from exercises.experiments.runs import RunError
    from grading.batch import BatchError
    from grading.engine.implementation import ImplementationNotFound
    from grading.gradebook import GradebookError
    from grading.grader import IsolationError
    from grading.intake import IntakeError
    from grading.release import ReleaseError
    from grading.report import ReportError
    from grading.rubric import RubricError
    from grading.selection import UnknownPart

    asked = (ImplementationNotFound, Refusal, RubricError, UnknownPart)
    written = (DataError, ReleaseError, ReportError, RunError)
    graded = (BatchError, GradebookError, IntakeError, IsolationError)
    return isinstance(error, (*asked, *written, *graded))
