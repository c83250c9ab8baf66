"""What a student handed in to nbgrader: read within bounds, no link followed, nothing believed."""

import datetime
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import msgspec

from grading.intake.limits import NOTEBOOK, IntakeError, Unreadable, shown
from grading.intake.members import Listing
from grading.intake.opening import opened
from grading.nbgrader.autograded import CELLS, Submitted, cells_of
from grading.nbgrader.installed import parse_utc

TIMESTAMP = PurePosixPath("timestamp.txt")
PICTURES = (".png", ".jpg", ".jpeg", ".gif")
PICTURE, MOST_PICTURES = 10 << 20, 100


class HandedIn(msgspec.Struct):
    """A student's notebooks by name, and the files that formgrader needs beside them.

    time: of the hand-in, in UTC without saying so, as nbgrader keeps it; None where no timestamp.txt tells.
    """

    notebooks: dict[str, list[Submitted]] = {}
    files: dict[PurePosixPath, bytes] = {}
    time: datetime.datetime | None = None
    notes: list[str] = []


def read(folder: Path, notebooks: Iterable[str]) -> HandedIn:
    """Read what a student handed in; what cannot be read is told of in the notes."""
    found = HandedIn()
    try:
        with opened(folder) as listing:
            for name in notebooks:
                _add_notebook(found, name, listing)
            _add_time(found, listing)
            _add_pictures(found, listing)
    except IntakeError as error:
        found.notes.append(f"{error}")
    return found


def _add_notebook(found: HandedIn, name: str, listing: Listing) -> None:
    path = PurePosixPath(f"{name}.ipynb")
    if path not in listing.members:
        found.notes.append(f"{path} was not handed in.")
        return
    try:
        found.notebooks[name] = cells_of(listing.read(path, NOTEBOOK))
    except Unreadable as error:
        found.notes.append(f"{path} {error}.")
        return
    if len(found.notebooks[name]) == CELLS:
        found.notes.append(f"{path} has {CELLS} cells or more; no more are shown.")


def _add_time(found: HandedIn, listing: Listing) -> None:
    if TIMESTAMP not in listing.members:
        return
    content = b""
    try:
        content = listing.read(TIMESTAMP, 1_000)
        found.time = parse_utc(content.decode("utf-8-sig").strip())
        found.files[TIMESTAMP] = content
    except (Unreadable, ValueError, OverflowError, TypeError, AttributeError) as error:  # what its parser raises
        told = shown(content.decode(errors="replace").strip() or error)
        found.notes.append(
            f"{TIMESTAMP} holds no time, found {told!r}; formgrader stumbles on it: correct or remove it."
        )


def _add_pictures(found: HandedIn, listing: Listing) -> None:
    """Take the pictures that words may show; one in a directory whose name is that of a file would hinder that file."""
    pictures = [
        path
        for path in sorted(listing.members)
        if path.suffix.lower() in PICTURES and not any("." in part for part in path.parts[:-1])
    ]
    for path in pictures[:MOST_PICTURES]:
        try:
            found.files[path] = listing.read(path, PICTURE)
        except Unreadable as error:
            found.notes.append(f"{shown(path)} {error}: not shown.")
    if len(pictures) > MOST_PICTURES:
        found.notes.append(f"It holds {len(pictures)} pictures; shown are {MOST_PICTURES}.")
