"""What the grader will see of a hand-in: its own intake takes the archive, and what came out is looked at."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from exercises.experiments.runs import RunError
from grading.handed_in import EXPERIMENTS, finished_runs
from grading.intake import take
from grading.intake.choosing import stub_files
from grading.intake.limits import listed, shown
from grading.judge import PartVerdict
from grading.listing import Listed
from grading.own_files import reasons
from grading.rubric import Rubric
from tests.support.properties import Part

from .gathered import PLACE, Gathered
from .parts import in_stubs, judged, wrong
from .report import Answered, answered

IMPLEMENTATION = "implementation"


class SeenRun(msgspec.Struct, frozen=True):
    """A run: of which experiment, on which data, and the figures with a threshold that it reports."""

    run: str
    experiment: str
    data: str
    reports: dict[str, float | str]


class Seen(msgspec.Struct, frozen=True):
    """What the grader will see: stub files, runs, sections of the report, parts if they were judged, what was odd."""

    files: list[str]
    runs: list[SeenRun]
    sections: list[Answered]
    parts: list[Listed]
    notes: list[str]
    problems: list[str]


def inspect(archive: Path, into: Path, gathered: Gathered, rubric: Rubric, parts: Sequence[Part], check: bool) -> Seen:
    """Take an archive as the grader does, and look at what came out.

    Args:
        archive: what was packed.
        into: a directory, which is there and empty.
        gathered: what the archive was made of, with the problems that were met.
        parts: all parts.
        check: whether to judge them.

    Raises:
        IntakeError: nothing in the archive can be graded.
    """
    taken = take(archive, into)
    problems = [*gathered.problems, *in_stubs(into / IMPLEMENTATION, parts)]
    rows, verdicts = judged(into / IMPLEMENTATION, rubric, parts) if check else ([], [])
    told = " ".join(problems)
    problems += [f"{row.part} is still to be written." for row in rows if row.state == "todo" and row.part not in told]
    problems += _wrong(verdicts, into / IMPLEMENTATION, gathered, parts, problems)
    seen = [found for name in gathered.runs if (found := _run(into, name, rubric, problems))]
    problems += _without_run(seen, rubric)
    if len(taken.figures) < gathered.pictures:
        problems.append(
            f"Of {gathered.pictures} pictures in the report the grader takes {len(taken.figures)}: the notes tell why."
        )
    sections = answered(taken.report, rubric) if taken.report else []  # that there is none is told once
    problems += [problem for section in sections for problem in section.problems]
    told_by_report = [note for section in sections for note in section.notes]
    notes = [
        *gathered.notes,
        *([f"No run was found. Looked in {gathered.looked_in}."] if gathered.looked_in and not seen else []),
        *told_by_report,
        *_unreported(seen, rubric),
        *(note for note in taken.notes if note not in (*problems, _on_absent(gathered))),
    ]
    return Seen(list(taken.files), seen, sections, rows, notes, problems)


def _wrong(
    verdicts: Sequence[PartVerdict], directory: Path, gathered: Gathered, parts: Sequence[Part], told: Sequence[str]
) -> list[str]:
    """Tell which parts are wrong for the grader, but for those of which something is told already."""
    unread = [
        stub
        for stub in stub_files()
        if not (directory / stub).is_file() or any(each.startswith((f"{stub}:", f"{stub},")) for each in told)
    ]
    left = [part for part in parts if not any(each.startswith(f"{part.name} ") for each in told)]
    files = {part.name: f"{part.topic}/{part.file}" for part in left}
    not_handed_in = reasons(left, directory, gathered.places[PLACE])
    return list(wrong([verdict for verdict in verdicts if verdict.part in files], files, unread, not_handed_in))


def _on_absent(gathered: Gathered) -> str:
    """Return what the intake notes of pictures that are told as problems."""
    return f"{listed(gathered.absent)} not handed in, though the report shows it."


def _run(into: Path, name: str, rubric: Rubric, problems: list[str]) -> SeenRun | None:
    """Look at a run; where its form is none that an experiment writes, that is a problem."""
    if not (into / name).is_dir():
        problems.append(f"The grader takes nothing of {name}: the notes tell why.")
        return None
    try:
        run = finished_runs([into / name])[0]
    except RunError as error:
        problems.append(_shown(error, into))
        return None
    reported = {key: value for key, value in run.summary().items() if key in rubric.claims}
    reports = {
        key: value if isinstance(value, float) else shown(value)
        for key, value in reported.items()
        if isinstance(value, float | str)
    }
    return SeenRun(name, run.config["experiment"], shown(run.config["data"]["name"]), reports)


def _shown(error: RunError, into: Path) -> str:
    """Return what is said of a run, by its name in the archive."""
    return "".join(c if c.isprintable() else "?" for c in str(error).replace(f"{into}/", ""))[:500]


def _without_run(seen: Sequence[SeenRun], rubric: Rubric) -> Iterator[str]:
    # A student's rubric has no questions, and lacks the claims that would answer one: a run is asked for all the same.
    wanted = {claim.experiment for claim in rubric.claims.values()} if rubric.questions else {*EXPERIMENTS}
    for experiment in sorted(wanted - {run.experiment for run in seen}):
        yield f"There is no finished run of {experiment}: `elbo train {experiment}` makes one."


def _unreported(seen: Sequence[SeenRun], rubric: Rubric) -> Iterator[str]:
    """Tell which figures that points are for stand in no run on the data that they are for."""
    reported = {(run.data, name) for run in seen for name in run.reports}
    for experiment in sorted({run.experiment for run in seen}):
        claims = {name: c for name, c in rubric.claims.items() if c.experiment == experiment and c.points}
        lacking: dict[str, list[str]] = {}
        for name, claim in claims.items():
            if (claim.graded_on, name) not in reported:
                lacking.setdefault(claim.graded_on, []).append(name)
        for data, names in lacking.items():
            yield f"Points are for {listed(names, most=3)} on {data}; no run on {data} reports that."
