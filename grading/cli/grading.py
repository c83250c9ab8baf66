"""The subcommand that grades submissions."""

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shared import Data, Json, Refusal, make_console

if TYPE_CHECKING:
    from rich.console import Console

    from grading.intake import Source
    from grading.rubric import Policy

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
    times: Annotated[Path | None, typer.Option(metavar="FILE", help="CSV of submission and time (ISO 8601).")] = None,
    regrade: Annotated[
        list[str] | None,
        typer.Option(metavar="PART|TOPIC", help="Judge these again for all that are graded; all else stays."),
    ] = None,
    view: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Also write gradescope, exercism, junit or lms.")
    ] = None,
    nbgrader: Annotated[
        Path | None, typer.Option(metavar="COURSE", help="Also write points and comments into nbgrader's gradebook.")
    ] = None,
    similar: Annotated[
        bool, typer.Option("--similar", help="Also list pairs of submissions whose code is alike.")
    ] = False,
    data: Data = None,
    json: Json = "",
) -> None:
    """Grade submissions in processes that can do no harm; status 1 where one could not be graded.

    Words are a person's to judge: points and comments go into manual.csv in --out, and --resume counts them, as it does
    a changed policy. In --times a time without a zone is in that of the rubric's due.

    Example: [bold]elbo grade handed-in/ --out graded[/]
    """
    console = make_console(json)
    from grading import policies, regrading, rubric
    from grading.gradebook import Gradebook, circumstances_in, graded_in
    from grading.grader import Order, circumstances_of
    from grading.intake import find
    from grading.intake.finding import doubtful
    from grading.intake.returning import keep_names, numbered

    from . import afterwards, grading_class

    _expect_known(isolation, view or [])
    before = circumstances_in(out) if resume or regrade else None
    if before is None and regrade:
        raise Refusal(f"--regrade: {out} holds no grading; grade into it first")
    if seed is None:
        seed = secrets.randbelow(SEEDS) if before is None else before.grading_seed
    loaded = rubric.load()
    required = tuple(loaded.grading.isolation) if isolation == "required" else ()
    parts = _named(only)
    order = Order(seed, parts, inputs, budget, str(data or ""), runs, required)
    graded = {} if before is None else graded_in(out)
    sources = keep_names(find(submissions), graded)
    _expect_outside(out, submissions)
    known = _handed_in(times, sources, loaded.policy, console)
    circumstances, asked = circumstances_of(order), policies.asked_for(loaded, bool(parts), runs)
    again = regrading.parts_of(_named(regrade), circumstances.parts, loaded) if regrade else ()
    book = Gradebook(out, circumstances, bool(resume or regrade), asked, bool(regrade))
    if nbgrader:
        book.add_given(afterwards.given_in_formgrader(nbgrader, sources, loaded))
    for sentence in [*doubtful(submissions), *numbered(sources, graded)]:
        console.print(sentence, soft_wrap=True, markup=False)
    if before is None and resume:
        console.print(f"{out} holds no grading to go on with: this is a new one", soft_wrap=True, markup=False)
    work = grading_class.Work(book, sources, order, jobs, scheduler, known, console)
    if again:
        grading_class.judge_again(work, again)
    else:
        grading_class.grade_waiting(work, resume)
    everybody = book.settle_all(known, _students(times, sources, loaded.policy))
    raise typer.Exit(afterwards.write(work, everybody, similar, view or [], nbgrader, json))


def _named(options: list[str] | None) -> tuple[str, ...]:
    """Return the names that options give, each one or several with commas between them."""
    return tuple(name.strip() for names in options or () for name in names.split(",") if name.strip())


def _expect_known(isolation: str, views: list[str]) -> None:
    """Refuse a word that says nothing, before any work."""
    if isolation not in ("required", "available"):
        raise Refusal(f"--isolation {isolation}: expected required or available")
    if views:
        from grading.views import KINDS

        for kind in views:
            if kind not in KINDS:
                raise Refusal(f"--view {kind}: expected {', '.join(KINDS[:-1])} or {KINDS[-1]}")


def _handed_in(table: Path | None, sources: "list[Source]", policy: "Policy", console: "Console") -> dict[str, str]:
    """Return when submissions were handed in, of those for which it is known."""
    from grading import times
    from grading.intake.limits import listed

    given = times.read(table, policy) if table else {}
    if unknown := times.unknown(given, sources):
        told = f"--times {table}: no submission here is called {listed(unknown)}"
        console.print(told, soft_wrap=True, markup=False)
    found = {source.name: times.of(source, given) for source in sources}
    return {name: at for name, at in found.items() if at}


def _students(table: Path | None, sources: "list[Source]", policy: "Policy") -> dict[str, str]:
    """Return whose submissions are, where the table of times says so."""
    from grading import times

    given = times.students(table, policy) if table else {}
    return {source.name: who for source in sources if (who := times.said(given, source))}


def _expect_outside(out: Path, submissions: list[Path]) -> None:
    """Refuse to write among what was handed in, where the next grading would take it for more of that."""
    for path in submissions:
        if path.is_dir() and out.resolve().is_relative_to(path.resolve()):
            raise Refusal(f"--out {out}: it is in {path}, with what was handed in; give a directory beside that")
