"""The manifest of a hand-in: what is written is read again, and what anybody else wrote does no harm."""

import json
import sys
from importlib.metadata import version

import pytest

from grading import manifest
from grading.manifest import ManifestError

DIGEST = "0" * 64
WRITTEN = {
    "format": 1,
    "student": "1234567",
    "kit": "0.1.0",
    "python": "3.11.4",
    "torch": "2.13.0+cpu",
    "files": {"exercises/vae/bounds.py": DIGEST, "exercises/größe 1.png": DIGEST},
}


def read(changes=()):
    return manifest.read(json.dumps(WRITTEN | dict(changes)).encode())


@pytest.mark.parametrize("student", ["1234567", "s1234567", "ab.cd@uni-x.org", "A_1+2", "7"])
def test_what_is_made_is_read_again_with_the_files_in_order(student):
    made = manifest.make(student, {"b/ö.png": DIGEST, "a.py": "f" * 64})
    again = manifest.read(manifest.encode(made))
    assert again == made
    assert (again.student, list(again.files)) == (student, ["a.py", "b/ö.png"])
    assert (again.kit, again.torch) == (version("elbo-room"), version("torch"))
    assert again.python == sys.version.split()[0]


def test_what_a_later_kit_adds_is_passed_over():
    assert read({"course": {"name": "x"}}) == read()
    assert read().student == "1234567"


@pytest.mark.parametrize(
    "student", ["", "1234567\n", " 1", "=1+1", "-1", "a" * 41, "é", "1 2", "\udcff", "\x1b[31m1", "<b>", "1/2"]
)
def test_what_is_no_number_of_a_student_is_neither_written_nor_read(student):
    with pytest.raises(ManifestError, match=r"--student .*: expected up to 40 letters, digits") as raised:
        manifest.make(student, {})
    assert str(raised.value).isprintable()
    assert read({"student": student}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": True},
        {"student": 1234567},
        {"student": ["1"]},
        {"kit": "<script>"},
        {"python": "3" * 41},
        {"torch": None},
        {"files": [DIGEST]},
        {"files": {"a": DIGEST[:-1]}},
        {"files": {"a": DIGEST.replace("0", "A")}},
        {"files": {"a": f"{DIGEST}\n"}},
        {"files": {"": DIGEST}},
        {"files": {"\x1b[31m": DIGEST}},
        {"files": {"\ud800": DIGEST}},
        {"files": {"a" * 1025: DIGEST}},
    ],
    ids=str,
)
def test_a_manifest_of_another_form_is_none(changes):
    assert read() is not None
    assert read(changes) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"PK\x03\x04",
        b"[" * 500_000,
        b'{"files":' + b'{"a":' * 100_000,
        json.dumps(WRITTEN).encode()[:-1],
        json.dumps(WRITTEN).encode() + b" " * manifest.LARGEST,
    ],
    ids=["empty", "no text", "null", "a list", "an archive", "deep", "deep files", "cut off", "large"],
)
def test_content_that_is_no_manifest_is_none(content):
    assert manifest.read(content) is None


@pytest.mark.parametrize("path", ["a\nb.png", "", "\u202e.png"])
def test_a_path_that_cannot_be_shown_is_refused_when_writing(path):
    with pytest.raises(ManifestError, match="rename that file"):
        manifest.make("1", {path: DIGEST})


def test_more_files_than_a_manifest_holds_are_refused_when_writing():
    with pytest.raises(ManifestError, match=r"20000 files are too many"):
        manifest.make("1", {f"runs/{number}": DIGEST for number in range(20_000)})
