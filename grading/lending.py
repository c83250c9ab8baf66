"""Right helpers for a part that rests on others: the reference's answers to what comes before it, and no more."""

import json
from collections.abc import Sequence
from pathlib import Path

from grading.engine.implementation import LENT, ROOT
from grading.release import stub
from tests.support.properties import Part

SOLUTIONS = ROOT / "solutions"


class Lender:
    """Writes, for each part once, a directory with the reference's answers to the parts before it in its topic.

    They go to a process of their own, whose answers for those parts are not judged. The part's own answer, and those
    that may rest on it, are stubs there: nothing that is judged lies beside the code that is judged.
    """

    def __init__(self, parts: Sequence[Part], work: Path) -> None:
        """Write nothing yet. parts: all there are, in the order in which they build on each other."""
        self._parts, self._work = parts, work

    def lent(self, part: Part) -> dict[str, str]:
        """Return the parts that come before one in its topic, and their files."""
        names = [other.name for other in self._parts]
        before = self._parts[: names.index(part.name)]
        return {other.name: other.file for other in before if other.topic == part.topic}

    def directory(self, part: Part) -> Path:
        """Return the directory of a part's helpers, written when it is first asked for."""
        directory = self._work / f"helpers-{part.name}"
        if not directory.exists():
            lent = self.lent(part)
            place = directory / part.topic
            place.mkdir(parents=True)
            _write(directory / LENT, json.dumps(lent))
            for file in sorted((SOLUTIONS / part.topic).glob("*.py")):
                _write(place / file.name, stub(file.read_text(encoding="utf-8"), part.topic, file.name, lent))
            for folder in (directory, place):
                folder.chmod(0o755)
        return directory


def _write(path: Path, text: str) -> None:
    """Write a file that any user may read: a worker's is another one."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
