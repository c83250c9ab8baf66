"""The intake of what is too large, unpacks to too much, or lies about its size."""

import bz2
import errno
import gzip
import lzma
import os
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import PurePosixPath

import pytest

from grading.intake import IntakeError, limits, opening
from grading.intake.limits import Unreadable
from grading.intake.notebooks import read_notebook
from grading.intake.report_notebooks import read_report_notebook
from grading.nbgrader.autograded import cells_of
from tests.kit.packing import LIKELIHOODS, RUN, VAE, directory, taken, tarred, told, zipped


def read_stubs(content):
    return read_notebook(PurePosixPath("a.ipynb"), content)


def zeros(path, name, megabytes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w", force_zip64=True) as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return path


def test_zip_bombs(tmp_path):
    with pytest.raises(IntakeError, match="more than 1 MB"):
        taken(zeros(tmp_path / "a.zip", LIKELIHOODS, 200))
    path = zeros(tmp_path / "b.zip", "data.bin", 200)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(LIKELIHOODS, b"in")
    assert taken(path)[1] == {"implementation/vae/likelihoods.py": b"in"}
    others = zipped(tmp_path / "c.zip", {"vae/bounds.py": b"in"})
    with zipfile.ZipFile(others, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(LIKELIHOODS, bytes(1 << 20))
    assert "method 12" in told(taken(others)[0])


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_tar_bombs(tmp_path, compress):
    tar = tarred(tmp_path / "a.tar", {"data.bin": bytes(200 << 20), LIKELIHOODS: b"in"}, "w")
    packed = tmp_path / "a.tar.gz"
    packed.write_bytes(compress(tar.read_bytes()))
    with pytest.raises(IntakeError, match="unpacks to more than"):
        taken(packed)
    assert taken(tar)[1] == {"implementation/vae/likelihoods.py": b"in"}


def header(name, size, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def block(content):
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


GOOD = header(LIKELIHOODS, 2) + block(b"in")


def test_headers_of_tar_that_lie(tmp_path):
    far = tmp_path / "far.tgz"
    far.write_bytes(gzip.compress(header("data", 1 << 40) + GOOD))
    with pytest.raises(IntakeError, match="unpacks to more than"):
        taken(far)
    short = tmp_path / "short.tar"
    short.write_bytes(GOOD + header("vae/bounds.py", 2000) + b"out")
    assert "vae/bounds.py is cut off" in told(taken(short)[0])
    many = tmp_path / "many.tgz"
    many.write_bytes(gzip.compress((header("x", 0, tarfile.XGLTYPE) + header("._", 0)) * 35_000))
    with pytest.raises(IntakeError, match="more than 20000 files"):
        taken(many)


def pax(records):
    return header("x", len(records), tarfile.XHDTYPE) + block(records)


@pytest.mark.parametrize("records", [b"x" * 512, b"2 " * 200, b"0 a=b\n", b"-9 a=b\n", b"1_0 a=b\n", b" 9 a=b\n"])
def test_a_header_whose_records_have_no_length_is_damaged(tmp_path, records):
    (tmp_path / "a.tar").write_bytes(pax(records) + GOOD)
    with pytest.raises(IntakeError, match=r"damaged|records"):
        taken(tmp_path / "a.tar")


def test_a_negative_size_is_not_read(tmp_path):
    one = bytearray(header("x", 0, tarfile.XHDTYPE))
    one[124:136] = b"\xff" * 11 + b"\xfe"
    one[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(one))[0]
    (tmp_path / "a.tgz").write_bytes(gzip.compress(bytes(one) + bytes(60 << 20)))
    assert peak_of(tmp_path / "a.tgz") < 8 << 20
    with pytest.raises(IntakeError, match="a size is negative"):
        taken(tmp_path / "a.tgz")


def test_what_a_header_says_more_of_the_next_one_does_no_harm(tmp_path):
    name, records = "alice/" * 30 + LIKELIHOODS, [b"mtime=1.5", b"SCHILY.xattr.user.a=1\n2", b"size=2"]
    lines = b""
    for record in [*records, f"path={name}".encode()]:
        number = next(n for n in range(99_999) if n == len(f"{n} ") + len(record) + 1)
        lines += b"%d %b\n" % (number, record)
    longest = header("././@LongLink", 300, tarfile.GNUTYPE_LONGLINK) + block(b"y" * 300)
    content = longest + pax(lines) + header("other", 0) + block(b"in") + header("gan/steps.py", 3) + block(b"two")
    (tmp_path / "a.tar").write_bytes(content)
    written = taken(tmp_path / "a.tar")[1]
    assert written == {f"implementation/{LIKELIHOODS}": b"in", "implementation/gan/steps.py": b"two"}


def test_a_header_with_too_many_records_is_refused_before_they_are_read(tmp_path, monkeypatch):
    (tmp_path / "a.tar").write_bytes(pax(b"5 a=\n" * 10_000) + GOOD)
    with pytest.raises(IntakeError, match=r"a.tar: a header in the archive has more than 50 records. Pack it"):
        taken(tmp_path / "a.tar")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_too_many_headers_before_a_file_are_refused(tmp_path, kind):
    one = header("x", 512, kind) + block(b"512 path=".ljust(512, b"a"))
    (tmp_path / "few.tar").write_bytes(one * 16 + header("a", 0) + GOOD)
    assert taken(tmp_path / "few.tar")[1] == {f"implementation/{LIKELIHOODS}": b"in"}
    (tmp_path / "a.tar").write_bytes(one * 50 + GOOD)
    with pytest.raises(IntakeError, match="more than 16 headers before one file"):
        taken(tmp_path / "a.tar")


def peak_of(source):
    tracemalloc.start()
    try:
        taken(source)
    except IntakeError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


def test_what_headers_say_takes_no_memory(tmp_path):
    def headers():
        for number in range(800):
            keys = range(45 * number, 45 * (number + 1))
            yield pax(b"".join(b"%d %08d=%b\n" % (614, key, b"v" * 600) for key in keys))
            if number % 10 == 9:
                yield header("a", 0)

    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(b"".join(headers()) + GOOD, preset=0))
    assert peak_of(path) < 8 << 20  # and all of it is 23 MB
    assert taken(path)[1] == {f"implementation/{LIKELIHOODS}": b"in"}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_long_names_take_no_memory(tmp_path, kind):
    name = b"n" * 60_000
    content = b"60012 path=%b\n" % name if kind == tarfile.XHDTYPE else name
    path = tmp_path / "a.tar.xz"
    one = header("x", len(content), kind) + block(content) + header("a", 0)
    path.write_bytes(lzma.compress(one * 500 + GOOD, preset=0))
    assert peak_of(path) < 8 << 20
    result, written = taken(path)
    assert written == {f"implementation/{LIKELIHOODS}": b"in"}
    assert "1024 characters" in told(result)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_archive_is_unpacked_once(tmp_path, monkeypatch, mode):
    files = {"notes/report.md": b"1" * 1_000, "figures/a.png": b"2" * 1_000, **RUN, **dict(reversed(VAE.items()))}
    files |= {"manifest.json": b"{}", "old/report.md": b"", "a.ipynb": b"{}", "data.bin": os.urandom(300_000)}
    path = tarred(tmp_path / "a.tar", files, mode)
    unpacked = []
    for magic, unpack in opening.COMPRESSED.items():

        def counting(file, unpack=unpack):
            stream = unpack(file)
            return Counted(stream, unpacked)

        monkeypatch.setitem(opening.COMPRESSED, magic, counting)
    assert set(taken(path)[1]) == {*(f"implementation/{name}" for name in VAE), *RUN, "report.md"}
    assert 300_000 < sum(unpacked) < 300_000 + 40 * tarfile.BLOCKSIZE + limits.PICTURE


class Counted:
    """A stream that counts what it gives, and cannot go back."""

    def __init__(self, stream, counts):
        self.stream, self.counts = stream, counts

    def read1(self, number):
        content = self.stream.read1(number)
        self.counts.append(len(content))
        return content


def test_what_follows_the_end_of_an_archive_is_not_unpacked(tmp_path):
    path = tarred(tmp_path / "a.tgz", {LIKELIHOODS: b"in"})
    path.write_bytes(path.read_bytes() + b"and then something else")
    assert taken(path)[1] == {f"implementation/{LIKELIHOODS}": b"in"}


def test_a_full_disk_is_not_the_fault_of_a_hand_in(tmp_path, monkeypatch):
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def seek(self, *_):
            pass

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("grading.intake.opening.TemporaryFile", Full)
    with pytest.raises(OSError, match="No space left on device"):
        taken(tarred(tmp_path / "a.tgz", VAE))


def test_a_zip_archive_that_lies_about_sizes(tmp_path):
    path = zipped(tmp_path / "a.zip", {"vae/bounds.py": b"in", LIKELIHOODS: bytes(2 << 20)})
    content = path.read_bytes()
    for said in (10, 1 << 31):
        path.write_bytes(content.replace(struct.pack("<I", 2 << 20), struct.pack("<I", said)))
        result, written = taken(path)
        assert set(written) == {"implementation/vae/bounds.py"}
        assert "vae/likelihoods.py is damaged" in told(result) or "more than 1 MB" in told(result)


def test_too_many_too_deep_and_too_large(tmp_path):
    many = {f"data/{number}": b"" for number in range(limits.MEMBERS + 1)}
    with pytest.raises(IntakeError, match="more than 20000 files and directories"):
        taken(zipped(tmp_path / "many.zip", many | VAE))
    kept = {f"venv/lib/{number}": b"" for number in range(limits.MEMBERS + 1)} | {"__MACOSX/vae/._bounds.py": b""}
    assert len(taken(zipped(tmp_path / "venv.zip", kept | VAE))[1]) == len(VAE)
    deep = "d/" * 40
    for source in (
        zipped(tmp_path / "deep.zip", {f"{deep}{LIKELIHOODS}": b"", "vae/bounds.py": b"in"}),
        directory(tmp_path / "deep", {f"{deep}{LIKELIHOODS}": b"", "vae/bounds.py": b"in"}),
    ):
        result, written = taken(source)
        assert set(written) == {"implementation/vae/bounds.py"}
        assert "more than 32 directories" in told(result)
    huge = directory(tmp_path / "huge", {"vae/bounds.py": b"in", LIKELIHOODS: bytes(limits.STUB + 1)})
    assert "vae/likelihoods.py has more than 1 MB" in told(taken(huge)[0])


def test_too_much_altogether(tmp_path, monkeypatch):
    monkeypatch.setattr("grading.intake.members.TAKEN", 1000)
    result, written = taken(directory(tmp_path / "a", VAE | RUN | {"runs/vae-1/big.safetensors": bytes(2000)}))
    assert result.runs == ()
    assert len(written) == len(VAE)
    assert "No run was taken: its files have more than" in told(result)


HEAD = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, '
OLD = b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": '
CELL = b'{"cell_type":"markdown","metadata":{},"source":'
NOTEBOOKS = {  # a beginning, what is repeated, and an end
    "empty cells": (HEAD + b'"cells":[', b"{}", b"]}"),
    "lists for cells": (HEAD + b'"cells":[', b"[]", b"]}"),
    "cells": (HEAD + b'"cells":[', CELL + b'""}', b"]}"),
    "small cells": (HEAD + b'"cells":[', b'{"cell_type":"a"}', b"]}"),
    "lines of a cell": (HEAD + b'"cells":[' + CELL + b"[", b'"a"', b"]}]}"),
    "metadata": (HEAD + b'"cells":[' + CELL + b'"","metadata":{"nbgrader":[', b"{}", b"]}}]}"),
    "attachments": (HEAD + b'"cells":[' + CELL + b'"","attachments":{"a":{}', b',"bcd":{}', b"}}]}"),
    "outputs": (HEAD + b'"cells":[' + CELL + b'"","outputs":[', b"{}", b"]}]}"),
    "elsewhere": (HEAD + b'"cells":[],"others":[', b"{}", b"]}"),
    "worksheets": (OLD + b"[", b"{}", b"]}"),
    "worksheets without cells": (OLD + b"[", b'{"cells":[]}', b"]}"),
    "cells of a worksheet": (OLD + b'[{"cells":[', b"{}", b"]}]}"),
    "halves of surrogate pairs": (HEAD + b'"cells":[' + CELL + b'"","outputs":[', b'"\\ud800"', b"]}]}"),
}


@pytest.mark.parametrize("read", [read_report_notebook, read_stubs, cells_of], ids=["report", "stubs", "nbgrader"])
@pytest.mark.parametrize("parts", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_a_notebook_takes_no_more_memory_than_a_few_times_its_size(parts, read):
    begin, unit, end = parts
    unit = unit if unit.startswith(b",") else unit + b","
    number = (4 << 20) // len(unit)
    content = b"".join((begin, (unit * number).removesuffix(b","), end))
    tracemalloc.start()
    try:
        read(content)
    except Unreadable:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 16 * len(content)


def test_of_a_notebook_that_packs_well_the_code_is_taken_all_the_same(tmp_path):
    begin, unit, end = NOTEBOOKS["empty cells"]
    large = b"".join((begin, b",".join([unit] * (limits.NOTEBOOK // 4)), end))
    result, written = taken(zipped(tmp_path / "a.zip", {LIKELIHOODS: b"# mine", "report.ipynb": large}))
    assert set(written) == {f"implementation/{LIKELIHOODS}"}
    assert "report.ipynb is no notebook with a report" in told(result)
