"""The digest by which a grading knows a hand-in again: bounded, of nothing that a link leads to, and never an error."""

import hashlib
import os

import pytest

from grading.intake import Source, fingerprints
from tests.kit.packing import directory

SECOND = 1_000_000_000


def fingerprint(path):
    return fingerprints.fingerprint(Source("name", path))


def aged(folder):
    """Give all files of a directory one time."""
    for path in folder.rglob("*"):
        os.utime(path, ns=(SECOND, SECOND), follow_symlinks=False)
    return folder


def digest_of(*lines):
    return hashlib.sha256("".join(f"{line} {SECOND}\n" for line in lines).encode()).hexdigest()


def test_a_file_is_known_by_its_bytes_alone(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    os.utime(tmp_path / "a.zip", (1, 1))
    assert fingerprint(tmp_path / "a.zip") == hashlib.sha256(b"PK").hexdigest()


def test_a_directory_is_known_by_the_names_sizes_and_times_of_its_files_in_a_lasting_order(tmp_path):
    files = {"b": b"1", "vae/bounds.py": b"12", ".git/objects/aa/x": b"", "a": b"", "vae.py": b"", "vae/a/deep": b"123"}
    folder = directory(tmp_path / "anna", files)
    (folder / "to-a-file").symlink_to("b")
    (folder / "to-a-directory").symlink_to("vae")
    (folder / "empty").mkdir()
    lines = ("./a 0", "./b 1", "./to-a-file 1", "./vae.py 0", ".git/objects/aa/x 0", "vae/bounds.py 2", "vae/a/deep 3")
    assert fingerprint(aged(folder)) == digest_of(*lines)


def test_directories_in_one_another_without_end_are_walked_all_the_same(tmp_path):
    folder = place = directory(tmp_path / "eve", {"vae/bounds.py": b""})
    made = []
    try:
        for _ in range(1_100):
            place = place / "d"
            place.mkdir()
            made.append(place)
        (place / "file").touch()
        before = fingerprint(folder)
        (place / "file").unlink()
        assert fingerprint(folder) != before  # so it was reached
    finally:
        (place / "file").unlink(missing_ok=True)
        for place in reversed(made):  # pytest would fail to
            place.rmdir()


@pytest.mark.parametrize("change", ["vae/bounds.py", "zzz/new.py"])
def test_what_the_intake_takes_is_looked_at_however_much_the_tools_left_before_it(tmp_path, monkeypatch, change):
    monkeypatch.setattr(fingerprints, "MOST", 10)
    folder = directory(tmp_path / "anna", {f".venv/{number % 3}/{number}": b"" for number in range(40)})
    directory(folder, {"vae/bounds.py": b"", "vae/likelihoods.py": b""})
    before = fingerprint(folder)
    directory(folder, {change: b"changed"})
    assert fingerprint(folder) != before


def test_of_more_than_the_intake_takes_no_more_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprints, "MOST", 10)
    monkeypatch.setattr(fingerprints, "MEMBERS", 20)
    looked, stat = [], os.lstat
    folder = directory(tmp_path / "eve", {f"{number:02}/{inner}": b"" for number in range(40) for inner in range(40)})
    assert fingerprint(folder) != fingerprint(directory(tmp_path / "anna", {}))
    monkeypatch.setattr(os, "lstat", lambda path: looked.append(path) or stat(path))
    fingerprint(folder)
    assert len(looked) <= 40


def test_a_directory_that_is_cut_to_what_was_looked_at_is_another_one(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprints, "MOST", 2)
    monkeypatch.setattr(fingerprints, "MEMBERS", 8)
    files = [f"{place}/{number}" for place in "ab" for number in range(6)]
    folder = aged(directory(tmp_path / "eve", dict.fromkeys(files, b"")))
    found = {}
    for left in range(len(files), 0, -1):
        found[left] = fingerprint(folder)
        (folder / files[left - 1]).unlink()
    assert found[12] == found[9]  # refused are both: these have more than so many
    assert len({found[left] for left in range(1, 10)}) == 9


def test_of_a_huge_file_size_time_beginning_and_end_count(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprints, "WHOLE", 1_000)
    monkeypatch.setattr(fingerprints, "PIECE", 100)
    path = tmp_path / "a.zip"

    def of(content, time=SECOND):
        path.write_bytes(content)
        os.utime(path, ns=(time, time))
        return fingerprint(path)

    same = bytes(2_000)
    contents = (same, bytes(2_001), b"1" + same[1:], same[:-1] + b"1")
    assert len({of(content) for content in contents} | {of(same, 2 * SECOND)}) == 5
    assert of(same) == of(same[:1_000] + b"1" + same[1_001:])  # as it is: nobody reads all of this
    assert of(bytes(1_000)) == hashlib.sha256(bytes(1_000)).hexdigest()


def test_a_huge_file_without_content_is_not_read(tmp_path, monkeypatch):
    read = []
    opened = fingerprints.open_regular

    def counting(path):
        file = opened(path)
        whole = file.read
        file_read = lambda number: read.append(number) or whole(number)  # noqa: E731
        return Counted(file, file_read)

    monkeypatch.setattr(fingerprints, "open_regular", counting)
    with (tmp_path / "eve.tar").open("wb") as file:
        file.truncate(1 << 40)
    fingerprint(tmp_path / "eve.tar")
    assert 0 < sum(read) <= 4 * fingerprints.PIECE


class Counted:
    """A file with another way to read."""

    def __init__(self, file, read):
        self.file, self.read = file, read

    def __enter__(self):
        self.file.__enter__()
        return self

    def __exit__(self, *error):
        return self.file.__exit__(*error)

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_no_link_is_followed(tmp_path):
    outside = directory(tmp_path / "outside", {"secret": b"1"})
    (tmp_path / "class").mkdir()
    for name, target in (("a.zip", outside / "secret"), ("b", outside), ("c", tmp_path / "nowhere")):
        (tmp_path / "class" / name).symlink_to(target)
    before = [fingerprint(tmp_path / "class" / name) for name in ("a.zip", "b", "c")]
    directory(outside, {"secret": b"22", "more": b""})
    assert [fingerprint(tmp_path / "class" / name) for name in ("a.zip", "b", "c")] == before
    (tmp_path / "class" / "b").unlink()
    (tmp_path / "class" / "b").symlink_to(tmp_path / "nowhere")
    assert fingerprint(tmp_path / "class" / "b") != before[1]


def test_what_cannot_be_read_is_like_nothing(tmp_path):
    nothing = fingerprint(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / ("n" * 300), tmp_path / "gone" / "too"):
        assert fingerprint(path) == nothing
    folder = directory(tmp_path / "anna", {"vae/bounds.py": b""})
    (folder / "locked").mkdir(mode=0)
    (folder / "a-loop").symlink_to("a-loop")
    assert fingerprint(folder) != nothing


def test_names_that_are_not_utf8_count(tmp_path):
    found = set()
    for name in (b"ev\xff", b"ev\xfe"):
        folder = directory(tmp_path / "anna", {})
        path = os.fsencode(folder) + b"/" + name
        open(path, "wb").close()
        os.utime(path, ns=(SECOND, SECOND))
        found.add(fingerprint(folder))
        os.unlink(path)
    assert len(found) == 2
