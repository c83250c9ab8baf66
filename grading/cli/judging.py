"""Subcommands that judge: check, list, hint, watch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shared import (
    Json,
    Names,
    ProfileName,
    Refusal,
    Seed,
    Which,
    make_console,
    make_judge,
    select_parts,
    start_worker,
    write_json,
)

if TYPE_CHECKING:
    from rich.console import Console

    from grading.engine.workers import Worker
    from grading.judge import Judge, PartVerdict
    from tests.support.properties import Part

app = typer.Typer()
PICTURES = Path("pictures")


@app.command()
def check(
    names: Names = None,
    implementation: Which = "exercises",
    profile: ProfileName = "student",
    seed: Seed = 0,
    json: Json = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also show tracebacks.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Draw wrong parts into pictures/ of this directory.")] = False,
) -> None:
    """Judge parts; status 1 unless all are right.

    Example: [bold]elbo check vae.log_mean_exp[/]
    """
    console = make_console(json)
    with start_worker(implementation) as worker:
        _, parts = select_parts(names)
        judge = make_judge(profile, seed)
        verdicts = []
        for part in parts:
            verdicts.append(_check_part(part, judge, worker, console, verbose))
            if show and verdicts[-1].outcome == "wrong":
                _draw(part, worker, console, alone=len(parts) == 1)
    from grading.terminal import show_summary

    show_summary(console, verdicts)
    write_json(json, {"implementation": implementation, "profile": profile, "seed": seed, "parts": verdicts})
    raise typer.Exit(any(v.outcome != "right" for v in verdicts))


def _check_part(part: "Part", judge: "Judge", worker: "Worker", console: "Console", verbose: bool) -> "PartVerdict":
    from grading.terminal import show_part

    verdict = _judge(part, judge, worker)
    show_part(console, verdict, part.path_in(worker.directory), verbose=verbose)
    return verdict


def _judge(part: "Part", judge: "Judge", worker: "Worker") -> "PartVerdict":
    """Judge a part, and name its mistake if it is wrong."""
    from grading.diagnosis import naming
    from grading.judge import PartVerdict

    verdict = PartVerdict(part.name, list(judge.part(part, worker)), worker.take_output())
    verdict = naming.diagnosed(part, verdict, worker)
    worker.take_output()  # what the probes made it print is not told
    return verdict


def _draw(part: "Part", worker: "Worker", console: "Console", alone: bool) -> None:
    """Draw a part that is wrong, and tell where; that there is no picture only where none but this was asked for."""
    from grading.pictures import draw

    try:
        picture = draw(part, worker, PICTURES)
    except OSError as error:
        raise Refusal(f"--show: {PICTURES}/ cannot be written: {error.strerror}") from error
    worker.take_output()  # what it printed for the picture is not the next part's
    if picture or alone:
        told = f"picture: {picture}" if picture else f"no picture is made of {part.name}"
        console.print(f"  {told}", soft_wrap=True, markup=False)


@app.command(name="list")
def list_parts(implementation: Which = "exercises", seed: Seed = 0, json: Json = "") -> None:
    """List every part with problem, points, minutes and its state in the implementation.

    Example: [bold]elbo list --json parts.json[/]
    """
    console = make_console(json)
    with start_worker(implementation) as worker:
        rubric, parts = select_parts([])
        judge = make_judge("student", seed)
        from grading.listing import listing

        rows = listing(parts, rubric, judge, worker)
    from grading.progress import show_listing

    show_listing(console, rows)
    write_json(json, rows)


@app.command()
def hint(
    part: Annotated[str, typer.Argument(help="A part, such as vae.log_mean_exp.")], implementation: Which = "exercises"
) -> None:
    """Give the next of a part's hints, from nudge to nearly there; the last one follows a known mistake.

    Example: [bold]elbo hint vae.log_mean_exp[/]
    """
    with start_worker(implementation) as worker:
        rubric, (wanted, *others) = select_parts([part])
        if others:
            raise Refusal(f"{part} is a topic; hints belong to a part, such as {wanted.name}")
        judge = make_judge("student", 0)
        from grading.hints import next_hint

        number, text = next_hint(rubric, part, lambda: _judge(wanted, judge, worker).diagnosis)
    console = make_console()
    console.print(f"[bold]Hint {number} of {len(rubric.parts[part].hints)}[/] for {part}")
    console.print(text, markup=False)


@app.command()
def watch(names: Names = None, implementation: Which = "exercises", seed: Seed = 0) -> None:
    """Judge again at every save, in a warm process; keys: h hint, n next part, q quit.

    Example: [bold]elbo watch vae[/]
    """
    with start_worker(implementation) as worker:
        rubric, parts = select_parts(names)
        judge = make_judge("student", seed)
        from grading.watch import Watch

        Watch(parts, rubric, judge, worker, make_console()).run()
