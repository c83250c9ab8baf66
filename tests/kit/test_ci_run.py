"""The script of continuous integration: where a browser is, or was installed, no test of a page is skipped unseen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grading.engine.implementation import ROOT

NEEDED = ("bash", "dirname", "mktemp", "rm", "sh", "timeout")
INSTALLS = 'echo "$@" >> "$CALLS"; [ "$1" = update ] || {}'


@pytest.fixture
def told(tmp_path):
    """A function that runs the script with these programs alone, and returns what make is told, and what apt-get is."""
    programs, calls = tmp_path / "programs", tmp_path / "calls"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(shutil.which(name))

    def run(**scripts: str) -> tuple[str, list[str], str]:
        calls.write_text("", encoding="utf-8")
        for name, script in {"make": 'echo "needs=$ELBO_NEEDS_BROWSER"', **scripts}.items():
            file = programs / name.replace("_", "-")
            file.write_text(f"#!/usr/bin/env -S {shutil.which('bash')}\n{script}\n", encoding="utf-8")
            file.chmod(0o755)
        environment = {"PATH": str(programs), "CALLS": str(calls), "TMPDIR": str(tmp_path)}
        ended = subprocess.run(
            [shutil.which("bash"), ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip(), calls.read_text(encoding="utf-8").splitlines(), ended.stderr

    return run


ROOTS, ANYBODYS = "echo 0", "echo 1000"


def test_where_the_browser_is_there_it_is_needed_and_nothing_is_installed(told):
    assert told(id=ROOTS, apt_get=INSTALLS.format("true"), chromedriver="true")[:2] == ("needs=1", [])


def test_what_was_installed_is_needed(told):
    needs, asked, errors = told(id=ROOTS, apt_get=INSTALLS.format("true"))
    assert (needs, errors) == ("needs=1", "")
    assert asked == ["update", "install -y --no-install-recommends chromium chromium-driver"]


def test_where_it_cannot_be_installed_the_tests_are_skipped_and_it_says_so(told):
    needs, asked, errors = told(id=ROOTS, apt_get=INSTALLS.format("false"))
    assert (needs, len(asked)) == ("needs=", 2)
    assert "no chromium could be installed: the browser tests will be skipped" in errors


@pytest.mark.parametrize("scripts", [{"id": ANYBODYS, "apt_get": INSTALLS.format("true")}, {"id": ROOTS}])
def test_elsewhere_nothing_is_installed_and_nothing_is_needed(told, scripts):
    assert told(**scripts)[:2] == ("needs=", [])


@pytest.mark.parametrize(("needed", "ended", "said"), [("", 5, "1 skipped"), ("1", 2, "but there is no browser")])
def test_without_a_browser_the_tests_of_pages_are_skipped_or_fail_where_one_is_needed(tmp_path, needed, ended, said):
    file = tmp_path / "test_it.py"
    file.write_text("from tests.kit.browsing import browser\n\n\ndef test_it(): pass\n", encoding="utf-8")
    python = Path(sys.executable)
    environment = {**os.environ, "PATH": str(tmp_path), "ELBO_NEEDS_BROWSER": needed, "PYTHONPATH": str(ROOT)}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, file]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert found.returncode == ended, found.stdout
    assert said in found.stdout
    assert "apt-get install chromium chromium-driver" in found.stdout or not needed
