"""CIFAR-10 from small archives and directories of pictures, and from a small release of torchvision's."""

import functools
import hashlib
import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from data import ColourImages, DataDamaged, DataMissing, cifar10, kept, members, pictures
from data.cifar10 import CLASSES, KEPT
from data.members import LARGEST
from exercises.experiments.cifar10 import inception
from grading import doctor

COUNTS = {"train": 3, "test": 2}  # images a class
PIXELS = {
    split: np.random.default_rng(count).integers(256, size=(10 * count, 32, 32, 3), dtype=np.uint8)
    for split, count in COUNTS.items()
}
FIRST, LAST = "train/airplane/0000.png", "test/truck/0001.png"
DATASETS = Path(__file__).parents[3] / "shared" / "datasets"


def encoded(pixels: np.ndarray, coding: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, coding)
    return file.getvalue()


PICTURES = {
    f"{split}/{CLASSES[number // count]}/{number % count:04}.png": encoded(PIXELS[split][number])
    for split, count in COUNTS.items()
    for number in range(10 * count)
}


def write_archive(path: Path, files: dict[str, bytes] = PICTURES, *others: tarfile.TarInfo) -> Path:
    """Write a tar archive, packed as its name says; `others` have a header and no content."""
    suffix = path.suffix.removeprefix(".")
    with tarfile.open(path, f"w:{suffix if suffix in ('gz', 'xz', 'bz2') else ''}") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in others:
            archive.addfile(entry)
    return path


def write_directory(path: Path, files: dict[str, bytes] = PICTURES) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def entry(name: str, kind: bytes, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def assert_is_the_set(images: ColourImages) -> None:
    assert images.name == "cifar10"
    assert images.classes == CLASSES
    for split, labels in (("train", images.train_labels), ("test", images.test_labels)):
        np.testing.assert_array_equal(getattr(images, split).numpy().transpose(0, 2, 3, 1), PIXELS[split])
        assert labels.dtype == torch.uint8
        assert labels.tolist() == [label for label in range(10) for _ in range(COUNTS[split])]


Load = Callable[[Path], ColourImages]


@pytest.fixture(autouse=True)
def _own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def load(cache: Path) -> Load:
    """Load from a root, with a cache that is empty at first."""
    return lambda root: cifar10.load(root, cache)


@pytest.fixture
def nothing_decoded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function that makes decoding an error from then on."""

    def decoded(*_: object) -> None:
        raise AssertionError("decoded once more")

    return lambda: monkeypatch.setattr(pictures, "read", decoded)


# Pictures


@pytest.mark.parametrize("name", ["any.tar", "any.tar.gz", "any.tar.bz2", "any.tar.xz", "any.tgz"])
def test_an_archive_is_read_as_it_is_packed(name: str, tmp_path: Path, load: Load) -> None:
    images = load(write_archive(tmp_path / name))
    assert_is_the_set(images)
    assert images.source == f"PNG files of {name} (30 and 20, where the original has 50,000 and 10,000)"


@pytest.mark.parametrize("name", ["cifar10-small.tar.xz", "cifar10.tgz", "cifar10.tar"])
def test_an_archive_is_found_in_the_root(name: str, tmp_path: Path, load: Load) -> None:
    (tmp_path / "cifar10-downloading.tar.xz.part").touch()
    write_archive(tmp_path / name)
    assert_is_the_set(load(tmp_path))


@pytest.mark.parametrize("inside", [".", "cifar10", "cifar10_pictures"])
def test_a_directory_is_found_and_read(inside: str, tmp_path: Path, load: Load) -> None:
    directory = write_directory(tmp_path / "root" / inside)
    images = load(tmp_path / "root")
    assert_is_the_set(images)
    assert images.source.startswith(f"PNG files of {directory.name} (")


def test_order_does_not_depend_on_the_archives_and_what_is_no_picture_is_passed_over(
    tmp_path: Path, load: Load
) -> None:
    files = {f"./cifar10/{name}": PICTURES[name] for name in reversed(PICTURES)}
    others = {"./cifar10/labels.txt": b"airplane", "README": b"", "./cifar10/train/cat/.hidden": b"", "._train": b""}
    directories = [entry("cifar10/train", tarfile.DIRTYPE), entry("cifar10/train/other", tarfile.DIRTYPE)]
    assert_is_the_set(load(write_archive(tmp_path / "a.tar", others | files, *directories)))


def test_the_coding_is_told(tmp_path: Path, load: Load) -> None:
    jpeg = {
        f"{name[:-4]}.JPEG": encoded(np.array(Image.open(io.BytesIO(file))), "JPEG") for name, file in PICTURES.items()
    }
    images = load(write_archive(tmp_path / "a.tar", jpeg))
    assert images.source.startswith("JPEG files of a.tar")
    # Of noise JPEG keeps the coarse part.
    pixels = torch.from_numpy(PIXELS["train"].transpose(0, 3, 1, 2))
    assert torch.stack([images.train, pixels]).flatten(1).float().corrcoef()[0, 1] > 0.5
    del jpeg["train/airplane/0000.JPEG"]
    images = load(write_archive(tmp_path / "b.tar", jpeg | {FIRST: PICTURES[FIRST]}))
    assert images.source.startswith("JPEG and PNG files of b.tar")


def test_grey_pictures_become_coloured_ones(tmp_path: Path, load: Load) -> None:
    grey = encoded(PIXELS["train"][0, :, :, 0])
    first = load(write_archive(tmp_path / "a.tar", PICTURES | {FIRST: grey})).train[0]
    assert first.equal(torch.from_numpy(PIXELS["train"][0, :, :, 0]).expand(3, 32, 32))


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 100) + b"IDAT"


FAULTS: dict[str, tuple[dict[str, bytes], str]] = {
    "another size": ({FIRST: encoded(np.zeros((32, 33, 3), np.uint8))}, rf"'{FIRST}'.* 33 x 32 pixels"),
    "enormous": ({FIRST: png_header(9_000, 9_000)}, rf"'{FIRST}'.* 9000 x 9000 pixels"),
    "far too enormous": ({FIRST: png_header(2**30, 2**30)}, rf"'{FIRST}'"),
    "no picture": ({FIRST: b"<html>"}, rf"'{FIRST}', which is no such picture"),
    "a picture of another format": ({FIRST: encoded(PIXELS["train"][0], "GIF")}, rf"'{FIRST}', which is no such"),
    "a picture cut off": ({FIRST: PICTURES[FIRST][:-100]}, rf"'{FIRST}', which is no such picture"),
    "an empty picture": ({FIRST: b""}, rf"'{FIRST}', which is no such picture"),
    "a large file": ({FIRST: bytes(LARGEST + 1)}, rf"'{FIRST}' of 1,048,577 bytes, expected 1,048,576"),
    "another name": ({"test/cat/0.txt": b""}, "'test/cat/0.txt', whose name does not end in one of .jpg"),
    "an unknown class": ({"test/cow/0.png": b""}, "'test/cow/0.png', which is in none of the classes"),
    "without a class": ({"test/0.png": b""}, "'test/0.png', which is in none of the classes"),
    "a directory too many": ({"test/cat/0/0.png": b""}, "'test/cat/0/0.png', which is in none of the classes"),
}


@pytest.mark.parametrize("form", ["archive", "directory"])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_picture_of_the_set_is_refused(
    fault: str, form: str, tmp_path: Path, load: Load, cache: Path
) -> None:
    files, words = FAULTS[fault]
    write = {"archive": write_archive, "directory": write_directory}[form]
    path = write(tmp_path / "pictures.tar", PICTURES | files)
    assert_refused(path, words, load, cache)


def assert_refused(path: Path, words: str, load: Load, cache: Path) -> None:
    before = path.read_bytes() if path.is_file() else sorted(path.rglob("*"))
    with pytest.raises(DataDamaged, match=words) as caught:
        load(path)
    for word in (str(path), "32 x 32 pixels, JPEG or PNG, in train/CLASS", "left as it is", "--data FILE or DIR"):
        assert word in str(caught.value)
    assert before == (path.read_bytes() if path.is_file() else sorted(path.rglob("*")))
    assert not cache.exists()


@pytest.mark.parametrize("form", ["archive", "directory"])
def test_a_class_without_a_picture_is_named(form: str, tmp_path: Path, load: Load, cache: Path) -> None:
    files = {name: file for name, file in PICTURES.items() if not name.startswith("test/ship")}
    write = {"archive": write_archive, "directory": write_directory}[form]
    assert_refused(write(tmp_path / "pictures.tar", files), "found no picture in test/ship", load, cache)


OTHERS = {
    "a symbolic link": entry("train/cat/link.png", tarfile.SYMTYPE, linkname="../cat/0000.png"),
    "a link": entry("train/cat/link.png", tarfile.LNKTYPE, linkname=FIRST),
    "a device": entry("train/cat/link.png", tarfile.CHRTYPE, devmajor=1, devminor=5),
    "a pipe": entry("train/cat/link.png", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("other", OTHERS)
def test_links_and_devices_are_refused(other: str, tmp_path: Path, load: Load, cache: Path) -> None:
    path = write_archive(tmp_path / "a.tar", PICTURES, OTHERS[other])
    assert_refused(path, "'train/cat/link.png', which is a link or a device", load, cache)


def test_a_pipe_in_a_directory_is_refused_and_not_waited_for(tmp_path: Path, load: Load, cache: Path) -> None:
    directory = write_directory(tmp_path / "pictures")
    os.mkfifo(directory / "train/cat/pipe.png")
    assert_refused(directory, "'train/cat/pipe.png', which is no file", load, cache)


def test_the_same_picture_twice_is_refused(tmp_path: Path, load: Load, cache: Path) -> None:
    path = write_archive(tmp_path / "a.tar", PICTURES | {f"again/{FIRST}": PICTURES[FIRST]})
    assert_refused(path, f"'again/{FIRST}' a second time", load, cache)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_an_archive_that_is_cut_off_is_refused(name: str, kept: float, tmp_path: Path, load: Load, cache: Path) -> None:
    path = write_archive(tmp_path / name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert_refused(path, "cannot be used", load, cache)


def test_an_archive_cut_off_between_two_pictures_is_refused(tmp_path: Path, load: Load, cache: Path) -> None:
    path = write_archive(tmp_path / "a.tar", PICTURES | {"test/truck/0002.png": PICTURES[LAST]})
    with tarfile.open(path) as archive:
        end = archive.getmember("test/truck/0002.png").offset
    path.write_bytes(path.read_bytes()[:end])
    assert_refused(path, "a damaged header, or no end", load, cache)


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path, load: Load, cache: Path) -> None:
    path = write_archive(tmp_path / "a.tar", PICTURES | {"test/truck/0002.png": PICTURES[LAST]})
    with tarfile.open(path) as archive:
        start = archive.getmember("test/truck/0002.png").offset
    content = bytearray(path.read_bytes())
    content[start] ^= 1
    path.write_bytes(content)
    assert_refused(path, "a damaged header, or no end", load, cache)


@pytest.mark.parametrize(("name", "place"), [("a.tar.gz", -6), ("a.tar.xz", 4000), ("a.tar.bz2", 4000)])
def test_checksums_of_packed_archives_are_seen_to(
    name: str, place: int, tmp_path: Path, load: Load, cache: Path
) -> None:
    path = write_archive(tmp_path / name)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert_refused(path, "cannot be used", load, cache)


def test_what_is_no_archive_is_refused(tmp_path: Path, load: Load, cache: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"<html>" * 1000)
    assert_refused(path, "cannot be used", load, cache)


@pytest.mark.parametrize("form", ["archive", "directory"])
def test_absurd_numbers_of_files_are_refused(
    form: str, tmp_path: Path, load: Load, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MEMBERS", len(PICTURES))
    write = {"archive": write_archive, "directory": write_directory}[form]
    assert_is_the_set(cifar10.load(write(tmp_path / "right"), tmp_path / "another cache"))
    path = write(tmp_path / "more", PICTURES | {"train/cat/0003.png": b""})
    with pytest.raises(DataDamaged, match="found more than 50 files"):
        load(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, load: Load, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "UNPACKED", 10 * LARGEST)
    path = write_archive(tmp_path / "a.tar.xz", {"zeros": bytes(20 * LARGEST)} | PICTURES)
    assert_refused(path, "more than 10,485,760 bytes in the archive", load, cache)


def test_a_large_header_is_not_read(tmp_path: Path, load: Load, cache: Path) -> None:
    large = entry(FIRST, tarfile.REGTYPE, pax_headers={"comment": "x" * 2 * LARGEST})
    path = write_archive(tmp_path / "a.tar.xz", {}, large)
    assert_refused(path, "a header of 2,097,", load, cache)


def header(kind: bytes, size: int, content: bytes = b"") -> bytearray:
    made = bytearray(entry("other", kind, size=size).tobuf(tarfile.GNU_FORMAT))
    return made + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def extended(*records: tuple[str, str], kind: bytes = tarfile.XHDTYPE) -> bytearray:
    """Headers of the next entry (XHDTYPE) or of all that follow (XGLTYPE); a record begins with its own length."""
    content = "".join(f"{len(key) + len(value) + 10:07} {key}={value}\n" for key, value in records).encode()
    return header(kind, len(content), content)


def stored_as(made: bytearray, size: int) -> bytearray:
    """Make an entry one of the old sparse kind: so many bytes are stored, which may be negative, of a file of none."""
    made[124:136] = size.to_bytes(12, "big", signed=True)
    made[148:156] = b" " * 8
    made[148:156] = f"{sum(made[:512]):06o}\0 ".encode()
    return made


def write_after_an_entry(path: Path, content: bytes) -> Path:
    """Write an archive of an empty file and of what is given."""
    path.write_bytes(header(tarfile.REGTYPE, 0) + content + bytes(20 * tarfile.BLOCKSIZE))
    return path


BACKWARDS = {
    "to its own header": extended(("comment", "x" * 100_000), ("size", "-102400")) + header(tarfile.REGTYPE, 0),
    "less than a block": extended(("size", "-1")) + header(tarfile.REGTYPE, 0),
    "in base 256": header(tarfile.REGTYPE, -512),
    "of what is stored alone": stored_as(header(tarfile.GNUTYPE_SPARSE, 0), -512),
}


@pytest.mark.parametrize("size", BACKWARDS)
def test_a_negative_size_does_not_lead_back_to_what_was_read(
    size: str, tmp_path: Path, load: Load, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MEMBERS", 100)  # a few rounds will do
    path = write_after_an_entry(tmp_path / "a.tar", BACKWARDS[size])
    # Later versions of Python do not take such a header for one.
    assert_refused(path, "'other' of -[0-9,]+ bytes|leads back, from byte|a damaged header, or no end", load, cache)


def test_the_headers_of_a_file_are_bounded_together(tmp_path: Path, load: Load, cache: Path) -> None:
    sparse = extended(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")) + header(tarfile.REGTYPE, 0)
    path = write_after_an_entry(tmp_path / "a.tar", sparse + b"600000\n" + b"0\n" * 1_200_000)
    assert_refused(path, "a file with headers of more than 1,048,576 bytes", load, cache)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE], ids=["of the next entry", "of all that follow"])
def test_headers_are_forgotten_with_their_entry(kind: bytes, tmp_path: Path) -> None:
    records = ([(f"{number}.{i}", "x" * 200) for i in range(200)] for number in range(100))
    content = b"".join(extended(*some, kind=kind) + header(tarfile.REGTYPE, 0) for some in records)
    path = write_after_an_entry(tmp_path / "a.tar", content)
    assert len(content) > 3 * LARGEST
    tracemalloc.start()
    try:
        assert sum(1 for _ in members.members(path)) == 101
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < len(content)


# The cache


@pytest.mark.parametrize("form", ["archive", "directory"])
def test_pictures_are_decoded_once_and_anew_when_they_change(
    form: str, tmp_path: Path, load: Load, cache: Path, nothing_decoded: Callable[[], None]
) -> None:
    write = {"archive": write_archive, "directory": write_directory}[form]
    load(write(tmp_path / "a.tar"))
    changed = PICTURES | {FIRST: PICTURES[LAST]}
    first = load(write(tmp_path / "a.tar", changed)).train[0]
    assert first.equal(torch.from_numpy(PIXELS["test"][-1].transpose(2, 0, 1)))
    nothing_decoded()
    assert load(tmp_path / "a.tar").train[0].equal(first)
    assert len(list(cache.iterdir())) == 2


def test_the_same_archive_under_another_name_is_told_by_that(
    tmp_path: Path, load: Load, nothing_decoded: Callable[[], None]
) -> None:
    path = write_archive(tmp_path / "a.tar")
    load(path)
    nothing_decoded()
    images = load(path.rename(tmp_path / "b.tar"))
    assert_is_the_set(images)
    assert images.source.startswith("PNG files of b.tar")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what is mapped into memory")
def test_the_images_are_mapped_into_memory(tmp_path: Path, load: Load, cache: Path) -> None:
    images = load(write_archive(tmp_path / "a.tar"))
    (file,) = cache.iterdir()
    assert str(file) in Path("/proc/self/maps").read_text()
    assert_is_the_set(images)


CACHE_DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "another file": lambda path: path.write_bytes(b"<html>" * 100),
    "without its words": lambda path: save_file(load_file(path), path),
    "a tensor missing": lambda path: change(path, test_labels=None),
    "other numbers": lambda path: change(path, train=torch.zeros(30, 3, 32, 32)),
    "another shape": lambda path: change(path, test=torch.zeros(20, 32, 32, 3, dtype=torch.uint8)),
    "labels for others": lambda path: change(path, test_labels=torch.arange(10, dtype=torch.uint8)),
    "an eleventh class": lambda path: change(path, train_labels=torch.arange(30, dtype=torch.uint8) % 11),
    "pixels overwritten": lambda path: overwrite(path, -60_000, b"\xff" * 29_900),
    "a pixel changed": lambda path: overwrite(path, -100, b"\0"),
    "a label changed": lambda path: overwrite(path, -1, b"\x08"),
    "its source changed": lambda path: path.write_bytes(path.read_bytes().replace(b"PNG files", b"PNG flies")),
}


def change(path: Path, **tensors: torch.Tensor | None) -> None:
    changed = load_file(path) | tensors
    left = {name: tensor for name, tensor in changed.items() if tensor is not None}
    words = {"name": "cifar10", "source": "PNG files", "classes": ",".join(CLASSES)}
    save_file(left, path, words | {"sha256": kept._digest(left, words)})


def overwrite(path: Path, place: int, content: bytes) -> None:
    """Put other bytes into a file, at a place that is counted from its end."""
    before = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(place, os.SEEK_END)
        file.write(content)
    assert path.read_bytes() != before


@pytest.mark.parametrize("damage", CACHE_DAMAGES)
def test_a_damaged_file_of_the_cache_is_made_anew(
    damage: str, tmp_path: Path, load: Load, cache: Path, nothing_decoded: Callable[[], None]
) -> None:
    path = write_archive(tmp_path / "a.tar")
    source = load(path).source
    (file,) = cache.iterdir()
    CACHE_DAMAGES[damage](file)
    again = load(path)
    assert_is_the_set(again)
    assert again.source == source
    nothing_decoded()
    assert_is_the_set(load(path))
    assert list(cache.iterdir()) == [file]


def test_where_the_cache_cannot_be_written_to_one_in_the_temporary_directory_is_used(
    tmp_path: Path, load: Load, cache: Path, nothing_decoded: Callable[[], None]
) -> None:
    path = write_archive(tmp_path / "a.tar")
    cache.touch()
    load(path)
    (directory,) = (tmp_path / "temporary").iterdir()
    assert directory.stat().st_mode & 0o777 == 0o700
    nothing_decoded()
    assert_is_the_set(load(path))


@pytest.mark.parametrize("whose", ["another user's", "anybody's", "nobody's"])
def test_a_temporary_directory_of_others_is_not_used(
    whose: str, tmp_path: Path, load: Load, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.touch()
    own = tmp_path / "temporary" / f"elbo-room-{os.getuid()}"
    if whose == "nobody's":
        own.touch()  # no directory can be made there
    else:
        own.mkdir()
        own.chmod(0o777 if whose == "anybody's" else 0o700)
    if whose == "another user's":
        own = own.rename(own.with_name(f"elbo-room-{os.getuid() + 1}"))
        another = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: another)
    assert_is_the_set(load(write_archive(tmp_path / "a.tar")))
    assert own.is_file() or not list(own.iterdir())


# torchvision's


def batch(split: str, start: int, end: int) -> bytes:
    data = PIXELS[split][start:end].transpose(0, 3, 1, 2).reshape(end - start, -1)
    labels = [number // COUNTS[split] for number in range(start, end)]
    # In another order, as torchvision's are.
    return pickle.dumps({"data": data[::-1], "labels": labels[::-1]})


BATCHES = {
    "data_batch_1": batch("train", 15, 30),
    "data_batch_2": batch("train", 0, 15),
    "test_batch": batch("test", 0, 20),
}
META = pickle.dumps({"label_names": list(CLASSES)})


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small release of torchvision's CIFAR10 behind a web site: the directory of the site."""
    from data.vision import torchvision

    site = tmp_path / "site"
    site.mkdir()
    archive = site / "cifar-10-python.tar.gz"
    write_archive(
        archive, {f"cifar-10-batches-py/{name}": file for name, file in (BATCHES | {"batches.meta": META}).items()}
    )
    kind = torchvision().datasets.CIFAR10
    monkeypatch.setattr(kind, "tgz_md5", md5(archive.read_bytes()))
    monkeypatch.setattr(kind, "train_list", [[name, md5(BATCHES[name])] for name in ("data_batch_1", "data_batch_2")])
    monkeypatch.setattr(kind, "test_list", [["test_batch", md5(BATCHES["test_batch"])]])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": md5(META)})
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setattr(kind, "url", f"http://127.0.0.1:{server.server_port}/{archive.name}")
        yield site
        server.shutdown()


def assert_is_torchvisions(images: ColourImages) -> None:
    """Both splits of a class are there, each image with its label, by class: within one the order is torchvision's."""
    assert images.source == "torchvision's CIFAR-10"
    assert images.classes == CLASSES
    for split, labels in (("train", images.train_labels), ("test", images.test_labels)):
        assert labels.tolist() == [label for label in range(10) for _ in range(COUNTS[split])]
        expected = PIXELS[split].reshape(10, COUNTS[split], 32, 32, 3)[:, ::-1].reshape(-1, 32, 32, 3)
        np.testing.assert_array_equal(getattr(images, split).numpy().transpose(0, 2, 3, 1), expected)


def test_without_pictures_torchvisions_are_downloaded_once(
    release: Path,
    tmp_path: Path,
    load: Load,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from data.vision import torchvision

    kind = torchvision().datasets.CIFAR10
    download = kind.download
    # Some versions print, and a program may read what the kit prints.
    monkeypatch.setattr(kind, "download", lambda self: print("downloading") or download(self))
    assert_is_torchvisions(load(tmp_path / "root"))
    assert sorted(file.name for file in (tmp_path / "root").iterdir()) == [
        "cifar-10-batches-py",
        "cifar-10-python.tar.gz",
    ]
    shown = capsys.readouterr()
    assert not shown.out
    assert "downloading" in shown.err
    (release / "cifar-10-python.tar.gz").unlink()
    assert_is_torchvisions(load(tmp_path / "elsewhere"))
    assert [file.name for file in cache.iterdir()] == [f"{KEPT}.safetensors"]


@pytest.mark.parametrize("name", ["", "cifar-10-batches-py", "cifar-10-python.tar.gz"])
def test_torchvisions_are_found_in_the_root_and_by_their_own_name(
    name: str, release: Path, tmp_path: Path, load: Load
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with tarfile.open((release / "cifar-10-python.tar.gz").rename(root / "cifar-10-python.tar.gz")) as archive:
        archive.extractall(root)
    assert_is_torchvisions(load(root / name))


def test_pictures_go_before_torchvisions(release: Path, tmp_path: Path, load: Load) -> None:
    load(tmp_path / "root")
    write_archive(tmp_path / "root" / "cifar10.tar")
    assert load(tmp_path / "root").source.startswith("PNG files of cifar10.tar")


class Harm:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("harm",)


def test_no_batch_of_another_content_is_unpickled(
    release: Path, tmp_path: Path, load: Load, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (release / "cifar-10-python.tar.gz").unlink()
    batches = tmp_path / "root" / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    for name, content in (BATCHES | {"batches.meta": META, "test_batch": pickle.dumps(Harm())}).items():
        (batches / name).write_bytes(content)
    with pytest.raises(DataMissing) as caught:
        load(tmp_path / "root")
    assert not (tmp_path / "harm").exists()
    for words in (str(tmp_path / "root"), "cifar10*.tar*", "cifar-10-python.tar.gz", "404", "--data FILE or DIR"):
        assert words in str(caught.value)
    assert not cache.exists()


@pytest.mark.usefixtures("release")
def test_without_a_network_says_where_it_looked_and_what_to_do(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.vision import torchvision

    monkeypatch.setattr(torchvision().datasets.CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    with pytest.raises(
        DataMissing, match=r"found in .*root neither pictures(.|\n)*Connection refused(.|\n)*Make it once"
    ):
        load(tmp_path / "root")


def test_without_torchvision_says_so(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(DataMissing, match="torchvision"):
        load(tmp_path)


def test_a_named_archive_that_is_not_there_is_not_downloaded(tmp_path: Path, load: Load) -> None:
    with pytest.raises(DataMissing, match=r"found no file .*cifar10\.tar\.xz, expected an archive"):
        load(tmp_path / "cifar10.tar.xz")
    assert not (tmp_path / "cifar10.tar.xz").exists()


def test_what_cannot_be_read_is_missing(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root reads everything, so the refusal is made up.
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(cifar10, "fingerprint", refuse)
    path = write_archive(tmp_path / "a.tar")
    with pytest.raises(DataMissing, match=rf"Permission denied: '{path}'(.|\n)*--data FILE or DIR"):
        load(path)


# The doctor


@pytest.mark.parametrize("name", ["cifar10.tar.xz", "cifar-10-python.tar.gz", "cifar-10-batches-py", "cifar10/train"])
def test_the_doctor_finds_the_set(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    (root / name).mkdir(parents=True) if "." not in name else (root.mkdir(), (root / name).touch())
    monkeypatch.setattr(cifar10.of_torchvision, "__defaults__", (tmp_path / "cache",))
    finding = doctor._cifar10(root)
    assert finding.present
    assert str(root / name.removesuffix("/train")) in finding.found


@pytest.mark.parametrize("root", [".", "absent", "absent.tar.xz"])
def test_the_doctor_tells_what_the_sets_absence_costs(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10.of_torchvision, "__defaults__", (tmp_path / "cache",))
    finding = doctor._cifar10(tmp_path / root)
    assert not finding.present
    assert str(tmp_path / root) in finding.found
    assert "--data" in finding.cost


def test_the_doctor_finds_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10.of_torchvision, "__defaults__", (tmp_path,))
    (tmp_path / f"{KEPT}.safetensors").touch()
    assert doctor._cifar10(tmp_path / "absent").present


@pytest.mark.parametrize("name", ["root/{}", "hub/checkpoints/{}"], ids=["root", "hub"])
@pytest.mark.parametrize("option", ["root", "root/images.tar.xz"])
def test_the_doctor_looks_for_the_weights_of_inception_where_the_experiment_does(
    name: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "images.tar.xz").touch()
    absent = doctor._inception(tmp_path / option)
    assert not absent.present
    assert absent.found == f"not in {tmp_path / 'root'} or {tmp_path / 'hub' / 'checkpoints'}"
    assert "no FID or Inception Score" in absent.cost
    path = tmp_path / name.format("weights-inception-2015-12-05-6726825d.pth")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert inception.find_weights(tmp_path / option) == path
    finding = doctor._inception(tmp_path / option)
    assert finding.present
    assert finding.found == f"found: {path}"


def test_the_doctor_does_not_import_torch_fidelity() -> None:
    look = (
        "import sys; from pathlib import Path; from grading import doctor; doctor._inception(Path('absent')); "
        "sys.exit('torch_fidelity' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", look], cwd=Path(__file__).parents[2], check=True)


# The real set


def test_the_real_archive_has_the_whole_set(cache: Path, load: Load) -> None:
    root = next((path for path in (Path(os.environ.get("ELBO_DATA") or DATASETS), DATASETS) if path.exists()), DATASETS)
    found = cifar10.find(root)
    if found is None:
        pytest.skip("neither the variable ELBO_DATA nor ../shared/datasets names a directory with pictures of CIFAR-10")
    images = load(found)
    try:
        assert images.train_labels.bincount().tolist() == [5_000] * 10
        assert images.test_labels.bincount().tolist() == [1_000] * 10
        assert images.source.endswith(f" files of {found.name}")
        # The means that the literature normalises by, 0.4914, 0.4822 and 0.4465; a lossy coding hardly changes them.
        # Summed as bytes: a float copy takes 614 MB.
        means = [int(channel.sum()) / channel.numel() / 255 for channel in images.train.unbind(1)]
        assert means == pytest.approx([0.4914, 0.4822, 0.4465], abs=1e-3)
    finally:
        for file in cache.iterdir():  # 184 MB
            file.unlink()
