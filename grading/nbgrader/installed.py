"""What is used of nbgrader itself and its database, in one place: a kit without it says what to install."""

from grading.nbgrader import NbgraderError

try:
    from nbgrader.api import Grade, Gradebook, MissingEntry, Notebook, SubmittedNotebook
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import determine_grade, parse_utc
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError
except ImportError as error:
    raise NbgraderError(f"nbgrader cannot be used ({error}). Install it: pip install -e '.[nbgrader]'") from error

__all__ = [
    "URL",
    "ArgumentError",
    "CourseDirectory",
    "Grade",
    "Gradebook",
    "MissingEntry",
    "Notebook",
    "SQLAlchemyError",
    "SubmittedNotebook",
    "determine_grade",
    "make_url",
    "parse_utc",
]
