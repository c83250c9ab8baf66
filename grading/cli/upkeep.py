"""Subcommands of the house: what an instructor gives out."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from grading.release.trees import Tree

app = typer.Typer()
release = typer.Typer(help="Write what an instructor gives out.", no_args_is_help=True)
app.add_typer(release, name="release")

Check = Annotated[bool, typer.Option("--check", help="Write nothing; status 1 if anything would change.")]
Out = Annotated[Path, typer.Option("--out", metavar="PATH", help="A folder; or a zip, by a name that ends so.")]
Zip = Annotated[Path, typer.Option("--out", metavar="FILE", help="The zip.")]


@release.command()
def exercises(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; exercises/ if not given.")
    ] = None,
    check: Check = False,
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


@release.command()
def student(out: Out = Path("release/elbo-room-student.zip"), check: Check = False) -> None:
    """Write what a class gets: stubs, handouts, properties, experiments, no answers.

    Example: [bold]elbo release student --out elbo-room.zip[/]
    """
    from grading.release.student import TOP, student

    _give_out(student, out, check, TOP)


@release.command()
def gradescope(out: Zip = Path("release/autograder.zip"), check: Check = False) -> None:
    """Write the autograder that Gradescope runs: upload it there.

    Example: [bold]elbo release gradescope --out autograder.zip[/]
    """
    from grading.release.gradescope import gradescope

    if out.suffix != ".zip":
        from .shared import Refusal

        raise Refusal(f"--out {out}: Gradescope takes a zip; give a name that ends with .zip")
    _give_out(gradescope, out, check)


@release.command()
def classroom(out: Out = Path("release/classroom"), check: Check = False) -> None:
    """Write the starter for GitHub Classroom: what a class gets, and a workflow that judges each part at every push.

    Example: [bold]elbo release classroom --out starter[/]
    """
    from grading.release.classroom import classroom
    from grading.release.student import TOP

    _give_out(classroom, out, check, TOP)


@release.command()
def nbgrader(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The course.")] = Path("release/nbgrader"),
    kit_url: Annotated[
        str, typer.Option(metavar="URL", help="Where students' notebooks find the kit, if it is not installed.")
    ] = "",
    check: Check = False,
) -> None:
    """Write an nbgrader course: the parts as notebooks.

    Example: [bold]elbo release nbgrader --out course[/]
    """
    from grading.nbgrader.course import differences, write

    if not check:
        told = (f"{'wrote' if path.exists() else 'removed'} {path}" for path in write(out, kit_url))
        print("\n".join(told) or "the course is up to date")
        return
    found = differences(out, kit_url)
    print("\n".join(found) or "the course is up to date")
    raise typer.Exit(bool(found))


def _give_out(make: "Callable[[], Tree]", out: Path, check: bool, top: str = "") -> None:
    """Write a release, or tell what that would change, and end with status 1 where it would."""
    from grading.release.trees import differences, write

    tree = make()
    done = 0 if check else write(tree, out, top)
    found = differences(tree, out, top)
    if not check:
        print(f"wrote {out}, {done} files" if done else f"{out} is up to date")
        print(*(f"{sentence}, and stays" for sentence in found), sep="\n", end="\n" if found else "")
        return
    print("\n".join(found) or f"{out} is up to date")
    raise typer.Exit(bool(found))
