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

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from exercises.experiments.runs import write_whole
from grading import sheets
from grading.engine.implementation import ROOT, TOPICS
from grading.intake import IntakeError, Source, take
from grading.sheets import SheetError

if TYPE_CHECKING:
    from copydetect import CodeFingerprint

PASSAGE = 25  # signs
LEAST = 500  # passages that a share is at least of: two who have only begun are alike by nature
LONGEST = 20_000  # signs of a file that are read: padding in one hides no other
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


def similar(sources: Sequence[Source], most: int = 50) -> list[Pair]:
    """Return the pairs with the most in common, the most alike first; what cannot be read is like nothing.

    Raises:
        SimilarityError: copydetect is not installed.
    """
    given = _fingerprint("given", _given()).hashes
    read = [(source.name, _fingerprint(source.name, code)) for source in sources if (code := code_of(source))]
    own = [found.hashes - given for _, found in read]
    counted = _in_common(own)
    pairs = [
        (max(_share(n, own[i]), _share(n, own[j])), n, i, j)
        for i, j in zip(*np.triu_indices(len(read), 1), strict=True)
        if (n := int(counted[i, j]))
    ]
    best = sorted(pairs, key=lambda pair: (-pair[0], -pair[1], pair[2], pair[3]))[:most]
    return [
        Pair(
            read[i][0],
            read[j][0],
            round(_share(n, own[i]), 3),
            round(_share(n, own[j]), 3),
            _lines(read[i][1], own[i] & own[j]),
        )
        for _, n, i, j in best
    ]


def code_of(source: Source) -> str:
    """Return the stub files of a submission, one after another, as the grader takes them; "" where there are none."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        try:
            taken = take(source.path, Path(name))
        except (IntakeError, OSError):
            return ""
        files = [Path(name) / "implementation" / file for file in taken.files]
        return "\n".join(file.read_text(encoding="utf-8", errors="replace")[:LONGEST] for file in files)


def _given() -> str:
    files = [file for topic in TOPICS for file in sorted((ROOT / "exercises" / topic).glob("*.py"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _fingerprint(name: str, code: str) -> "CodeFingerprint":
    try:
        from copydetect import CodeFingerprint
    except ImportError as error:
        raise SimilarityError("--similar needs copydetect: pip install -e '.[similar]'") from error
    return CodeFingerprint(name, PASSAGE, 1, language="python", fp=io.StringIO(code))


def _share(count: int, own: set[int]) -> float:
    return count / max(len(own), LEAST)


def _in_common(own: Sequence[set[int]]) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Count the passages that two have in common, for every two at once."""
    known, times = np.unique(np.concatenate([_array(each) for each in [*own, set()]]), return_counts=True)
    shared = known[times > 1]
    counted = np.zeros((len(own), len(own)), np.float32)
    for begin in range(0, len(shared), AT_A_TIME):
        some = shared[begin : begin + AT_A_TIME]
        has = np.stack([np.isin(some, _array(each)) for each in own]).astype(np.float32)
        counted += has @ has.T
    return counted


def _array(hashes: set[int]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.fromiter(hashes, np.int64, len(hashes))


def _lines(found: "CodeFingerprint", passages: set[int]) -> int:
    """Count the lines of a code in which passages stand."""
    from copydetect.utils import get_copied_slices

    begins = np.array([place for passage in passages for place in found.hash_idx[passage]])
    slices = get_copied_slices(begins, PASSAGE)
    removed = found.offsets[:, 1][np.clip(np.searchsorted(found.offsets[:, 0], slices), 0, len(found.offsets) - 1)]
    lines: set[int] = set()
    for begin, end in (slices + removed).astype(int).T:
        first = found.raw_code.count("\n", 0, begin)
        lines |= set(range(first, first + 1 + found.raw_code.count("\n", begin, end)))
    return len(lines)


def write(path: Path, pairs: Sequence[Pair]) -> None:
    """Write pairs as a table, below a line that says what it is."""
    rows = [
        [sheets.plain(p.first), sheets.plain(p.second), f"{p.share_first:g}", f"{p.share_second:g}", str(p.lines)]
        for p in pairs
    ]
    write_whole(path, sheets.encode([[HEAD], list(COLUMNS), *rows]))


def read(path: Path) -> list[Pair]:
    """Read the pairs that an earlier grading wrote; none where it wrote none, or somebody changed what they mean."""
    try:
        sheet = sheets.read(path, COLUMNS, skip=1)
        return [_pair(*(sheet.name(row, column) for column in COLUMNS)) for _, row in sheet.rows]
    except (SheetError, ValueError):
        return []


def _pair(first: str, second: str, share_first: str, share_second: str, lines: str) -> Pair:
    return Pair(first, second, float(share_first), float(share_second), int(lines))
