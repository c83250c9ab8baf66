"""What every mistake of the bank answers to the probes of its part: one generated file of numbers, and how to compare.

An answer agrees with a mistake's where it is the same but for rounding, and in the number of digits that are right
where only some are. A reading is `fragile` where differently written right answers differ in it, or random numbers
may be drawn in another order: it decides only between mistakes that agree in all others.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path

import msgspec

from grading.engine import wire
from grading.engine.calls import Call

from .observing import NOTHING, RAISED, Number, Reading

FILE = Path(__file__).with_name("fingerprints.json")
FINE, COARSE = 1e-9, 2e-5  # of double and of single precision
ROUGH = 0.01  # of the logarithm of a cost, which is a tenth of the cost or so
NEARLY = 1e-5  # what is right to this is "right to some digits only"
Grain = tuple[float, bool]  # the tolerance of a reading, and whether it is fragile


class Known(msgspec.Struct, frozen=True):
    """A mistake: names, sentence, where to think again, and each reading that is not as of the right answer.

    pair: the names of the two that are made in it, if it is a pair.
    """

    names: list[str]
    sentence: str
    reasoning: str
    differs: dict[int, Reading]
    pair: list[str] = []

    @property
    def made(self) -> set[str]:
        """Return the names of what may have been done."""
        return set(self.pair or self.names)


RIGHT = Known([], "", "", {})


class Fingerprints(msgspec.Struct, frozen=True):
    """The probes of a part and what is seen of its mistakes.

    calls: the probes as one message. right: the readings of the right answer. tolerances: of readings, by their place,
    where it is not that of double precision. fragile: places of readings in which right answers differ. mistakes: those
    of the bank.
    """

    calls: bytes
    right: list[Reading]
    tolerances: dict[int, float]
    fragile: list[int]
    mistakes: list[Known]

    def probes(self) -> list[Call]:
        """Return the calls to ask."""
        return wire.decode_calls(*wire.split(self.calls))

    def named(self, seen: Sequence[Reading], places: Collection[int] | None = None) -> Known | None:
        """Return the mistake that readings agree with; None where none does, or several, or the right answer.

        places: of the readings to compare, all if not given.
        """
        compared = range(len(self.right)) if places is None else places
        alike = [known for known in (RIGHT, *self.mistakes) if self._agree(known, seen, compared, loosely=True)]
        if len(alike) > 1:
            alike = [known for known in alike if self._agree(known, seen, compared, loosely=False)] or alike
        found = alike[0] if len(alike) == 1 else self._shared(alike)
        if found is None or found is RIGHT:
            return None
        told = self._answers(found, compared) or self._agree(found, seen, compared, loosely=False)
        return found if told else None

    def _answers(self, known: Known, places: Iterable[int]) -> bool:
        """Tell whether a mistake answers otherwise than the right answer, and does not only raise, as much else does.

        What only raises is known by all of its readings or not at all.
        """
        fragile = set(self.fragile)
        differs = [known.differs.get(place, NOTHING) for place in places if place not in fragile]
        return any(reading and not str(reading).startswith(RAISED) for reading in differs)

    def _shared(self, alike: Sequence[Known]) -> Known | None:
        """Return the one mistake that is made in each of several, if there is one."""
        shared = set.intersection(*(known.made for known in alike)) if alike else set()
        if len(shared) != 1:
            return None
        return next((known for known in self.mistakes if not known.pair and shared & set(known.names)), None)

    def _agree(self, known: Known, seen: Sequence[Reading], places: Iterable[int], loosely: bool) -> bool:
        fragile, right = set(self.fragile), self.right
        rows = (
            (seen[i], known.differs.get(i, right[i]), right[i], (self.tolerances.get(i, FINE), i in fragile))
            for i in places
        )
        return all_agree(rows, loosely)


def all_agree(rows: Iterable[tuple[Reading, Reading, Reading, Grain]], loosely: bool) -> bool:
    """Tell whether readings agree with others, beside the right ones; loosely: but for those that are fragile."""
    return all(
        agree(one, other, right, tolerance, loosely)
        for one, other, right, (tolerance, fragile) in rows
        if not (loosely and fragile)
    )


def agree(one: Reading, other: Reading, right: Reading, tolerance: float, loosely: bool) -> bool:
    """Tell whether two readings are the same but for rounding; loosely: or right to some digits, both of them."""
    if isinstance(one, str) or isinstance(other, str) or len(one) != len(other):
        return one == other
    truth = right if not isinstance(right, str) and len(right) == len(one) else [None] * len(one)
    return all(
        _same(a, b, tolerance) or (loosely and r is not None and _nearly(a, r, tolerance) and _nearly(b, r, tolerance))
        for a, b, r in zip(one, other, truth, strict=True)
    )


def _same(a: Number, b: Number, tolerance: float) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return abs(a - b) <= tolerance * (1 + abs(b))


def _nearly(a: Number, right: Number, tolerance: float) -> bool:
    return not _same(a, right, tolerance) and _same(a, right, NEARLY)


@cache
def _parts() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(FILE.read_bytes(), type=dict[str, msgspec.Raw]) if FILE.exists() else {}


@cache
def load(part: str) -> Fingerprints | None:
    """Return the fingerprints of a part, None where there are none."""
    raw = _parts().get(part)
    return None if raw is None else msgspec.json.decode(raw, type=Fingerprints)


def forget() -> None:
    """Forget what was read, so that the next to ask reads the file."""
    _parts.cache_clear()
    load.cache_clear()


def write(found: dict[str, Fingerprints], file: Path = FILE) -> None:
    """Write the fingerprints of parts beside those of the others, a line for each part."""
    parts = {**_parts(), **{name: msgspec.Raw(msgspec.json.encode(one)) for name, one in found.items()}}
    lines = [f'"{name}": {bytes(parts[name]).decode()}' for name in sorted(parts)]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    forget()
