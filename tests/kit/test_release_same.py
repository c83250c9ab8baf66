"""Releases are the same bytes from whichever copy of the kit they are made, and hold nothing of the machine."""

import os
import sys
import zipfile

import pytest

from grading.engine.implementation import ROOT
from grading.release import ReleaseError
from grading.release.classroom import classroom
from grading.release.gradescope import gradescope
from grading.release.student import student
from grading.release.trees import zipped
from tests.kit import environments

RELEASES = {release.__name__: release for release in (student, gradescope, classroom)}


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Two copies of the kit, with other times, and caches, runs and somebody's files in one of them."""
    made = [environments.checkout(tmp_path_factory.mktemp("copy") / name) for name in ("kit", "another-kit")]
    for number, path in enumerate(made[1].rglob("*")):
        os.utime(path, (1e9 + number, 1e9 + number))
    for name in (
        "grading/__pycache__/a.py",
        "data/cache/b.py",
        "runs/c.json",
        "grading/.hidden.py",
        "grading/notes.csv",
    ):
        (made[1] / name).parent.mkdir(parents=True, exist_ok=True)
        (made[1] / name).write_text("of this machine")
    (made[1] / "grading" / "linked.py").symlink_to(ROOT / "grading" / "judge.py")
    (made[1] / "exercises" / "vae" / "bounds.py").write_text("work of somebody's")
    return made


@pytest.mark.parametrize("name", RELEASES)
def test_a_release_is_the_same_from_any_copy(name, copies):
    first, second = (zipped(RELEASES[name](root)) for root in copies)
    assert first == second


@pytest.mark.parametrize("name", RELEASES)
def test_a_release_is_that_of_this_checkout_and_names_no_place(name, copies):
    tree = RELEASES[name](copies[0])
    assert tree == RELEASES[name]()
    places = [str(ROOT).encode(), str(copies[0]).encode()]
    assert not [path for path, content in tree.items() for place in places if place in content]
    assert not [path for path in tree if path.startswith("/") or ".." in path.split("/")]


COURSE = """
import sys
from grading.nbgrader.course import contents
from grading.release.trees import zipped
open(sys.argv[1], "wb").write(zipped(contents()))
"""


def course(root, made):
    """The files of nbgrader's course as a copy of the kit writes it, those of the kit beside the notebooks as well."""
    done = environments.run([sys.executable, "-c", COURSE, made], root, PYTHONPATH=str(root))
    assert done.returncode == 0, done.stderr
    found = unzipped(made)
    (kit,) = [path for path in found if path.endswith("kit.zip")]
    made.write_bytes(found[kit])
    return found | {f"{kit}/{path}": content for path, content in unzipped(made).items()}


def unzipped(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_course_is_the_same_from_any_copy_and_names_no_place(copies, tmp_path):
    pytest.importorskip("nbgrader")
    first, second = (course(root, tmp_path / root.name) for root in copies)
    assert [path for path in first if path.endswith(".ipynb")]
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []
    assert not [path for path, content in first.items() if str(copies[0]).encode() in content]


@pytest.mark.parametrize("name", RELEASES)
def test_what_is_missing_is_told_by_its_name(name, tmp_path):
    root = environments.checkout(tmp_path / "kit")
    (root / "constraints.txt").unlink()
    with pytest.raises(ReleaseError, match=r"constraints\.txt cannot be read"):
        RELEASES[name](root)
