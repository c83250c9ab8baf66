"""The loader of binarized MNIST, on a tiny release of its own that the loopback serves."""

import functools
import hashlib
import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from data import DataDamaged, DataMissing, binarized_mnist
from data.binarized_mnist import FILE, SOURCES, SUBSTITUTE, Release
from data.packed import Split

ROWS = {"train": 6, "valid": 3, "test": 2}
PIXELS = {
    split: np.random.default_rng(0).integers(2, size=(rows, 784)).astype(np.uint8) for split, rows in ROWS.items()
}
PACKED = {split: np.packbits(pixels, axis=1) for split, pixels in PIXELS.items()}
SPLITS = {split: Split(len(array), hashlib.sha256(array.tobytes()).hexdigest()) for split, array in PACKED.items()}
NOWHERE = Release("http://127.0.0.1:9/{split}.amat", SPLITS)  # the port of `discard`, where nobody answers


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, Release]]:
    """The directory behind a web site, and the release that the site has."""
    folder = tmp_path / "site"
    folder.mkdir()
    for split, pixels in PIXELS.items():
        np.savetxt(folder / f"{split}.amat", pixels, fmt="%d")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield folder, Release(f"http://127.0.0.1:{server.server_port}/{{split}}.amat", SPLITS)
        server.shutdown()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def without_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    from data.vision import torchvision

    monkeypatch.setattr(torchvision().datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])


def put_raw_mnist(root: Path, train: np.ndarray, test: np.ndarray) -> None:
    """Write what torchvision's MNIST finds there and so does not download: images and labels in the IDX format."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, grey in (("train", train), ("t10k", test)):
        count = len(grey)
        (raw / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, count, 28, 28) + grey.tobytes())
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, count) + bytes(count))


def assert_is_the_release(images: object) -> None:
    for split, pixels in PIXELS.items():
        np.testing.assert_array_equal(getattr(images, split).numpy(), pixels)


def test_downloads_once_and_reads_the_file_ever_after(site: tuple[Path, Release], root: Path) -> None:
    images = binarized_mnist.load(root, site[1])
    assert_is_the_release(images)
    assert images.source == "Larochelle and Murray's static binarization"
    assert [file.name for file in root.iterdir()] == [FILE]
    assert_is_the_release(binarized_mnist.load(root, NOWHERE))


@pytest.mark.parametrize("trouble", ["gone", "other pixels", "not a data set", "cut off"])
def test_without_the_release_takes_torchvisions_and_says_so(
    trouble: str, site: tuple[Path, Release], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, release = site
    file = folder / "valid.amat"
    text = file.read_text()
    changed = {"other pixels": text.replace("1", "0"), "not a data set": "<html>", "cut off": text[:3000]}
    file.write_text(changed.get(trouble, ""))
    if trouble == "gone":
        file.unlink()
    put_raw_mnist(root, train=np.full((9, 28, 28), 255, np.uint8), test=np.zeros((2, 28, 28), np.uint8))
    images = binarized_mnist.load(root, release)
    assert images.source == SOURCES[SUBSTITUTE] == "torchvision's MNIST, binarized with seed 2011"
    assert (images.train.shape, images.valid.shape, images.test.shape) == ((6, 784), (3, 784), (2, 784))
    # Black is always 0 and white always 1.
    assert images.train.all()
    assert images.valid.all()
    assert not images.test.any()
    assert images.source in capsys.readouterr().err
    assert sorted(file.name for file in root.iterdir()) == ["MNIST", SUBSTITUTE]


def test_the_substitute_is_the_same_each_time_and_has_the_intensity_as_mean(tmp_path: Path) -> None:
    release = replace(NOWHERE, splits={"train": Split(100), "valid": Split(50), "test": Split(50)})
    made = []
    for root in (tmp_path / "a", tmp_path / "b"):
        put_raw_mnist(root, train=np.full((150, 28, 28), 51, np.uint8), test=np.full((50, 28, 28), 51, np.uint8))
        made.append(binarized_mnist.load(root, release))
    assert made[0].train.equal(made[1].train)
    # 78,400 pixels of mean 51 / 255, standard error 0.0014; the seed is fixed, so there is no false alarm.
    assert abs(made[0].train.float().mean() - 0.2) < 0.005
    assert not made[0].train[:50].equal(made[0].valid)


@pytest.mark.usefixtures("without_mirrors")
def test_where_nothing_can_be_had_says_where_it_looked_and_what_to_do(root: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        binarized_mnist.load(root, NOWHERE)
    for words in (str(root), FILE, SUBSTITUTE, "--data DIR", "ELBO_DATA=DIR", "Connection refused"):
        assert words in str(caught.value)
    assert not list(root.glob("*.npz*")), "a failure leaves a file behind"


def test_a_directory_that_cannot_be_written_to_is_said_before_downloading(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataMissing, match=r"Not a directory|File exists"):
        binarized_mnist.load(tmp_path / "file", NOWHERE)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "one byte changed": lambda path: path.write_bytes(path.read_bytes()[:200] + b"?" + path.read_bytes()[201:]),
    "other pixels": lambda path: np.savez(path, **(PACKED | {"test": 255 - PACKED["test"]})),
    "pickled objects": lambda path: np.savez(path, **(PACKED | {"test": np.array([object, None])})),
    "not packed": lambda path: np.savez(path, **PIXELS),
    "too few rows": lambda path: np.savez(path, **(PACKED | {"train": PACKED["train"][:-1]})),
    "other numbers": lambda path: np.savez(path, **(PACKED | {"train": PACKED["train"].astype(np.int64)})),
    "a split missing": lambda path: np.savez(path, train=PACKED["train"], valid=PACKED["valid"]),
    "one array": lambda path: path.write_bytes(np.lib.format.magic(1, 0) + b"\x00"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_and_left_as_it_is(damage: str, root: Path) -> None:
    root.mkdir()
    path = root / FILE
    np.savez_compressed(path, **PACKED)
    assert_is_the_release(binarized_mnist.load(root, NOWHERE))
    DAMAGES[damage](path)
    before = path.read_bytes()
    with pytest.raises(DataDamaged) as caught:
        binarized_mnist.load(root, NOWHERE)
    for words in (str(path), "test (2, 98)", "It is left as it is. Move it away", "--data DIR"):
        assert words in str(caught.value)
    assert path.read_bytes() == before


def test_a_damaged_substitute_is_refused_too(root: Path) -> None:
    root.mkdir()
    np.savez(root / SUBSTITUTE, **PIXELS)
    with pytest.raises(DataDamaged, match=SUBSTITUTE):
        binarized_mnist.load(root, NOWHERE)


def test_the_real_file_is_the_one_of_the_literature() -> None:
    root = Path(os.environ.get("ELBO_DATA", ""))
    if "ELBO_DATA" not in os.environ or not (root / FILE).exists():
        pytest.skip(f"the environment variable ELBO_DATA names no directory with {FILE}")
    images = binarized_mnist.load(root)
    # Summed as bytes: a float copy of the training set takes 157 MB.
    means = [int(split.count_nonzero()) / split.numel() for split in (images.train, images.valid, images.test)]
    assert means == pytest.approx([0.13056, 0.13113, 0.13251], abs=5e-6)
