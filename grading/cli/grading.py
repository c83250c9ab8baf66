"""The subcommand that grades submissions."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shared import Data, Json, Refusal, make_console, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from grading.gradebook import Gradebook
    from grading.grader import Order
    from grading.intake import Source
    from grading.records import Record

app = typer.Typer()

Submissions = Annotated[
    list[Path], typer.Argument(help="Directories, archives, notebooks, or the folder of a class.", metavar="SUBMISSION")
]
Isolation = Annotated[
    str, typer.Option(metavar="required|available", help="Whether to refuse to grade with less than the rubric names.")
]
SEEDS = 1 << 48


@app.command()
def grade(
    submissions: Submissions,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="For records, feedback and the table.")],
    only: Annotated[
        list[str] | None, typer.Option(metavar="PART|TOPIC", help="Grade these alone, and no runs.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="What inputs are drawn from, a secret; a new one if not given.")
    ] = None,
    inputs: Annotated[int | None, typer.Option(min=1, help="For each property, in place of the rubric's.")] = None,
    budget: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="For the parts of a submission, likewise.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that judge.")] = os.cpu_count() or 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the grading in --out.")] = False,
    isolation: Isolation = "available",
    runs: Annotated[bool, typer.Option("--runs/--no-runs", help="Measure submitted runs again.")] = True,
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="Of a Dask cluster to grade on.")] = "",
    data: Data = None,
    json: Json = "",
) -> None:
    """Grade submissions in processes that can do no harm; status 1 where one could not be graded.

    Example: [bold]elbo grade handed-in/ --out graded[/]
    """
    console = make_console(json)
    from grading import rubric
    from grading.gradebook import Gradebook, circumstances_in
    from grading.grader import Order, circumstances_of
    from grading.intake import find

    if isolation not in ("required", "available"):
        raise Refusal(f"--isolation {isolation}: expected required or available")
    if seed is None:
        before = circumstances_in(out) if resume else None
        seed = secrets.randbelow(SEEDS) if before is None else before.grading_seed
    required = tuple(rubric.load().grading.isolation) if isolation == "required" else ()
    parts = tuple(name.strip() for names in only or () for name in names.split(",") if name.strip())
    order = Order(seed, parts, inputs, budget, str(data or ""), runs, required)
    sources = find(submissions)
    _expect_outside(out, submissions)
    if resume and circumstances_in(out) is None:
        console.print(f"{out} holds no grading to go on with: this is a new one", soft_wrap=True, markup=False)
    book = Gradebook(out, circumstances_of(order), resume)
    waiting = [source for source in sources if not book.has(source)] if resume else sources
    if len(waiting) < len(sources):
        console.print(
            f"{len(sources) - len(waiting)} of {len(sources)} were graded before, and are kept", soft_wrap=True
        )
    for record in _graded(waiting, order, jobs, scheduler, out, console):
        book.keep(record)
    raise typer.Exit(_tell(book, sources, console, json))


def _expect_outside(out: Path, submissions: list[Path]) -> None:
    """Refuse to write among what was handed in, where the next grading would take it for more of that."""
    for path in submissions:
        if path.is_dir() and out.resolve().is_relative_to(path.resolve()):
            raise Refusal(f"--out {out}: it is in {path}, with what was handed in; give a directory beside that")


def _graded(
    sources: "list[Source]", order: "Order", jobs: int, scheduler: str, out: Path, console: "Console"
) -> "Iterator[Record]":
    """Grade, with a bar on a terminal; what Ctrl-C leaves is told of.

    Raises:
        Refusal: it was stopped.
    """
    from rich.progress import Progress

    from grading import batch

    if not sources:
        return
    records = (
        batch.grade_on_cluster(sources, order, scheduler) if scheduler else batch.grade_here(sources, order, jobs, out)
    )
    done = 0
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task("drawing inputs", total=len(sources))
            for record in records:
                yield record
                done += 1
                progress.update(bar, advance=1, description="grading")
                if not console.is_terminal:
                    points = f"{record.points:g} of {record.possible:g}" if record.outcome == "graded" else "refused"
                    console.print(
                        f"{done} of {len(sources)}: {record.submission}: {points}", markup=False, soft_wrap=True
                    )
    except KeyboardInterrupt as error:
        raise Refusal(f"stopped; {done} of {len(sources)} were graded and are kept. Go on with --resume.") from error


def _tell(book: "Gradebook", sources: "list[Source]", console: "Console", json: str) -> int:
    """Write the table, show it, and return the exit status."""
    from grading import rubric
    from grading.records import Summary, summary
    from grading.terminal import show_class

    table = book.write_table()
    names, wanted = {source.name for source in sources}, rubric.load().grading.isolation
    rows: list[Summary] = []
    missing: set[str] = set()
    others = 0
    for record in book.records():
        others += record.submission not in names
        if record.submission in names:
            rows.append(summary(record))
            missing |= set(wanted) - set(record.isolation) if record.outcome == "graded" else set()
    show_class(console, rows)
    if others:
        console.print(
            f"{others} that were graded before are not among these, and keep their rows in the table", soft_wrap=True
        )
    if missing:
        console.print(
            f"[yellow]Of the layers of isolation that the rubric names, {', '.join(sorted(missing))} did not hold:[/] "
            "`elbo doctor` tells what each stops.",
            soft_wrap=True,
        )
    console.print(f"wrote {table}, and a record and feedback for each", soft_wrap=True, markup=False)
    write_json(json, rows)
    return int(any(row.outcome == "refused" for row in rows))
