"""Taking a hand-in: from anything that somebody uploads to a directory that can be graded."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import msgspec

from grading import signs
from grading.notes import bounded

from . import limits
from .experiments import choose_runs, is_of_run
from .limits import IntakeError, Unreadable, listed, shown
from .manifests import student_in, student_of_report
from .members import Listing
from .opening import lone_archive, opened, told
from .reports import REPORT, report_files
from .stubs import from_files, from_notebooks, missing


class Taken(msgspec.Struct, frozen=True):
    """What was taken of a hand-in.

    files: the stub files, "vae/bounds.py". runs: their names, "runs/vae-1". notes: sentences on what was odd, and how
    it was read. hash: SHA-256 of all names and contents that were taken, whatever the form in which they came. report:
    the text of report.md, "" where there is none. figures: the pictures that it shows, "figures/curve.png". student:
    the number in the manifest, "" where there is none.
    """

    files: tuple[str, ...]
    runs: tuple[str, ...]
    notes: tuple[str, ...]
    hash: str
    report: str = ""
    figures: tuple[str, ...] = ()
    student: str = ""


def take(source: Path, into: Path) -> Taken:
    """Write the stub files of a hand-in to implementation/, its runs to runs/, and its report into a directory.

    Args:
        source: a directory, an archive, a notebook or a stub file, of which nothing is believed.
        into: the directory, which is there and empty.

    Raises:
        IntakeError: nothing in it can be graded.
    """
    with _found_in(source) as listing:
        with told(shown(source.name)):
            texts = from_files(listing)
            texts |= from_notebooks(listing, texts)
            _expect_some(texts, listing)
        listing.notes += missing(texts)
        digests = _write_all(into, ((f"implementation/{stub}", text) for stub, text in texts.items()))
        report = _report_files(listing)
        of_report = _write_all(into, report.items())
        runs, of_runs = _take_runs(listing, into)
        words = report.pop(REPORT, b"").decode()
        student = student_in(listing) or student_of_report(words)
        return Taken(
            tuple(sorted(texts)),
            runs,
            tuple(bounded(listing.notes)),
            _hash(digests | of_runs | of_report),
            words,
            tuple(sorted(report)),
            student,
        )


def read_report(source: Path) -> dict[str, bytes]:
    """Return report.md of a hand-in and the pictures that it shows; nothing where there is none that can be read."""
    try:
        with _found_in(source) as listing:
            return _report_files(listing)
    except IntakeError:
        return {}


@contextmanager
def _found_in(source: Path) -> Iterator[Listing]:
    """List what stands in a hand-in, or in the one archive in its directory."""
    with told(shown(source.name)):
        inner = lone_archive(source)
    with opened(inner) as listing:
        if inner != source:
            listing.notes.append(f"Taken was the archive in the directory, {shown(inner.name)}.")
        yield listing


def _report_files(listing: Listing) -> dict[str, bytes]:
    """Return what is taken of the report; one that is too much costs the words alone."""
    try:
        return report_files(listing)
    except IntakeError as error:
        reason = str(error)
    except Exception as error:  # the content is anybody's, and so is what its readers raise
        reason = f"it is damaged ({signs.told(error)})"
    listing.notes.append(f"The report was not taken: {reason}")
    return {}


def _expect_some(texts: dict[str, bytes], listing: Listing) -> None:
    if not texts:
        found = listed(listing.members) or "nothing"
        reasons = "".join(f" {note}" for note in listing.notes[:5])
        raise IntakeError(
            f"no stub file is in it; found was {found}, expected vae/likelihoods.py or another stub file. "
            f"Hand in the directories vae, gan and flows as one zip archive.{reasons}"
        )


def _take_runs(listing: Listing, into: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Write the runs; all or none, so that what is taken does not hang on the order in an archive."""
    runs, notes = choose_runs(listing.members)
    listing.notes += notes
    try:
        digests = _write_all(into, _files_of(runs, listing))
    except IntakeError as error:
        shutil.rmtree(into / "runs", ignore_errors=True)
        listing.notes.append(f"No run was taken: {error}")
        return (), {}
    kept = [f"runs/{name}" for name in runs if f"runs/{name}/config.json" in digests]
    return tuple(sorted(kept)), digests


def _files_of(runs: dict[str, PurePosixPath], listing: Listing) -> Iterator[tuple[str, bytes]]:
    names = {path: name for name, path in runs.items()}
    for path in list(listing.members):
        run = next((parent for parent in path.parents if parent in names), None)
        if run is not None and is_of_run(path.relative_to(run)):
            try:
                yield f"runs/{names[run]}/{path.relative_to(run)}", listing.read(path, limits.RUN_FILE)
            except Unreadable as error:
                listing.notes.append(f"{shown(path)} {error}: not taken.")


def _write_all(into: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Write files that any user may read, and return their digests."""
    digests = {}
    for name, content in files:
        path = into / name
        for folder in reversed(path.relative_to(into).parents[:-1]):
            (into / folder).mkdir(exist_ok=True)
            (into / folder).chmod(0o755)
        path.write_bytes(content)
        path.chmod(0o644)
        digests[name] = hashlib.sha256(content).hexdigest()
    return digests


def _hash(digests: dict[str, str]) -> str:
    return hashlib.sha256("".join(f"{name} {digests[name]}\n" for name in sorted(digests)).encode()).hexdigest()
