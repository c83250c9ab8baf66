"""Keeping what was written for whoever reads it, beside the records."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grading.intake import Source

REPORT, FIGURES = "report.md", "figures"


def keep(source: "Source", place: Path) -> None:
    """Write the report of a submission, and the pictures that it shows, to a directory; what was kept before goes.

    Nothing is there where a submission has no report.

    Raises:
        OSError: it cannot be written.
    """
    from grading.intake import read_report  # the intake knows a report as it was handed out by this package

    files = read_report(source.path)
    (place / REPORT).unlink(missing_ok=True)
    shutil.rmtree(place / FIGURES, ignore_errors=True)
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def kept_figures(place: Path) -> dict[str, bytes]:
    """Return the pictures that were kept, by the paths under which the report shows them: "figures/curve.png"."""
    found = sorted((place / FIGURES).glob("*")) if (place / FIGURES).is_dir() else []
    return {f"{FIGURES}/{path.name}": path.read_bytes() for path in found if path.is_file() and not path.is_symlink()}
