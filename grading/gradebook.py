"""The directory that a grading leaves: a record and a file of feedback for each submission, and the class as a table.

records/NAME.json   the graded result, as `grading/record.schema.json` describes it
feedback/NAME.md    what the student is given
class.csv           a row for each submission
inputs-*.bin        the inputs that every property was tried on, so that none are drawn a second time; a secret
grading.json        what all records share; a grading that was stopped goes on only under the same circumstances
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from exercises.experiments.runs import write_whole
from grading import records
from grading.feedback import feedback
from grading.intake import Source, fingerprint
from grading.records import Circumstances, Record

GRADING = "grading.json"
COMPARED = ("grading_seed", "inputs", "parts", "rubric", "kit")


class GradebookError(Exception):
    """A directory that cannot be graded into; the text says what was found, what was expected and what to do."""


class Gradebook:
    """What was graded so far, on disk; each record is written whole or not at all."""

    def __init__(self, out: Path, circumstances: Circumstances, resume: bool) -> None:
        """Look at the directory; it is made with the first record.

        Raises:
            GradebookError: it holds a grading and nobody asked to go on with it, or one of other circumstances.
        """
        self.out, self._circumstances = out, circumstances
        if out.exists() and not out.is_dir():
            raise GradebookError(f"--out {out}: expected a directory, or nothing yet")
        before = circumstances_in(out)
        if before is not None:
            if not resume:
                raise GradebookError(
                    f"--out {out}: there is a grading already, and none is overwritten. Go on with it by --resume, or "
                    "give another directory."
                )
            self._expect_same(before, circumstances)

    def _expect_same(self, before: Circumstances, circumstances: Circumstances) -> None:
        differ = [name for name in COMPARED if getattr(before, name) != getattr(circumstances, name)]
        if differ:
            raise GradebookError(
                f"--resume: {self.out} was graded with other {_told(differ, before, circumstances)}; one class is "
                "graded in one way. Use the same options and the same kit, or give another directory."
            )

    def has(self, source: Source) -> bool:
        """Tell whether a submission was graded already, and is still the same."""
        try:
            record = records.read(self._record(source.name))
            return not record.grader_failed and record.handed_in == fingerprint(source)
        except (OSError, ValueError):
            return False

    def keep(self, record: Record) -> None:
        """Write a record and the student's feedback; the record last, as it is what tells that all is there.

        Raises:
            GradebookError: they cannot be written.
        """
        try:
            self._keep(record)
        except OSError as error:
            raise GradebookError(f"--out {self.out}: cannot be written: {error.strerror}") from error

    def _keep(self, record: Record) -> None:
        if not (self.out / GRADING).exists():
            for name in ("records", "feedback"):
                (self.out / name).mkdir(parents=True, exist_ok=True)
            write_whole(self.out / GRADING, msgspec.json.format(msgspec.json.encode(self._circumstances)) + b"\n")
        write_whole(self.out / "feedback" / f"{record.submission}.md", feedback(record).encode(errors="replace"))
        write_whole(self._record(record.submission), records.encode(record))

    def records(self) -> Iterator[Record]:
        """Read the records one after another, in the order of their names."""
        for path in sorted((self.out / "records").glob("*.json"), key=lambda path: path.stem):
            yield records.read(path)

    def write_table(self) -> Path:
        """Write the class as CSV: points, and those of every part and of the runs."""
        path, text = self.out / "class.csv", io.StringIO()
        rows = csv.writer(text)
        for number, record in enumerate(self.records()):
            if number == 0:
                rows.writerow(_head(record.circumstances))
            rows.writerow(_row(record))
        write_whole(path, text.getvalue().encode("utf-8-sig", errors="replace"))  # or Excel takes it for Latin
        return path

    def _record(self, name: str) -> Path:
        return self.out / "records" / f"{name}.json"


def _told(names: Sequence[str], before: Circumstances, now: Circumstances) -> str:
    """Say what differs, with both values where they are short."""
    values = {name: (getattr(before, name), getattr(now, name)) for name in names}
    return ", ".join(f"{n} ({a}, now {b})" if isinstance(a, int) else n for n, (a, b) in values.items())


def circumstances_in(out: Path) -> Circumstances | None:
    """Return under which circumstances a directory was graded into; None where it was not.

    Raises:
        GradebookError: the file that tells is none that a grading writes.
    """
    try:
        return msgspec.json.decode((out / GRADING).read_bytes(), type=Circumstances)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise GradebookError(f"{out / GRADING} is not what a grading writes: {error}") from error


def _head(circumstances: Circumstances) -> list[str]:
    return [
        "submission",
        "file",
        "outcome",
        "points",
        "possible",
        *circumstances.parts,
        "runs",
        "reason",
        "notes",
        "look_at",
        "hash",
    ]


def _row(record: Record) -> list[str]:
    points = {part.part: f"{part.points:g}" for part in record.parts}
    runs = records.points_of_runs(record.runs)
    return [
        record.submission,
        _plain(record.file),
        record.outcome,
        f"{record.points:g}",
        f"{record.possible:g}",
        *(points.get(part, "") for part in record.circumstances.parts),
        f"{runs:g}",
        *(_plain(text) for text in (record.reason, "; ".join(record.notes), "; ".join(record.look_at))),
        record.hash[:16],
    ]


def _plain(text: str) -> str:
    """Write a text in one line that no spreadsheet takes for a formula."""
    line = "".join(c if c.isprintable() else " " for c in text)[:500]
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
