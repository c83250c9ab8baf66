#!/usr/bin/env python3
"""Grades the one submission that Gradescope put into /autograder/submission, and leaves results/results.json.

Whatever fails, the student gets a results.json that says so; why is on standard output, which Gradescope shows to
instructors alone.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback
from pathlib import Path

AUTOGRADER = Path(os.environ.get("AUTOGRADER", "/autograder"))
NAME = "submission"
# Set Gradescope's own timeout to 40 minutes: what that stops leaves no word to the student.
SECONDS = float(os.environ.get("ELBO_SECONDS", 35 * 60))
FAILED = (
    "The autograder could not grade this submission, and that may be no fault of yours. "
    "Your instructor can see why; your submission is kept."
)


def main() -> None:
    """Grade, and leave a results.json in any case."""
    try:
        results = graded()
        json.loads(results)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        results = json.dumps({"score": 0, "output": FAILED, "stdout_visibility": "hidden", "tests": []})
    place = AUTOGRADER / "results"
    place.mkdir(exist_ok=True)
    (place / "results.json").write_text(results, encoding="utf-8")


def graded() -> str:
    """Run `elbo grade` in a directory that nobody else may read, and return what it writes for Gradescope."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "graded"
        command = [AUTOGRADER / "venv" / "bin" / "elbo", "grade", handed_in(Path(name)), "--out", out]
        done = subprocess.run(
            [*map(str, command), "--view", "gradescope", *times(Path(name))],
            cwd=AUTOGRADER / "source" / "kit",
            stdout=sys.stdout,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
        )
        found = sorted((out / "gradescope").glob("*.json"))
        if len(found) != 1:
            raise RuntimeError(f"elbo grade ended with status {done.returncode} and left {len(found)} results")
        return found[0].read_text(encoding="utf-8")


def handed_in(place: Path) -> Path:
    """Return the one file that was handed in, under a name that is known, or all of them in an archive.

    As a folder, several directories in it would be taken for a class.
    """
    folder = AUTOGRADER / "submission"
    files = list(folder.iterdir())
    if len(files) == 1 and files[0].is_file() and not files[0].is_symlink():
        ending = re.search(r"(\.tar)?\.\w+$", files[0].name)
        return Path(shutil.copy(files[0], place / f"{NAME}{ending[0].lower() if ending else ''}"))
    with tarfile.open(place / f"{NAME}.tar", "w") as archive:
        archive.add(folder, NAME)
    return place / f"{NAME}.tar"


def times(place: Path) -> list[str]:
    """Write down when the submission was handed in, as Gradescope tells, and return the option that names the file."""
    metadata = AUTOGRADER / "submission_metadata.json"
    if not metadata.is_file():
        return []
    try:
        moment = json.loads(metadata.read_text(encoding="utf-8"))["created_at"]
    except (ValueError, KeyError, TypeError) as error:
        print(f"{metadata} tells no time, so that nothing counts as late: {error!r}")
        return []
    file = place / "times.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("submission", "time"), (NAME, moment)])
    return ["--times", str(file)]


if __name__ == "__main__":
    main()
