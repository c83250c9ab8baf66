"""One self-contained page about runs: claims measured again, figures, tables, and the state of the parts."""

import base64
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2

from data.two_dimensional import entropy
from exercises.experiments.cifar10 import tables as cifar10
from exercises.experiments.dirac import tables as dirac
from exercises.experiments.flows.experiment import trained
from exercises.experiments.flows.settings import trainings
from exercises.experiments.runs import Run
from exercises.experiments.tables import Table
from grading.claims import Claim
from grading.listing import Listed
from grading.run_settings import cifar10_config, dirac_config, flows_config

TEMPLATES = Path(__file__).with_name("templates")
EPOCHS_SHOWN = 10
LARGEST_FIGURE = 2 << 20  # bytes
MOST_FIGURES = 24
TYPES = ("png", "gif")


class ReportError(Exception):
    """A report that cannot be written; the text says why."""


def write(out: Path, runs: Sequence[tuple[Run, Sequence[Claim]]], parts: Sequence[Listed]) -> None:
    """Write the page.

    Raises:
        ReportError: the file cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("report.html.j2").render(
        runs=[_run(run, claims) for run, claims in runs], parts=parts
    )
    try:
        out.write_text(page, encoding="utf-8", errors="replace")  # half a surrogate pair is no text
    except OSError as error:
        raise ReportError(f"--out {out}: cannot be written: {error.strerror}") from error


def _run(run: Run, claims: Sequence[Claim]) -> dict[str, Any]:
    """Collect what the page tells about one run."""
    return {
        "name": run.path.name,
        "config": run.config,
        "claims": claims,
        "measured_by": MEASURED_BY.get(run.config["experiment"], FROM_CHECKPOINT),
        "wide": run.config["experiment"] in ("dirac", "cifar10"),
        "tables": TABLES[run.config["experiment"]](run),
        "figures": [(path.stem.replace("_", " "), _embedded(path)) for path in _figures(run)],
    }


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _vae_tables(run: Run) -> list[Table]:
    by_samples = run.summary().get("log_likelihood_by_samples", {})
    metrics = run.metrics()
    every = max(1, -(-len(metrics) // EPOCHS_SHOWN))
    shown = [m for m in metrics if m["epoch"] % every == 0 or m is metrics[-1]]
    keys = {"train_negative_elbo": 2, "valid_negative_elbo": 2, "cpu_seconds": 1}
    rows = [[str(m["epoch"]), *(_number(m[key], digits) for key, digits in keys.items())] for m in shown]
    training = Table("Training", ("epoch", "−ELBO, training", "−ELBO, validation", "CPU seconds"), rows)
    if not by_samples:
        return [training]
    rows = [[k, _number(value, 3)] for k, value in by_samples.items()]
    return [Table("log p(x) of the test set by the number of samples", ("K", "nats an image"), rows), training]


NO_BOUND = (
    "The reverse KL of the sine has no lower bound, as the mass of exp(−U) on the plane is infinite: a flow lowers it "
    "for ever by spreading along z1. So it is no claim; samples are looked at instead, how many lie near the ridge and "
    "how evenly they fill the window |z1| ≤ 5."
)


def _flows_tables(run: Run) -> list[Table]:
    chosen = trainings(flows_config(run))
    opened = [(t, trained(run, t)) for t in chosen]
    rows = []
    for training, own in opened:
        last = own.metrics()[-1] if own is not None and own.metrics() else None
        if last is None:
            continue
        floor = {"samples": _number(entropy(training.target), 4), "density": "0"}[training.mode]
        if (training.target, training.mode) == ("sine", "density"):
            floor = "none"
        figures = (_number(last[key], 4) for key in ("train_loss", "held_out_loss"))
        seconds = sum(m["cpu_seconds"] for m in own.metrics()) if own is not None else 0.0
        rows.append([training.name, str(last["iteration"]), *figures, floor, _number(seconds, 1)])
    columns = ("training", "iterations", "last losses", "on 10,000 held-out points", "lower bound", "CPU seconds")
    note = NO_BOUND if any(t.target == "sine" and t.mode == "density" for t in chosen) else ""
    return [Table("Training: losses in nats", columns, rows, note)] if rows else []


FROM_CHECKPOINT = "measured again from the checkpoint with the reference functions"
MEASURED_BY = {
    "dirac": "measured again by repeating the run with your functions and seed, in a process apart",
    "cifar10": "measured again from new samples of each generator with the reference functions",
}
HIDES = (
    "A moving average is small where theta itself goes round and round: it hides a cycle and ends none. Outcomes are "
    "those of theta itself, of the first start. Your update: the spectral radius, as the run recorded it. Along path: "
    "by which an iteration multiplied the distance from the equilibrium, on average over the second half."
)


def _dirac_tables(run: Run) -> list[Table]:
    tables, notes = dirac.told(run, dirac_config(run))
    first, second = tables
    return [first, second._replace(note=" ".join([HIDES, *(f"{note[0].upper()}{note[1:]}." for note in notes)]))]


def _cifar10_tables(run: Run) -> list[Table]:
    (table,), notes = cifar10.told(run, cifar10_config(run))
    return [table._replace(note=" ".join(f"{note[0].upper()}{note[1:]}." for note in notes))]


TABLES: dict[str, Callable[[Run], list[Table]]] = {
    "vae": _vae_tables,
    "dirac": _dirac_tables,
    "flows": _flows_tables,
    "cifar10": _cifar10_tables,
}


def _figures(run: Run) -> list[Path]:
    """Find a run's figures; a link or a pipe in a handed-in run could be, or wait for, anything."""
    if (run.path / "figures").is_symlink():
        return []
    found = sorted((path for kind in TYPES for path in run.path.glob(f"figures/*.{kind}")), key=_place)
    plain = [p for p in found if p.is_file() and not p.is_symlink() and p.stat().st_size <= LARGEST_FIGURE]
    return plain[:MOST_FIGURES]


def _place(path: Path) -> tuple[bool, list[str | int]]:
    """Put the sheet first, and figure 10 after figure 9."""
    return path.stem != "sheet", [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.stem)]


def _embedded(path: Path) -> str:
    return f"data:image/{path.suffix[1:]};base64,{base64.b64encode(path.read_bytes()).decode()}"
