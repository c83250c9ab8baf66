"""The subcommand that packs a hand-in."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .shared import Json, Refusal, Which, expect_place, make_console, select_parts, write_json

if TYPE_CHECKING:
    from grading.pack.inspection import Seen

app = typer.Typer()


@app.command()
def pack(
    student: Annotated[str, typer.Option("--student", metavar="NUMBER", help="By which your instructor knows you.")],
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run directories, all finished ones in runs/ by default.", metavar="RUN")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The archive; another one there is kept beside it.")
    ] = Path("submission.zip"),
    implementation: Which = "exercises",
    check: Annotated[bool, typer.Option("--check/--no-check", help="Judge the parts, as elbo list does.")] = True,
    anyway: Annotated[bool, typer.Option("--anyway", help="Pack although something is missing.")] = False,
    json: Json = "",
) -> None:
    """Pack stub files, runs, report and a manifest; status 1, and nothing is written, where something is missing.

    It tells what the grader will see: the grader's own intake takes the archive before it is put in its place.

    Example: [bold]elbo pack --student 1234567 --out submission.zip[/]
    """
    console = make_console(json)
    _expect_archive(out)
    from grading.engine.implementation import locate
    from grading.manifest import expect_student
    from grading.pack import archive
    from grading.pack.gathering import gather
    from grading.pack.inspection import inspect
    from grading.pack.telling import show

    expect_student(student)
    gathered = gather(locate(implementation), runs or [])
    with tempfile.TemporaryDirectory(prefix="elbo-pack-") as name:
        made, into = Path(name, out.name), Path(name, "taken")
        into.mkdir()
        sizes = archive.write(gathered, student, made)
        with console.status("looking at it as the grader will"):
            seen = inspect(made, into, gathered, *select_parts([]), check)
        written = anyway or not seen.problems
        kept = archive.deliver(made, out) if written else None
        size = made.stat().st_size
    show(console, seen, size)
    if not written:
        told = "Nothing was written. Mend these, or pack all the same by --anyway."
    elif kept:
        told = f"wrote {out}; what was there before is {kept} now"
    else:
        told = f"wrote {out}"
    console.print(told, markup=False, soft_wrap=True)
    write_json(json, _facts(student, out if written else None, kept, sizes, seen))
    raise typer.Exit(not written)


def _expect_archive(out: Path) -> None:
    """Refuse a name under which something else may stand, such as the report that is packed."""
    if out.suffix.lower() != ".zip":
        raise Refusal(f"--out {out}: expected a name that ends in .zip, such as submission.zip")
    expect_place("--out", out)


def _facts(student: str, out: Path | None, kept: Path | None, sizes: dict[str, int], seen: "Seen") -> dict[str, Any]:
    """Return for programs what was told; out: None where nothing was written."""
    from grading.intake.limits import shown

    places = {"out": None if out is None else shown(out), "kept": None if kept is None else shown(kept)}
    return {"student": student, **places, "files": sizes, "seen": seen}
