"""Subcommands that judge: check, list, hint, watch."""

import contextlib
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

    Known = dict[str, PartVerdict]

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
        known: dict[str, PartVerdict] = {}
        for part in parts:
            verdict = check_part(part, judge, worker, known, console, verbose)
            if show:
                _show_picture(part, verdict, worker, console, alone=len(parts) == 1)
    from grading.own_files import told
    from grading.terminal import show_summary

    verdicts = [known[part.name] for part in parts]
    show_summary(console, verdicts)
    notes = told(parts, worker.directory)
    facts = {"implementation": implementation, "profile": profile, "seed": seed, "parts": verdicts, "notes": notes}
    write_json(json, facts)
    raise typer.Exit(any(v.outcome != "right" for v in verdicts))


def check_part(
    part: "Part", judge: "Judge", worker: "Worker", known: "Known", console: "Console", verbose: bool = False
) -> "PartVerdict":
    """Judge a part and print what it is; known: verdicts so far, also of parts that others call, to be added to."""
    from grading.own_files import told
    from grading.terminal import show_part

    verdict, first = _judge(part, judge, worker, known)
    note = "".join(told([part], worker.directory))
    show_part(console, verdict, part.path_in(worker.directory), first=first, note=note, verbose=verbose)
    return verdict


def _judge(part: "Part", judge: "Judge", worker: "Worker", known: "Known") -> "tuple[PartVerdict, str]":
    """Judge a part, unless its verdict is known; name its mistake if it is wrong, or what is to be mended first."""
    from grading import resting
    from grading.judge import PartVerdict

    def judged(part: "Part") -> "PartVerdict":
        if part.name not in known:
            known[part.name] = PartVerdict(part.name, list(judge.part(part, worker)), worker.take_output())
        return known[part.name]

    known[part.name], first = resting.named(part, judged(part), worker, lambda other: judged(other).outcome)
    return known[part.name], first


def _show_picture(part: "Part", verdict: "PartVerdict", worker: "Worker", console: "Console", alone: bool) -> None:
    """Draw a part that is wrong, and tell where; that there is no picture only where none but this was asked for."""
    picture = _draw(part, worker) if verdict.outcome == "wrong" else None
    if picture is None:
        _remove_stale(PICTURES / f"{part.name}.png")
    if picture or (alone and verdict.outcome == "wrong"):
        told = f"picture: {picture}" if picture else f"no picture is made of {part.name}"
        console.print(f"  {told}", soft_wrap=True, markup=False)


def _draw(part: "Part", worker: "Worker") -> Path | None:
    from grading.pictures import draw

    try:
        picture = draw(part, worker, PICTURES)
    except OSError as error:
        raise Refusal(f"--show: {PICTURES}/ cannot be written: {error.strerror}") from error
    worker.take_output()  # what it printed for the picture is not the next part's
    return picture


def _remove_stale(picture: Path) -> None:
    """Remove a picture of an earlier time, which would show what is not so any more."""
    with contextlib.suppress(OSError):  # that it stays costs nothing that was asked for
        if picture.is_file() and not picture.is_symlink():
            picture.unlink()


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
    from grading.own_files import told
    from grading.progress import show_listing
    from grading.terminal import show_note

    show_listing(console, rows, rubric.policy)
    for note in told(parts, worker.directory):
        show_note(console, note)
    write_json(json, rows)


@app.command()
def hint(
    part: Annotated[str, typer.Argument(help="A part, such as vae.log_mean_exp.")] = "",
    implementation: Which = "exercises",
) -> None:
    """Give the next of a part's hints, from nudge to nearly there; the last one follows a known mistake.

    Example: [bold]elbo hint vae.log_mean_exp[/]
    """
    if not part:
        raise Refusal("of which part? As in elbo hint vae.log_mean_exp; `elbo list` names them all.")
    with start_worker(implementation) as worker:
        rubric, (wanted, *others) = select_parts([part])
        if others:
            raise Refusal(f"{part} is a topic; hints belong to a part, such as {wanted.name}")
        judge = make_judge("student", 0)
        from grading.hints import next_hint

        number, text = next_hint(rubric, part, lambda: _judge(wanted, judge, worker, {})[0].diagnosis)
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
