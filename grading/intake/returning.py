"""Submissions that were graded before: each keeps the name that its record has, whoever comes after it.

What a person gave for words stands under that name, as do times and extensions.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from .fingerprints import fingerprint
from .naming import Source, stem, unique, with_number


class Graded(msgspec.Struct, frozen=True):
    """What a record says of whose it is: the name of the file or directory, its digest, the number in its manifest."""

    file: str = ""
    handed_in: str = ""
    student: str = ""


def keep_names(sources: Sequence[Source], graded: Mapping[str, Graded]) -> list[Source]:
    """Give submissions that were graded before the names they had then, and number the others where those are taken.

    A submission is known again by the name of its file or directory, so that one that was replaced is the same. Where
    several have that name, in folders of several groups say, it is known by what is in it.

    Args:
        sources: the submissions that there are.
        graded: those that there are records of, by name; one whose file is unknown keeps no name from others.
    """
    paths, records = defaultdict[str, list[Path]](list), defaultdict[str, dict[str, Graded]](dict)
    for source in sources:
        paths[source.path.name].append(source.path)
    for name in sorted(graded, key=lambda name: (len(name), name)):  # bob-10 after bob-2
        records[graded[name].file][name] = graded[name]
    kept = {path: name for file in paths if file in records for path, name in _kept(paths[file], records[file])}
    new = [source.path for source in sources if source.path not in kept]
    names = dict(zip(new, unique(map(stem, new), _taken(graded)), strict=True)) | kept
    return [Source(names[source.path], source.path) for source in sources]


def _taken(graded: Mapping[str, Graded]) -> list[str]:
    return [name for name in graded if graded[name].file]


def _kept(paths: list[Path], records: Mapping[str, Graded]) -> Iterator[tuple[Path, str]]:
    """Yield which of the submissions with one file name has the name of which of its records."""
    left, replaced = list(records), paths
    if len(paths) > 1 or len(left) > 1 or not _fits(left[0], paths[0]):
        replaced = []
        for path in paths:
            digest = fingerprint(Source("", path))
            same = next((name for name in left if records[name].handed_in == digest), None)
            if same is None:
                replaced.append(path)
            else:
                left.remove(same)
                yield path, same
    for path in replaced:  # where it is certain whose the record was
        names = [name for name in left if _fits(name, path)]
        if len(names) == 1 and sum(_fits(names[0], other) for other in replaced) == 1:
            yield path, names[0]


def _fits(name: str, path: Path) -> bool:
    """Tell whether a submission at a place may have been given a name, with a number or without."""
    number = re.fullmatch(r".*-([0-9]+)", name)
    may = {stem(path), with_number(stem(path), number[1])} if number else {stem(path)}
    return name.lower() in {each.lower() for each in may}


def numbered(sources: Sequence[Source], graded: Mapping[str, Graded]) -> Iterator[str]:
    """Yield a sentence on each new submission whose name an earlier one has."""
    taken = {name.lower(): name for name in _taken(graded)}
    for source in sources:
        before = taken.get(stem(source.path).lower())
        if before is not None and source.name not in graded:
            file, now = graded[before].file, source.path.name
            other = f"another {file}" if file == now else file
            yield (
                f"{now} is called {source.name}: {before} is {other}, which was graded before. If both are of one "
                f"person, move the points in manual.csv from {before} to {source.name}."
            )
