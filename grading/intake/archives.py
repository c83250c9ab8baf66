"""Archives, read with care: one that lies about its sizes costs no more than an honest one. The members of zip."""

import math
import stat
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from .limits import LIST, IntakeError, Unreadable, size
from .members import CHUNK, Kind, Member


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
