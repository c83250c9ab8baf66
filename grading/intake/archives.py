"""The members of zip and tar archives; an archive that lies about its sizes costs no more than an honest one.

Nothing is ever extracted. The headers of tar are read here, one block each: tarfile reads as much for a header as the
archive says, and follows chains of headers.
"""

import math
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from .limits import LIST, MEMBERS, IntakeError, Unreadable, size
from .members import CHUNK, Kind, Member

BLOCK = tarfile.BLOCKSIZE
HEADERS = 3 * MEMBERS  # of tar, with those that only add to the next one
EMPTY = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
ADDITIONS = (*PAX, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE)


class Stream(Protocol):
    """What is read of a file."""

    def read(self, size: int = -1, /) -> bytes: ...  # noqa: D102
    def seek(self, offset: int, whence: int = 0, /) -> int: ...  # noqa: D102
    def tell(self) -> int: ...  # noqa: D102


class Careful:
    """A file that refuses to be read in larger pieces, or further in, than an honest archive needs."""

    def __init__(self, file: Stream, end: float = math.inf) -> None:
        """Watch over a file, which is perhaps unpacked while it is read."""
        self._file, self._end = file, end
        self.tell = file.tell

    def read(self, number: int = -1) -> bytes:
        """Read as a file does.

        Raises:
            IntakeError: so much is not read.
        """
        if number > LIST:
            raise IntakeError(f"the archive's list of files has more than {size(LIST)}. Hand in fewer files.")
        content = self._file.read(number)
        self._expect_before_end(self._file.tell())
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place as a file does.

        Raises:
            IntakeError: so far in nothing is read.
        """
        if whence == 0:
            self._expect_before_end(offset)
        return self._file.seek(offset, whence)

    def seekable(self) -> bool:
        """Tell zipfile that it may seek."""
        return True

    def _expect_before_end(self, offset: int) -> None:
        if offset > self._end:
            raise IntakeError(
                f"the archive unpacks to more than {size(int(self._end))}, the most for one of its size. "
                "Hand in the stub files and runs alone."
            )


def zip_members(file: Stream) -> Iterator[Member]:
    """Go through the list of files of a zip archive."""
    archive = zipfile.ZipFile(Careful(file))
    for info in archive.infolist():
        yield Member(info.filename, _kind_in_zip(info), partial(_unzipped, archive, info))


def _kind_in_zip(info: zipfile.ZipInfo) -> Kind:
    mode = info.external_attr >> 16  # of programs under Unix; 0 from others
    if info.is_dir() or stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "device"


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    if info.flag_bits & 1:
        raise Unreadable("is encrypted; expected an archive without a password")
    # Of other methods zipfile unpacks a piece whole, however large it gets.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(f"is compressed by method {info.compress_type} of zip; expected the usual one, deflate")
    with archive.open(info) as file:
        yield from iter(lambda: file.read(CHUNK), b"")


def tar_members(file: Stream, end: float = math.inf) -> Iterator[Member]:
    """Go through the headers of a tar archive that is not compressed, or unpacked while it is read.

    Raises:
        ValueError, tarfile.TarError, IntakeError: it is none, it is damaged, or it is too large.
    """
    stream = Careful(file, end)
    stream.seek(0)
    added: dict[bytes, bytes] = {}
    for _ in range(HEADERS):
        block = stream.read(BLOCK)
        if not block.strip(b"\0"):
            return
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        start, length = stream.tell(), 0 if info.type in EMPTY else info.size
        if info.type in ADDITIONS:
            added |= _addition(info.type, stream.read(length) if length <= CHUNK else b"")
        else:
            length = int(added.get(b"size", length))
            name = added[b"path"].decode("utf-8", "surrogateescape") if b"path" in added else info.name
            yield Member(name, _kind_in_tar(info), partial(_section, stream, start, length))
            added = {}
        if length < 0:
            raise ValueError("a size is negative")
        stream.seek(start + -(-length // BLOCK) * BLOCK)
    raise IntakeError(f"the archive holds more than {MEMBERS} files. Hand in the stub files and runs alone.")


def _addition(kind: bytes, content: bytes) -> dict[bytes, bytes]:
    """Return what a header says of the next one: its long name, or records 'LENGTH KEY=VALUE'."""
    if kind == tarfile.GNUTYPE_LONGNAME and content:
        return {b"path": content.rstrip(b"\0")}
    records, place = {}, 0
    while kind in PAX and place < len(content):
        length, _, _ = content[place : place + 20].partition(b" ")
        key, _, value = content[place + len(length) + 1 : place + int(length) - 1].partition(b"=")
        records[key] = value
        place += max(int(length), 1)
    return records


def _kind_in_tar(info: tarfile.TarInfo) -> Kind:
    if info.isdir():
        return "directory"
    # A file with holes is stored in a form of its own, which no program writes unless it is told to.
    holes = info.type == tarfile.GNUTYPE_SPARSE
    return "link" if info.issym() or info.islnk() else "file" if info.isreg() and not holes else "device"


def _section(stream: Careful, start: int, length: int) -> Iterator[bytes]:
    stream.seek(start)
    while length > 0:
        chunk = stream.read(min(length, CHUNK))
        if not chunk:
            raise Unreadable("is cut off")
        length -= len(chunk)
        yield chunk
