"""Telling whether a hand-in is still the one that was graded, without opening what is in it."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .limits import DEPTH, MEMBERS, TAKEN, Unreadable
from .members import is_made_by_a_tool, open_regular
from .naming import Source

MOST = 10_000  # files and directories that are looked at whatever they are; beyond, those that the intake looks at
WHOLE = TAKEN  # bytes of a file that is read whole
PIECE = 4 << 20  # bytes at the beginning and at the end of a larger one


def fingerprint(source: Source) -> str:
    """Return a digest of a hand-in as it came: a file's bytes, or names, sizes and times of a directory's files.

    Of a file that is larger than all that is taken of a hand-in, its size, its time, its beginning and its end count,
    where a zip archive has its list of files. Of a link, where it leads to.
    """
    digest = hashlib.sha256()
    with contextlib.suppress(OSError, Unreadable):  # what is gone has no bytes
        for piece in _pieces(source.path):
            digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        yield b"a link to " + os.fsencode(os.readlink(path))
    elif stat.S_ISDIR(mode):
        yield from (line.encode(errors="surrogateescape") for line in _lines(path))
    else:
        yield from _content(path)


def _content(path: Path) -> Iterator[bytes]:
    with open_regular(path) as file:
        status, left = os.fstat(file.fileno()), WHOLE
        if status.st_size > WHOLE:
            yield f"{status.st_size} {status.st_mtime_ns}\n".encode() + file.read(PIECE)
            file.seek(-PIECE, os.SEEK_END)
            left = PIECE
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            left -= len(block)
            yield block


def _lines(directory: Path) -> Iterator[str]:
    """Yield a line on each file of a directory and of those in it, in the order of their names, following no link.

    So many as the intake takes are always among them: what tools leave, and what lies too deep, is looked at as long as
    it is not too much.
    """
    looked, waiting = 0, [(directory, "")]
    while waiting:
        place, prefix = waiting.pop()
        folders = []
        for entry in _entries(place):
            name = prefix + entry.name
            if looked >= MOST and (is_made_by_a_tool(name) or name.count("/") > DEPTH):
                continue
            looked += 1
            if looked > MOST + MEMBERS:  # the intake refuses it
                yield "and more\n"
                return
            with contextlib.suppress(OSError):  # it has gone
                if entry.is_dir(follow_symlinks=False):
                    folders.append((place / entry.name, f"{name}/"))
                elif not os.path.isdir(entry.path):  # a link to a directory is no file
                    status = os.lstat(entry.path)
                    yield f"{prefix or './'}{entry.name} {status.st_size} {status.st_mtime_ns}\n"
        waiting += reversed(folders)


def _entries(place: Path) -> list[os.DirEntry[str]]:
    """Return what stands in a directory, as much as the intake looks at; nothing of one that cannot be read."""
    try:
        with os.scandir(place) as entries:
            return sorted(islice(entries, MEMBERS + 1), key=lambda entry: entry.name)
    except OSError:
        return []
