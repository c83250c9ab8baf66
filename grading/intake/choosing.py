"""Which of the files with the name of a stub file are the student's stub files, wherever they stand."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import PurePosixPath

from grading.catalogue import topic_parts
from grading.engine.implementation import TOPICS

from .limits import listed

Files = dict[str, PurePosixPath]
NOT_THEIRS = "bank"  # of the kit, where a mistake in a part may have the name of a stub file


@cache
def stub_files() -> tuple[str, ...]:
    """Return the stub files, "vae/bounds.py": those that parts stand in."""
    return tuple(f"{topic}/{file}" for topic in TOPICS for file in sorted({part.file for part in topic_parts(topic)}))


@cache
def functions_in(stub: str) -> tuple[str, ...]:
    """Return the names of the functions that a student writes in a stub file."""
    topic, file = stub.split("/")
    return tuple(part.name.partition(".")[2] for part in topic_parts(topic) if part.file == file)


def is_candidate(path: PurePosixPath) -> bool:
    """Tell whether a file may be a stub file, by its name."""
    return NOT_THEIRS not in path.parts and bool(_named(path))


def _named(path: PurePosixPath) -> list[str]:
    """Return the stub files that have a file's name; two topics have one of the same name."""
    return [stub for stub in stub_files() if stub.endswith(f"/{path.name.lower()}")]


def choose(found: Mapping[PurePosixPath, bytes]) -> tuple[Files, list[str]]:
    """Choose among candidates: a topic from where most topics stand together, least deep; then files without a topic.

    Args:
        found: the contents of the candidates.

    Returns:
        The path of each stub file that was found, and what was odd.
    """
    places = _by_place(found)
    files: Files = {}
    for place in sorted(places, key=lambda place: (-len(_topics(places[place])), len(place.parts), str(place))):
        begun = _topics(files)  # a topic is taken from one place alone
        files |= {stub: path for stub, path in places[place].items() if stub.split("/")[0] not in begun}
    notes = _on_places(files) + _on_others(files, places, found)
    placed = {path for stubs in places.values() for path in stubs.values()}
    return files, notes + _add_loose(files, {path: found[path] for path in found if path not in placed})


def _by_place(found: Iterable[PurePosixPath]) -> dict[PurePosixPath, Files]:
    places: dict[PurePosixPath, Files] = {}
    for path in sorted(found):
        stub = f"{path.parent.name}/{path.name}".lower()
        if stub in stub_files():
            places.setdefault(path.parent.parent, {})[stub] = path
    return places


def _topics(stubs: Iterable[str]) -> set[str]:
    return {stub.split("/")[0] for stub in stubs}


def _on_places(files: Files) -> list[str]:
    places = {stub.split("/")[0]: path.parent for stub, path in files.items()}
    if len({place.parent for place in places.values()}) < 2:
        return []
    return [f"The topics stand apart: taken were {listed(places.values())}."]


def _on_others(files: Files, places: Mapping[PurePosixPath, Files], found: Mapping[PurePosixPath, bytes]) -> list[str]:
    others = [
        path
        for stubs in places.values()
        for stub, path in stubs.items()
        if stub not in files or found[path] != found[files[stub]]
    ]
    taken = listed(sorted({path.parent for path in files.values()}))
    return [f"Elsewhere stands other content: {listed(others)} not taken; taken was {taken}."] if others else []


def _add_loose(files: Files, loose: Mapping[PurePosixPath, bytes]) -> list[str]:
    """Take files that stand in no directory of their topic for stub files that are lacking."""
    notes = []
    for path in sorted(loose, key=lambda path: (len(path.parts), str(path))):
        possible = _named(path)
        if len(possible) > 1:
            possible = [stub for stub in possible if _defines(loose[path], functions_in(stub))]
        if len(possible) != 1:
            notes.append(f"{listed([path])} may be of several topics and was not taken; expected it in its topic's.")
        elif possible[0] not in files:
            files[possible[0]] = path
            notes.append(f"{listed([path])} stands in no directory of its topic; it was read as {possible[0]}.")
        else:
            notes.append(f"{listed([path])} was not taken; {possible[0]} is another file.")
    return notes


def _defines(content: bytes, names: Iterable[str]) -> bool:
    return any(re.search(rb"^def\s+%s\b" % name.encode(), content, re.MULTILINE) for name in names)
