"""One self-contained page about runs: claims measured again, figures, tables, and the state of the parts."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from exercises.experiments.runs import Run
from grading.claims import Claim
from grading.listing import Listed

TEMPLATES = Path(__file__).with_name("templates")
EPOCHS_SHOWN = 10
LARGEST_FIGURE = 2 << 20  # bytes


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
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"--out {out}: cannot be written: {error.strerror}") from error


def _run(run: Run, claims: Sequence[Claim]) -> dict[str, Any]:
    """Collect what the page tells about one run."""
    metrics = run.metrics()
    every = max(1, -(-len(metrics) // EPOCHS_SHOWN))
    return {
        "name": run.path.name,
        "config": run.config,
        "claims": claims,
        "by_samples": run.summary().get("log_likelihood_by_samples", {}),
        "metrics": [m for m in metrics if m["epoch"] % every == 0 or m is metrics[-1]],
        "figures": [(path.stem.replace("_", " "), _embedded(path)) for path in _figures(run)],
    }


def _figures(run: Run) -> list[Path]:
    """Find a run's figures; a link or a pipe in a handed-in run could be, or wait for, anything."""
    found = sorted(run.path.glob("figures/*.png"))
    return [p for p in found if p.is_file() and not p.is_symlink() and p.stat().st_size <= LARGEST_FIGURE]


def _embedded(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
