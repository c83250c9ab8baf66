"""Trees of files to give out: as a folder or as a zip, with the same bytes whenever and wherever they are written."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from exercises.experiments.runs import write_whole

from .following import SCRIPT, WRITTEN, follow, named, written
from .stubs import ReleaseError

Tree = Mapping[str, bytes]  # by path, "grading/judge.py"
COMMENT = b"elbo-room release"  # by which a zip is known that may be written anew
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows
BESIDE = (".git", WRITTEN)  # in a folder, which may be the checkout of what students start from


def differences(tree: Tree, out: Path, top: str = "") -> list[str]:
    """Return what writing a tree would change at a place, or would not as somebody has changed it there.

    top: the folder in a zip in which all stands.
    """
    if not out.exists():
        return [f"{out} is missing"]
    found = _in_zip(out) if _is_zip(out) else _in_folder(out, tree)
    wanted = {f"{top}{path}": _entry(content) for path, content in tree.items()} if _is_zip(out) else _entries(tree)
    told = {path: "is missing" for path in wanted if path not in found}
    told |= {path: "is not of it" for path in found if path not in wanted}
    told |= {path: "differs" for path, entry in wanted.items() if path in found and found[path] != entry}
    return [f"{out}: {path} {told[path]}" for path in sorted(told)]


def write(tree: Tree, out: Path, top: str = "") -> int:
    """Write what is missing or has changed, and tell how many files that concerned; a zip is written as a whole.

    Raises:
        ReleaseError: something stands there that this did not write, or it cannot be written.
    """
    if not _is_zip(out):
        return _write_folder(tree, out)
    if out.exists() and not differences(tree, out, top):
        return 0
    _expect_mine(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, zipped(tree, top))
    except OSError as error:
        raise ReleaseError(f"--out {out}: cannot be written: {error.strerror}") from error
    return len(tree)


def zipped(tree: Tree, top: str = "") -> bytes:
    """Return a zip of a tree: names in order, no time, and only what is a script may be executed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = COMMENT
        for path in sorted(tree):
            info = zipfile.ZipInfo(f"{top}{path}", LONG_AGO)
            info.create_system, info.external_attr = 3, (0o100000 | _mode(tree[path])) << 16  # of Unix, a plain file
            archive.writestr(info, tree[path], zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _is_zip(out: Path) -> bool:
    return out.suffix == ".zip"


def _mode(content: bytes) -> int:
    return 0o755 if content.startswith(SCRIPT) else 0o644


def _entry(content: bytes) -> tuple[int, bytes]:
    return _mode(content), content


def _entries(tree: Tree) -> dict[str, tuple[int, bytes]]:
    return {path: _entry(content) for path, content in tree.items()}


def _in_zip(out: Path) -> dict[str, tuple[int, bytes]]:
    try:
        with zipfile.ZipFile(out) as archive:
            return {i.filename: (i.external_attr >> 16 & 0o777, archive.read(i)) for i in archive.infolist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise ReleaseError(f"{out} cannot be read as a zip: {error}; move it away, or give another --out") from error


def _in_folder(out: Path, tree: Tree) -> dict[str, tuple[int, bytes]]:
    """Return what stands in a folder; in one that the kit has written, of other files only those that it wrote once."""
    if not out.is_dir():
        raise ReleaseError(f"--out {out}: it is a file; give a folder, or a name that ends with .zip")
    once, found = written(out), dict[str, tuple[int, bytes]]()
    for path in out.rglob("*"):
        name = path.relative_to(out).as_posix()
        if name in tree and path.is_file():
            found[name] = (0o755 if path.stat().st_mode & 0o100 else 0o644, path.read_bytes())
        elif path.is_file() and (name in once or not once) and name.split("/")[0] not in BESIDE:
            found[name] = (0, b"")
    return found


def _expect_mine(out: Path) -> None:
    """Refuse to write over anything but an earlier zip of the kit's."""
    if not out.exists():
        return
    try:
        with zipfile.ZipFile(out) as archive:
            mine = archive.comment == COMMENT
    except (OSError, zipfile.BadZipFile):
        mine = False
    if not mine:
        raise ReleaseError(f"{out} is no release of this kit, and stays. Move it away, or give another --out.")


def _write_folder(tree: Tree, out: Path) -> int:
    """Let a folder follow the kit: one that it has written, or one with nothing of anybody's in it."""
    if out.exists() and not written(out):
        wanted = _entries(tree)
        if others := [path for path, entry in _in_folder(out, tree).items() if wanted.get(path) != entry]:
            raise ReleaseError(
                f"{out} holds other files, {named(others)}, and nothing was written. Move them away, or give another "
                "--out."
            )
    return len(follow(out, tree))
