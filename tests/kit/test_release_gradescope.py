"""The autograder for Gradescope: built, unpacked as the service does, set up, and run on submissions."""

import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from grading.engine.implementation import ROOT
from grading.manifest import encode, make
from grading.release.gradescope import KIT, gradescope
from grading.release.stubs import stubs
from grading.release.trees import zipped
from tests.kit import environments

SOLUTION = ROOT / "solutions" / "vae" / "likelihoods.py"


@pytest.fixture(scope="module")
def tree():
    return gradescope()


def unpack(tree, place):
    """Unpack the zip and copy the script, as Gradescope does when it builds an image."""
    (place / "autograder.zip").write_bytes(zipped(tree))
    environments.unzip(place / "autograder.zip", place / "source")
    shutil.copy(place / "source" / "run_autograder", place)
    for name in ("submission", "results"):
        (place / name).mkdir()
    return place


def test_both_scripts_are_at_the_root_and_may_be_executed(tree, tmp_path):
    place = unpack(tree, tmp_path)
    for name in ("setup.sh", "run_autograder"):
        assert (place / "source" / name).stat().st_mode & stat.S_IXUSR
    assert (place / "run_autograder").read_text().startswith("#!/usr/bin/env python3\n")


def test_the_kit_in_it_is_whole_but_for_what_no_grading_needs(tree):
    kit = {path.removeprefix(KIT) for path in tree}
    for path in (
        "solutions/vae/bounds.py",
        "grading/rubric.toml",
        "grading/cli/grading.py",
        "tests/vae/test_bounds.py",
        "grading/diagnosis/fingerprints.json",
    ):
        assert path in kit
    assert not [path for path in kit if path.startswith(("tests/kit", "tests/bench", "data/cache"))]
    assert {path: tree[f"{KIT}exercises/{path}"].decode() for path, _ in stubs()} == dict(stubs())


def test_the_script_of_the_setup_is_one_that_bash_reads(tmp_path):
    script = ROOT / "grading" / "release" / "files" / "gradescope" / "setup.sh"
    done = environments.run(["bash", "-n", script], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


APT = """
echo "$@" >> "$(dirname "$0")/asked"
cd "$(dirname "$0")"
case "$*" in *python{version}-venv*) cp python python{version};; update) ;; *) exit 100;; esac
"""


@pytest.fixture
def bare(tmp_path, tree):
    """A function that runs setup.sh where no Python is recent and `apt-get` has one version of it.

    It returns the status, what apt-get was asked for, and what was told.
    """
    place = unpack(tree, tmp_path)
    programs = place / "programs"
    for folder in (programs, place / "venv" / "bin"):
        folder.mkdir(parents=True)
    for name in ("bash", "chmod", "cp", "dirname"):
        (programs / name).symlink_to(shutil.which(name))

    def stand_in(path, text):
        path.write_text(f"#!/bin/bash\n{text}")
        path.chmod(0o755)

    def setup(version):
        stand_in(programs / "python3", "exit 1\n")  # to the question whether it is recent
        stand_in(programs / "python", "exit 0\n")  # what apt-get installs under the name of its version
        stand_in(programs / "apt-get", APT.replace("{version}", version))
        for name in ("python", "elbo"):
            stand_in(place / "venv" / "bin" / name, "")
        variables = {"AUTOGRADER": str(place), "PATH": str(programs)}
        done = environments.run([programs / "bash", place / "source" / "setup.sh"], place, **variables)
        return done.returncode, (programs / "asked").read_text().splitlines(), done.stdout + done.stderr

    return setup


def asked(version):
    return f"install -y python{version} python{version}-venv libseccomp2"


@pytest.mark.parametrize(("version", "tried"), [("3.13", 1), ("3.12", 2), ("3.11", 3)])
def test_where_no_python_is_recent_the_first_is_installed_that_the_ubuntu_has(bare, version, tried):
    status, found, told = bare(version)
    assert status == 0, told
    assert found == ["update", *(asked(each) for each in ("3.13", "3.12", "3.11")[:tried])]


def test_where_none_can_be_installed_it_says_so(bare):
    status, found, told = bare("3.9")
    assert status == 1
    assert found == ["update", asked("3.13"), asked("3.12"), asked("3.11")]
    assert "found no Python 3.11 or later, and could not install one: choose a newer base image" in told


# From the zip to the results


@pytest.fixture(scope="module")
def image(tree, tmp_path_factory):
    """What setup.sh leaves, with an environment that needs no download; few inputs, as only the way is tried."""
    place = unpack(tree, tmp_path_factory.mktemp("autograder"))
    environments.make(place / "venv")
    rubric = place / "source" / "kit" / "grading" / "rubric.toml"
    text = rubric.read_text(encoding="utf-8")
    assert "inputs = 50" in text
    rubric.write_text(text.replace("inputs = 50", "inputs = 2"), encoding="utf-8")
    options = {"AUTOGRADER": str(place), "PIP_OPTIONS": environments.PIP_OPTIONS}
    done = environments.run(["bash", place / "source" / "setup.sh"], place, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "isolation: process" in done.stdout  # the log of the image tells what holds there
    return place


def test_what_answers_is_for_the_owner_alone(image):
    for path in ("solutions", "solutions/vae/bounds.py", "grading/bank", "grading/rubric.toml"):
        assert not (image / "source" / "kit" / path).stat().st_mode & 0o077


def test_a_submission_gets_results_that_the_service_can_show(image):
    shutil.copytree(ROOT / "exercises" / "vae", image / "submission" / "work" / "vae")
    (image / "submission" / "notes").mkdir()  # several directories are no class here
    shutil.copy(SOLUTION, image / "submission" / "work" / "vae")
    moment = "2018-07-01T14:22:32.365935-07:00"
    (image / "submission_metadata.json").write_text(json.dumps({"created_at": moment, "users": []}))
    done = environments.run([image / "run_autograder"], image, AUTOGRADER=str(image))
    assert done.returncode == 0, done.stderr
    results = json.loads((image / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == pytest.approx(17.0), done.stdout  # of the three parts in the one file
    assert sum(test["score"] for test in results["tests"] if "score" in test) == pytest.approx(results["score"])
    assert "submission" in done.stdout


@pytest.fixture
def graded(image):
    """A function that grades the one file that was handed in, and returns the results and what was printed."""

    def grade(name, content):
        shutil.rmtree(image / "submission")
        (image / "submission_metadata.json").unlink(missing_ok=True)
        (image / "submission").mkdir()
        (image / "submission" / name).write_bytes(content)
        done = environments.run([image / "run_autograder"], image, AUTOGRADER=str(image))
        assert done.returncode == 0, done.stderr
        return json.loads((image / "results" / "results.json").read_text(encoding="utf-8")), done.stdout

    return grade


@pytest.mark.parametrize("stub", ["vae/bounds.py", "gan/steps.py"])
def test_a_stub_file_by_itself_is_graded_as_what_its_name_says(graded, stub):
    results, told = graded(Path(stub).name, (ROOT / "solutions" / stub).read_bytes())
    assert results["score"] > 0, told
    assert f"it was read as {stub}" in results["output"]


def test_a_file_with_an_odd_ending_is_refused_with_what_is_wrong_with_it(graded):
    results, told = graded(f"a.{'b' * 250}", b"x = 1\n")
    assert results["score"] == 0
    assert "submission: this is no archive; expected a zip or tar archive" in results["output"], told


# The script by itself, with another command in the place of elbo


@pytest.fixture
def place(tmp_path, tree):
    """The directories, and a function that writes what stands for `elbo`."""
    for name in ("submission", "results", "venv/bin", "source/kit"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "submission" / "bounds.py").write_text("x = 1\n")

    def run(program="", **environment):
        if program:
            elbo = tmp_path / "venv" / "bin" / "elbo"
            elbo.write_text(f"#!{sys.executable}\nimport json, os, pathlib, sys, tarfile\n{program}")
            elbo.chmod(0o755)
        (tmp_path / "run_autograder").write_bytes(tree["run_autograder"])
        command = [sys.executable, tmp_path / "run_autograder"]
        done = environments.run(command, tmp_path, AUTOGRADER=str(tmp_path), **environment)
        assert done.returncode == 0, done.stderr
        return json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8")), done.stdout

    run.path = tmp_path
    return run


TOLD = """
arguments = sys.argv[1:]
out = pathlib.Path(arguments[arguments.index("--out") + 1])
(out / "gradescope").mkdir(parents=True)
times = pathlib.Path(arguments[arguments.index("--times") + 1]).read_text() if "--times" in arguments else ""
handed = pathlib.Path(arguments[1])
members = sorted(tarfile.open(handed), key=lambda member: member.name) if handed.suffix == ".tar" else []
names, links = [m.name for m in members], [m.name for m in members if m.issym()]
facts = {"score": 1, "arguments": arguments, "times": times, "name": handed.name, "names": names, "links": links}
facts["mode"] = oct(out.parent.stat().st_mode & 0o777)
(out / "gradescope" / "submission.json").write_text(json.dumps(facts))
"""


def test_it_asks_for_the_view_and_keeps_seed_and_inputs_from_others(place):
    results, _ = place(TOLD)
    assert results["arguments"][0] == "grade"
    assert results["arguments"][-2:] == ["--view", "gradescope"]
    assert results["mode"] == "0o700"


def test_the_time_comes_from_the_metadata(place):
    assert place(TOLD)[0]["times"] == ""
    (place.path / "submission_metadata.json").write_text('{"created_at": "2018-07-01T14:22:32-07:00"}')
    assert place(TOLD)[0]["times"].split() == ["submission,time,student", "submission,2018-07-01T14:22:32-07:00,"]


MOMENT = "2018-07-01T14:22:32-07:00"


@pytest.mark.parametrize(
    "metadata",
    [
        b"{}",
        b"[]",
        b"{",
        b'"text"',
        b'{"created_at": 17}',
        b'{"created_at": "\\ud800"}',
        json.dumps({"created_at": "yesterd\u00e4y"}, ensure_ascii=False).encode(),
        json.dumps({"created_at": f"{MOMENT}\nbob,x"}).encode(),
        b'{"created_at": ' + b"7" * 5000 + b"}",
        b"[" * 200_000,
        b"\xff\xfe",
        json.dumps({"created_at": MOMENT}).encode() + b" " * (33 << 20),
    ],
    ids=[*["none"] * 4, "a number", "half a sign", "a word", "two lines", "many digits", "deep", "no text", "huge"],
)
def test_metadata_without_a_time_is_told_and_does_no_harm(place, metadata):
    (place.path / "submission_metadata.json").write_bytes(metadata)
    results, told = place(TOLD)
    assert (results["score"], results.get("times")) == (1, "")
    assert "nothing counts as late" in told
    assert len(told) < 1000


def test_a_time_is_handed_on_as_python_writes_it(place):
    (place.path / "submission_metadata.json").write_text('{"created_at": "2018-07-01 14:22:32.365935-07:00"}')
    assert place(TOLD)[0]["times"].split()[1] == "submission,2018-07-01T14:22:32.365935-07:00,"


ANNA, BEN = (
    {"email": f"{name}@uni.example", "id": number, "name": "A. B."} for number, name in enumerate(("anna", "ben"))
)


def test_who_handed_in_comes_from_the_metadata_of_a_group_everybody(place):
    (place.path / "submission_metadata.json").write_text(json.dumps({"created_at": MOMENT, "users": [ANNA, BEN]}))
    results, told = place(TOLD)
    assert results["times"].splitlines()[1] == f"submission,{MOMENT},anna@uni.example ben@uni.example"
    assert "tells no" not in told


@pytest.mark.parametrize(
    "users",
    [
        [],
        {},
        None,
        [{"id": 1}],
        [ANNA, {"email": None}],
        [{"email": "anna@uni.example\nben,x"}],
        [{"email": "=1+1@uni.example"}],
        [{"email": "anna@uni.example ben@uni.example"}],
        [{"email": "a" * 1000 + "@uni.example"}],
        ["anna@uni.example"],
    ],
    ids=str,
)
def test_users_without_an_address_are_told_and_the_time_counts_all_the_same(place, users):
    (place.path / "submission_metadata.json").write_text(json.dumps({"created_at": MOMENT, "users": users}))
    results, told = place(TOLD)
    assert results["times"].splitlines() == ["submission,time,student", f"submission,{MOMENT},"]
    assert "tells no address, so that the hand-in's own number counts" in told
    assert len(told) < 1000


POLICY = """[policy]
due = 2018-07-01T12:00:00-07:00
per_day = 0.5
extensions = { "ben@uni.example" = 2, "1234567" = 5 }
"""


@pytest.fixture
def with_policy(image):
    """The image with a policy in its rubric, for one test."""
    rubric = image / "source" / "kit" / "grading" / "rubric.toml"
    text = rubric.read_text(encoding="utf-8")
    assert text.count("\n[policy]\n") == 1
    rubric.write_text(text.replace("[policy]\n", POLICY), encoding="utf-8")
    yield image
    rubric.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("users", "late"), [([ANNA], True), ([ANNA, BEN], False), ([], False)], ids=["none", "one of two", "own number"]
)
def test_an_extension_goes_by_whom_gradescope_names_and_not_by_the_hand_ins_number(with_policy, users, late):
    image, stub = with_policy, {"vae/likelihoods.py": SOLUTION.read_bytes()}
    shutil.rmtree(image / "submission")
    for name, content in (stub | {"manifest.json": encode(make("1234567", {}))}).items():
        (image / "submission" / name).parent.mkdir(parents=True, exist_ok=True)
        (image / "submission" / name).write_bytes(content)
    (image / "submission_metadata.json").write_text(json.dumps({"created_at": MOMENT, "users": users}))
    done = environments.run([image / "run_autograder"], image, AUTOGRADER=str(image))
    assert done.returncode == 0, done.stderr
    results = json.loads((image / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] > 0
    told = [test["output"] for test in results["tests"] if test["name"] == "rules of the course"]
    assert bool(told) == late, (told, done.stdout)
    assert ("stands in the hand-in itself" in done.stdout) == (not users)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("My work.v2.tar.gz", "submission.tar.gz"),
        ("all.ZIP", "submission.zip"),
        ("Vae.ipynb", "submission.ipynb"),
        ("vae", "submission"),
        (f"a.{'b' * 250}", "submission"),
        (f"{'a' * 251}.zip", "submission.zip"),
    ],
    ids=["tar.gz", "zip", "notebook", "no ending", "a long ending", "a long name"],
)
def test_one_file_is_graded_as_it_is_under_a_name_that_is_known(place, file, name):
    (place.path / "submission" / "bounds.py").rename(place.path / "submission" / file)
    assert place(TOLD)[0]["name"] == name


@pytest.mark.parametrize(
    "file",
    ["bounds.py", "Steps.PY", f"{'a' * 252}.py", os.fsdecode(b"\xff.py"), "a\nb.py"],
    ids=["plain", "capitals", "long", "no text", "two lines"],
)
def test_a_stub_file_by_itself_keeps_its_name(place, file):
    (place.path / "submission" / "bounds.py").rename(place.path / "submission" / file)
    results, _ = place(TOLD)
    assert (results["name"], results["names"]) == ("submission.tar", ["submission", f"submission/{file}"])


@pytest.mark.parametrize(("name", "number"), [("a" * 250, 20), ("a", 1500)], ids=["longer than a path", "deep"])
def test_of_paths_that_cannot_be_read_the_student_is_told(place, name, number):
    folder = os.open(place.path / "submission", os.O_RDONLY)
    for _ in range(number):
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    try:
        results, _ = place(TOLD)
    finally:
        environments.run(["rm", "-r", place.path / "submission"], place.path)  # of what Python cannot take away
    assert results["score"] == 0
    assert results["output"].startswith("Nothing could be graded: submission cannot be read: ")
    assert "Hand in the directories vae, gan and flows as one zip archive" in results["output"]
    assert results["tests"][0]["output"] == results["output"]
    assert (results["stdout_visibility"], len(results["output"]) < 500) == ("hidden", True)


def test_several_files_are_one_submission(place):
    (place.path / "submission" / "anna" / "vae").mkdir(parents=True)
    (place.path / "submission" / "berta" / "vae").mkdir(parents=True)
    assert place(TOLD)[0]["names"] == [
        f"submission{rest}" for rest in ("", "/anna", "/anna/vae", "/berta", "/berta/vae", "/bounds.py")
    ]


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("", "FileNotFoundError"),
        ("print('the seed is 5'); sys.exit(2)", "elbo grade ended with status 2 and left 0 results"),
        ("sys.exit('Traceback: a defect')", "a defect"),
        (TOLD + "(out / 'gradescope' / 'other.json').write_text('{}')", "left 2 results"),
        (TOLD + "(out / 'gradescope' / 'submission.json').write_text('{')", "JSONDecodeError"),
        (TOLD + "(out / 'gradescope' / 'submission.json').write_bytes(b'\\xff')", "UnicodeDecodeError"),
    ],
    ids=["no setup", "refused", "a defect", "two results", "no JSON", "no text"],
)
def test_whatever_fails_the_student_is_told_so_and_the_instructor_why(place, program, why):
    results, told = place(program)
    assert why in told
    assert results["score"] == 0
    assert "may be no fault of yours" in results["output"]
    assert results["stdout_visibility"] == "hidden"
    assert "seed" not in json.dumps(results)
    assert "Traceback" not in json.dumps(results)


def test_a_grading_that_takes_too_long_is_stopped_and_told(place):
    results, told = place("import time; time.sleep(60)", ELBO_SECONDS="0.5")
    assert "TimeoutExpired" in told
    assert results["score"] == 0


def test_a_link_that_was_handed_in_brings_nothing_along(place):
    (place.path / "submission" / "secret.py").symlink_to("/etc/passwd")
    (place.path / "submission" / "folder").symlink_to("/etc")
    assert place(TOLD)[0]["links"] == ["submission/folder", "submission/secret.py"]
    assert not [name for name in place(TOLD)[0]["names"] if name.startswith("submission/folder/")]


def test_a_single_link_is_no_file_to_copy(place):
    (place.path / "submission" / "bounds.py").unlink()
    (place.path / "submission" / "bounds.py").symlink_to("/etc/passwd")
    assert place(TOLD)[0]["links"] == ["submission/bounds.py"]
