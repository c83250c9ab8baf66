"""The command `elbo`: options, exit status, and which module does what. Heavy imports wait inside the commands."""

import gc
import io
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from grading.engine.workers import Worker
    from grading.judge import Judge, PartVerdict
    from grading.rubric import Rubric
    from tests.support.properties import Part

app = typer.Typer(
    help="An exercise kit for deep generative models: fill in the stubs, check them, train with them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

Names = Annotated[list[str] | None, typer.Argument(help="Parts or topics, all by default.", metavar="PART|TOPIC")]
Which = Annotated[
    str, typer.Option("--implementation", "-i", metavar="NAME|PATH", help="exercises, solutions, or a directory.")
]
ProfileName = Annotated[str, typer.Option("--profile", help="student or grade: how many inputs are tried.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="What the inputs are drawn from.")]
Json = Annotated[str, typer.Option("--json", metavar="FILE", help="Also write the facts as JSON; - for output.")]
Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where data lies; $ELBO_DATA if not given.")]


def main() -> None:
    """Run the command; a request that cannot be carried out ends with status 2 and one message."""
    # Threads that spin while they wait would starve the process beside this one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ shows a ? for it
    try:
        app()
    except Exception as error:
        if not _is_refusal(error):
            raise
        print(f"elbo: {error}", file=sys.stderr)
        sys.exit(2)


def _is_refusal(error: Exception) -> bool:
    """Whether an error is a request that cannot be carried out, rather than a defect of the kit."""
    from data import DataError
    from exercises.experiments.runs import RunError
    from grading.engine.implementation import ImplementationNotFound
    from grading.release import ReleaseError
    from grading.report import ReportError
    from grading.rubric import RubricError
    from grading.selection import UnknownPart

    return isinstance(
        error,
        (DataError, ImplementationNotFound, Refusal, ReleaseError, ReportError, RubricError, RunError, UnknownPart),
    )


class Refusal(Exception):
    """An option that cannot be followed."""


def _console(json: str = "") -> "Console":
    """Make the console for a command, once it is sure that there is a place for its JSON."""
    from rich.console import Console

    if json not in ("", "-"):
        _expect_place("--json", Path(json))
    return Console(highlight=False, stderr=json == "-")


def _expect_place(option: str, file: Path) -> None:
    """Refuse a file that cannot be written before the work, not after it."""
    if not file.parent.is_dir():
        raise Refusal(f"{option} {file}: cannot be written: there is no directory {file.parent}")
    if file.is_dir():
        raise Refusal(f"{option} {file}: cannot be written: it is a directory; name a file in it")


def _write_json(json: str, facts: Any) -> None:
    import msgspec

    if not json:
        return
    text = msgspec.json.format(msgspec.json.encode(facts), indent=2).decode()
    if json == "-":
        print(text)
        return
    try:
        Path(json).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Refusal(f"--json {json}: cannot be written: {error.strerror}") from error


@contextmanager
def _worker(implementation: str) -> "Iterator[Worker]":
    """Start the process that answers for an implementation, before anything is loaded that it must not hold."""
    import torch  # noqa: F401

    from grading.engine.implementation import locate
    from grading.engine.workers import Starter, Worker

    directory = locate(implementation)
    gc.freeze()  # torch's objects stay to the end: not worth a look at every collection, and shared by all forks
    starter = Starter.forking()
    worker = Worker(starter, directory)
    try:
        yield worker
    finally:
        worker.close()
        starter.close()


def _judge(profile: str, seed: int) -> "Judge":
    from grading.judge import PROFILES, Judge

    if profile not in PROFILES:
        raise Refusal(f"--profile {profile}: expected one of {', '.join(PROFILES)}")
    return Judge(PROFILES[profile], seed)


def _select(names: "Sequence[str] | None") -> "tuple[Rubric, list[Part]]":
    from grading import rubric
    from grading.selection import select

    loaded = rubric.load()
    return loaded, select(names or [], loaded)


@app.command()
def check(
    names: Names = None,
    implementation: Which = "exercises",
    profile: ProfileName = "student",
    seed: Seed = 0,
    json: Json = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also show tracebacks.")] = False,
) -> None:
    """Judge parts; status 1 unless all are right.

    Example: [bold]elbo check vae.log_mean_exp[/]
    """
    console = _console(json)
    with _worker(implementation) as worker:
        _, parts = _select(names)
        judge = _judge(profile, seed)
        verdicts = [_check_part(part, judge, worker, console, verbose) for part in parts]
    from grading.terminal import show_summary

    show_summary(console, verdicts)
    _write_json(json, {"implementation": implementation, "profile": profile, "seed": seed, "parts": verdicts})
    raise typer.Exit(any(v.outcome != "right" for v in verdicts))


def _check_part(part: "Part", judge: "Judge", worker: "Worker", console: "Console", verbose: bool) -> "PartVerdict":
    from grading.judge import PartVerdict
    from grading.terminal import show_part

    verdict = PartVerdict(part.name, list(judge.part(part, worker)), worker.take_output())
    show_part(console, verdict, part.path_in(worker.directory), verbose=verbose)
    return verdict


@app.command(name="list")
def list_parts(implementation: Which = "exercises", seed: Seed = 0, json: Json = "") -> None:
    """List every part with problem, points, minutes and its state in the implementation.

    Example: [bold]elbo list --implementation solutions[/]
    """
    console = _console(json)
    with _worker(implementation) as worker:
        rubric, parts = _select([])
        judge = _judge("student", seed)
        from grading.listing import listing

        rows = listing(parts, rubric, judge, worker)
    from grading.terminal import show_listing

    show_listing(console, rows)
    _write_json(json, rows)


@app.command()
def hint(part: Annotated[str, typer.Argument(help="A part, such as vae.log_mean_exp.")]) -> None:
    """Give the next of a part's hints, from nudge to nearly there.

    Example: [bold]elbo hint vae.log_mean_exp[/]
    """
    from grading.hints import next_hint

    rubric, parts = _select([part])
    if parts[0].name != part:
        raise Refusal(f"{part} is a topic; hints belong to a part, such as {parts[0].name}")
    number, text = next_hint(rubric, part)
    console = _console()
    console.print(f"[bold]Hint {number} of {len(rubric.parts[part].hints)}[/] for {part}")
    console.print(text, markup=False)


@app.command()
def watch(names: Names = None, implementation: Which = "exercises", seed: Seed = 0) -> None:
    """Judge again at every save, in a warm process; keys: h hint, n next part, q quit.

    Example: [bold]elbo watch vae[/]
    """
    with _worker(implementation) as worker:
        rubric, parts = _select(names)
        judge = _judge("student", seed)
        from grading.watch import Watch

        Watch(parts, rubric, judge, worker, _console()).run()


@app.command()
def audit(names: Names = None, seed: Seed = 0, json: Json = "") -> None:
    """Prove the properties against the bank of mistakes and alternatives; status 1 where one has a gap.

    Example: [bold]elbo audit vae[/]
    """
    console = _console(json)
    import torch  # noqa: F401

    from grading.engine.workers import Starter

    starter = Starter.forking()
    import dataclasses

    from grading.audit import audit_part
    from grading.judge import PROFILES, Judge
    from grading.terminal import show_audit

    judge = Judge(dataclasses.replace(PROFILES["student"], shrink_seconds=0), seed)
    audits = []
    for part in _select(names)[1]:
        audits.append(audit_part(part, judge, starter))
        show_audit(console, audits[-1])
    problems = sum(len(a.problems) for a in audits)
    console.print(f"{len(audits)} parts, {problems} problems", soft_wrap=True)
    _write_json(json, audits)
    raise typer.Exit(problems > 0)


@app.command()
def train(
    experiment: Annotated[str, typer.Argument(help="vae.")],
    implementation: Which = "exercises",
    preset: Annotated[str, typer.Option("--preset", help="quick or paper.")] = "quick",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a setting.")
    ] = None,
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The run; the next runs/vae-N if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of weights, order and noise.")] = None,
) -> None:
    """Run an experiment on an implementation's functions, and leave a run directory.

    Example: [bold]elbo train vae --preset paper --set epochs=20[/]
    """
    from grading.training import train as run_experiment

    chosen = [*(settings or []), *([f"seed={seed}"] if seed is not None else [])]
    run = run_experiment(experiment, implementation, preset, chosen, data, out, resume, device)
    console = _console()
    for name, value in run.summary().items():
        if isinstance(value, float) and name.startswith(f"{experiment}."):
            console.print(f"{name} = {value:.3f}", soft_wrap=True)
    console.print(f"the run is in {run.path}; `elbo report {run.path}` measures it again", soft_wrap=True)


@app.command()
def report(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run directories, all in runs/ by default.", metavar="RUN")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page.")] = Path("report.html"),
    implementation: Which = "exercises",
    data: Data = None,
    json: Json = "",
) -> None:
    """Measure runs again and write one self-contained page; status 1 where a claim is not reached.

    Example: [bold]elbo report runs/vae-1 --out report.html[/]
    """
    console = _console(json)
    _expect_place("--out", out)
    with _worker(implementation) as worker:
        rubric, parts = _select([])
        judge = _judge("student", 0)
        from grading.listing import listing

        rows = listing(parts, rubric, judge, worker)
    from grading.claims import measure_claims
    from grading.report import write
    from grading.terminal import show_claims
    from grading.training import finished_runs

    measured = []
    for run in finished_runs(runs):
        with console.status(f"measuring {run.path} again"):
            claims = list(measure_claims(run, rubric, data))
        show_claims(console, str(run.path), claims)
        measured.append((run, claims))
    write(out, measured, rows)
    console.print(f"wrote {out}", soft_wrap=True)
    _write_json(json, {"runs": {str(run.path): claims for run, claims in measured}, "parts": rows})
    raise typer.Exit(any(c.outcome != "reached" for _, claims in measured for c in claims))


@app.command()
def doctor(data: Data = None, json: Json = "") -> None:
    """Tell versions, device, data found and process separation, and what each absence costs.

    Example: [bold]elbo doctor[/]
    """
    from grading.doctor import findings
    from grading.terminal import show_findings

    console = _console(json)
    found = list(findings(data))
    show_findings(console, found)
    _write_json(json, found)


release = typer.Typer(help="Write what an instructor gives out.", no_args_is_help=True)
app.add_typer(release, name="release")


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


if __name__ == "__main__":
    main()
