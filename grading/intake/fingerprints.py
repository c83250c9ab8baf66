"""Telling whether a hand-in is still the one that was graded, without opening what is in it."""

import contextlib
import hashlib
import os
from pathlib import Path

from .naming import Source

MOST = 10_000  # files of a directory that are looked at


def fingerprint(source: Source) -> str:
    """Return a digest of a hand-in as it came: a file's bytes, or names, sizes and times of a directory's files."""
    digest = hashlib.sha256()
    with contextlib.suppress(OSError):  # what is gone has no bytes
        if source.path.is_dir():
            for line in _told(source.path):
                digest.update(line.encode(errors="surrogateescape"))
        elif source.path.is_file():
            with source.path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def _told(directory: Path) -> list[str]:
    lines: list[str] = []
    for place, folders, files in os.walk(directory):
        folders.sort()
        for name in sorted(files):
            status = os.lstat(os.path.join(place, name))
            lines.append(f"{os.path.relpath(place, directory)}/{name} {status.st_size} {status.st_mtime_ns}\n")
            if len(lines) > MOST:
                return lines
    return lines
