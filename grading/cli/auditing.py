"""The subcommand that proves the properties, and the names that mistakes are given: audit."""

from typing import Annotated

import typer

from .shared import Json, Names, Seed, make_console, select_parts, write_json

app = typer.Typer()


@app.command()
def audit(
    names: Names = None,
    seed: Seed = 0,
    json: Json = "",
    write: Annotated[
        bool, typer.Option("--write", help="First choose the probes anew that mistakes are named by; some minutes.")
    ] = False,
) -> None:
    """Prove the properties, and the names of mistakes, against the bank; status 1 where there is a gap.

    Example: [bold]elbo audit vae[/]
    """
    console = make_console(json)
    from grading.audit import audit_all, search_all
    from grading.diagnosis import fingerprints
    from grading.terminal import show_audit

    parts = [part.name for part in select_parts(names)[1]]
    if write:
        fingerprints.write(dict(search_all(parts, seed)))
    audits = []
    for found in audit_all(parts, seed):
        audits.append(found)
        show_audit(console, found)
    problems = sum(len(a.problems) for a in audits)
    told = f"{len(audits)} part{'s' * (len(audits) != 1)}, {problems} problem{'s' * (problems != 1)}"
    console.print(told, soft_wrap=True)
    write_json(json, audits)
    raise typer.Exit(problems > 0)
