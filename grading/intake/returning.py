"""Submissions that were graded before: each keeps the name that its record has, whoever comes after it.

What a person gave for words stands under that name, as do times and extensions.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from .fingerprints import fingerprint
from .limits import listed, shown
from .naming import ASSIGNMENT, Source, readable, stem, unique, with_number, without_ending


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
        paths[source.file].append(source.path)
    for name in sorted(graded, key=lambda name: (len(name), name)):  # bob-10 after bob-2
        records[graded[name].file][name] = graded[name]
    kept = {path: name for file in paths if file in records for path, name in _kept(paths[file], records[file])}
    new = [source.path for source in sources if source.path not in kept]
    taken = [*_taken(graded), *_before(graded)]
    names = dict(zip(new, unique(map(stem, new), taken), strict=True)) | kept
    return [Source(names[source.path], source.path) for source in sources]


def _taken(graded: Mapping[str, Graded]) -> list[str]:
    return [name for name in graded if graded[name].file]


def _before(graded: Mapping[str, Graded]) -> dict[str, str]:
    """Return who was graded first under each name, by the name in small letters, numbered or not."""
    first: dict[str, str] = {}
    for name in sorted(_taken(graded), key=lambda name: (len(name), name)):
        first.setdefault(name.lower(), name)
        first.setdefault(_bare(name, graded[name].file).lower(), name)
    return first


def _bare(name: str, file: str) -> str:
    """Return the name that a submission was given a number to, or its name where that is its file's own."""
    numbered = re.fullmatch(r"(.+)-[0-9]+", name)
    own = {readable(file).lower(), readable(without_ending(file)).lower()}
    return name if numbered is None or file == ASSIGNMENT or name.lower() in own else numbered[1]


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
    """Yield a sentence on each new submission whose name an earlier one has, or another new one could have as well."""
    before, alike = _before(graded), defaultdict[str, list[Source]](list)
    new = [source for source in sources if source.name not in graded]
    for source in new:
        alike[stem(source.path).lower()].append(source)
    for source in new:
        bare = stem(source.path)
        others = [other for other in alike[bare.lower()] if other is not source]
        if bare.lower() in before:
            yield _after(source, before[bare.lower()], graded)
        elif others:
            several = len({other.file for other in alike[bare.lower()]}) <= len(others)
            yield (
                f"{_where(source, several)} is called {source.name}: {bare} could as well be "
                f"{listed(_where(other, several) for other in others)}. "
                f"Times, extensions and points go by {source.name}."
            )


def _where(source: Source, several: bool) -> str:
    """Return a file's name, with its folder where several have that name."""
    return shown(f"{source.path.parent.name}/{source.file}" if several else source.file)


def _after(source: Source, before: str, graded: Mapping[str, Graded]) -> str:
    file, now = shown(graded[before].file), shown(source.file)
    other = f"another {file}" if file == now else file
    return (
        f"{now} is called {source.name}: {before} is {other}, which was graded before. If both are of one "
        f"person, move the points in manual.csv from {before} to {source.name}."
    )
