"""Subcommands that judge: check, list, hint, watch."""

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


@app.command()
def check(
    names: Names = None,
    implementation: Which = "exercises",
    profile: ProfileName = "student",
    seed: Seed = 0,
    json: Json = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also show tracebacks.")] = False,
) -> None:
    """Judge parts; status 1 unless all are right.

    Example: [bold]elbo check vae.log_mean_exp[/]
    """
    console = make_console(json)
    with start_worker(implementation) as worker:
        _, parts = select_parts(names)
        judge = make_judge(profile, seed)
        verdicts = [_check_part(part, judge, worker, console, verbose) for part in parts]
    from grading.terminal import show_summary

    show_summary(console, verdicts)
    write_json(json, {"implementation": implementation, "profile": profile, "seed": seed, "parts": verdicts})
    raise typer.Exit(any(v.outcome != "right" for v in verdicts))


def _check_part(part: "Part", judge: "Judge", worker: "Worker", console: "Console", verbose: bool) -> "PartVerdict":
    from grading.judge import PartVerdict
    from grading.terminal import show_part

    verdict = PartVerdict(part.name, list(judge.part(part, worker)), worker.take_output())
    show_part(console, verdict, part.path_in(worker.directory), verbose=verbose)
    return verdict


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
    from grading.terminal import show_listing

    show_listing(console, rows)
    write_json(json, rows)


@app.command()
def hint(part: Annotated[str, typer.Argument(help="A part, such as vae.log_mean_exp.")]) -> None:
    """Give the next of a part's hints, from nudge to nearly there.

    Example: [bold]elbo hint vae.log_mean_exp[/]
    """
    from grading.hints import next_hint

    rubric, parts = select_parts([part])
    if parts[0].name != part:
        raise Refusal(f"{part} is a topic; hints belong to a part, such as {parts[0].name}")
    number, text = next_hint(rubric, part)
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
