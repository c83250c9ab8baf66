"""The command `elbo`: its subcommands, and how a request that cannot be carried out ends."""

import importlib
import importlib.util
import io
import os
import sys

import typer

# What a class is given has some of these files alone: a command is there where its file is.
COMMANDS = ("judging", "auditing", "running", "packing", "grading", "upkeep", "inspecting")
# The errors that are a request which cannot be carried out, rather than a defect of the kit, by the module of each.
REFUSALS = {
    "data": "DataError",
    "exercises.experiments.runs": "RunError",
    "grading.batch": "BatchError",
    "grading.cli.shared": "Refusal",
    "grading.engine.implementation": "ImplementationNotFound",
    "grading.gradebook": "GradebookError",
    "grading.grader": "IsolationError",
    "grading.intake": "IntakeError",
    "grading.manifest": "ManifestError",
    "grading.manual": "ManualError",
    "grading.nbgrader": "NbgraderError",
    "grading.pack": "PackError",
    "grading.regrading": "RegradingError",
    "grading.release": "ReleaseError",
    "grading.report": "ReportError",
    "grading.rubric": "RubricError",
    "grading.selection": "UnknownPart",
    "grading.similarity": "SimilarityError",
    "grading.times": "TimesError",
    "grading.views": "ViewError",
    "grading.written": "CostError",
}

app = typer.Typer(
    help="An exercise kit for deep generative models: fill in the stubs, check them, train with them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for _name in COMMANDS:
    if importlib.util.find_spec(f"{__name__}.{_name}"):
        _commands = importlib.import_module(f"{__name__}.{_name}").app
        app.registered_commands += _commands.registered_commands
        app.registered_groups += _commands.registered_groups


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
    """Whether an error is one of REFUSALS; of a module that was never loaded none can have come."""
    loaded = [getattr(sys.modules[module], name) for module, name in REFUSALS.items() if module in sys.modules]
    return isinstance(error, tuple(loaded))
