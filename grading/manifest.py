"""The manifest of a hand-in: who packed it, with what, and the digest of every file in it.

    {"format": 1, "student": "1234567", "kit": "0.1.0", "python": "3.11.4", "torch": "2.13.0",
     "files": {"exercises/vae/bounds.py": "9f86d081..."}}

It is written by whoever hands in and proves nothing: it tells a hand-in that was changed by accident, and whose it is.
"""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal

import msgspec

NAME = "manifest.json"
LARGEST = 1 << 20  # bytes
# With a letter or digit first no spreadsheet takes it for a formula, and no disk for a hidden file. \Z, as $ would
# let a line's end through.
STUDENT = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,39}\Z"

Student = Annotated[str, msgspec.Meta(pattern=STUDENT)]
Version = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .+_-]{0,39}\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ManifestError(Exception):
    """A manifest that cannot be written; the text says what was found, what was expected and what to do."""


class Manifest(msgspec.Struct, frozen=True):
    """What a hand-in says of itself.

    student: the number that the student gave. kit, python, torch: versions, of whoever packed. files: the SHA-256 of
    every other file by its path.
    """

    format: Literal[1]
    student: Student
    kit: Version
    python: Version
    torch: Version
    files: dict[str, Digest]

    def __post_init__(self) -> None:
        """Refuse a path that cannot be shown as it is."""
        if not all(0 < len(path) <= 1024 and path.isprintable() for path in self.files):
            raise ValueError("a path in it is empty, too long, or has signs that cannot be shown")


def make(student: str, files: Mapping[str, str]) -> Manifest:
    """Make the manifest of a hand-in that is packed here and now.

    Args:
        student: the student's number.
        files: the SHA-256 of each file by its path.

    Raises:
        ManifestError: it is none that `read` would take.
    """
    versions = (_version("elbo-room"), platform.python_version(), _version("torch"))
    try:
        manifest = Manifest(1, expect_student(student), *versions, {path: files[path] for path in sorted(files)})
        fits = read(encode(manifest)) == manifest
    except ValueError as error:
        raise ManifestError(f"{NAME} cannot be written: {error}; rename that file.") from error
    if not fits:
        raise ManifestError(f"{len(files)} files are too many for one {NAME}, or no digests; pack fewer runs.")
    return manifest


def expect_student(student: str) -> str:
    """Return a student's number if it is one.

    Raises:
        ManifestError: it is none.
    """
    try:
        return msgspec.convert(student, Student)
    except ValueError as error:  # so is half a surrogate pair, and a validation error
        raise ManifestError(
            f"--student {student[:60]!a}: expected up to 40 letters, digits and . _ @ + -, with a letter or digit "
            "first. Give the number by which your instructor knows you."
        ) from error


def encode(manifest: Manifest) -> bytes:
    """Write a manifest as JSON."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def read(content: bytes) -> Manifest | None:
    """Read a manifest that anybody may have written; None where it is none."""
    if len(content) > LARGEST:
        return None
    try:
        return msgspec.json.decode(content, type=Manifest)
    except (ValueError, RecursionError):  # msgspec's errors are of the first kind
        return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
