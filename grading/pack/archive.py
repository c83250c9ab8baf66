"""The archive itself: the same bytes from the same files, there whole or not at all, and in place of nothing."""

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path

from exercises.experiments.runs import first_free
from grading import manifest
from grading.intake.limits import Unreadable, shown

from . import PackError
from .gathered import Gathered

WHEN = (1980, 1, 1, 0, 0, 0)  # of every file, as the time of packing would make every archive another one


def write(gathered: Gathered, student: str, path: Path) -> dict[str, int]:
    """Write what was gathered as a zip archive, and return the sizes of its files; what cannot be read is a problem.

    Raises:
        PackError: it cannot be written.
        ManifestError: it is too large for a manifest, or the student's number is none.
    """
    digests, sizes = {}, {}
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(gathered.files):
                try:
                    content = gathered.read(name)
                except Unreadable as error:
                    gathered.problems.append(f"{shown(name)} {error}: not packed.")
                    continue
                digests[name], sizes[name] = hashlib.sha256(content).hexdigest(), len(content)
                archive.writestr(_info(name), content)
            archive.writestr(_info(manifest.NAME), manifest.encode(manifest.make(student, digests)))
    except OSError as error:
        raise PackError(
            f"{path.name} cannot be written in {path.parent}: {error.strerror}. Free some space."
        ) from error
    return sizes


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, WHEN)
    info.create_system = 3  # Unix, on Windows too
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def deliver(archive: Path, out: Path) -> Path | None:
    """Copy an archive to its place; what stands there and differs is kept under another name, which is returned.

    A kill in the middle leaves what was there, and beside it a hidden file that ends in .part.

    Raises:
        PackError: it cannot be written there.
    """
    try:
        if out.is_file() and not out.is_symlink() and _digest(out) == _digest(archive):
            return None
        return _deliver(archive, out)
    except OSError as error:
        raise PackError(f"--out {shown(out)}: cannot be written: {error.strerror}. Give another place.") from error


def _deliver(archive: Path, out: Path) -> Path | None:
    descriptor, part = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}-", suffix=".part")
    try:
        with open(descriptor, "wb") as copy, archive.open("rb") as file:
            shutil.copyfileobj(file, copy)
            os.fchmod(copy.fileno(), 0o666 & ~_umask())
        kept = None
        if os.path.lexists(out):
            kept = first_free(lambda number: out.with_name(f"{out.stem}-{number}{out.suffix}"))
            os.rename(out, kept)
        os.replace(part, out)
        return kept
    except BaseException:
        os.unlink(part)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
