"""The subcommand that proves the properties: audit."""

import typer

from .shared import Json, Names, Seed, make_console, select_parts, write_json

app = typer.Typer()


@app.command()
def audit(names: Names = None, seed: Seed = 0, json: Json = "") -> None:
    """Prove the properties against the bank of mistakes and alternatives; status 1 where one has a gap.

    Example: [bold]elbo audit vae[/]
    """
    console = make_console(json)
    from grading.audit import audit_all
    from grading.terminal import show_audit

    audits = []
    for found in audit_all([part.name for part in select_parts(names)[1]], seed):
        audits.append(found)
        show_audit(console, found)
    problems = sum(len(a.problems) for a in audits)
    console.print(f"{len(audits)} parts, {problems} problems", soft_wrap=True)
    write_json(json, audits)
    raise typer.Exit(problems > 0)
