"""Which submissions are meant by the paths on a command line: one, or those in the folder of a class."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from grading.engine.implementation import TOPICS

from .choosing import stub_files
from .limits import MEMBERS, IntakeError, listed, shown
from .members import is_made_by_a_tool
from .naming import Source, stem, unique
from .opening import ARCHIVES

PLACES = ("exercises", "solutions", "submission")  # that topics stand in
NOTEBOOK = ".ipynb"
NOTEBOOKS = {f"{name}{NOTEBOOK}" for name in (*TOPICS, "report")}  # of the kit, all of which one student has
STUBS = {Path(file).name for file in stub_files()}


def find(paths: Sequence[Path]) -> list[Source]:
    """Return the submissions that paths mean: files, directories of one student, and folders of a class.

    Raises:
        IntakeError: a path is not there, nothing is in it, or it cannot be read.
    """
    try:
        found = list(dict.fromkeys(each for path in paths for each in _submissions(path)))
    except OSError as error:
        raise IntakeError(f"{shown(error.filename)} cannot be read: {error.strerror}. Make it readable.") from error
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


def doubtful(paths: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence on each folder that holds code as a submission does, and what a class has several of."""
    for path in filter(Path.is_dir, paths):
        others = list(dict.fromkeys([*_others(path), *_perhaps_others(path)]))
        if len(others) < 2 or not _holds_code(path, names := _names_in(path)):
            continue
        here, found = shown(path), listed(others)
        if _is_one_submission(path):
            yield f"{here} is taken for one submission, though {found} are in it. Of a class name each: {here}/*"
        else:
            code = [names[name] for name in sorted({*STUBS, *TOPICS, *PLACES} & names.keys())]
            yield f"{here} is taken for the folder of a class, as {found} are in it, with {listed(code)} as somebody's."


def _is_one_submission(folder: Path) -> bool:
    names, others = _names_in(folder), _others(folder)
    if len(others) > 1 or not _holds_code(folder, names):
        return False
    return _is_whole(folder, names) or len({*others, *_perhaps_others(folder)}) < 2


def _holds_code(folder: Path, names: Mapping[str, str]) -> bool:
    """Tell whether stub files, topics or what topics stand in lie in a folder. names: as they are, by small letters."""
    if STUBS & names.keys() or any(_is_topic(folder / names[topic]) for topic in TOPICS if topic in names):
        return True
    return _has_place(folder, names)


def _is_whole(folder: Path, names: Mapping[str, str]) -> bool:
    """Tell whether so much of a submission lies in a folder that notebooks beside it are the same student's."""
    topics = [topic for topic in TOPICS if topic in names and _is_topic(folder / names[topic])]
    return len(topics) > 1 or _has_place(folder, names)


def _has_place(folder: Path, names: Mapping[str, str]) -> bool:
    return any(_holds(folder / names[place], TOPICS) for place in PLACES if place in names)


def _others(folder: Path) -> list[str]:
    """Return what only the folder of a class has several of: archives, and directories with topics or one in them."""
    return [name for name in _names(folder) if name.lower().endswith(ARCHIVES) or _is_anothers(folder / name)]


def _is_anothers(path: Path) -> bool:
    name = path.name.lower()
    if name in (*PLACES, "tests") or not path.is_dir():
        return False
    return _holds(path, (*TOPICS, *PLACES)) or (name not in TOPICS and _holds_files(path, ARCHIVES))


def _perhaps_others(folder: Path) -> list[str]:
    """Return what a class may have several of, and somebody who works in notebooks as well."""
    return [
        name
        for name in _names(folder)
        if (name.lower().endswith(NOTEBOOK) and name.lower() not in NOTEBOOKS)
        or (name.lower() not in (*TOPICS, *PLACES, "tests") and _holds_files(folder / name, (NOTEBOOK,), STUBS))
    ]


def _is_topic(folder: Path) -> bool:
    """Tell a directory of a topic from the submission of somebody of that name."""
    return folder.is_dir() and not folder.is_symlink() and not _holds(folder, (*TOPICS, *PLACES))


def _holds(folder: Path, names: Iterable[str]) -> bool:
    return any((folder / name).is_dir() for name in names)


def _holds_files(folder: Path, endings: tuple[str, ...], files: Iterable[str] = ()) -> bool:
    if folder.is_symlink() or not folder.is_dir() or is_made_by_a_tool(folder.name):
        return False
    return any(name.lower().endswith(endings) or name.lower() in files for name in _names(folder))


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in islice(entries, MEMBERS + 1))


def _names_in(folder: Path) -> dict[str, str]:
    return {name.lower(): name for name in _names(folder)}
