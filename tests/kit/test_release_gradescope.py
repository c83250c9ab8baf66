"""The autograder for Gradescope: built, unpacked as the service does, set up, and run on submissions."""

import json
import shutil
import stat
import sys

import pytest

from grading.engine.implementation import ROOT
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
    ):
        assert path in kit
    assert not [path for path in kit if path.startswith(("tests/kit", "tests/bench", "data/cache"))]
    assert {path: tree[f"{KIT}exercises/{path}"].decode() for path, _ in stubs()} == dict(stubs())


def test_the_script_of_the_setup_is_one_that_bash_reads(tmp_path):
    script = ROOT / "grading" / "release" / "files" / "gradescope" / "setup.sh"
    done = environments.run(["bash", "-n", script], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


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
    assert place(TOLD)[0]["times"].split() == ["submission,time", "submission,2018-07-01T14:22:32-07:00"]


@pytest.mark.parametrize("metadata", ["{}", "[]", "{", '"text"'])
def test_metadata_without_a_time_is_told_and_does_no_harm(place, metadata):
    (place.path / "submission_metadata.json").write_text(metadata)
    results, told = place(TOLD)
    assert results["score"] == 1
    assert "nothing counts as late" in told


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("bounds.py", "submission.py"),
        ("My work.v2.tar.gz", "submission.tar.gz"),
        ("all.ZIP", "submission.zip"),
        ("vae", "submission"),
    ],
)
def test_one_file_is_graded_as_it_is_under_a_name_that_is_known(place, file, name):
    (place.path / "submission" / "bounds.py").rename(place.path / "submission" / file)
    assert place(TOLD)[0]["name"] == name


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
