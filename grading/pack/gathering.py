"""Which files go into a hand-in, under which names, and what stands in their way. Nothing of them is changed."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from grading.engine.implementation import TOPICS
from grading.handed_in import RUNS
from grading.intake import limits
from grading.intake.choosing import stub_files
from grading.intake.encodings import as_utf8
from grading.intake.experiments import choose_runs, is_of_run
from grading.intake.limits import Unreadable, listed, shown
from grading.intake.members import walk
from grading.intake.stubs import missing
from grading.own_files import ALONE

from . import PackError
from .gathered import PLACE, Gathered
from .pictures import ENDINGS, links_in, places_of, with_spaces

REPORT = f"{PLACE}/report.md"


def gather(implementation: Path, named: Sequence[Path]) -> Gathered:
    """Gather the files of a hand-in.

    Args:
        implementation: the directory with the topics in it.
        named: the directories of runs; all in runs/ if there are none.

    Raises:
        PackError: a run that is named is none, or a directory cannot be read.
    """
    gathered = Gathered({PLACE: implementation})
    try:
        _add_stubs(gathered)
        _add_runs(gathered, [_named(path) for path in named] or list(_in_runs(gathered)))
    except OSError as error:
        raise PackError(f"{shown(error.filename)} cannot be read: {error.strerror}. Make it readable.") from error
    _add_report(gathered)
    return gathered


def _add_stubs(gathered: Gathered) -> None:
    directory = gathered.places[PLACE]
    found = [stub for stub in stub_files() if os.path.lexists(directory / stub)]
    gathered.files |= {f"{PLACE}/{stub}": limits.STUB for stub in found}
    gathered.problems += missing(found)
    others = [
        path.relative_to(directory)
        for topic in TOPICS
        for path in sorted((directory / topic).glob("*.py"))
        if f"{topic}/{path.name}" not in stub_files() and path.name != "__init__.py"
    ]
    if others:
        gathered.notes.append(f"{listed(others)} not packed: {ALONE}.")


def _named(path: Path) -> Path:
    if not (path / "config.json").is_file():
        raise PackError(f"{shown(path)} is no run: there is no config.json. Name the directory that `elbo train` made.")
    return path.resolve()  # a link that is named is meant


def _in_runs(gathered: Gathered) -> Iterator[Path]:
    """Go through the runs that are not named, and tell of those behind a link: in runs/ here, or beside the topics."""
    beside = gathered.places[PLACE].parent / RUNS
    place = RUNS if os.path.lexists(RUNS) else beside
    if place.is_symlink():
        gathered.problems.append(
            f"{shown(place)}/ is a link, which is not followed. Name the runs: `elbo pack RUN ...`."
        )
    elif place.is_dir():
        for path in sorted(place.iterdir()):
            if path.is_symlink():
                gathered.notes.append(f"{shown(path)} is a link, which is not followed; name the run if it counts.")
            elif not path.name.startswith(".") and (path / "config.json").exists():
                yield path
    looked = dict.fromkeys([Path.cwd() / RUNS, *([] if place is RUNS else [beside])])
    gathered.looked_in = " and in ".join(map(str, looked))


def _add_runs(gathered: Gathered, directories: Sequence[Path]) -> None:
    for directory in directories:
        # The name that the intake gives it.
        (name,) = choose_runs([PurePosixPath("runs", directory.name, "config.json")])[0]
        if f"runs/{name}".lower() in map(str.lower, gathered.places):
            gathered.problems.append(f"{shown(directory)} is not packed: another run has its name. Rename one of them.")
        elif not os.path.lexists(directory / "summary.json"):
            gathered.problems.append(
                f"{shown(directory)} is not finished and is not packed. Go on with it by `elbo train ... --out "
                f"{shown(directory)} --resume`, or remove it."
            )
        elif len(gathered.runs) == limits.RUNS:
            gathered.problems.append(
                f"{shown(directory)} is not packed: at most {limits.RUNS} runs are graded. Name those that count."
            )
        else:
            _add_run(gathered, f"runs/{name}", directory)


def _add_run(gathered: Gathered, name: str, directory: Path) -> None:
    gathered.places[name] = directory
    try:
        inside = [PurePosixPath(member.name) for member in walk(directory)]
    except OSError as error:
        gathered.problems.append(f"{shown(directory)} cannot be read: {error.strerror}.")
        return
    gathered.files |= {f"{name}/{path}": limits.RUN_FILE for path in inside if is_of_run(path)}
    links = [path for path in inside if str(path) in ("trainings", "trajectories") and (directory / path).is_symlink()]
    gathered.problems += [f"{shown(directory / path)} is a link; put the files themselves there." for path in links]


def _add_report(gathered: Gathered) -> None:
    gathered.files[REPORT] = limits.REPORT
    try:
        gathered.report = as_utf8(gathered.read(REPORT))[0].decode()
    except Unreadable as error:
        del gathered.files[REPORT]
        gathered.problems.append(f"report.md {error}: no written answers are packed.")
    _add_pictures(gathered)


def _add_pictures(gathered: Gathered) -> None:
    spaced = with_spaces(gathered.report)
    for link in links_in(gathered.report):
        path = next((path for path in places_of(link, PLACE) if gathered.has(path)), "")
        named = path.lower().endswith(ENDINGS) and path.isprintable()
        if named:
            gathered.files.setdefault(path, limits.PICTURE)
            gathered.pictures += 1
            continue
        gathered.absent.append(link)
        if path:
            told = f"{shown(link)}; expected a name such as curve.png or curve.jpg"
        elif link in spaced:
            told = f"{shown(spaced[link])}: a path with spaces goes between < and >, as in ![](<{shown(spaced[link])}>)"
        else:
            told = f"{shown(link)}, which is not there; put it beside the report"
        gathered.problems.append(f"The report shows {told}.")
