"""The files in a tar archive or in train and test of a directory, one after another, with a progress bar.

Archives come from anywhere. Nothing of one is extracted to the disk, and none costs more than an honest one.
"""

import bz2
import gzip
import hashlib
import lzma
import tarfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from . import DataDamaged

SPLITS = ("train", "test")
MEMBERS = 200_000
LARGEST = 2**20  # bytes of one file that is read, or of one header of an archive
UNPACKED = 2**30  # bytes of an archive
UNPACKERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda packed: gzip.GzipFile(fileobj=packed),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}


class Member(NamedTuple):
    """A file in an archive or a directory."""

    name: str
    size: int  # bytes
    content: Callable[[], bytes]


def fingerprint(path: Path) -> str:
    """Tell an archive by the SHA-256 of its bytes, a directory by that of the names, sizes and times of its files.

    Raises:
        OSError: it cannot be read.
        DataDamaged: the directory has too many files.
    """
    if path.is_file():
        with path.open("rb") as archive:
            return hashlib.file_digest(archive, "sha256").hexdigest()
    digest = hashlib.sha256()
    for file in _files(path):
        status = file.lstat()
        line = f"{file.relative_to(path)}\0{status.st_size}\0{status.st_mtime_ns}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def members(path: Path) -> Iterator[Member]:
    """Go through the files of an archive, packed or not, or of a directory; the content of each is there for a step.

    Raises:
        DataDamaged: there is something else than files and directories, or more than of an honest archive.
        Exception: the archive is broken in another way.
    """
    return _in_directory(path) if path.is_dir() else _in_archive(path)


def _files(path: Path) -> list[Path]:
    found = (file for split in SPLITS for file in (path / split).rglob("*") if not file.is_dir())
    files = sorted(islice(found, MEMBERS + 1))
    _expect_few(len(files))
    return files


def _expect_few(number: int) -> None:
    if number > MEMBERS:
        raise DataDamaged(f"found more than {MEMBERS:,} files")


def _in_directory(path: Path) -> Iterator[Member]:
    with Progress(console=Console(stderr=True)) as progress:
        for file in progress.track(_files(path), description=escape(path.name)):
            name = file.relative_to(path).as_posix()
            if not file.is_file():
                raise DataDamaged(f"found {name!r}, which is no file")
            yield Member(name, file.stat().st_size, file.read_bytes)


def _in_archive(path: Path) -> Iterator[Member]:
    with (
        Progress(console=Console(stderr=True)) as progress,
        progress.open(path, "rb", description=escape(path.name)) as packed,
    ):
        start = packed.read(8)
        packed.seek(0)
        unpack = next((unpack for magic, unpack in UNPACKERS.items() if start.startswith(magic)), None)
        file = _Bounded(unpack(packed) if unpack else packed)
        with tarfile.open(fileobj=file, mode="r:") as archive:  # type: ignore[call-overload]  # a file in all but type
            for number, entry in enumerate(iter(archive.next, None), 1):
                _expect_few(number)
                if entry.size < 0:  # it would lead back, and be met again for ever
                    raise DataDamaged(f"found {entry.name!r} of {entry.size:,} bytes")
                if entry.isfile():
                    yield Member(entry.name, entry.size, lambda entry=entry: archive.extractfile(entry).read())  # type: ignore[misc]
                elif not entry.isdir():
                    raise DataDamaged(f"found {entry.name!r}, which is a link or a device")
                # It keeps all entries, and in each a copy of every header that is meant for all that follow.
                archive.members.clear()
                archive.pax_headers.clear()
                file.begin_entry()
        file.expect_end()


class _Bounded:
    """A file that is perhaps unpacked while it is read, for tarfile: no byte is read twice, and none past UNPACKED.

    No more are read in one piece than LARGEST, and no more for an entry than such a header and such a content.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._last = file, b""
        self.tell = file.tell
        self.begin_entry()

    def begin_entry(self) -> None:
        """Count anew what is read for an entry."""
        self._left = 2 * LARGEST

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST:
            raise DataDamaged(f"found a header of {size:,} bytes, expected {LARGEST:,} at most")
        self._left -= size
        if self._left < 0:
            raise DataDamaged(f"found a file with headers of more than {LARGEST:,} bytes")
        self._last = self._file.read(size)
        self._expect_within(self.tell())
        return self._last

    def seek(self, offset: int) -> int:
        if offset < self.tell():
            raise DataDamaged(f"found a header that leads back, from byte {self.tell():,} to byte {offset:,}")
        self._expect_within(offset)
        return self._file.seek(offset)

    def _expect_within(self, offset: int) -> None:
        if offset > UNPACKED:
            raise DataDamaged(f"found more than {UNPACKED:,} bytes in the archive")

    def expect_end(self) -> None:
        """Raise DataDamaged unless an empty header was read last: a damaged one is an end to tarfile as well."""
        if len(self._last) < tarfile.BLOCKSIZE or any(self._last):
            raise DataDamaged("found a damaged header, or no end")
        while self._file.read(LARGEST):  # to where packed archives have their checksums
            self._expect_within(self.tell())
