"""The report in a hand-in, and the pictures that it shows: as report.md, or as the Markdown of a notebook."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from grading.written.blocks import without_comments
from grading.written.pictures import renamed, shown_in
from grading.written.template import is_template

from . import limits
from .encodings import as_utf8
from .limits import Unreadable, listed, shown
from .members import Listing
from .pictures import names_of, pictures_of
from .report_notebooks import read_report_notebook

REPORT = "report.md"
NOTEBOOK = "report.ipynb"
MOST = 4  # of each that are looked at
TEXTS = (".md", ".markdown", ".txt")
NOT_READ = (".pdf", ".docx", ".odt", ".tex", ".html")


@dataclass(frozen=True)
class Report:
    """A report as it was found: its text, and what is attached to it by the paths that show it."""

    path: PurePosixPath
    text: str
    attached: Mapping[str, bytes]


def report_files(listing: Listing) -> dict[str, bytes]:
    """Return report.md and the pictures that it shows, as they are taken; nothing where there is no report.

    A picture is called figures/NAME then, and the text shows it by that path. What was odd is noted.
    """
    report = _report(listing)
    if report is None:
        return {}
    paths = shown_in(without_comments(report.text))
    pictures = pictures_of(listing, report.path.parent, paths, report.attached)
    names = names_of(paths, pictures)
    taken = {name: pictures[path] for path, name in names.items()}
    return {REPORT: renamed(report.text, names).encode(errors="replace"), **taken}


def _report(listing: Listing) -> Report | None:
    """Return the first report that somebody wrote in: of files called so, then of notebooks, the least deep first."""
    texts, notebooks = _called(listing, REPORT), _called(listing, NOTEBOOK)
    found = [report for path in texts[:MOST] if (report := _of_text(listing, path))]
    written = [report for report in found if not is_template(report.text)]
    if not written:
        written = [report for path in notebooks[:MOST] if (report := _of_notebook(listing, path))]
    if not written and not found:
        found = written = [report for path in _alike(listing)[:MOST] if (report := _of_text(listing, path))]
        texts = _alike(listing)
    if not found and not written:
        _note_unread(listing)
        return None
    report = [*written, *found][0]
    others = [path for path in [*texts, *notebooks] if path != report.path]
    if others or report.path.name.lower() not in (REPORT, NOTEBOOK):
        left = f"; {listed(others)} not taken" if others else ""
        listing.notes.append(f"The report was read from {shown(report.path)}{left}.")
    return report


def _called(listing: Listing, name: str) -> list[PurePosixPath]:
    return sorted((path for path in listing.members if path.name.lower() == name), key=_depth)


def _alike(listing: Listing) -> list[PurePosixPath]:
    """Return texts that a browser or a person has named in another way: report (1).md, Report_final.txt."""
    texts = (path for path in listing.members if path.suffix.lower() in TEXTS and "report" in path.stem.lower())
    return sorted(texts, key=_depth)


def _depth(path: PurePosixPath) -> tuple[int, str]:
    return len(path.parts), str(path)


def _of_text(listing: Listing, path: PurePosixPath) -> Report | None:
    try:
        content, encoding = as_utf8(listing.read(path, limits.REPORT))
    except Unreadable as error:
        listing.notes.append(f"{shown(path)} {error}: not read.")
        return None
    if encoding != "utf-8":
        listing.notes.append(f"{shown(path)} is not UTF-8; it was read as {encoding}.")
    return Report(path, _plain(content.decode()), {})


def _of_notebook(listing: Listing, path: PurePosixPath) -> Report | None:
    try:
        text, attached = read_report_notebook(listing.read(path, limits.NOTEBOOK))
    except Unreadable as error:
        listing.notes.append(f"{shown(path)} {error}.")
        return None
    return Report(path, _plain(text), attached)


def _plain(text: str) -> str:
    """Return a text without signs that a terminal would obey, and without halves of surrogate pairs."""
    whole = text.encode(errors="replace").decode()
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", whole)


def _note_unread(listing: Listing) -> None:
    paths = sorted(listing.members, key=_depth)
    found = [path for path in paths if path.suffix.lower() in NOT_READ and "report" in path.stem.lower()]
    if found:
        listing.notes.append(f"{listed(found)} not read: words count where they stand in {REPORT}.")
