"""The intake: hand-ins of every form, honest, clumsy and hostile."""

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import warnings
import zipfile

import pytest

from grading.engine.implementation import ROOT
from grading.intake import IntakeError, find, limits, take
from grading.intake.choosing import stub_files

VAE = {f"vae/{name}.py": f"# {name}\n".encode() for name in ("bounds", "divergences", "likelihoods")}
RUN = {
    "runs/vae-1/config.json": b"{}",
    "runs/vae-1/checkpoint.safetensors": b"1",
    "runs/f/config.json": b"{}",
    "runs/f/trainings/arcs-samples-2/metrics.jsonl": b"{}",
    "runs/f/trajectories/w1-r1-0.1.safetensors": b"2",
}
LIKELIHOODS = "vae/likelihoods.py"
LOST = "its parts are judged as missing."
SPECIAL = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE)


def directory(path, files):
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zipped(path, files, **how):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return path


def tarred(path, files, mode="w:gz", others=(), **how):
    with tarfile.open(path, mode, **how) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind, target in others:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return path


def zeros(path, name, megabytes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w", force_zip64=True) as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return path


@pytest.fixture
def taken(tmp_path):
    """A function that takes a hand-in, and returns what it says and what it wrote."""
    numbers = iter(range(100))

    def run(source):
        into = tmp_path / f"into-{next(numbers)}"
        into.mkdir()
        result = take(source, into)
        return result, {str(p.relative_to(into)): p.read_bytes() for p in into.rglob("*") if p.is_file()}

    return run


def told(result):
    return "\n".join(result.notes)


def test_every_form_of_the_same_content_has_the_same_hash(taken, tmp_path):
    files = VAE | RUN
    backwards = dict(reversed(files.items()))
    forms = [
        directory(tmp_path / "dir", files),
        zipped(tmp_path / "a.zip", backwards),
        tarred(tmp_path / "a.tar", files, "w"),
        tarred(tmp_path / "a.tgz", backwards),
        tarred(tmp_path / "a.tar.bz2", files, "w:bz2"),
        tarred(tmp_path / "named-wrong.zip", files, "w:xz"),
        tarred(tmp_path / "gnu.tar.gz", {f"alice/{'long' * 50}/{n}": c for n, c in files.items()}, format=1),
        tarred(tmp_path / "pax.tar.gz", {f"ålice/{'long' * 50}/{n}": c for n, c in files.items()}, format=2),
        directory(tmp_path / "moodle", {"work.zip": zipped(tmp_path / "b.zip", files).read_bytes()}),
        zipped(tmp_path / "windows.zip", {f"alice\\exercises\\{n}".replace("/", "\\"): c for n, c in files.items()}),
    ]
    results = [taken(form) for form in forms]
    expected = {f"implementation/{n}" if n.startswith("vae") else n: c for n, c in files.items()}
    assert all(written == expected for _, written in results)
    assert len({result.hash for result, _ in results}) == 1
    assert results[0][0].files == tuple(sorted(VAE))
    assert results[0][0].runs == ("runs/f", "runs/vae-1")
    assert results[0][0].notes == tuple(f"all of {topic}/ is missing: {LOST}" for topic in ("gan", "flows"))
    assert taken(directory(tmp_path / "other", {**files, LIKELIHOODS: b"# else"}))[0].hash != results[0][0].hash


def test_the_reference_is_taken_whole_and_for_any_user_to_read(tmp_path):
    os.umask(old := os.umask(0o077))
    try:
        os.umask(0o077)
        result = take(ROOT / "solutions", tmp_path)
    finally:
        os.umask(old)
    assert (result.files, result.notes) == (tuple(sorted(stub_files())), ())
    modes = {(p.is_dir(), stat.S_IMODE(p.stat().st_mode)) for p in tmp_path.rglob("*")}
    assert modes == {(True, 0o755), (False, 0o644)}


@pytest.mark.parametrize("name", ["../../vae/likelihoods.py", "/etc/vae/likelihoods.py", "C:\\vae\\likelihoods.py"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_path_that_leads_out_is_not_taken(taken, tmp_path, pack, name):
    result, written = taken(pack(tmp_path / "a", {name: b"out", "vae/bounds.py": b"in"}))
    assert written == {"implementation/vae/bounds.py": b"in"}
    assert "lead out of the hand-in" in told(result)
    assert "vae/likelihoods.py is missing" in told(result)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, *SPECIAL])
def test_links_and_devices_in_an_archive_are_named(taken, tmp_path, kind):
    others = [(LIKELIHOODS, kind, "/etc/passwd"), ("runs/f/summary.json", kind, "/etc/passwd")]
    files = {"vae/bounds.py": b"in", "runs/f/config.json": b"{}"}
    result, written = taken(tarred(tmp_path / "a.tgz", files, others=others))
    assert written == {"implementation/vae/bounds.py": b"in", "runs/f/config.json": b"{}"}
    assert told(result).count("expected a file") == 2


def test_links_and_pipes_in_a_directory_are_named_and_not_waited_for(taken, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    source = directory(tmp_path / "a", {"vae/bounds.py": b"in", "elsewhere/planar.py": b"out"})
    (source / LIKELIHOODS).symlink_to(tmp_path / "secret")
    os.mkfifo(source / "vae/divergences.py")
    (source / "flows").symlink_to(source / "elsewhere")
    (source / "runs").symlink_to(tmp_path)
    result, written = taken(source)
    assert written["implementation/vae/bounds.py"] == b"in"
    assert b"secret" not in written.values()
    assert "vae/likelihoods.py is a link" in told(result)
    assert "vae/divergences.py is a device" in told(result)
    for path in (source / LIKELIHOODS, source / "vae/divergences.py"):
        with pytest.raises(IntakeError, match=r"link|pipe"):
            taken(path)


def test_a_zip_archive_with_a_link_in_it(taken, tmp_path):
    link = zipfile.ZipInfo(LIKELIHOODS)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    result, written = taken(zipped(tmp_path / "a.zip", [(link, b"/etc/passwd"), ("vae/bounds.py", b"in")]))
    assert set(written) == {"implementation/vae/bounds.py"}
    assert "is a link" in told(result)


def test_zip_bombs(taken, tmp_path):
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
def test_tar_bombs(taken, tmp_path, compress):
    tar = tarred(tmp_path / "a.tar", {"data.bin": bytes(200 << 20), LIKELIHOODS: b"in"}, "w")
    packed = tmp_path / "a.tar.gz"
    packed.write_bytes(compress(tar.read_bytes()))
    with pytest.raises(IntakeError, match="unpacks to more than"):
        taken(packed)
    assert taken(tar)[1] == {"implementation/vae/likelihoods.py": b"in"}


def test_headers_of_tar_that_lie(taken, tmp_path):
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


def test_a_zip_archive_that_lies_about_sizes(taken, tmp_path):
    path = zipped(tmp_path / "a.zip", {"vae/bounds.py": b"in", LIKELIHOODS: bytes(2 << 20)})
    content = path.read_bytes()
    for said in (10, 1 << 31):
        path.write_bytes(content.replace(struct.pack("<I", 2 << 20), struct.pack("<I", said)))
        result, written = taken(path)
        assert set(written) == {"implementation/vae/bounds.py"}
        assert "vae/likelihoods.py is damaged" in told(result) or "more than 1 MB" in told(result)


def test_an_encrypted_zip_archive_is_named(taken, tmp_path):
    path = zipped(tmp_path / "a.zip", {LIKELIHOODS: b"in"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(IntakeError, match=r"likelihoods.py is encrypted; expected an archive without a password"):
        taken(path)


def test_archives_that_hold_nothing_or_are_damaged(taken, tmp_path):
    with pytest.raises(IntakeError, match="found was nothing"):
        taken(zipped(tmp_path / "empty.zip", {}))
    with pytest.raises(IntakeError, match="found was nothing"):
        taken(tarred(tmp_path / "empty.tar", {}, "w"))
    for pack, name in ((zipped, "a.zip"), (tarred, "a.tgz")):
        path = pack(tmp_path / name, {LIKELIHOODS: os.urandom(5000)})
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(IntakeError, match="damaged"):
            taken(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("report.pdf", b"%PDF-1.4", "is a PDF; expected a zip or tar archive"),
        ("work.zip", b"Rar!\x1a\x07", "is a RAR archive; expected"),
        ("work.zip", b"", "is an empty file; expected"),
        ("work.gz", gzip.compress(b"text " * 200, mtime=0), "is damaged"),
        ("answers.py", b"x = 1", "found was answers.py, expected vae/likelihoods.py"),
    ],
)
def test_a_file_of_another_form_is_named(taken, tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IntakeError, match=says) as raised:
        taken(tmp_path / name)
    assert str(raised.value).startswith(name)


def test_too_many_too_deep_and_too_large(taken, tmp_path):
    many = {f"data/{number}": b"" for number in range(limits.MEMBERS + 1)}
    with pytest.raises(IntakeError, match="more than 20000 files and directories"):
        taken(zipped(tmp_path / "many.zip", many | VAE))
    kept = {f"venv/lib/{number}": b"" for number in range(limits.MEMBERS + 1)} | {"__MACOSX/vae/._bounds.py": b""}
    assert len(taken(zipped(tmp_path / "venv.zip", kept | VAE))[1]) == 3
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


def test_too_much_altogether(taken, tmp_path, monkeypatch):
    monkeypatch.setattr("grading.intake.members.TAKEN", 1000)
    result, written = taken(directory(tmp_path / "a", VAE | RUN | {"runs/vae-1/big.safetensors": bytes(2000)}))
    assert result.runs == ()
    assert len(written) == 3
    assert "No run was taken: its files have more than" in told(result)


def test_of_several_members_with_one_name_the_last_counts(taken, tmp_path):
    for pack in (zipped, tarred):
        with warnings.catch_warnings(action="ignore"):
            source = pack(tmp_path / "a", [(LIKELIHOODS, b"first"), (LIKELIHOODS, b"last")])
        result, written = taken(source)
        assert written == {"implementation/vae/likelihoods.py": b"last"}
        assert "several times in the archive" in told(result)


def test_wrong_nesting_and_two_candidates(taken, tmp_path):
    files = {
        "alice/exercises/vae/likelihoods.py": b"right",
        "alice/exercises/gan/steps.py": b"right",
        "alice/exercises/vae/utils.py": b"",
        "alice/exercises/vae/torch.py": b"",
        "alice/vae/likelihoods.py": b"old",
        "alice/vae/bounds.py": b"old",
        "alice/copy/vae/likelihoods.py": b"right",
        "alice/flows/planar.py": b"flows",
        "alice/grading/bank/flows/planar.py": b"mistake",
    }
    result, written = taken(directory(tmp_path / "a", files))
    assert written == {
        "implementation/vae/likelihoods.py": b"old",
        "implementation/vae/bounds.py": b"old",
        "implementation/flows/planar.py": b"flows",
        "implementation/gan/steps.py": b"right",
    }
    assert "The topics stand apart" in told(result)
    assert "other content: alice/copy/vae/likelihoods.py and alice/exercises/vae/likelihoods.py not taken" in told(
        result
    )
    one_place = {name: files[name] for name in files if "/exercises/" in name or "/flows/" not in name}
    del one_place["alice/vae/bounds.py"]
    one_place["alice/exercises/flows/planar.py"] = b"flows"
    result, written = taken(directory(tmp_path / "b", one_place))
    assert set(written.values()) == {b"right", b"flows"}
    assert "torch.py and alice/exercises/vae/utils.py not taken" in told(result)
    assert "vae/bounds.py is missing" in told(result)


def test_stub_files_without_a_topic(taken, tmp_path):
    (tmp_path / "likelihoods.py").write_bytes(b"# alone")
    result, written = taken(tmp_path / "likelihoods.py")
    assert written == {"implementation/vae/likelihoods.py": b"# alone"}
    assert "likelihoods.py stands in no directory of its topic" in told(result)
    files = {
        "2/objectives.py": b"import torch\ndef jsd(a, b):\n",
        "3/objectives.py": b"def reverse_kl(a):\n",
        "4/objectives.py": b"",
        "planar.py": b"",
        "old/planar.py": b"1",
    }
    result, written = taken(zipped(tmp_path / "a.zip", files))
    assert {name.removeprefix("implementation/"): content for name, content in written.items()} == {
        "gan/objectives.py": files["2/objectives.py"],
        "flows/objectives.py": files["3/objectives.py"],
        "flows/planar.py": b"",
    }
    assert "4/objectives.py may be of several topics" in told(result)
    assert "old/planar.py was not taken" in told(result)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("# Größe\n".encode(), None),
        ("# Größe\n".encode("utf-8-sig"), None),
        ("# Größe\n".encode("utf-16"), "utf-16"),
        ("# Größe\n".encode("latin-1"), "cp1252"),
        ("# Größe \x81\n".encode("latin-1"), "latin-1"),
        ("# coding: latin-1\n# Größe\n".encode("latin-1"), "iso8859-1"),
        ("# coding: no-such\n# Größe\n".encode(), None),
        ("# coding: punycode\n# Größe\n".encode(), None),
        ("# coding: ascii\n# Größe\n".encode("latin-1"), "cp1252"),
        (b"x = 1\0\n", None),
    ],
)
def test_encodings(taken, tmp_path, content, encoding):
    result, written = taken(directory(tmp_path / "a", {LIKELIHOODS: content}))
    text = written["implementation/vae/likelihoods.py"].decode()
    assert "Größe" in text or "\0" in text
    if "\0" not in text:
        compile(written["implementation/vae/likelihoods.py"], "file", "exec")
    assert (f"it was read as {encoding}" if encoding else "read as") in told(result) or not encoding


def test_runs(taken, tmp_path):
    files = VAE | RUN
    files |= {"runs/vae-1/figures/a.png": b"", "runs/vae-1/model.pt": b"", "deep/er/runs/vae-1/config.json": b"other"}
    files |= {"old/runs/b\x1b c/config.json": b"{}", "runs/vae-1/code/config.json": b"", "runs/f/.config.json": b""}
    files |= {"runs/vae-1/trainings/b ad/config.json": b"", "results/r/config.json": b""}
    files |= {f"more/and/more/runs/{number}/config.json": b"{}" for number in range(30)}
    result, written = taken(directory(tmp_path / "a", {f"alice/{name}": content for name, content in files.items()}))
    assert len(result.runs) == limits.RUNS
    assert {"runs/vae-1", "runs/f", "runs/b-c"} <= set(result.runs)
    names = {name for name in written if name.startswith(("runs/vae-1", "runs/f/"))}
    assert names == set(RUN)
    assert written["runs/vae-1/config.json"] == b"{}"
    assert "at most 20 runs" in told(result)
    assert "\x1b" not in told(result)


def test_finding_submissions(tmp_path):
    class_folder = directory(
        tmp_path / "class",
        {
            "alice/exercises/vae/bounds.py": b"",
            "Alice.zip": b"",
            "ALICE.tar.gz": b"",
            "bob.smith/bounds.py": b"",
            "gan/vae/bounds.py": b"",
            "report.pdf": b"",
            "Ünïcode näme (1).ipynb": b"",
            "学.py": b"",
            f"{'x' * 200}.zip": b"",
            "-rf.zip": b"",
            ".hidden": b"",
            "__MACOSX/x": b"",
        },
    )
    found = find([class_folder])
    assert [source.name for source in found] == [
        "rf", "ALICE", "Alice-2", "alice-3", "bob.smith", "gan", "report.pdf", "x" * 80, "Unicode-name-1", "submission",
    ]  # fmt: skip
    for one in (class_folder / "alice", class_folder / "bob.smith", class_folder / "gan", class_folder / "Alice.zip"):
        assert [source.path for source in find([one, one])] == [one]
    with pytest.raises(IntakeError, match=r"class/carol is not there"):
        find([class_folder / "carol"])
    (tmp_path / "empty").mkdir()
    assert [source.name for source in find([tmp_path / "empty"])] == ["empty"]


def test_what_lies_about_in_the_folder_of_a_class_makes_no_submission_of_it(tmp_path):
    one = {"vae/likelihoods.py": b""}
    folder = directory(tmp_path, {f"{name}/{file}": text for name in ("alice", "bob") for file, text in one.items()})
    for stray in ("likelihoods.py", "vae/likelihoods.py"):
        (folder / stray).parent.mkdir(exist_ok=True)
        (folder / stray).write_bytes(b"")
        assert [source.name for source in find([folder])] == ["alice", "bob", stray.split("/")[0].removesuffix(".py")]
        (folder / stray).unlink()


def test_names_of_a_large_class(tmp_path):
    paths = [
        directory(tmp_path / str(group), {f"{n % 2 * 'A' or 'a'}{n}/.x": b"" for n in range(500)}) for group in range(4)
    ]
    names = [source.name for source in find(paths)]
    assert len({name.lower() for name in names}) == 2000
    assert names == [source.name for source in find(paths)]
