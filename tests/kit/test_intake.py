"""The intake: what is taken of a hand-in, in whatever form it comes."""

import gzip
import os
import stat

import pytest

from grading.engine.implementation import ROOT
from grading.intake import IntakeError, limits, take
from grading.intake.choosing import stub_files
from tests.kit.packing import LIKELIHOODS, RUN, VAE, directory, taken, tarred, told, zipped

LOST = "its parts are judged as missing."


def test_every_form_of_the_same_content_has_the_same_hash(tmp_path):
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
def test_a_file_of_another_form_is_named(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IntakeError, match=says) as raised:
        taken(tmp_path / name)
    assert str(raised.value).startswith(name)


def test_wrong_nesting_and_two_candidates(tmp_path):
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


def test_stub_files_without_a_topic(tmp_path):
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
def test_encodings(tmp_path, content, encoding):
    result, written = taken(directory(tmp_path / "a", {LIKELIHOODS: content}))
    text = written["implementation/vae/likelihoods.py"].decode()
    assert "Größe" in text or "\0" in text
    if "\0" not in text:
        compile(written["implementation/vae/likelihoods.py"], "file", "exec")
    assert (f"it was read as {encoding}" if encoding else "read as") in told(result) or not encoding


def test_runs(tmp_path):
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
    assert "at most 8 runs" in told(result)
    assert "\x1b" not in told(result)
