"""The members of tar archives. Nothing is ever extracted.

Headers are read here, one block each: tarfile reads as much for a header as the archive says, keeps all that headers
say, and follows chains of them.
"""

import math
import tarfile
from collections.abc import Iterator
from functools import partial

from .archives import Careful, Stream
from .limits import BEFORE_A_FILE, MEMBERS, NAME, RECORDS, IntakeError, Unreadable
from .members import CHUNK, Kind, Member

BLOCK = tarfile.BLOCKSIZE
HEADERS = 3 * MEMBERS  # with those that only add to the next one
EMPTY = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
ADDITIONS = (*PAX, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE)
NEEDED = (b"path", b"size")  # of what a header says of the next one; no link is followed, so that none needs a target


def tar_members(file: Stream, end: float = math.inf) -> Iterator[Member]:
    """Go through the headers of a tar archive that is not compressed, or unpacked while it is read.

    Raises:
        ValueError, tarfile.TarError, IntakeError: it is none, it is damaged, or it is too large.
    """
    stream = Careful(file, end)
    stream.seek(0)
    added, before = dict[bytes, bytes](), 0
    for _ in range(HEADERS):
        block = stream.read(BLOCK)
        if not block.strip(b"\0"):
            return
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        start, length = stream.tell(), _expect_size(0 if info.type in EMPTY else info.size)
        if info.type in ADDITIONS:
            before = _expect_few(before + 1)
            added |= _addition(info.type, stream.read(length) if length <= CHUNK else b"")
        else:
            length = _expect_size(int(added.get(b"size", length)))
            name = added[b"path"].decode("utf-8", "surrogateescape") if b"path" in added else info.name
            # One that is cut is too long to be taken all the same, and twenty thousand of them are a gigabyte.
            yield Member(name[: NAME + 1], _kind_in_tar(info), partial(_section, stream, start, length))
            added, before = {}, 0
        stream.seek(start + -(-length // BLOCK) * BLOCK)
    raise IntakeError(f"the archive holds more than {MEMBERS} files. Hand in the stub files and runs alone.")


def _expect_size(length: int) -> int:
    if length < 0:
        raise ValueError("a size is negative")
    return length


def _expect_few(headers: int) -> int:
    if headers > BEFORE_A_FILE:
        raise IntakeError(
            f"the archive has more than {BEFORE_A_FILE} headers before one file. Pack it with tar or zip."
        )
    return headers


def _addition(kind: bytes, content: bytes) -> dict[bytes, bytes]:
    """Return what a header says of the next one, as far as it is needed."""
    if kind == tarfile.GNUTYPE_LONGNAME and content:
        return {b"path": content.rstrip(b"\0")}
    return _records(content) if kind in PAX else {}


def _records(content: bytes) -> dict[bytes, bytes]:
    """Read records 'LENGTH KEY=VALUE'.

    Raises:
        ValueError: one has no length.
        IntakeError: there are too many.
    """
    records, place = dict[bytes, bytes](), 0
    for _ in range(RECORDS):
        if place >= len(content):
            break
        length, _, _ = content[place : place + 20].partition(b" ")
        if not length.isdigit() or not int(length):
            raise ValueError("a record in a header has no length")
        key, _, value = content[place + len(length) + 1 : place + int(length) - 1].partition(b"=")
        if key in NEEDED:
            records[key] = value
        place += int(length)
    if place < len(content):
        raise IntakeError(f"a header in the archive has more than {RECORDS} records. Pack it as zip.")
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
