"""What the grader will see of a hand-in: its own intake takes the archive, and what came out is looked at."""

import ast
import symtable
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from exercises.experiments.runs import RunError
from grading.engine.workers import Starter, Worker
from grading.handed_in import finished_runs
from grading.intake import take
from grading.intake.limits import listed, shown
from grading.judge import PROFILES, Judge
from grading.listing import Listed, listing
from grading.release import is_stub
from grading.rubric import Rubric
from tests.support.properties import Part

from .gathered import Gathered
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
    problems = [*gathered.problems, *_in_stubs(into / IMPLEMENTATION, parts)]
    seen = [found for name in gathered.runs if (found := _run(into, name, rubric, problems))]
    problems += _without_run(seen, rubric)
    if len(taken.figures) < gathered.pictures:
        problems.append(
            f"Of {gathered.pictures} pictures in the report the grader takes {len(taken.figures)}: the notes tell why."
        )
    sections = answered(taken.report, rubric) if taken.report else []  # that there is none is told once
    problems += [problem for section in sections for problem in section.problems]
    rows = _judged(into / IMPLEMENTATION, rubric, parts) if check else []
    told = " ".join(problems)
    problems += [f"{row.part} is still to be written." for row in rows if row.state == "todo" and row.part not in told]
    told_by_report = [note for section in sections for note in section.notes]
    notes = [
        *gathered.notes,
        *told_by_report,
        *_unreported(seen, rubric),
        *(note for note in taken.notes if note not in problems),
    ]
    return Seen(list(taken.files), seen, sections, rows, notes, problems)


def _judged(directory: Path, rubric: Rubric, parts: Sequence[Part]) -> list[Listed]:
    starter = Starter.spawning_once()
    worker = Worker(starter, directory)
    try:
        rows = listing(parts, rubric, Judge(PROFILES["student"]), worker)
        files = {part.name: f"{part.topic}/{part.file}" for part in parts}  # not where they were taken to
        return [msgspec.structs.replace(row, file=files[row.part]) for row in rows]
    finally:
        worker.close()
        starter.close()


def _in_stubs(directory: Path, parts: Sequence[Part]) -> Iterator[str]:
    """Tell which stub files are no Python, and which functions are not there or as they were handed out."""
    for stub in dict.fromkeys(f"{part.topic}/{part.file}" for part in parts):
        if not (directory / stub).is_file():
            continue  # the intake tells
        text = (directory / stub).read_text(encoding="utf-8")
        wanted = {part.name.partition(".")[2]: part.name for part in parts if f"{part.topic}/{part.file}" == stub}
        try:
            module, defined = ast.parse(text), _names_in(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            yield f"{stub}{line}: is no Python: {shown(reason)}."
            continue
        written = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
        for name, part in wanted.items():
            if name not in defined and "*" not in defined:
                yield f"{part} is missing in {stub}."
            elif name in written and is_stub(ast.get_source_segment(text, written[name]) or ""):
                yield f"{part} is still to be written."


def _names_in(text: str) -> set[str]:
    """Return the names that a module defines, "*" where it imports everything of another."""
    symbols = symtable.symtable(text, "", "exec").get_symbols()
    stars = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(ast.parse(text)))
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()} | ({"*"} if stars else set())


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
    lacking = {claim.experiment: None for claim in rubric.claims.values()}.keys() - {run.experiment for run in seen}
    for experiment in sorted(lacking):
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
