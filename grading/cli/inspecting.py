"""The subcommand that looks at the machine: doctor."""

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
