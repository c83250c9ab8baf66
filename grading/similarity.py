"""Pairs of submissions whose code is alike: a hint for a person, who reads both, and never a verdict.

The library copydetect takes comments, spaces and names out of the code, and what is left is compared in passages of
PASSAGE signs; passages of the given stubs count for nothing. Answers to the same mathematics are alike by nature, so
the length was chosen by measurement, on hand-ins made of the bank's alternatives and on copies of them in which every
variable had another name and the comments were gone. The largest share of two independent ones, the least of a copy:

    signs of a passage     10     15     20     25     30     40     50
    independent          0.26   0.16   0.14   0.12   0.10   0.09   0.07
    copied               0.88   0.84   0.81   0.78   0.76   0.70   0.65

Every passage is compared, none is passed over to save time (the window of the winnowing is 1), so that the shares are
the same in every process. Students who follow the same hints write more alike than the bank does: what tells a copy is
that it stands out of the list, not any number by itself.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from exercises.experiments.runs import write_whole
from grading import lexing, sheets
from grading.engine.implementation import ROOT, TOPICS
from grading.intake import Source
from grading.intake.limits import listed
from grading.lexing import Lexed, Numbers
from grading.sheets import SheetError

PASSAGE = 25  # signs
LEAST = 500  # passages that a share is at least of: two who have only begun are alike by nature
AT_A_TIME = 20_000  # passages
HEAD = "A hint for a person, who reads both, and never a verdict: short answers to the same mathematics are alike."
COLUMNS = ("first", "second", "share_first", "share_second", "lines")


class SimilarityError(Exception):
    """Submissions that cannot be compared; the text says what to do."""


class Pair(msgspec.Struct, frozen=True):
    """Two submissions with code in common.

    share_first, share_second: of each one's own code, from 0 to 1. lines: of the first that hold what is in both.
    """

    first: str
    second: str
    share_first: float
    share_second: float
    lines: int

    @property
    def share(self) -> float:
        """The larger of the two shares: who copies a half has nothing but what is also in the other."""
        return max(self.share_first, self.share_second)


class Comparison(msgspec.Struct, frozen=True):
    """What was found of a class: its pairs, and the names of those who were compared with nobody."""

    pairs: list[Pair]
    left_out: list[str] = []

    @property
    def told(self) -> str:
        """A sentence on those who were compared with nobody; "" where everybody was."""
        names = listed(self.left_out, 10)
        return f"Compared with nobody, as their code could not be read, or not in time: {names}." if names else ""


def similar(
    sources: Sequence[Source], most: int = 50, seconds: float = lexing.SECONDS, jobs: int = lexing.JOBS
) -> Comparison:
    """Compare submissions and return the pairs with the most in common, the most alike first.

    Args:
        sources: the submissions.
        most: pairs.
        seconds: for the reading of each; one that takes longer is like nothing.
        jobs: processes that read.

    Raises:
        SimilarityError: copydetect is not installed.
    """
    given = np.unique(_passages(_given()))
    found = lexing.lexed_apart(sources, seconds, jobs)
    read = [(source.name, each) for source, each in zip(sources, found, strict=True) if each]
    own = [np.setdiff1d(_passages(code), given) for _, code in read]
    counted = _in_common(own)
    pairs = [
        (max(_share(n, own[i]), _share(n, own[j])), n, i, j)
        for i, j in zip(*np.triu_indices(len(read), 1), strict=True)
        if (n := int(counted[i, j]))
    ]
    best = sorted(pairs, key=lambda pair: (-pair[0], -pair[1], pair[2], pair[3]))[:most]
    told = [
        Pair(
            read[i][0],
            read[j][0],
            round(_share(n, own[i]), 3),
            round(_share(n, own[j]), 3),
            _lines(read[i][1], np.intersect1d(own[i], own[j])),
        )
        for _, n, i, j in best
    ]
    return Comparison(told, [source.name for source, each in zip(sources, found, strict=True) if each is None])


def _given() -> Lexed:
    try:
        import copydetect  # noqa: F401
    except ImportError as error:
        raise SimilarityError("--similar needs copydetect: pip install -e '.[similar]'") from error
    files = [file for topic in TOPICS for file in sorted((ROOT / "exercises" / topic).glob("*.py"))]
    return lexing.lexed([file.read_text(encoding="utf-8") for file in files])


def _passages(code: Lexed) -> Numbers:
    """Return a number for the passage that begins at each place, the same for the same ones within this process."""
    from copydetect.utils import hashed_kgrams

    return hashed_kgrams(code.signs, PASSAGE).astype(np.int64)


def _share(count: int, own: Numbers) -> float:
    return count / max(len(own), LEAST)


def _in_common(own: Sequence[Numbers]) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Count the passages that two have in common, for every two at once."""
    known, times = np.unique(np.concatenate([*own, np.zeros(0, np.int64)]), return_counts=True)
    shared = known[times > 1]
    counted = np.zeros((len(own), len(own)), np.float32)
    for begin in range(0, len(shared), AT_A_TIME):
        some = shared[begin : begin + AT_A_TIME]
        has = np.stack([np.isin(some, each, assume_unique=True) for each in own]).astype(np.float32)
        counted += has @ has.T
    return counted


def _lines(code: Lexed, passages: Numbers) -> int:
    """Count the lines of a code in which passages stand."""
    from copydetect.utils import get_copied_slices

    number = np.frombuffer(code.lines, np.int32)
    slices = get_copied_slices(np.flatnonzero(np.isin(_passages(code), passages)), PASSAGE).astype(int)
    return len({line for begin, end in slices.T for line in range(number[begin], number[end] + 1)})


def write(path: Path, found: Comparison) -> None:
    """Write pairs as a table, below a line that says what it is, and who is not in it."""
    rows = [
        [sheets.plain(p.first), sheets.plain(p.second), f"{p.share_first:g}", f"{p.share_second:g}", str(p.lines)]
        for p in found.pairs
    ]
    head = [HEAD, *filter(None, [sheets.plain(found.told)])]
    write_whole(path, sheets.encode([head, list(COLUMNS), *rows]))


def read(path: Path) -> list[Pair]:
    """Read the pairs that an earlier grading wrote; none where it wrote none, or somebody changed what they mean."""
    try:
        sheet = sheets.read(path, COLUMNS, skip=1)
        return [_pair(*(sheet.name(row, column) for column in COLUMNS)) for _, row in sheet.rows]
    except (SheetError, ValueError):
        return []


def _pair(first: str, second: str, share_first: str, share_second: str, lines: str) -> Pair:
    return Pair(first, second, float(share_first), float(share_second), int(lines))
