"""Which submissions are meant by the paths on a command line, and a name for each that a file can have."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from grading.engine.implementation import TOPICS

from .choosing import stub_files
from .limits import IntakeError
from .opening import ALONE, ARCHIVES

LONGEST, BYTES = 80, 200  # a disk counts bytes
PLACES = ("exercises", "solutions", "submission")  # that topics stand in
COLLECTED, ASSIGNMENT = "submitted", "deep-generative-models"  # nbgrader's: submitted/STUDENT/ASSIGNMENT


class Source(msgspec.Struct, frozen=True):
    """A submission: where it is, and a name that is unique in the class and safe as that of a file."""

    name: str
    path: Path


def find(paths: Sequence[Path]) -> list[Source]:
    """Return the submissions that paths mean: files, directories of one student, and folders of a class.

    Raises:
        IntakeError: a path is not there, nothing is in it, or it cannot be read.
    """
    try:
        found = list(dict.fromkeys(each for path in paths for each in _submissions(path)))
    except OSError as error:
        raise IntakeError(f"{error.filename} cannot be read: {error.strerror}. Make it readable for you.") from error
    return [Source(name, path) for name, path in zip(unique(map(stem, found)), found, strict=True)]


def _submissions(path: Path) -> Iterable[Path]:
    if not path.exists():
        raise IntakeError(f"{path} is not there. Name a submission, or the folder of a class with submissions in it.")
    path = path.resolve()  # a link that the instructor names is meant
    if not path.is_dir() or _is_one_submission(path):
        return [path]
    with os.scandir(path) as entries:
        names = sorted(e.name for e in entries if not e.name.startswith(".") and e.name != "__MACOSX")
    return [path / name for name in names] or [path]  # of an empty one the record tells that nothing is in it


def _is_one_submission(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        names = {entry.name.lower(): entry.name for entry in entries}
    if sum(_is_anothers(folder / name) for name in names.values()) > 1:
        return False
    if {Path(file).name for file in stub_files()} & names.keys():
        return True
    if any(topic in names and _is_topic(folder / names[topic]) for topic in TOPICS):
        return True
    return any(place in names and _holds(folder / names[place], TOPICS) for place in PLACES)


def _is_anothers(path: Path) -> bool:
    """Tell what only the folder of a class has several of: archives, and directories with topics in them."""
    name = path.name.lower()
    if name.endswith(ARCHIVES):
        return True
    return name not in (*PLACES, "tests") and path.is_dir() and _holds(path, (*TOPICS, *PLACES))


def _is_topic(folder: Path) -> bool:
    """Tell a directory of a topic from the submission of somebody of that name."""
    return folder.is_dir() and not folder.is_symlink() and not _holds(folder, (*TOPICS, *PLACES))


def _holds(folder: Path, names: Iterable[str]) -> bool:
    return any((folder / name).is_dir() for name in names)


def stem(path: Path) -> str:
    """Return the name that a submission has by where it is, as long as no other one has it."""
    name = path.name
    if name == ASSIGNMENT and path.parent.parent.name == COLLECTED:
        name = path.parent.name
    elif not path.is_dir():
        endings = sorted((*ARCHIVES, *ALONE), key=len, reverse=True)
        name = next((name[: -len(end)] for end in endings if name.lower().endswith(end)), name)
    plain = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    kept = "".join(c if c.isalnum() or c in "._-" or unicodedata.category(c)[0] == "M" else "-" for c in plain)
    name = re.sub("-+", "-", kept).strip("-.")[:LONGEST]
    return name.encode()[:BYTES].decode(errors="ignore") or "submission"


def unique(names: Iterable[str], taken: Iterable[str] = ()) -> Iterator[str]:
    """Number equal names, those that are equal on a disk that knows no capitals, and those that are taken."""
    used = {name.lower() for name in taken}
    last: dict[str, int] = {}
    for name in names:
        number, key, found = last.get(name.lower(), 1), name.lower(), name
        while found.lower() in used:
            number += 1
            found = with_number(name, str(number))
        last[key] = number
        used.add(found.lower())
        yield found


def with_number(name: str, number: str) -> str:
    """Return a name with a number, no longer than names may be."""
    return f"{name[: LONGEST - len(number) - 1]}-{number}"
