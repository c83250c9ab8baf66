"""Which form a hand-in has, by its content: a directory, an archive, a notebook or a stub file."""

import bz2
import gzip
import lzma
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from grading import signs

from .archives import zip_members
from .limits import RATIO, UNPACKED, UNPACKED_FREELY, IntakeError, NoSpace, Unreadable, shown
from .members import Listing, Member, file_chunks, listing, open_regular, walk
from .tars import BLOCK, tar_members
from .unpacking import Packed, Unpacked

EXPECTED = "expected a zip or tar archive, a directory, a notebook (.ipynb) or a stub file"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
COMPRESSED: dict[bytes, Callable[[BinaryIO], Packed]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
OTHERS = {b"%PDF": "a PDF", b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7z archive", b"\x89PNG": "a picture"}
ALONE = (".py", ".ipynb")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


@contextmanager
def opened(source: Path) -> Iterator[Listing]:
    """List what stands in a hand-in; its files can be read until the end of the context.

    Raises:
        IntakeError: it is of no form that can be read, damaged, or too large.
        NoSpace: it cannot be unpacked here.
    """
    name = shown(source.name)
    if source.is_symlink():
        raise IntakeError(f"{name} is a link. Hand in the files themselves.")
    if source.is_dir():
        with told(name):
            found = listing(walk(source))
        yield found
        return
    with told(name):
        file = _open(source)
    with file, TemporaryFile() as unpacked:
        with told(name):
            found = listing(_members(source, file, unpacked))
        yield found


@contextmanager
def told(name: str) -> Iterator[None]:
    """Name the hand-in in whatever goes wrong.

    Raises:
        IntakeError: something did.
        NoSpace: it is not the hand-in's fault.
    """
    try:
        yield
    except NoSpace:
        raise
    except IntakeError as error:
        raise IntakeError(f"{name}: {error}") from error
    except OSError as error:
        raise IntakeError(f"{name} cannot be read: {error.strerror or error}. Pack and hand in again.") from error
    except Exception as error:  # the content is anybody's, and so is what its readers raise
        raise IntakeError(f"{name} is damaged ({signs.told(error)}). Pack it again.") from error


def _open(source: Path) -> BinaryIO:
    try:
        return open_regular(source)
    except Unreadable as error:
        raise IntakeError(f"this is a pipe or a device; {EXPECTED}") from error


def _members(source: Path, file: BinaryIO, unpacked: BinaryIO) -> Iterator[Member]:
    start = file.read(BLOCK)
    file.seek(0)
    if start.startswith(ZIP):
        return zip_members(file)
    if source.suffix.lower() in ALONE:
        return iter([Member(source.name, "file", lambda: file_chunks(source))])
    for magic, unpack in COMPRESSED.items():
        if start.startswith(magic):
            most = UNPACKED_FREELY + RATIO * os.fstat(file.fileno()).st_size
            return tar_members(Unpacked(unpack(file), unpacked), min(UNPACKED, most))
    if _begins_tar(start):
        return tar_members(file)
    found = next((what for magic, what in OTHERS.items() if start.startswith(magic)), "no archive")
    raise IntakeError(f"this is {found if start else 'an empty file'}; {EXPECTED}. Pack the stub files as zip.")


def _begins_tar(start: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return len(start) == BLOCK and not start.strip(b"\0")  # one without files
    return True


def lone_archive(source: Path) -> Path:
    """Return the one archive in a directory in which no code lies, as learning platforms leave it; else the source."""
    if source.is_symlink() or not source.is_dir():
        return source
    with os.scandir(source) as entries:
        visible = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
    names = [entry.name for entry in visible if entry.name.lower().endswith(ARCHIVES)]
    code = any(entry.is_dir(follow_symlinks=False) or entry.name.lower().endswith(ALONE) for entry in visible)
    return source / names[0] if len(names) == 1 and not code else source
