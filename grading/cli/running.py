"""Subcommands about runs: train and report."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shared import Data, Json, Which, expect_place, make_console, make_judge, select_parts, start_worker, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from exercises.experiments.runs import Run
    from grading.claims import Claim
    from grading.measuring import Repeat
    from grading.rubric import Rubric

    Measured = list[tuple[Run, list[Claim]]]

app = typer.Typer()
CLASSES = (
    "The classes of the Dirac GAN have no threshold here: the grader repeats your run, and your instructor's rubric "
    "says which are right."
)


@app.command()
def train(
    experiment: Annotated[str, typer.Argument(help="vae, dirac, flows or cifar10.")],
    implementation: Which = "exercises",
    preset: Annotated[str, typer.Option("--preset", help="quick or paper; for flows also best.")] = "quick",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a setting.")
    ] = None,
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The run; the next runs/EXPERIMENT-N if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of weights, order and noise.")] = None,
) -> None:
    """Run an experiment on an implementation's functions, and leave a run directory.

    Example: [bold]elbo train flows --set target=arcs --set mode=samples --set k=8[/], or
    [bold]elbo train cifar10 --set config=cifar10-w1-3[/]. An unknown field is answered with all.
    """
    from grading.training import train as run_experiment

    chosen = [*(settings or []), *([f"seed={seed}"] if seed is not None else [])]
    run = run_experiment(experiment, implementation, preset, chosen, data, out, resume, device)
    from grading.terminal import show_run

    console = make_console()
    show_run(console, run)
    where = f"the figures are in {run.path / 'figures'}"
    console.print(f"{where}; `elbo report {run.path}` measures the run again", soft_wrap=True, markup=False)


@app.command()
def report(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run directories, all in runs/ by default.", metavar="RUN")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page.")] = Path("report.html"),
    implementation: Which = "exercises",
    data: Data = None,
    json: Json = "",
) -> None:
    """Measure runs again and write one self-contained page; status 1 where a claim is not reached, or no run is there.

    Example: [bold]elbo report runs/vae-1 --out report.html[/]
    """
    console = make_console(json)
    expect_place("--out", out)
    with start_worker(implementation) as worker:
        rubric, parts = select_parts([])
        judge = make_judge("student", 0)
        from grading.handed_in import RUNS, finished_runs
        from grading.listing import listing

        found = finished_runs(runs) if runs or any(RUNS.glob("*/summary.json")) else []  # before any time is spent
        _now("judging the parts ...")
        rows = listing(parts, rubric, judge, worker)
    from grading.pages.own_report import read
    from grading.repeating import repeated
    from grading.report import write
    from grading.trained_with import changed_since

    measured = _measured(console, found, rubric, data, partial(repeated, worker.directory))
    by_run = {str(run.path): claims for run, claims in measured}
    written, figures = read(worker.directory, rubric, by_run)
    if not found and not written and all(row.state == "todo" for row in rows):
        finished_runs(runs)  # refuses: there is nothing to report at all
    write(out, measured, rows, written, figures)
    if not found:
        told = f"there is no finished run in {RUNS}/. `elbo train vae` makes one; the page has your parts and answers"
        console.print(told, soft_wrap=True, markup=False)
    console.print(f"wrote {out}", soft_wrap=True, markup=False)
    changed = {str(run.path): told for run in found if (told := changed_since(run))}
    write_json(json, {"runs": by_run, "changed": changed, "parts": rows, "written": written})
    raise typer.Exit(not found or any(c.outcome != "reached" for _, claims in measured for c in claims))


def _measured(
    console: "Console", found: "Sequence[Run]", rubric: "Rubric", data: Path | None, again: "Repeat"
) -> "Measured":
    """Measure runs, one after another, and show what was found of each, and with whose functions."""
    from grading.claims import measure_claims
    from grading.measuring import is_reference_here, measured_with
    from grading.terminal import harmless, show_claims
    from grading.trained_with import changed_since

    measured = []
    for run in found:
        _now(f"measuring {harmless(str(run.path))} ...")
        claims = list(measure_claims(run, rubric, data, again))
        show_claims(console, str(run.path), claims)
        if told := changed_since(run):
            console.print(f"  {harmless(told)}", soft_wrap=True, markup=False)
        measured.append((run, claims))
    if found and not is_reference_here():
        console.print(f"Measured with {measured_with()}.", soft_wrap=True)
        if any(run.config["experiment"] == "dirac" for run in found):
            console.print(CLASSES, soft_wrap=True)
    return measured


def _now(told: str) -> None:
    """Tell on standard error what takes its time now, as the progress of a training is told."""
    print(told, file=sys.stderr, flush=True)
