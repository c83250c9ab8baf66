"""One self-contained page about a student's own work: claims measured again, figures, tables, words, and the parts."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exercises.experiments.runs import Run
from grading.claims import Claim
from grading.listing import Listed
from grading.measuring import measured_with
from grading.pages.layout import render
from grading.pages.own_report import ReportError, Written
from grading.pages.pictures import LARGEST, Album, embedded
from grading.pages.run_tables import tables
from grading.pages.words import html
from grading.trained_with import changed_since

MOST_FIGURES = 24
TYPES = ("png", "gif")
FROM_CHECKPOINT = "measured again from the checkpoint with {}"
MEASURED_BY = {
    "dirac": "measured again by repeating the run with your functions and seed, in a process apart",
    "cifar10": "measured again from new samples of each generator with {}",
}


def write(
    out: Path,
    runs: Sequence[tuple[Run, Sequence[Claim]]],
    parts: Sequence[Listed],
    written: Sequence[Written] = (),
    figures: Mapping[str, bytes] | None = None,
) -> None:
    """Write the page.

    Args:
        out: the file.
        runs: with what was measured of each.
        parts: with the state of each.
        written: the sections of the written answers.
        figures: the pictures that they show, by path.

    Raises:
        ReportError: the file cannot be written.
    """
    album = Album(figures or {})
    values = {
        "runs": [_run(run, claims) for run, claims in runs],
        "parts": parts,
        "written": [(section, html(section.words, album)) for section in written],
    }
    try:
        out.write_text(render("report.html.j2", values), encoding="utf-8", errors="replace")
    except OSError as error:
        raise ReportError(f"--out {out}: cannot be written: {error.strerror}") from error


def _run(run: Run, claims: Sequence[Claim]) -> dict[str, Any]:
    """Collect what the page tells about one run."""
    figures = [(path.stem.replace("_", " "), embedded(path.read_bytes())) for path in _figures(run)]
    return {
        "name": run.path.name,
        "config": run.config,
        "changed": _as_sentence(changed_since(run)),
        "claims": claims,
        "measured_by": MEASURED_BY.get(run.config["experiment"], FROM_CHECKPOINT).format(measured_with()),
        "wide": run.config["experiment"] in ("dirac", "cifar10"),
        "tables": tables(run),
        "figures": [(name, address) for name, address in figures if address is not None],
    }


def _as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _figures(run: Run) -> list[Path]:
    """Find a run's figures; a link or a pipe in a handed-in run could be, or wait for, anything."""
    if (run.path / "figures").is_symlink():
        return []
    found = sorted((path for kind in TYPES for path in run.path.glob(f"figures/*.{kind}")), key=_place)
    plain = [p for p in found if p.is_file() and not p.is_symlink() and p.stat().st_size <= LARGEST]
    return plain[:MOST_FIGURES]


def _place(path: Path) -> tuple[bool, list[str | int]]:
    """Put the sheet first, and figure 10 after figure 9."""
    return path.stem != "sheet", [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.stem)]
