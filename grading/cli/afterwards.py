"""What `elbo grade` writes once all is graded, and the last that it tells."""

from pathlib import Path
from typing import TYPE_CHECKING

from .shared import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from grading.intake import Source
    from grading.manual import Given
    from grading.records import Record
    from grading.rubric import Rubric
    from grading.similarity import Comparison

    from .grading_class import Work

PAIRS = "similar.csv"


def given_in_formgrader(course: Path, sources: "list[Source]", rubric: "Rubric") -> "dict[str, dict[str, Given]]":
    """Return the points that people gave in nbgrader's formgrader, by submission and question."""
    from grading.nbgrader.gradebook import manual_points
    from grading.nbgrader.opening import course_directory, handed_in, student_of

    given, students = manual_points(course, rubric), handed_in(course_directory(course))
    found = {source.name: student_of(source.path, students) for source in sources}
    return {name: given[who[0]] for name, who in found.items() if who and who[0] in given}


def write(
    work: "Work", everybody: "list[Record]", similar: bool, views: "Sequence[str]", course: Path | None, json: str
) -> int:
    """Write tables, page and views of all that are graded, show the class, and return the exit status."""
    from grading.records import summary
    from grading.terminal import show_class

    book, console, names = work.book, work.console, {source.name for source in work.sources}
    compared = _compared(work, similar)
    table, page = book.write_table(everybody), book.write_page(everybody, compared.pairs)
    added = book.add_manual_rows(everybody)
    here = [record for record in everybody if record.submission in names]
    written = [str(table), *(str(place) for place in _views(work, views, everybody))]
    odd = _into_nbgrader(work, course, here) if course else []
    rows = [summary(record) for record in here]
    show_class(console, rows)
    odd += _of_views(views, everybody)
    for sentence in [*_odd(work, here, everybody), *odd, *_of_policy(work, everybody)]:
        console.print(sentence, soft_wrap=True, markup=False)
    console.print(f"wrote {page}, the class on a page", soft_wrap=True, markup=False)
    console.print(f"wrote {', '.join(written)}, and a record and feedback for each", soft_wrap=True, markup=False)
    for sentence in _still_to_do(work, everybody, added, compared if similar else None):
        console.print(sentence, soft_wrap=True, markup=False)
    write_json(json, rows)
    return int(any(row.outcome == "refused" for row in rows))


def _compared(work: "Work", similar: bool) -> "Comparison":
    """Compare the submissions, if that is asked for; else take what an earlier grading found."""
    from grading import similarity

    path = work.book.out / PAIRS
    if not similar:
        return similarity.Comparison(similarity.read(path))
    with work.console.status("comparing"):
        found = similarity.similar(work.sources, jobs=work.jobs)
    similarity.write(path, found)
    return found


def _views(work: "Work", kinds: "Sequence[str]", records: "Sequence[Record]") -> "Iterator[Path]":
    if kinds:
        from grading import views

        for kind in dict.fromkeys(kinds):
            yield views.write(kind, work.book.out, records)


def _of_views(kinds: "Sequence[str]", records: "Sequence[Record]") -> "Iterator[str]":
    """Yield a sentence on numbers that a learning platform would take for a student's."""
    if "lms" in kinds:
        from grading.intake.limits import listed
        from grading.views.lms import unconfirmed

        if names := unconfirmed(records):
            told = f"the numbers of {len(names)}, {listed(names)}, are the hand-in's own word"
            yield f"lms.csv: {told}: see that each is theirs."


def _into_nbgrader(work: "Work", course: Path, records: "list[Record]") -> list[str]:
    from grading.nbgrader import gradebook

    places = {source.name: source.path for source in work.sources}
    count, odd = gradebook.write(course, records, places, work.book.rubric)
    return [*odd, f"wrote the points of {count} into nbgrader's gradebook of {course}"]


def _odd(work: "Work", here: "list[Record]", everybody: "list[Record]") -> "Iterator[str]":
    """Yield sentences on what an instructor may not expect of the table."""
    from grading import manual
    from grading.intake.limits import listed

    if others := len(everybody) - len(here):
        yield f"{others} that were graded before are not among these, and keep their rows in the table"
    if work.book.lost:
        yield (
            f"{listed(work.book.lost)} had points for words that nobody gives now: if they were given in formgrader, "
            "give --nbgrader again."
        )
    wanted = set(work.book.rubric.grading.isolation)
    missing = {layer for record in here if record.outcome == "graded" for layer in wanted - set(record.isolation)}
    if missing:
        yield (
            f"Of the layers of isolation that the rubric names, {', '.join(sorted(missing))} did not hold: "
            "`elbo doctor` tells what each stops."
        )
    yield from manual.unknown(work.book.manual, {record.submission for record in everybody}, work.book.rubric)


def _of_policy(work: "Work", everybody: "list[Record]") -> "Iterator[str]":
    """Yield sentences on times and extensions that somebody may have to look at."""
    from grading.intake.limits import listed
    from grading.policies import by_number

    policy = work.book.rubric.policy
    if policy.due is not None and (untimed := [r.submission for r in everybody if not r.handed_in_at]):
        yield (
            f"When they were handed in is not known of {len(untimed)}, {listed(untimed)}: none of them is late. "
            "Give --times."
        )
    known = {name for record in everybody for name in (record.submission, record.student)}
    if nobody := [name for name in policy.extensions if name not in known]:
        yield f"The rubric's policy has extensions for {listed(nobody)}: nobody here is called so."
    several = work.book.shared
    for record in everybody:
        if by_number(record, policy, several) and record.submission not in work.book.told:
            who, number = record.submission, record.student
            yield f"{who} has the extension of {number}, a number that stands in the hand-in itself."
    for number in sorted(several & policy.extensions.keys()):
        claim = [record.submission for record in everybody if number in (record.submission, record.student)]
        if any(name not in policy.extensions for name in claim):
            told = "nobody has its extension by that. Give it by the name of a submission."
            yield f"The number {number} is claimed by {listed(claim)}: {told}"


def _still_to_do(
    work: "Work", everybody: "list[Record]", added: bool, compared: "Comparison | None"
) -> "Iterator[str]":
    if compared is not None:
        told = f"wrote {work.book.out / PAIRS}, {len(compared.pairs)} pairs: a hint for a person, and never a verdict"
        yield f"{told}. {compared.told}".removesuffix(". ")
    waiting = sum(record.settlement.waiting for record in everybody if record.settlement)
    if waiting:
        told = "wrote" if added else "see"
        yield f"{told} {work.book.manual}: words to {waiting} questions wait for points; give them there, then --resume"
