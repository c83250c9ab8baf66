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
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Run directories; by default all finished ones in runs/ here, or else beside the stub files' folder.",
            metavar="RUN",
        ),
    ] = None,
    student: Annotated[
        str, typer.Option("--student", metavar="NUMBER", help="By which your instructor knows you; needed.")
    ] = "",
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The archive; another one there is kept beside it.")
    ] = Path("submission.zip"),
    implementation: Which = "exercises",
    check: Annotated[bool, typer.Option("--check/--no-check", help="Judge the parts, as elbo list does.")] = True,
    anyway: Annotated[bool, typer.Option("--anyway", help="Pack although something is missing or wrong.")] = False,
    json: Json = "",
) -> None:
    """Pack stub files, runs, report and a manifest; status 1, and nothing written, where something is missing or wrong.

    It tells what the grader will see: the grader's own intake takes the archive before it is put in its place.

    Example: [bold]elbo pack --student 1234567 --out submission.zip[/]
    """
    console = make_console(json)
    _expect_archive(out)
    _expect_student(student)
    from grading.engine.implementation import locate
    from grading.pack import archive
    from grading.pack.gathering import gather
    from grading.pack.inspection import inspect
    from grading.pack.telling import show

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


def _expect_student(student: str) -> None:
    """Refuse what is no student's number, and tell it as it was typed."""
    from grading.intake.limits import shown
    from grading.manifest import ManifestError, expect_student

    if not student:
        raise Refusal("--student is missing: by which number does your instructor know you? As in --student 1234567")
    try:
        expect_student(student)
    except ManifestError as error:
        raise Refusal(
            f"--student {shown(student)}: expected up to 40 of the letters a to z, digits and . _ @ + -, with a letter "
            "or digit first, as in --student 1234567. Give the number by which your instructor knows you."
        ) from error


def _facts(student: str, out: Path | None, kept: Path | None, sizes: dict[str, int], seen: "Seen") -> dict[str, Any]:
    """Return for programs what was told; out: None where nothing was written."""
    from grading.intake.limits import shown

    places = {"out": None if out is None else shown(out), "kept": None if kept is None else shown(kept)}
    return {"student": student, **places, "files": sizes, "seen": seen}
