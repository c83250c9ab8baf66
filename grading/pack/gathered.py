"""The files of a hand-in by their names in the archive, each read where it stands, and no link followed to it."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grading.intake.limits import Unreadable, shown, size
from grading.intake.members import file_chunks

PLACE = "exercises"


@dataclass
class Gathered:
    """What goes into a hand-in.

    places: directories by their names in the archive. files: names in the archive of what is packed, each with the most
    bytes that the intake reads of it. report: its text. pictures: how many links in it lead to one. absent: those links
    that lead to none. looked_in: where runs were looked for, "" where they were named. problems: what is missing or
    cannot be packed. notes: what else is worth knowing.
    """

    places: dict[str, Path]
    files: dict[str, int] = field(default_factory=dict)
    report: str = ""
    pictures: int = 0
    absent: list[str] = field(default_factory=list)
    looked_in: str = ""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def runs(self) -> list[str]:
        """Names in the archive of the runs."""
        return [name for name in self.places if name != PLACE]

    def has(self, name: str) -> bool:
        """Tell whether something stands where a file of the archive would come from."""
        base, inner = self._located(PurePosixPath(name))
        return not os.path.isdir(base / inner) and os.path.lexists(base / inner)

    def read(self, name: str) -> bytes:
        """Return the content of a file by its name in the archive; no link on the way to it is followed.

        Raises:
            Unreadable: it is missing, too large, a link, or no file.
        """
        base, inner = self._located(PurePosixPath(name))
        for above in (base / parent for parent in list(inner.parents)[-2::-1]):
            if above.is_symlink():
                raise Unreadable(f"stands in a link, {shown(above.name)}; put the files themselves there")
        return _content(base / inner, self.files[name])

    def _located(self, path: PurePosixPath) -> tuple[Path, PurePosixPath]:
        """Return the directory that a file is in, and its path in that."""
        for parent in path.parents:
            if str(parent) in self.places:
                return self.places[str(parent)], path.relative_to(parent)
        return self.places[PLACE].parent, path


def _content(path: Path, most: int) -> bytes:
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise Unreadable("is a link; put the file itself there")
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("is a directory, a pipe or a device; expected a file")
        if status.st_size > most:
            raise Unreadable(f"has {size(status.st_size)}; the grader reads files of at most {size(most)}")
        return b"".join(file_chunks(path))
    except FileNotFoundError as error:
        raise Unreadable("is missing") from error
    except (OSError, ValueError) as error:  # a name with a zero in it is a ValueError
        raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
