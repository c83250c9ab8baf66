"""What the records of a class say about its items: how hard each is, and what went wrong.

An item is a part or a property. Its difficulty is the mean share of its points (1: everybody has them). Its
discrimination is the corrected item-total correlation: Pearson's, between the points of the item and those of all parts
without it, over the graded submissions (Crocker and Algina, Introduction to Classical and Modern Test Theory, 1986,
chapter 14). It is undefined for fewer than three submissions, and where either side is the same for all.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grading.records import PartRecord, PropertyRecord, Record

FEWEST = 3  # of two points a correlation is always 1 or -1
SAME = 1e-9  # sums of points differ by less for no reason but rounding


@dataclass(frozen=True)
class Item:
    """A part, or one of its properties, in the class. right, wrong, todo: submissions with that outcome."""

    part: str
    property: str
    possible: float
    difficulty: float | None
    discrimination: float | None
    right: int
    wrong: int
    todo: int


@dataclass(frozen=True)
class Named:
    """A known mistake, its names in the bank, what was done, and the submissions whose part looks like it."""

    part: str
    mistakes: tuple[str, ...]
    sentence: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """One message of one property, and the submissions that were told it."""

    part: str
    property: str
    message: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Bin:
    """How many values lie from `low` up to `high`; only in the last bin are those at `high` counted."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Spread:
    """How values are spread. deviation: the standard deviation of a sample, None for a single value."""

    count: int
    mean: float
    median: float
    deviation: float | None
    lowest: float
    highest: float


def graded(records: Sequence[Record]) -> list[Record]:
    """Return the records of submissions that could be graded."""
    return [record for record in records if record.outcome == "graded"]


def items(records: Sequence[Record], properties: bool = False) -> list[Item]:
    """Describe every part of the graded submissions, or every property, in the order of the records."""
    found: dict[tuple[str, str], list[tuple[PartRecord | PropertyRecord, float]]] = defaultdict(list)
    for record in graded(records):
        total = sum(part.points for part in record.parts)
        for name, one in _entries(record, properties):
            found[name].append((one, total))
    return [_item(*name, entries) for name, entries in found.items()]


def _entries(record: Record, properties: bool) -> Iterator[tuple[tuple[str, str], PartRecord | PropertyRecord]]:
    for part in record.parts:
        if not properties:
            yield (part.part, ""), part
        for value in part.properties if properties else ():
            yield (part.part, value.property), value


def _item(part: str, name: str, entries: Sequence[tuple[PartRecord | PropertyRecord, float]]) -> Item:
    points, totals = [one.points for one, _ in entries], [total for _, total in entries]
    shares = [one.points / one.possible for one, _ in entries if one.possible]
    outcomes = [one.outcome for one, _ in entries]
    return Item(
        part,
        name,
        entries[0][0].possible,
        statistics.fmean(shares) if shares else None,
        discrimination(points, totals),
        outcomes.count("right"),
        outcomes.count("wrong"),
        outcomes.count("todo"),
    )


def discrimination(points: Sequence[float], totals: Sequence[float]) -> float | None:
    """Correlate the points of an item with the totals without them; None where that is undefined."""
    rest = [total - own for own, total in zip(points, totals, strict=True)]
    if len(points) < FEWEST or any(max(side) - min(side) < SAME for side in (points, rest)):
        return None
    return statistics.correlation(points, rest)


def named(records: Sequence[Record], fewest: int = 2) -> list[Named]:
    """Count mistakes that at least so many submissions made, by their names, the most frequent first."""
    found: dict[tuple[str, tuple[str, ...]], tuple[str, list[str]]] = {}
    for record in graded(records):
        for part in record.parts:
            if part.diagnosis is not None:
                key = part.part, tuple(part.diagnosis.mistakes)
                found.setdefault(key, (part.diagnosis.sentence, []))[1].append(record.submission)
    many = [Named(*key, told, tuple(whose)) for key, (told, whose) in found.items() if len(whose) >= fewest]
    return sorted(many, key=lambda mistake: -len(mistake.names))


def mistakes(records: Sequence[Record], fewest: int = 2) -> list[Mistake]:
    """Collect what at least so many submissions were told alike of parts whose mistake has no name, the most first.

    A file that was not handed in is no mistake in it.
    """
    names: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for record in graded(records):
        for part in (part for part in record.parts if part.diagnosis is None):
            lacking = f"there is no file {part.file}"
            for value in part.properties:
                if value.outcome == "wrong" and value.failure is not None and value.failure.message != lacking:
                    names[part.part, value.property, value.failure.message].append(record.submission)
    many = [Mistake(*told, tuple(whose)) for told, whose in names.items() if len(whose) >= fewest]
    return sorted(many, key=lambda mistake: -len(mistake.names))


def bins(values: Sequence[float], top: float, count: int = 10) -> list[Bin]:
    """Count values from 0 to `top`, which none exceeds, in so many bins of one width."""
    width = top / count
    counts = [0] * count
    for value in values:
        counts[min(int(value / width), count - 1)] += 1
    return [Bin(number * width, (number + 1) * width, found) for number, found in enumerate(counts)]


def spread(values: Sequence[float]) -> Spread | None:
    """Describe values; None where there are none."""
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Spread(len(values), statistics.fmean(values), statistics.median(values), deviation, min(values), max(values))
