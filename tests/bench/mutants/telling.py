"""What is kept of a study: a score for each part, the mutants that survived, and why they are no mistakes."""

import hashlib
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from .judging import Fate
from .making import answer, part_named

RESULTS = Path(__file__).parents[1] / "results" / "mutants.json"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


class Survivor(msgspec.Struct, frozen=True, order=True):
    """The lines of a mutant that no property rejects: as they are in the reference, and as they are in it."""

    was: str
    now: str

    def __str__(self) -> str:
        """Put both on a line."""
        return " ".join(f"{self.was}  =>  {self.now}".split("\n"))


class Score(msgspec.Struct, frozen=True):
    """What became of a part's mutants.

    answer: a digest of the reference's answer that they were made of. raised: of those that were killed, how many by an
    error that they raised. by: how many each property rejected first.
    silent: those that were killed as there was no answer.
    """

    answer: str
    mutants: int
    killed: int
    raised: int
    by: dict[str, int]
    silent: list[Survivor]
    survivors: list[Survivor]


class Equivalent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Survivors of one line, and the one reason why no property has to tell them from the reference."""

    part: str
    was: str
    now: list[str]
    reason: str


Scores = dict[str, Score]


def digest(part: str) -> str:
    """Return a short digest of the reference's answer for a part."""
    return hashlib.sha256(answer(part_named(part)).encode()).hexdigest()[:16]


def scores(fates: Iterable[Fate]) -> Scores:
    """Add up what became of mutants, part by part."""
    by_part: dict[str, list[Fate]] = defaultdict(list)
    for fate in fates:
        by_part[fate.mutant.part].append(fate)
    return {part: _score(part, of_part) for part, of_part in by_part.items()}


def _score(part: str, fates: list[Fate]) -> Score:
    how = Counter(fate.how for fate in fates)
    by = Counter(fate.by for fate in fates if fate.by)
    silent, survivors = (
        sorted(Survivor(f.mutant.was, f.mutant.now) for f in fates if f.how == kind) for kind in ("silent", "survived")
    )
    killed = len(fates) - how["survived"]
    return Score(digest(part), len(fates), killed, how["raised"], dict(sorted(by.items())), silent, survivors)


def kept() -> Scores:
    """Return the results that were kept last."""
    return msgspec.json.decode(RESULTS.read_bytes(), type=Scores) if RESULTS.exists() else {}


def save(found: Scores) -> None:
    """Keep results."""
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def equivalents() -> list[Equivalent]:
    """Return the survivors of which it is known that they are no mistakes."""
    text = EQUIVALENT.read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["equivalent"], list[Equivalent])


def unexplained(found: Mapping[str, Score], known: Iterable[Equivalent]) -> list[str]:
    """Tell of survivors that no entry explains, and of entries, of the same parts, without a survivor."""
    survived = {(part, s.was, s.now) for part, score in found.items() for s in score.survivors}
    explained = {(e.part, e.was, now) for e in known if e.part in found for now in e.now}
    return [
        *(f"{part}: no property rejects {Survivor(*change)}" for part, *change in sorted(survived - explained)),
        *(
            f"{part}: equivalent.toml has what did not survive: {Survivor(*change)}"
            for part, *change in sorted(explained - survived)
        ),
    ]


def markdown(found: Mapping[str, Score], known: Iterable[Equivalent]) -> str:
    """Write the score of each part, and the equivalents with their reasons, as tables."""
    return "\n".join([*_score_table(found), "", *_equivalent_table(known)])


def _score_table(found: Mapping[str, Score]) -> Iterator[str]:
    yield from ("| part | mutants | killed | of them by an error | equivalent |", "| --- | --- | --- | --- | --- |")
    for part, s in found.items():
        yield f"| `{part}` | {s.mutants} | {s.killed} | {s.raised} | {len(s.survivors)} |"
    total = [sum(getattr(s, field) for s in found.values()) for field in ("mutants", "killed", "raised")]
    yield f"| all | {total[0]} | {total[1]} | {total[2]} | {total[0] - total[1]} |"


def _equivalent_table(known: Iterable[Equivalent]) -> Iterator[str]:
    yield from ("| part | mutants that no property rejects | why none has to |", "| --- | --- | --- |")
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in known:
        lines[entry.part, entry.reason] += entry.now
    for (part, reason), now in lines.items():
        yield f"| `{part}` | {'<br>'.join(map(_code, now))} | {reason} |"


def _code(lines: str) -> str:
    return "<br>".join(f"`{line}`" for line in lines.split("\n")).replace("|", "\\|")
