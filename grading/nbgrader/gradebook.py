"""nbgrader's gradebook as a view of the records: points, comments and the notebooks that formgrader shows.

No cell is executed here: the kit's own enclosed processes judged before. What a person gave in formgrader stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from exercises.experiments.runs import write_whole
from grading.intake.limits import shown
from grading.manual import Given
from grading.nbgrader import ASSIGNMENT, question_id
from grading.nbgrader.filling import fill, take_penalty, withhold
from grading.nbgrader.installed import CourseDirectory, Gradebook, MissingEntry, SubmittedNotebook
from grading.nbgrader.opening import first_line, handed_in, links, opened, student_of
from grading.nbgrader.points import Told, told_of
from grading.nbgrader.sheets import Sheet, differing, sheets_of
from grading.nbgrader.submitted import HandedIn, read
from grading.records import Record
from grading.rubric import Rubric

UNKNOWN = "Dropped parts and extra credit are unknown to nbgrader: it shows the points without them."


class _Course(msgspec.Struct, frozen=True):
    """A course that is open: its directories, its gradebook, and the assignment's notebooks."""

    place: CourseDirectory
    book: Gradebook
    sheets: list[Sheet]


def write(
    course: Path, records: Iterable[Record], sources: Mapping[str, Path], rubric: Rubric
) -> tuple[int, list[str]]:
    """Write the points and comments of records into a course's gradebook, and its autograded/ notebooks.

    Args:
        course: nbgrader's directory of the course, in which the assignment was generated.
        records: of submissions below its submitted/; of others it is said that they are not.
        sources: where each was handed in, by the name of the submission.

    Returns:
        How many were written, and sentences on what was odd.

    Raises:
        NbgraderError: there is no such course or assignment, or the database cannot be used.
    """
    with opened(course) as (place, book):
        open_course = _Course(place, book, sheets_of(book))
        students, done, policies = handed_in(place), dict[str, str](), False
        odd = differing(open_course.sheets, rubric)
        odd += [f"{shown(link)}: a link and nobody's hand-in: not written as a student's." for link in links(place)]
        for record in records:
            name = record.submission
            found = student_of(sources[name], students) if name in sources else None
            if found is None:
                odd.append(f"{name}: not written, it is not {place.submitted_directory}/STUDENT/{ASSIGNMENT}.")
            elif found[0] in done:
                odd.append(f"{name}: not written, {done[found[0]]} is of the same student.")
            else:
                is_written, told = _write(open_course, *found, record, told_of(record, rubric))
                done |= {found[0]: name} if is_written else {}
                odd += [f"{name}: {text}" for text in told]
            policies |= record.settlement is not None and bool(record.settlement.dropped or record.settlement.extra)
        return len(done), [*odd, *([UNKNOWN] if policies else [])]


def _write(course: _Course, student: str, folder: Path, record: Record, told: Told) -> tuple[bool, list[str]]:
    """Write one student's notebooks, then all points at once, and tell whether they are; it hinders nobody else's."""
    if record.grader_failed:
        failed = f"not written, {shown(record.reason)}. Go on with --resume."
        return False, [failed, *_withhold(course, student, told)]
    try:
        found = read(folder, [sheet.name for sheet in course.sheets])
        into = Path(course.place.format_path(course.place.autograded_directory, student, ASSIGNMENT))
        own = _submission(course.book, student, found)
        odd = [text for sheet in course.sheets for text in fill(sheet, own[sheet.name], found, told, into)]
        if record.settlement is not None:
            take_penalty(list(own.values()), record.settlement.penalty)
        odd += _write_files(into, found)
        course.book.db.commit()
        return True, [*found.notes, *odd]
    except Exception as error:  # the content is anybody's, and the others are written all the same
        course.book.db.rollback()
        failed = f"not written: {shown(first_line(error))}. Correct it and write again."
        return False, [failed, *_withhold(course, student, told)]


def _withhold(course: _Course, student: str, told: Told) -> list[str]:
    """Take back the points that nbgrader's own autograding gave, or an earlier grading, and tell what came of it."""
    try:
        own = {each.name: each for each in course.book.find_submission(ASSIGNMENT, student).notebooks}
        for sheet in (sheet for sheet in course.sheets if sheet.name in own):
            withhold(sheet, own[sheet.name], told.judged)
        take_penalty(list(own.values()), 0.0)
        course.book.db.commit()
        return ["the cells that the kit judges have no points in nbgrader's gradebook, and wait for a person."]
    except MissingEntry:
        return []
    except Exception as error:
        course.book.db.rollback()
        return [f"points of before may stand in nbgrader's gradebook: {shown(first_line(error))}."]


def _submission(book: Gradebook, student: str, found: HandedIn) -> dict[str, SubmittedNotebook]:
    """Return a student's notebooks in the gradebook by name, made with all their grades where there were none.

    formgrader takes a submission for not yet graded unless its time is that of timestamp.txt, and no other.
    """
    book.update_or_create_student(student)
    with book.db.no_autoflush:  # of what nbgrader has only begun to make, which SQLAlchemy would warn of
        submission = book.update_or_create_submission(ASSIGNMENT, student, timestamp=found.time)
    return {each.name: each for each in submission.notebooks}


def _write_files(into: Path, found: HandedIn) -> list[str]:
    """Write what formgrader shows beside the notebooks."""
    odd = []
    for name, content in found.files.items():
        try:
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(into / name, content)
        except OSError as error:
            odd.append(f"{shown(name)} is not shown: {error.strerror}.")
    return odd


def manual_points(course: Path, rubric: Rubric) -> dict[str, dict[str, Given]]:
    """Return what people gave in formgrader for the words to questions, with their comments.

    Returns:
        By student, as nbgrader names them, and by question.

    Raises:
        NbgraderError: as for write.
    """
    questions = {question_id(name): name for name in rubric.questions}
    with opened(course) as (_, book):
        names = {key: name for sheet in sheets_of(book) for key, name in sheet.names.items()}
        submissions = book.assignment_submissions(ASSIGNMENT)
        given = {each.student_id: _given(each.notebooks, names, questions) for each in submissions}
        return {student: own for student, own in given.items() if own}


def _given(
    notebooks: Sequence[SubmittedNotebook], names: Mapping[str, str], questions: Mapping[str, str]
) -> dict[str, Given]:
    given = {}
    for own in notebooks:
        said = {names.get(comment.cell_id): comment.manual_comment or "" for comment in own.comments}
        for grade in own.grades:
            name = names.get(grade.cell_id, "")
            if name in questions and grade.manual_score is not None:
                points = grade.manual_score + (grade.extra_credit or 0.0)
                given[questions[name]] = Given(points, said.get(name, ""))
    return given
