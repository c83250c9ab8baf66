"""nbgrader's course on disk: its configuration, its gradebook, and who handed in where."""

import glob
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from traitlets import TraitError
from traitlets.config.loader import Config, ConfigFileNotFound, PyFileConfigLoader

from grading.nbgrader import ASSIGNMENT, NbgraderError
from grading.nbgrader.installed import (
    URL,
    ArgumentError,
    CourseDirectory,
    Gradebook,
    MissingEntry,
    SQLAlchemyError,
    make_url,
)

CONFIG = "nbgrader_config.py"


@contextmanager
def opened(course: Path) -> Iterator[tuple[CourseDirectory, Gradebook]]:
    """Open the gradebook of a course in which the assignment was generated.

    Raises:
        NbgraderError: there is none, or its configuration or its database cannot be used.
    """
    place = course_directory(course)
    url = make_url(place.db_url)
    file = _file_of(url)
    if file is not None and not file.is_file():
        raise NbgraderError(f"{file} is not there. {_generate(course)}")
    try:
        with Gradebook(place.db_url, place.course_id) as book:
            book.find_assignment(ASSIGNMENT)
            yield place, book
    except MissingEntry as error:
        raise NbgraderError(f"{url!r} knows no assignment {ASSIGNMENT}. {_generate(course)}") from error
    except (SQLAlchemyError, ModuleNotFoundError) as error:  # the latter of the database's driver
        raise NbgraderError(
            f"{url!r} cannot be used: {first_line(error)}. If nbgrader was updated: nbgrader db upgrade"
        ) from error


def course_directory(course: Path) -> CourseDirectory:
    """Return a course's directory as nbgrader sees it: its configuration is what nbgrader itself would load.

    Raises:
        NbgraderError: the course is not there, or its configuration cannot be loaded.
    """
    if not course.is_dir():
        raise NbgraderError(f"{course} is not there; expected the directory of an nbgrader course")
    root, config = str(course.resolve()), Config()
    for folder in (*reversed(jupyter_config_path()), root):
        try:
            config.merge(PyFileConfigLoader(CONFIG, folder).load_config())
        except ConfigFileNotFound:
            continue
        except Exception as error:  # it is the instructor's own Python
            raise NbgraderError(f"{folder}/{CONFIG} cannot be loaded: {type(error).__name__}: {error}") from error
    config.CourseDirectory.root = root
    try:
        place = CourseDirectory(config=config)
        place.db_url = _absolute(make_url(place.db_url), root)
    except (TraitError, ArgumentError) as error:
        raise NbgraderError(f"{course / CONFIG}: {error}") from error
    return place


def handed_in(place: CourseDirectory) -> dict[Path, str]:
    """Return the student of every directory that somebody handed in, as nbgrader names them; a link is nobody's."""
    return {path.resolve(): student for path, student, link in _found(place) if not link}


def links(place: CourseDirectory) -> list[str]:
    """Return the students in whose place there is a link, which could lead to what another handed in."""
    return [student for _, student, link in _found(place) if link]


def _found(place: CourseDirectory) -> Iterator[tuple[Path, str, bool]]:
    """Yield what was handed in, by whom, and whether it or the student's directory is a link."""
    structure = place.format_path(place.submitted_directory, r"(?P<student>[^/]+)", ASSIGNMENT, escape=True)
    anyone = glob.escape(place.root) + place.format_path(place.submitted_directory, "*", ASSIGNMENT)[len(place.root) :]
    for path in map(Path, sorted(glob.glob(anyone))):
        if (match := re.fullmatch(structure, str(path))) and path.is_dir():
            own = [each for each in (path, *path.parents) if len(str(each)) >= match.end("student")]
            yield path, match["student"], any(each.is_symlink() for each in own)


def student_of(source: Path, students: dict[Path, str]) -> tuple[str, Path] | None:
    """Return who handed in a source, and the directory; None where it is not of this course, or a link.

    Args:
        source: STUDENT or STUDENT/ASSIGNMENT below the directory of what was handed in.
        students: from handed_in.
    """
    if source.is_symlink() or (source.name == ASSIGNMENT and source.parent.is_symlink()):
        return None
    path = source.resolve()
    found = next((each for each in (path / ASSIGNMENT, path, *path.parents) if each in students), None)
    return (students[found], found) if found is not None else None


def first_line(error: Exception) -> str:
    """Return an error in one line: a database tells the whole statement, with a student's text in it."""
    line = str(getattr(error, "orig", None) or error).partition("\n")[0][:200]
    return f"{type(error).__name__}: {''.join(c if c.isprintable() else '?' for c in line)}"


def _absolute(url: URL, root: str) -> str:
    """Return a database's URL, whose relative file is relative to the course, from which nbgrader is run."""
    file = _file_of(url)
    whole = url if file is None else url.set(database=str(Path(root) / file))
    return whole.render_as_string(hide_password=False)


def _file_of(url: URL) -> Path | None:
    """Return the file of a database, None where it is on a server."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _generate(course: Path) -> str:
    return f"Make the assignment first: cd {course}; nbgrader generate_assignment {ASSIGNMENT}"
