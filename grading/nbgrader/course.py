"""The course that `elbo release nbgrader` writes: the assignment's source, its settings, and the kit for students.

It follows the kit, and what an instructor has changed in it stays.
"""

from pathlib import Path, PurePosixPath

from jinja2 import Template

from exercises.experiments.dirac import predictions
from grading import rubric
from grading.engine.implementation import TOPICS
from grading.release import following

from . import ASSIGNMENT, REPORT
from .notebooks import PLACEHOLDER, report_notebook, topic_notebook

SETTINGS = Path(__file__).parent / "nbgrader_config.py.j2"


def write(out: Path, kit_url: str = "") -> list[Path]:
    """Write every file of the course that is missing or has changed in the kit, and return their paths.

    kit_url: where notebooks find the kit as a zip; without it kit.zip lies beside them, and goes with it.

    Raises:
        ReleaseError: a file was changed both there and in the kit, and nothing is written then; or it is impossible.
    """
    return following.follow(out, contents(kit_url))


def differences(out: Path, kit_url: str = "") -> list[str]:
    """Return, for each file of the course that is missing or differs in a directory, which of the two it is."""
    return following.differences(out, contents(kit_url))


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
