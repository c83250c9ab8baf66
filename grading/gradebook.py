"""The directory that a grading leaves: a record and feedback for each submission, and the class as a table and a page.

records/NAME.json   the graded result, as `grading/record.schema.json` describes it
feedback/NAME.md    what the student is given; NAME.html shows the same with its figures
written/NAME/       what the student wrote, report.md and its pictures, for the person who reads it
manual.csv          the points that a person gives for it
class.csv           a row for each submission
index.html          the class on a page, for instructors alone
inputs-*.bin        the inputs that every property was tried on, so that none are drawn a second time; a secret
grading.json        what all records share; a grading that was stopped goes on only under the same circumstances
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from exercises.experiments.runs import write_whole
from grading import manual, records, rubric, table, written
from grading.feedback import feedback
from grading.intake import Source, fingerprint
from grading.intake.returning import Graded
from grading.manual import Given
from grading.pages import class_page, feedback_page, layout
from grading.policies import settle, shared
from grading.records import Circumstances, Record
from grading.rubric import Rubric
from grading.signs import shown
from grading.similarity import Pair

GRADING = "grading.json"
FOLDERS = ("records", "feedback", "written")
COMPARED = ("grading_seed", "inputs", "parts", "rubric", "kit")
REGRADED = ("rubric", "kit")  # what may differ where parts are judged again


class GradebookError(Exception):
    """A directory that cannot be graded into; the text says what was found, what was expected and what to do."""


class Gradebook:
    """What was graded so far, on disk; each record is settled as it is kept, and written whole or not at all."""

    def __init__(
        self,
        out: Path,
        circumstances: Circumstances,
        resume: bool,
        asked: Rubric | None = None,
        regrade: bool = False,
    ) -> None:
        """Look at the directory; it is made with the first record.

        Args:
            out: the directory.
            circumstances: of what will be graded.
            resume: whether to go on with the grading that is there.
            asked: the rubric as it was asked for, see `policies.asked_for`; the whole one if it is left out.
            regrade: whether parts will be judged again, by another rubric or kit perhaps.

        Raises:
            GradebookError: it holds a grading and nobody asked to go on with it, or one of other circumstances.
            ManualError: the points in manual.csv cannot be counted.
        """
        self.out, self.circumstances = out, circumstances
        self.rubric = asked or rubric.load()
        if out.exists() and not out.is_dir():
            raise GradebookError(f"--out {out}: expected a directory, or nothing yet")
        before = circumstances_in(out)
        if before is not None:
            if not resume:
                raise GradebookError(
                    f"--out {out}: there is a grading already, and none is overwritten. Go on with it by --resume, or "
                    "give another directory."
                )
            _expect_same(out, before, circumstances, REGRADED if regrade else ())
        self._expect_manual()
        self.given: Mapping[str, Mapping[str, Given]] = manual.read(self.manual, self.rubric)
        self.told: Mapping[str, str] = {}  # whose submissions are, where somebody else than the hand-in says so
        self.shared: set[str] = set()  # numbers that are nobody's, known once all are graded
        self.lost: list[str] = []  # who had points of a person before all was settled, and has them no more

    def _expect_manual(self) -> None:
        """Refuse to count points away that a person gave, because their table was moved or deleted."""
        if self.manual.exists():
            return
        given = [path.stem for path in sorted((self.out / "records").glob("*.json")) if _has_given(path)]
        if given:
            raise GradebookError(
                f"{self.manual} is not there, but {len(given)} records have points that a person gave, "
                f"{shown(', '.join(given))}. Put it back; to begin anew, make it with its first line alone: "
                f"{','.join(manual.COLUMNS)}"
            )

    def add_given(self, given: Mapping[str, Mapping[str, Given]]) -> None:
        """Also count what a person gave elsewhere; where manual.csv has points for the same, those stay."""
        self.given = manual.merged(given, self.given)

    @property
    def manual(self) -> Path:
        """The table in which a person gives points."""
        return self.out / manual.FILE

    def has(self, source: Source) -> bool:
        """Tell whether a submission was graded already, and is still the same."""
        record = self.record(source.name)
        return record is not None and not record.grader_failed and record.handed_in == fingerprint(source)

    def record(self, name: str) -> Record | None:
        """Return the record of a submission; None where there is none that can be read."""
        try:
            return records.read(self._record(name))
        except (OSError, ValueError):
            return None

    def keep(self, record: Record, report: Mapping[str, bytes] | None = None) -> Record:
        """Settle a record and write it with the student's feedback; last, as it is what tells that all is there.

        report: its files by their paths, in place of those kept before; None where these stay.

        Raises:
            GradebookError: they cannot be written.
        """
        settled = self._settled(record)
        self._keep(settled, report)
        return settled

    def _settled(self, record: Record) -> Record:
        return settle(record, self.rubric, self.given.get(record.submission, {}), self.shared)

    def _keep(self, record: Record, report: Mapping[str, bytes] | None = None) -> None:
        try:
            self._write(record, report)
        except OSError as error:
            raise GradebookError(f"--out {self.out}: cannot be written: {error.strerror}") from error

    def _write(self, record: Record, report: Mapping[str, bytes] | None) -> None:
        if not (self.out / GRADING).exists():
            for folder in FOLDERS:
                (self.out / folder).mkdir(parents=True, exist_ok=True)
            self._write_circumstances()
        words, name = self.out / "written" / record.submission, record.submission
        if report is not None:
            written.keep(report, words)
        page = feedback_page.render(record, written.kept_figures(words))
        _write(self.out / "feedback" / f"{name}.md", feedback(record).encode(errors="replace"))
        _write(self.out / "feedback" / f"{name}.html", page.encode(errors="replace"))
        _write(self._record(name), records.encode(record))

    def settle_all(self, times: Mapping[str, str], students: Mapping[str, str] | None = None) -> list[Record]:
        """Settle every record anew: manual points, times and policy may be other ones. What comes out the same stays.

        Its feedback too, which takes longest; where that is gone it is made again.

        Args:
            times: when submissions were handed in, of those that are newly known.
            students: whose they are, where a platform says so; that goes before what the hand-in itself says.
        """
        self.told = students or {}
        known = ((record, self.told.get(record.submission, record.student)) for record in self.records())
        everybody = [msgspec.structs.replace(record, student=student) for record, student in known]
        self.shared = shared({record.submission: record.student for record in everybody})
        return [self._settled_anew(record, times) for record in everybody]

    def _settled_anew(self, record: Record, times: Mapping[str, str]) -> Record:
        at = times.get(record.submission) or record.handed_in_at
        settled = self._settled(msgspec.structs.replace(record, handed_in_at=at))
        if _given_in(record) - _given_in(settled):
            self.lost.append(record.submission)
        if not self._is_kept(settled):
            self._keep(settled)
        return settled

    def _is_kept(self, record: Record) -> bool:
        """Tell whether a record is kept as it is, with its feedback.

        Newer feedback may be of a record that was not kept; what is older than the pages' code has another look.
        """
        path, name = self._record(record.submission), record.submission
        pages = [self.out / "feedback" / f"{name}.{ending}" for ending in ("md", "html")]
        if not all(page.is_file() and layout.changed_at() <= _time(page) <= _time(path) for page in pages):
            return False
        return path.read_bytes() == records.encode(record)

    def renew(self) -> None:
        """Note the circumstances of this grading, once what it judged again was kept."""
        self._write_circumstances()

    def _write_circumstances(self) -> None:
        write_whole(self.out / GRADING, msgspec.json.format(msgspec.json.encode(self.circumstances)) + b"\n")

    def records(self) -> Iterator[Record]:
        """Read the records one after another, in the order of their names.

        Raises:
            GradebookError: one cannot be read.
        """
        for path in sorted((self.out / "records").glob("*.json"), key=lambda path: path.stem):
            try:
                yield records.read(path)
            except (OSError, ValueError) as error:
                told = f"{path} is not what a grading writes: {error}. Remove it, and grade what it was of by --resume."
                raise GradebookError(told) from error

    def write_table(self, everybody: Iterable[Record]) -> Path:
        """Write the class as CSV: points, and those of every part, of the runs and of what was written."""
        write_whole(path := self.out / "class.csv", table.encode(everybody))
        return path

    def write_page(self, everybody: Sequence[Record], pairs: Sequence[Pair] = ()) -> Path:
        """Write the class as a page. pairs: submissions whose code is alike."""
        return class_page.write(self.out, everybody, pairs)

    def add_manual_rows(self, everybody: Iterable[Record]) -> bool:
        """Add a row to manual.csv for every question that waits for a person, and tell whether there were some."""
        names = [record.submission for record in everybody]
        return bool(self.rubric.questions) and manual.add_missing(self.manual, names, self.rubric)

    def _record(self, name: str) -> Path:
        return self.out / "records" / f"{name}.json"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole; one that has this content already keeps its time."""
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)


def _expect_same(out: Path, before: Circumstances, now: Circumstances, may: Sequence[str]) -> None:
    differ = [name for name in COMPARED if name not in may and getattr(before, name) != getattr(now, name)]
    if "parts" in differ:  # of other topics the kit's digest is another one, though the kit is the same
        differ = [name for name in differ if name != "kit"]
    if differ:
        values = {name: (getattr(before, name), getattr(now, name)) for name in differ}
        told = ", ".join(f"{n} ({a}, now {b})" if isinstance(a, int) else n for n, (a, b) in values.items())
        again = "" if set(differ) - set(REGRADED) else ", or judge again what changed by --regrade"
        raise GradebookError(
            f"--resume: {out} was graded with other {told}; one class is graded in one way. Use the same options and "
            f"the same kit, or give another directory{again}."
        )


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


def graded_in(out: Path) -> dict[str, Graded]:
    """Return the submissions that a directory has records of, by name; a record that cannot be read names nobody."""
    found = {}
    for path in sorted((out / "records").glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            found[path.stem] = msgspec.json.decode(path.read_bytes(), type=Graded)
    return found


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns


def _given_in(record: Record) -> set[str]:
    return {question.question for question in record.questions if question.points is not None}


def _has_given(path: Path) -> bool:
    """Tell whether a record has points that a person gave; one that cannot be read is graded again, and has none."""
    try:
        return bool(_given_in(records.read(path)))
    except (OSError, ValueError):
        return False
