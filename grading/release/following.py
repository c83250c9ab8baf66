"""Folders that follow the kit: what it wrote there is written anew, and what somebody changed in one stays.

In elbo-room.json stands what was written, so that a file that is as it was written can follow the kit, and one that is
not is told from it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from exercises.experiments.runs import write_whole

from .stubs import ReleaseError

WRITTEN = "elbo-room.json"
SCRIPT = b"#!"  # begins what may be executed
TOLD = 5  # names


def follow(out: Path, wanted: Mapping[str, bytes]) -> list[Path]:
    """Write every file that is missing or has changed in the kit, take away those that it has no more, and return all.

    Args:
        out: the folder.
        wanted: the files of the kit by path.

    Raises:
        ReleaseError: a file was changed both there and in the kit, and nothing is written then; or it is impossible.
    """
    record = {path: _digest(content) for path, content in wanted.items()}
    try:
        before = written(out)
        changed = list(_changed(out, record, before))
        gone = [path for path, then in before.items() if path not in record and _digest_of(out / path) == then]
        for path in changed:
            _put(out / path, wanted[path])
        for path in gone:
            (out / path).unlink()
        if record != before:
            _put(out / WRITTEN, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    except OSError as error:
        raise ReleaseError(f"--out {out}: cannot be written: {error.strerror}") from error
    return [out / path for path in (*changed, *gone)]


def written(out: Path) -> Mapping[str, str]:
    """Return the digests of what the kit has written into a folder; where that is not known, none of it.

    Nothing outside of it: the folder may come from anybody.
    """
    try:
        digests = msgspec.json.decode((out / WRITTEN).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}
    return {path: digest for path, digest in digests.items() if _is_inside(PurePosixPath(path))}


def differences(out: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """Return, for each file of the kit that is missing or differs in a folder, which of the two it is."""
    found = {path: (_digest_of(out / path), _digest(content)) for path, content in wanted.items()}
    return [f"{path} {'differs' if there else 'is missing'}" for path, (there, new) in found.items() if there != new]


def named(paths: Iterable[object]) -> str:
    """Return the first of some names, and how many there are beside them."""
    names = sorted(map(str, paths))
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return f"{', '.join(names[:TOLD])}{more}"


def _changed(out: Path, record: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
    """Yield the files that are missing, or as they were written and not as the kit has them.

    One that somebody has changed stays.

    Raises:
        ReleaseError: somebody has changed one, and the kit has a new one.
    """
    in_the_way = []
    for path, new in record.items():
        found, then = _digest_of(out / path), before.get(path, "")
        if found in ("", then) and found != new:
            yield path
        elif found != new != then:
            in_the_way.append(path)
    if in_the_way:
        raise ReleaseError(
            f"{out}: what stands there was changed since it was written, or is none of the kit's, and the kit has "
            f"something new in its place: {named(in_the_way)}. Nothing was written. Move yours away, or give another "
            "--out."
        )


def _is_inside(path: PurePosixPath) -> bool:
    return not path.is_absolute() and ".." not in path.parts


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    if content.startswith(SCRIPT):
        path.chmod(0o755)


def _digest_of(path: Path) -> str:
    """Return the digest of a file, "" where there is none."""
    try:
        return _digest(path.read_bytes())
    except FileNotFoundError:
        return ""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
