"""The intake of what is too large, unpacks to too much, or lies about its size."""

import bz2
import gzip
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import PurePosixPath

import pytest

from grading.intake import IntakeError, limits
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


def test_headers_of_tar_that_lie(tmp_path):
    def header(name, size, kind=tarfile.REGTYPE):
        info = tarfile.TarInfo(name)
        info.size, info.type = size, kind
        return info.tobuf(tarfile.GNU_FORMAT)

    good = header(LIKELIHOODS, 2) + b"in".ljust(512, b"\0")
    far = tmp_path / "far.tgz"
    far.write_bytes(gzip.compress(header("data", 1 << 40) + good))
    with pytest.raises(IntakeError, match="unpacks to more than"):
        taken(far)
    short = tmp_path / "short.tar"
    short.write_bytes(good + header("vae/bounds.py", 2000) + b"out")
    assert "vae/bounds.py is cut off" in told(taken(short)[0])
    chain = tmp_path / "chain.tgz"
    chain.write_bytes(gzip.compress(header("x", 512, tarfile.XHDTYPE) + b"x" * 512 + good))
    with pytest.raises(IntakeError, match="damaged"):
        taken(chain)
    many = tmp_path / "many.tgz"
    many.write_bytes(gzip.compress(header("x", 0, tarfile.XGLTYPE) * 70_000))
    with pytest.raises(IntakeError, match="more than 20000 files"):
        taken(many)


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
