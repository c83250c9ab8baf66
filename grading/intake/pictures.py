"""The pictures that a report shows, of the files of its hand-in alone."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from . import limits
from .limits import Unreadable, listed, shown
from .members import Listing

ELSEWHERE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{1,20}:|//)")  # a single letter is a drive
MAGIC = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"GIF87a": ".gif", b"GIF89a": ".gif"}


def pictures_of(
    listing: Listing, place: PurePosixPath, paths: Sequence[str], attached: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the contents of pictures by the paths under which a report shows them, and note which are lacking.

    Args:
        listing: of the hand-in.
        place: the directory of the report.
        paths: those in its text.
        attached: pictures that are not files, by their paths.
    """
    looked_for = paths[: limits.PATHS]
    elsewhere = [path for path in looked_for if path not in attached and ELSEWHERE.match(path)]
    apart = {*attached, *elsewhere}
    members = {path: _member(listing, place, path) for path in looked_for if path not in apart}
    absent = [path for path, member in members.items() if member is None]
    here = [path for path in looked_for if path in attached or members.get(path)]
    chosen, more = here[: limits.PICTURES], [*here[limits.PICTURES :], *paths[limits.PATHS :]]
    read = dict(_read(listing, {path: member for path in chosen if (member := members.get(path))}))
    pictures = {path: found for path in chosen if (found := attached.get(path, read.get(path))) is not None}
    others = [path for path, content in pictures.items() if _ending(content) is None]
    _note(listing, elsewhere, "not taken: no picture is fetched; hand it in beside the report")
    _note(listing, absent, "not handed in, though the report shows it")
    _note(listing, more, f"not looked at: the report shows more than {limits.PICTURES} pictures")
    _note(listing, others, "not taken: no PNG, JPEG or GIF")
    return {path: content for path, content in pictures.items() if _ending(content)}


def _note(listing: Listing, names: Sequence[str], what: str) -> None:
    if names:
        listing.notes.append(f"{listed(names)} {what}.")


def _read(listing: Listing, members: Mapping[str, PurePosixPath]) -> Iterator[tuple[str, bytes]]:
    """Read pictures in the order of the archive."""
    wanted: dict[PurePosixPath, list[str]] = {}
    for path, member in members.items():
        wanted.setdefault(member, []).append(path)
    for member in [member for member in listing.members if member in wanted]:
        try:
            content = listing.read(member, limits.PICTURE)
            yield from ((path, content) for path in wanted[member])
        except Unreadable as error:
            listing.notes.append(f"{shown(member)} {error}: not taken.")


def _member(listing: Listing, place: PurePosixPath, path: str) -> PurePosixPath | None:
    """Return the file that a path in a report means: from its own directory, or from one above, never outside."""
    plain = posixpath.normpath(unquote(path).replace("\\", "/").partition("#")[0].partition("?")[0].lstrip("/"))
    # From the root there is no way up: what leads out of the hand-in ends in it, and is there or not.
    exact = PurePosixPath(posixpath.normpath(f"/{place}/{plain}").lstrip("/"))
    down = re.sub(r"^(\.\./)+", "", plain)
    candidates = (exact, *(folder / down for folder in (place, *place.parents)))
    return next((each for each in candidates if each in listing.members), None)


def _ending(content: bytes) -> str | None:
    return next((ending for magic, ending in MAGIC.items() if content.startswith(magic)), None)


def names_of(paths: Sequence[str], pictures: Mapping[str, bytes]) -> dict[str, str]:
    """Return a name for each picture that is safe as that of a file, and no other's on any disk."""
    names: dict[str, str] = {}
    for path in (path for path in paths if path in pictures):
        stem = re.sub("[^A-Za-z0-9_-]+", "-", PurePosixPath(unquote(path).replace("\\", "/")).stem).strip("-")[:60]
        plain, ending, number = f"figures/{stem or 'picture'}", _ending(pictures[path]), 2
        name = f"{plain}{ending}"
        while name.lower() in map(str.lower, names.values()):
            name, number = f"{plain}-{number}{ending}", number + 1
        names[path] = name
    return names
