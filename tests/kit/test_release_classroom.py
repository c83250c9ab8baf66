"""The starter for GitHub Classroom: its workflow as the actions read it, and its commands as they run."""

import json
import re
import shlex
import shutil

import pytest
import yaml

from grading import rubric
from grading.engine.implementation import ROOT, TOPICS
from grading.release import classroom as module
from grading.release.classroom import WORKFLOW, classroom, multiplier
from grading.release.student import student
from grading.release.trees import write
from tests.kit import environments

# What the README's commands leave in the folder.
MADE = [
    ".venv/bin/python",
    "elbo_room.egg-info/PKG-INFO",
    "grading/__pycache__/a.pyc",
    ".hypothesis/examples/a",
    ".pytest_cache/README.md",
    "data/cache/digits.npz",
    "runs/vae-1/checkpoint.safetensors",
    "pictures/vae.elbo.png",
    "report.html",
    "submission.zip",
    "submission-2.zip",
]
COMMAND = "classroom-resources/autograding-command-grader@v1"
REPORTER = "classroom-resources/autograding-grading-reporter@v1"


@pytest.fixture(scope="module")
def tree():
    return classroom()


@pytest.fixture(scope="module")
def job(tree):
    return yaml.safe_load(tree[WORKFLOW])["jobs"]["run-autograding-tests"]


@pytest.fixture(scope="module")
def graders(job):
    return [step for step in job["steps"] if step.get("uses") == COMMAND]


def test_it_is_the_student_release_and_a_workflow(tree):
    assert {path: content for path, content in tree.items() if path != WORKFLOW} == student()


def test_it_runs_at_a_push_and_may_tell_what_it_found(tree):
    read = yaml.safe_load(tree[WORKFLOW])
    assert read["on"] == ["push", "workflow_dispatch"]  # not True, as which YAML takes a bare `on`
    assert read["permissions"] == {"checks": "write", "actions": "read", "contents": "read"}


def test_each_part_has_a_step_and_the_points_sum_up(graders, tree):
    parts = rubric.load().parts
    assert [step["with"]["test-name"] for step in graders] == list(parts)
    times = multiplier(part.total for part in parts.values())
    assert f"multiplied by {times}" in tree[WORKFLOW].decode()
    scores = [step["with"]["max-score"] for step in graders]
    assert all(type(score) is int for score in scores)  # the action would drop what comes behind a point
    assert scores == [part.total * times for part in parts.values()]


def test_a_command_has_the_minutes_that_a_cold_machine_needs(graders):
    assert {step["with"]["timeout"] for step in graders} == {5}  # minutes; importing torch for the first time takes one


def test_the_reporter_gets_the_result_of_every_step_under_the_name_that_it_looks_for(job, graders):
    *_, reporter = job["steps"]
    assert reporter["uses"] == REPORTER
    runners = reporter["with"]["runners"].split(",")
    assert runners == [step["id"] for step in graders]
    assert len({name.upper() for name in runners}) == len(runners)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in runners)
    wanted = {f"{name.upper()}_RESULTS": "${{steps.%s.outputs.result}}" % name for name in runners}  # noqa: UP031
    assert reporter["env"] == wanted


@pytest.mark.parametrize(("points", "expected"), [([1, 2], 1), ([0.5, 2], 2), ([0.1, 0.25], 20), ([], 1)])
def test_points_are_multiplied_by_no_more_than_it_takes(points, expected):
    assert multiplier(points) == expected


# The commands


@pytest.fixture(scope="module")
def starter(tree, tmp_path_factory):
    """The folder as it is pushed, and the commands of an environment of its own."""
    place = tmp_path_factory.mktemp("classroom")
    write(tree, place / "starter")
    commands = environments.make(place / "venv")
    environments.install(commands, place / "starter")
    return place / "starter", commands


STATUSES = """
import json, sys
from grading import cli
found = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = arguments
    try:
        cli.main()
    except SystemExit as ended:
        found.append(ended.code or 0)
print()
print(json.dumps([int(status) for status in found]))
"""


def statuses(starter, graders):
    """Run all commands, in one process as torch takes long to import, and return their statuses."""
    folder, commands = starter
    arguments = [shlex.split(step["with"]["command"]) for step in graders]
    assert all(words[0] == "elbo" for words in arguments)
    done = environments.run([commands / "python", "-c", STATUSES, json.dumps(arguments)], folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def as_the_action_does(starter, step):
    """Run a command in a shell with the variables that the action leaves."""
    folder, commands = starter
    path = f"{commands}:{environments.PLAIN['PATH']}"
    variables = {"PATH": path, "FORCE_COLOR": "true", "HOME": environments.PLAIN.get("HOME", "/")}
    return environments.run(["env", "-i", *(f"{k}={v}" for k, v in variables.items()), "sh", "-c", step], folder)


def test_the_stubs_get_no_point_and_right_answers_get_all(starter, graders):
    folder, _ = starter
    command = graders[2]["with"]["command"]
    assert command == "elbo check vae.log_mean_exp"
    assert as_the_action_does(starter, command).returncode == 1
    assert statuses(starter, graders) == [1] * len(graders)
    for topic in TOPICS:
        shutil.copytree(ROOT / "solutions" / topic, folder / "exercises" / topic, dirs_exist_ok=True)
    assert as_the_action_does(starter, command).returncode == 0
    assert statuses(starter, graders) == [0] * len(graders)


def test_what_it_installs_is_what_is_there(job, tree):
    (install,) = [step["run"] for step in job["steps"] if "run" in step]
    words = shlex.split(install)
    assert words[:4] == ["python", "-m", "pip", "install"]
    assert words[words.index("--constraint") + 1] in tree
    assert words[-2:] == ["--editable", "."]


# The folder


def git(folder, *words):
    done = environments.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fresh_repository_is_filled_and_follows_another_rubric(call, tmp_path, monkeypatch, tree):
    git(tmp_path, "init", "--quiet")
    status, told, err = call("release", "classroom", "--out", tmp_path)
    assert (status, told) == (0, f"wrote {tmp_path}, {len(tree)} files\n"), err
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "starter")
    (tmp_path / "SYLLABUS.md").write_text("mine")
    worth = tree[WORKFLOW].replace(b"max-score: 1", b"max-score: 2")
    monkeypatch.setattr(module, "workflow", lambda root: worth.decode())
    assert call("release", "classroom", "--out", tmp_path)[:2] == (0, f"wrote {tmp_path}, 1 files\n")
    assert (tmp_path / WORKFLOW).read_bytes() == worth
    assert (tmp_path / "SYLLABUS.md").read_text() == "mine"
    changed = {line[3:] for line in git(tmp_path, "status", "--porcelain").splitlines()}
    assert changed == {WORKFLOW, "SYLLABUS.md", "elbo-room.json"}
    assert call("release", "classroom", "--out", tmp_path, "--check")[:2] == (0, f"{tmp_path} is up to date\n")


def test_what_a_student_makes_is_none_of_the_repositorys(tree, tmp_path):
    write(tree, tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    assert set(git(tmp_path, "ls-files").splitlines()) == {*tree, "elbo-room.json"}
    for path in MADE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("made")
    told = git(tmp_path, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert [line for line in told if line.startswith("??")] == []
