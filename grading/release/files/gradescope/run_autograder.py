#!/usr/bin/env python3
"""Grades the one submission that Gradescope put into /autograder/submission, and leaves results/results.json.

Whatever fails, the student gets a results.json that says so; why is on standard output, which Gradescope shows to
instructors alone.
"""

import csv
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

AUTOGRADER = Path(os.environ.get("AUTOGRADER", "/autograder"))
NAME = "submission"
# Set Gradescope's own timeout to 40 minutes: what that stops leaves no word to the student.
SECONDS = float(os.environ.get("ELBO_SECONDS", 35 * 60))
FAILED = (
    "The autograder could not grade this submission, and that may be no fault of yours. "
    "Your instructor can see why; your submission is kept."
)
METADATA = 32 << 20  # bytes that are read; the results of earlier submissions are in it
TOLD = 300  # signs of what an error says
USERS = 50  # that are handed on
ADDRESS = re.compile(r"[A-Za-z0-9][\w.%+'-]{0,99}@[\w.-]{1,99}")
NAMES = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ELOOP)  # what a name can bring about


class UploadError(Exception):
    """What was handed in cannot be packed; the text is for the student."""


def main() -> None:
    """Grade, and leave a results.json in any case."""
    try:
        results = graded()
        json.loads(results)
    except UploadError as error:
        output = f"Nothing could be graded: {error}"
        results = without_points(output, {"name": NAME, "status": "failed", "output": output})
    except Exception:
        traceback.print_exc(file=sys.stdout)
        results = without_points(FAILED)
    place = AUTOGRADER / "results"
    place.mkdir(exist_ok=True)
    (place / "results.json").write_text(results, encoding="utf-8")


def without_points(output: str, *tests: dict[str, str]) -> str:
    """Return a results.json that tells why nothing was graded."""
    return json.dumps({"score": 0, "output": output, "stdout_visibility": "hidden", "tests": tests})


def graded() -> str:
    """Run `elbo grade` in a directory that nobody else may read, and return what it writes for Gradescope."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "graded"
        command = [AUTOGRADER / "venv" / "bin" / "elbo", "grade", handed_in(Path(name)), "--out", out]
        done = subprocess.run(
            [*map(str, command), "--view", "gradescope", *known(Path(name))],
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
    """Return the one archive or notebook that was handed in, under a name that is known, or all files in an archive.

    As a folder, several directories in it would be taken for a class; of a stub file the name tells which one it is.
    """
    folder = AUTOGRADER / "submission"
    files = list(folder.iterdir())
    if len(files) == 1 and files[0].is_file() and not files[0].is_symlink() and files[0].suffix.lower() != ".py":
        ending = re.search(r"(\.tar)?\.\w{1,10}\Z", files[0].name)
        return Path(shutil.copy(files[0], place / f"{NAME}{ending[0].lower() if ending else ''}"))
    packed = place / f"{NAME}.tar"
    with tarfile.open(packed, "w") as archive:
        pack(folder, archive)
    return packed


def pack(folder: Path, archive: tarfile.TarFile) -> None:
    """Put a folder into an archive.

    Raises:
        UploadError: the paths in it are such that the files cannot be reached.
    """
    try:
        archive.add(folder, NAME)
    except (OSError, RecursionError) as error:
        if isinstance(error, OSError) and error.errno not in NAMES:
            raise
        why = error.strerror if isinstance(error, OSError) else "Too many directories in one another"
        raise UploadError(
            f"{NAME} cannot be read: {why}; expected paths such as vae/likelihoods.py. "
            "Hand in the directories vae, gan and flows as one zip archive."
        ) from error


def known(place: Path) -> list[str]:
    """Write down when the submission was handed in and by whom, as Gradescope tells, and return the option for it."""
    file = AUTOGRADER / "submission_metadata.json"
    if not file.is_file():
        return []
    moment = told(file, created, "time, so that nothing counts as late")
    who = told(file, users, "address, so that the hand-in's own number counts")
    if not moment and not who:
        return []
    table = place / "times.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("submission", "time", "student"), (NAME, moment, who)])
    return ["--times", str(table)]


def told(file: Path, find: Callable[[Path], str], what: str) -> str:
    """Return what is found in Gradescope's metadata, or "": whatever is odd in it, the submission is graded."""
    try:
        return find(file)
    except Exception as error:
        print(f"{file} tells no {what}: {ascii(error)[:TOLD]}")
        return ""


def created(file: Path) -> str:
    """Return the time in Gradescope's metadata.

    Raises:
        Exception: of any kind, where there is none.
    """
    return datetime.fromisoformat(read(file)["created_at"]).isoformat()


def users(file: Path) -> str:
    """Return the addresses by which Gradescope knows who handed in, with spaces between.

    Raises:
        Exception: of any kind, where there are none.
    """
    found = [user["email"] for user in read(file)["users"][:USERS]]
    if not found or not all(ADDRESS.fullmatch(address) for address in found):
        raise ValueError(f"users are {found}")
    return " ".join(found)


def read(file: Path) -> Any:
    """Return what stands in Gradescope's metadata.

    Raises:
        Exception: of any kind, where it cannot be read.
    """
    if file.stat().st_size > METADATA:
        raise ValueError(f"it has more than {METADATA} bytes")
    return json.loads(file.read_bytes())


if __name__ == "__main__":
    main()
