"""Archives that unpack elsewhere, to links and devices, or to far more than they are."""

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

from . import FILE, World, handed_in
from .honest import LIKELIHOODS as GOOD

BOMB = 300 << 20


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries:
            archive.writestr(name, content)


def link_entry(name: str, target: str) -> tuple[zipfile.ZipInfo, str]:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, target


def tarred(path: Path, *entries: tarfile.TarInfo | tuple[str, str]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1].encode())
                archive.addfile(info, io.BytesIO(entry[1].encode()))


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o777
    info.devmajor, info.devminor = 1, 3
    return info


def up(to: Path) -> str:
    """A relative path from wherever an archive is unpacked."""
    return "../" * 20 + str(to).lstrip("/")


@handed_in("trace", "sum", ".zip")
def zip_escapes(path: Path, world: World) -> None:
    """A zip whose entry's name leads out of the folder."""
    zipped(path, (FILE, GOOD), (up(world.canaries / "zip_escapes"), "x"))


@handed_in("trace", "sum", ".zip")
def zip_is_absolute(path: Path, world: World) -> None:
    """A zip whose entry's name begins at the root."""
    zipped(path, (FILE, GOOD), (str(world.canaries / "zip_is_absolute"), "x"))


@handed_in("more", "", ".zip")
def zip_links_to_the_reference(path: Path, world: World) -> None:
    """A zip with a link to the reference's topic."""
    zipped(path, link_entry("vae", str(world.root / "solutions" / "vae")))


@handed_in("trace", "sum", ".zip")
def zip_writes_through_a_link(path: Path, world: World) -> None:
    """A zip with a link to elsewhere, and then a file under it."""
    zipped(path, (FILE, GOOD), link_entry("out", str(world.canaries)), ("out/zip_writes_through_a_link", "x"))


@handed_in("", "sum", ".zip")
def zip_is_a_bomb(path: Path, world: World) -> None:
    """A zip of 300 KB with 300 MB of zeros in it."""
    zipped(path, (FILE, GOOD), ("vae/zeros.bin", bytes(BOMB)))


@handed_in("", "sum", ".zip")
def zip_lies_about_sizes(path: Path, world: World) -> None:
    """A bomb whose directory says that its file has ten bytes."""
    zipped(path, (FILE, GOOD), ("vae/bounds.py", b"#" * BOMB))
    data = path.read_bytes()
    path.write_bytes(data.replace(BOMB.to_bytes(4, "little"), (10).to_bytes(4, "little")))


@handed_in("", "sum", ".zip")
def zip_has_thousands_of_entries(path: Path, world: World) -> None:
    """A zip with five thousand empty files."""
    zipped(path, (FILE, GOOD), *((f"vae/{i}", "") for i in range(5000)))


@handed_in("", "sum", ".zip")
def zip_has_odd_names(path: Path, world: World) -> None:
    """Names with escapes, with backslashes, of devices, too long, and folders that end in dots."""
    names = ("\x1b[2J.py", "..\\..\\x", "con.py", "a" * 300, "vae/" * 200 + "x", "./vae/./x", "vae/../y", "=1+1")
    zipped(path, (FILE, GOOD), *((name, "x") for name in names))


@handed_in("", "", ".zip")
def zip_is_none(path: Path, world: World) -> None:
    """A zip that was cut off."""
    zipped(path, (FILE, GOOD))
    path.write_bytes(path.read_bytes()[:-30])


@handed_in("trace", "sum", ".tar.gz")
def tar_escapes(path: Path, world: World) -> None:
    """A tar whose entry's name leads out of the folder, and one that begins at the root."""
    tarred(path, (FILE, GOOD), (up(world.canaries / "tar_escapes"), "x"), (str(world.canaries / "tar_escapes-2"), "x"))


@handed_in("more", "", ".tar.gz")
def tar_links_to_the_reference(path: Path, world: World) -> None:
    """A tar with a link to the reference's file."""
    tarred(path, special(FILE, tarfile.SYMTYPE, str(world.root / "solutions" / FILE)))


@handed_in("more", "", ".tar.gz")
def tar_is_one_file_with_the_reference(path: Path, world: World) -> None:
    """A tar with a hard link to the reference's file, which looks like a plain file afterwards."""
    tarred(path, special(FILE, tarfile.LNKTYPE, str(world.root / "solutions" / FILE)))


@handed_in("trace", "sum", ".tar.gz")
def tar_writes_through_a_link(path: Path, world: World) -> None:
    """A tar with a link to elsewhere, and then a file under it."""
    out = special("out", tarfile.SYMTYPE, str(world.canaries))
    tarred(path, (FILE, GOOD), out, ("out/tar_writes_through_a_link", "x"))


@handed_in("", "sum", ".tar.gz")
def tar_has_devices(path: Path, world: World) -> None:
    """A tar with a device, a pipe and a file that runs as its owner."""
    own = tarfile.TarInfo("vae/own")
    own.mode, own.uid = 0o6777, 0
    tarred(path, (FILE, GOOD), special("vae/zero", tarfile.CHRTYPE), special("vae/pipe", tarfile.FIFOTYPE), own)


@handed_in("", "sum", ".tar.gz")
def tar_is_a_bomb(path: Path, world: World) -> None:
    """A tar of 300 KB with 300 MB of zeros in it."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in ((FILE, GOOD.encode()), ("vae/zeros.bin", bytes(BOMB))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@handed_in("", "", ".tar.gz")
def tar_is_none(path: Path, world: World) -> None:
    """A compressed file with no archive in it, and more zeros than fit."""
    with gzip.open(path, "wb", 1) as file:
        file.write(bytes(BOMB))
