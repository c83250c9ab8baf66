"""Whose a hand-in says that it is, and whether its files are still those that were packed."""

import re
from pathlib import PurePosixPath

from grading import manifest

from .limits import IntakeError, Unreadable, listed, shown
from .members import Listing, inside

HEAD = 2000  # signs of a report
NUMBER = re.compile(r"^[ \t*_-]{0,6}Number[ \t*_]{0,4}:([^\r\n]{1,100})$", re.MULTILINE | re.IGNORECASE)


def student_in(listing: Listing) -> str:
    """Return the student's number in the manifest, "" where there is none, and note files that were changed since."""
    found = [path for path in listing.members if path.name.lower() == manifest.NAME]
    for path in sorted(found, key=lambda path: (len(path.parts), str(path)))[:3]:
        try:
            read = manifest.read(listing.read(path, manifest.LARGEST))
        except (Unreadable, IntakeError):
            continue
        if read is not None:
            listing.notes += _changes(listing, path, read)
            return read.student
    return ""


def student_of_report(text: str) -> str:
    """Return the number in the line that the report has for it, "" where it holds none.

    >>> student_of_report("# Report\\n\\nName: A\\n**Number:** 1234567\\n")
    '1234567'
    """
    found = NUMBER.search(text[:HEAD])
    if found is None:
        return ""
    try:
        return manifest.expect_student(found[1].strip(" *_`"))
    except manifest.ManifestError:
        return ""


def _changes(listing: Listing, path: PurePosixPath, read: manifest.Manifest) -> list[str]:
    """Tell which of the files that were taken are others than the manifest lists, and which are gone."""
    listed_as = {path.parent / inner: digest for name, digest in read.files.items() if (inner := inside(name))}
    changed = [name for name, digest in listed_as.items() if listing.digests.get(name, digest) != digest]
    gone = [name for name in listed_as if name not in listing.members]
    return [
        f"{listed(names)} {what} since it was packed, by {shown(path)}."
        for names, what in ((sorted(changed), "changed"), (sorted(gone), "went away"))
        if names
    ]
