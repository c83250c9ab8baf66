"""Keeping what was written for whoever reads it, beside the records."""

import shutil
from collections.abc import Mapping
from pathlib import Path

REPORT, FIGURES = "report.md", "figures"


def keep(report: Mapping[str, bytes], place: Path) -> None:
    """Write the report of a submission to a directory; what was kept before goes.

    report: report.md and the pictures that it shows, by their paths, as the intake took them; nothing without one.

    Raises:
        OSError: it cannot be written.
    """
    (place / REPORT).unlink(missing_ok=True)
    shutil.rmtree(place / FIGURES, ignore_errors=True)
    for name, content in report.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def kept_figures(place: Path) -> dict[str, bytes]:
    """Return the pictures that were kept, by the paths under which the report shows them: "figures/curve.png"."""
    found = sorted((place / FIGURES).glob("*")) if (place / FIGURES).is_dir() else []
    return {f"{FIGURES}/{path.name}": path.read_bytes() for path in found if path.is_file() and not path.is_symlink()}
