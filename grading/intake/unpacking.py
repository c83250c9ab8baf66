"""A compressed file that is read at any place, and unpacked once for all of that."""

from typing import BinaryIO, Protocol

from .limits import NoSpace
from .members import CHUNK


class Packed(Protocol):
    """What is unpacked as it is read, by as much as comes at once: what follows an archive may be no more of it."""

    def read1(self, size: int = -1, /) -> bytes: ...  # noqa: D102


class Unpacked:
    """What a compressed file holds, unpacked as far as it is read, and kept: to go back in it would begin anew."""

    def __init__(self, packed: Packed, kept: BinaryIO) -> None:
        """Unpack into a file that is empty."""
        self._packed, self._kept, self._size, self._place = packed, kept, 0, 0

    def read(self, size: int = -1, /) -> bytes:
        """Read as a file does, but never the whole of it."""
        self._unpack(self._place + size)
        self._kept.seek(self._place)
        content = self._kept.read(max(size, 0))
        self._place += len(content)
        return content

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place, from the beginning or from where it is."""
        self._place = offset + (self._place if whence else 0)
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def _unpack(self, end: int) -> None:
        while self._size < end and (piece := self._packed.read1(CHUNK)):
            try:
                self._kept.seek(self._size)
                self._kept.write(piece)
            except OSError as error:
                raise NoSpace(error.errno, f"nothing can be unpacked here: {error.strerror}") from error
            self._size += len(piece)
