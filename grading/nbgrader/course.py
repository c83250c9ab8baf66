"""The course that `elbo release nbgrader` writes: the assignment's source, its settings, and the kit for students.

What an instructor has changed in it stays. In elbo-room.json stands what was written here, so that a file that is as it
was written can follow the kit, and one that is not is told from it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec
from jinja2 import Template

from exercises.experiments.dirac import predictions
from exercises.experiments.runs import write_whole
from grading import rubric
from grading.engine.implementation import TOPICS

from . import ASSIGNMENT, REPORT, NbgraderError
from .notebooks import PLACEHOLDER, report_notebook, topic_notebook

WRITTEN = "elbo-room.json"
SETTINGS = Path(__file__).parent / "nbgrader_config.py.j2"


def write(out: Path, kit_url: str = "") -> list[Path]:
    """Write every file of the course that is missing or has changed in the kit, and return their paths.

    kit_url: where notebooks find the kit as a zip; without it kit.zip lies beside them.

    Raises:
        NbgraderError: a file was changed both there and in the kit, and nothing is written then; or it is impossible.
    """
    wanted, before = contents(kit_url), _read(out / WRITTEN)
    changed = {path: new for path, new in wanted.items() if _is_to_write(out / path, new, before.get(path, ""))}
    record = {path: _digest(content) for path, content in wanted.items()}
    try:
        for path, content in changed.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            write_whole(out / path, content)
        if record != before:
            out.mkdir(parents=True, exist_ok=True)
            write_whole(out / WRITTEN, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    except OSError as error:
        raise NbgraderError(f"{out} cannot be written: {error.strerror}") from error
    return [out / path for path in changed]


def differences(out: Path, kit_url: str = "") -> list[str]:
    """Return, for each file of the course that is missing or differs in a directory, which of the two it is."""
    found = {path: (_digest_of(out / path), _digest(content)) for path, content in contents(kit_url).items()}
    return [f"{path} {'differs' if there else 'is missing'}" for path, (there, new) in found.items() if there != new]


def contents(kit_url: str = "") -> dict[str, bytes]:
    """Return the files of the course by path."""
    from grading.release.student import TOP, student
    from grading.release.trees import zipped

    loaded, source = rubric.load(), PurePosixPath("source", ASSIGNMENT)
    files = {f"{topic}.ipynb": topic_notebook(topic, loaded, kit_url) for topic in TOPICS}
    files[f"{REPORT}.ipynb"] = report_notebook(loaded, kit_url)
    kit = student()
    files[predictions.FILE] = kit[f"exercises/gan/{predictions.FILE}"]  # `train` looks for it beside the notebooks
    if not kit_url:
        files["kit.zip"] = zipped(kit, TOP)  # what a class gets
    return {str(source / name): content for name, content in files.items()} | {"nbgrader_config.py": settings()}


def settings() -> bytes:
    """Return nbgrader's settings for the course."""
    return Template(SETTINGS.read_text(encoding="utf-8")).render(placeholder=PLACEHOLDER).encode() + b"\n"


def _is_to_write(path: Path, content: bytes, written: str) -> bool:
    """Tell whether a file is missing or as it was written; one that an instructor has changed stays.

    written: the digest of what was written there.

    Raises:
        NbgraderError: an instructor has changed it, and the kit has a new one.
    """
    found, new = _digest_of(path), _digest(content)
    if found == new:
        return False
    if found in ("", written):
        return True
    if written == new:
        return False
    raise NbgraderError(
        f"{path} was changed since it was written, and the kit has a new one: nothing was written. "
        "Move yours away, or give another directory with --out."
    )


def _read(path: Path) -> Mapping[str, str]:
    """Return the digests of what was written before; where nobody knows, no file is taken for the kit's."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def _digest_of(path: Path) -> str:
    """Return the digest of a file, "" where there is none."""
    try:
        return _digest(path.read_bytes())
    except FileNotFoundError:
        return ""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
