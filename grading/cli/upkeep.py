"""Subcommands of the house: doctor and release."""

from pathlib import Path
from typing import Annotated

import typer

from .shared import Data, Json, make_console, write_json

app = typer.Typer()


@app.command()
def doctor(data: Data = None, json: Json = "") -> None:
    """Tell versions, device, data found and process separation, and what each absence costs.

    Example: [bold]elbo doctor[/]
    """
    from grading.doctor import findings
    from grading.terminal import show_findings

    console = make_console(json)
    found = list(findings(data))
    show_findings(console, found)
    write_json(json, found)


release = typer.Typer(help="Write what an instructor gives out.", no_args_is_help=True)


@release.command()
def exercises(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; exercises/ if not given.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; status 1 if anything would change.")] = False,
) -> None:
    """Generate the stubs from the solutions.

    Example: [bold]elbo release exercises --check[/]
    """
    from grading.engine.implementation import ROOT
    from grading.release import differences, write_exercises

    directory = out or ROOT / "exercises"
    if not check:
        written = write_exercises(directory)
        print("\n".join(f"wrote {path}" for path in written) or "every stub is up to date")
        return
    found = differences(directory)
    print("\n".join(found) or "every stub is what the solutions give")
    raise typer.Exit(bool(found))
