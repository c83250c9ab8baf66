"""Views of records for other programs: course platforms, build servers and gradebooks.

gradescope/NAME.json   results.json of a Gradescope autograder
exercism/NAME.json     results.json of an Exercism test runner
junit/NAME.xml         test results that build servers read
lms.csv                the points of a class, for the gradebooks of Moodle and Canvas

A student may be shown each of them, as none tells more than the feedback does; what only an instructor may read is in a
test of results.json that Gradescope hides from students.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from exercises.experiments.runs import write_whole
from grading.records import Record

from . import exercism, gradescope, junit, lms

ONE_EACH: dict[str, tuple[str, Callable[[Record], bytes]]] = {
    "gradescope": ("json", gradescope.results),
    "exercism": ("json", exercism.results),
    "junit": ("xml", junit.results),
}
KINDS: tuple[str, ...] = (*ONE_EACH, "lms")


class ViewError(Exception):
    """A view that cannot be written; the text says what was found, what was expected and what to do."""


def write(kind: str, out: Path, records: Iterable[Record]) -> Path:
    """Write the view of one kind, each file whole or not at all; one that was written before is replaced.

    Args:
        kind: one of KINDS.
        out: the directory of a grading; `out/KIND/` gets a file for each submission, or `out/lms.csv` the class.
        records: read one after another.

    Returns:
        The directory or the file.

    Raises:
        ViewError: there is no such kind, a submission's name is none for a file, or a file cannot be written.
    """
    if kind not in KINDS:
        raise ViewError(f"there is no view {kind!r}; expected one of {', '.join(KINDS)}")
    try:
        return _write_class(out, records) if kind == "lms" else _write_each(kind, out, records)
    except OSError as error:
        raise ViewError(f"{error.filename or out} cannot be written: {error.strerror}") from error


def _write_class(out: Path, records: Iterable[Record]) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    write_whole(path := out / "lms.csv", lms.table(records))
    return path


def _write_each(kind: str, out: Path, records: Iterable[Record]) -> Path:
    ending, results = ONE_EACH[kind]
    (folder := out / kind).mkdir(parents=True, exist_ok=True)
    for record in records:
        name = record.submission
        if not name or {"/", "\\", "\0"} & set(name) or name.startswith("."):
            raise ViewError(f"a submission is called {name!r}, which is no name for a file; grade it under another one")
        write_whole(folder / f"{name}.{ending}", results(record))
    return folder
