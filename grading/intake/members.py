"""What stands in a hand-in, whatever its form: the paths of its files, each read only when asked for."""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from grading import signs

from .limits import DEPTH, MEMBERS, NAME, TAKEN, IntakeError, Unreadable, listed, size

CHUNK = 1 << 16
MADE_BY_TOOLS = {"__MACOSX", "__pycache__", "venv", "env", "site-packages", "node_modules"}  # and hidden ones
Kind = Literal["file", "directory", "link", "device"]


@dataclass(frozen=True)
class Member:
    """A file or directory as its archive names it; `chunks` reads a file bit by bit and may raise anything."""

    name: str
    kind: Kind
    chunks: Callable[[], Iterable[bytes]]


@dataclass
class Listing:
    """The members by path; `repeated` are those of whose path there were several, `notes` tells what was left out.

    digests: the SHA-256 of what was read.
    """

    members: dict[PurePosixPath, Member] = field(default_factory=dict)
    repeated: set[PurePosixPath] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    spent: int = 0
    digests: dict[PurePosixPath, str] = field(default_factory=dict)

    def read(self, path: PurePosixPath, most: int) -> bytes:
        """Return the content of a file of at most so many bytes; of a longer one no more than a chunk beyond is read.

        Raises:
            Unreadable: it is longer, damaged, encrypted, a link or a device.
            IntakeError: too much was read from this hand-in.
        """
        member, content = self.members[path], bytearray()
        if member.kind != "file":
            raise Unreadable(f"is a {member.kind}; expected a file")
        try:
            for chunk in member.chunks():
                self._spend(len(chunk))
                content += chunk
                if len(content) > most:
                    raise Unreadable(f"has more than {size(most)}, which is the most that is read")
        except (Unreadable, IntakeError):
            raise
        except Exception as error:  # the content is anybody's, and so is what its readers raise
            raise Unreadable(f"is damaged ({signs.told(error)})") from error
        self.digests[path] = hashlib.sha256(content).hexdigest()
        return bytes(content)

    def _spend(self, number: int) -> None:
        self.spent += number
        if self.spent > TAKEN:
            raise IntakeError(f"its files have more than {size(TAKEN)}. Hand in the stub files and fewer runs.")


def listing(found: Iterable[Member]) -> Listing:
    """Gather members by their path inside the hand-in; of several with one path the last counts, as for unzip.

    Raises:
        IntakeError: there are too many.
    """
    result, outside, deep = Listing(), [], []
    for number, member in enumerate(m for m in found if not is_made_by_a_tool(m.name)):
        if number == MEMBERS:
            raise IntakeError(
                f"it holds more than {MEMBERS} files and directories. Hand in the stub files and runs alone."
            )
        path = inside(member.name)
        if path is None:
            outside.append(member.name)
        elif len(path.parts) > DEPTH or len(member.name) > NAME:
            deep.append(member.name)
        elif member.kind != "directory":
            if result.members.pop(path, None):
                result.repeated.add(path)
            result.members[path] = member  # in the order of the archive, which is the fastest to read in
    if outside:
        result.notes.append(f"Paths that lead out of the hand-in were not read: {listed(outside)}.")
    if deep:
        result.notes.append(f"Paths of more than {DEPTH} directories or {NAME} characters: {listed(deep)}, not read.")
    return result


def inside(name: str) -> PurePosixPath | None:
    r"""Return the path that a member's name means, None if it leads out; Windows may have written it.

    >>> inside("alice\\vae\\.\\bounds.py")
    PurePosixPath('alice/vae/bounds.py')
    >>> inside("vae/../../bounds.py"), inside("/etc/passwd"), inside("C:bounds.py")
    (None, None, None)
    """
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in name.split("/"):
        return None
    return PurePosixPath(name)


def is_made_by_a_tool(name: str) -> bool:
    """Tell whether a path is hidden or of a directory that no student writes."""
    parts = name.replace("\\", "/").split("/")
    return any(part in MADE_BY_TOOLS or (part.startswith(".") and part not in (".", "..")) for part in parts)


def walk(folder: Path) -> Iterator[Member]:
    """Go through a directory and those in it, following no link."""
    waiting = [(folder, "")]
    while waiting:
        place, prefix = waiting.pop()
        with os.scandir(place) as entries:
            first = sorted(islice(entries, MEMBERS + 1), key=lambda entry: entry.name)
        for entry in first:
            name, path = prefix + entry.name, place / entry.name
            kind = _kind(entry.stat(follow_symlinks=False).st_mode)
            if kind == "directory" and name.count("/") <= DEPTH and not is_made_by_a_tool(entry.name):
                waiting.append((path, f"{name}/"))
            yield Member(name, kind, lambda path=path: file_chunks(path))  # type: ignore[misc]


def _kind(mode: int) -> Kind:
    if stat.S_ISLNK(mode):
        return "link"
    return "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "device"


def file_chunks(path: Path) -> Iterator[bytes]:
    """Read a regular file bit by bit.

    Raises:
        Unreadable: it is something else.
    """
    with open_regular(path) as file:
        yield from iter(lambda: file.read(CHUNK), b"")


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file; neither a link nor a pipe that takes its place is followed or waited for.

    Raises:
        Unreadable: it is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("is no regular file")
    return open(descriptor, "rb")
