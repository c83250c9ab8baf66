"""Judging some parts again for a class that was graded: a property or its points were wrong, say. All else stays."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from grading.gradebook import Gradebook
from grading.intake import Source, fingerprint
from grading.records import PartRecord, Record
from grading.rubric import Rubric
from grading.selection import select


class RegradingError(Exception):
    """Parts that cannot be judged again; the text says why and what to do."""


class Change(msgspec.Struct, frozen=True):
    """What judging parts again made of a submission: its points for them, before and after.

    reason: why nothing was made of it; then its record is the one before.
    """

    submission: str
    before: float
    after: float
    possible: float
    reason: str = ""


class Again(msgspec.Struct, frozen=True):
    """Which submissions are judged again, and for the others why not."""

    sources: list[Source]
    left: list[str]


def parts_of(names: Sequence[str], graded: Sequence[str], rubric: Rubric) -> tuple[str, ...]:
    """Return the parts with these names or of these topics.

    Args:
        names: parts or topics.
        graded: the parts that were asked for when the class was graded.
        rubric: the whole.

    Raises:
        UnknownPart: a name is neither.
        RegradingError: one of the parts was not asked for then.
    """
    parts = tuple(part.name for part in select(names, rubric))
    if missing := [name for name in parts if name not in graded]:
        raise RegradingError(
            f"--regrade: {missing[0]} was not graded there, and so cannot be graded again; that grading has "
            f"{', '.join(graded)}"
        )
    return parts


def choose(book: Gradebook, sources: Iterable[Source]) -> Again:
    """Return the submissions that were graded and are still the same, and a sentence on each of the others."""
    same, left = list[Source](), list[str]()
    for source in sources:
        record = book.record(source.name)
        if record is None or record.grader_failed:
            left.append(f"{source.name} is not graded there yet; --resume does it")
        elif record.handed_in != fingerprint(source):
            left.append(f"{source.name} changed since it was graded; --resume grades all of it")
        elif record.outcome == "graded":
            same.append(source)
    return Again(same, left)


def keep(book: Gradebook, judged: Iterable[Record]) -> Iterator[Change]:
    """Put newly judged parts into the records of a gradebook, one after another, and yield what changed.

    Stopped at any moment and begun anew it ends with the same records: what was judged again is so a second time.

    Args:
        book: where the class was graded.
        judged: records of the parts alone, in any order.
    """
    for new in judged:
        old = book.record(new.submission)
        if old is None:
            continue
        if new.outcome != "graded":
            yield Change(new.submission, 0.0, 0.0, 0.0, new.reason)
            continue
        names = {part.part for part in new.parts}
        book.keep(merged(old, new, book))
        before, after = _points(old.parts, names), _points(new.parts, names)
        yield Change(new.submission, before, after, sum(part.possible for part in new.parts))


def merged(old: Record, new: Record, book: Gradebook) -> Record:
    """Return a record with the parts of another one in place of its own, and the circumstances that these hold for."""
    parts = {part.part: part for part in new.parts}
    asked = book.circumstances
    return msgspec.structs.replace(
        old,
        parts=[parts.get(part.part, part) for part in old.parts],
        circumstances=msgspec.structs.replace(new.circumstances, parts=asked.parts, rubric=asked.rubric, kit=asked.kit),
    )


def _points(parts: Iterable[PartRecord], names: set[str]) -> float:
    return sum(part.points for part in parts if part.part in names)


def told(changes: Sequence[Change], parts: Sequence[str]) -> Iterator[str]:
    """Yield sentences on what judging parts again changed: how many, by how much, and each that did."""
    done = [change for change in changes if not change.reason]
    changed = [change for change in done if change.after != change.before]
    by = [change.after - change.before for change in changed]
    ends = " to ".join(dict.fromkeys((f"{min(by):+g}", f"{max(by):+g}"))) if by else ""
    spread = f", by {ends} points" if ends else ""
    yield f"judged again {', '.join(parts)}: the points of {len(changed)} of {len(done)} changed{spread}"
    for change in sorted(changed, key=lambda change: change.submission):
        yield f"{change.submission}: {change.before:g} of {change.possible:g}, now {change.after:g}"
    for change in changes:
        if change.reason:
            yield f"{change.submission}: not judged again, and left as it was: {change.reason}"
