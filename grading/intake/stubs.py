"""The contents of the stub files of a hand-in: from files with their names, and else from notebooks."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from grading.engine.implementation import TOPICS
from grading.release import is_stub

from . import limits
from .choosing import choose, is_candidate, stub_files
from .encodings import as_utf8
from .limits import Unreadable, listed, shown
from .members import Listing
from .notebooks import Notebook, read_notebook


def from_files(listing: Listing) -> dict[str, bytes]:
    """Return the contents of the stub files that stand in a hand-in as such, and note what was odd."""
    found = _read(listing, filter(is_candidate, listing.members), limits.STUBS, limits.STUB)
    files, notes = choose(found)
    listing.notes += notes + _not_taken(listing, files)
    texts = {}
    for stub, path in sorted(files.items()):
        texts[stub], encoding = as_utf8(found[path])
        if encoding != "utf-8":
            listing.notes.append(f"{shown(path)} is not UTF-8; it was read as {encoding}.")
        if path in listing.repeated:
            listing.notes.append(f"{shown(path)} is several times in the archive; the last one was taken.")
    return texts


def from_notebooks(listing: Listing, texts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the contents of the stub files that notebooks give and no file gives, and note what was odd."""
    notebooks = _notebooks(listing)
    taken: dict[str, tuple[Notebook, bytes]] = {}
    given = []
    for stub in stub_files():
        best = max(notebooks, key=lambda each: len(each.parts_of(stub)), default=None)
        if best is None or not best.parts_of(stub):
            continue
        if stub in texts and not _is_untouched(texts[stub]):
            given.append(stub)
        else:
            taken[stub] = best, best.file(stub).encode(errors="replace")
    if given:
        listing.notes.append(f"{listed(given)} stand in a notebook and as files; the files were taken.")
    for notebook in notebooks:
        stubs = [stub for stub, (best, _) in taken.items() if best is notebook]
        if stubs:
            listing.notes.append(f"{listed(stubs)} made from the functions in {shown(notebook.path)}.")
        listing.notes += notebook.notes(stubs)
    return {stub: content for stub, (_, content) in taken.items()}


def missing(files: Collection[str]) -> list[str]:
    """Tell which stub files were not handed in."""
    notes = []
    for topic in TOPICS:
        lacking = [stub for stub in stub_files() if stub.startswith(f"{topic}/") and stub not in files]
        if len(lacking) == sum(stub.startswith(f"{topic}/") for stub in stub_files()):
            lacking = [f"all of {topic}/"]
        notes += [f"{each} is missing: its parts are judged as missing." for each in lacking]
    return notes


def _read(listing: Listing, paths: Iterable[PurePosixPath], most: int, largest: int) -> dict[PurePosixPath, bytes]:
    """Read the least deep of files, and note which cannot be read."""
    ordered = sorted(paths, key=lambda path: (len(path.parts), str(path)))
    chosen = set(ordered[:most])
    if ordered[most:]:
        listing.notes.append(f"{listed(ordered[most:])} not looked at: there are {len(ordered)} files of such names.")
    found = {}
    for path in [path for path in listing.members if path in chosen]:  # in the order of the archive
        try:
            found[path] = listing.read(path, largest)
        except Unreadable as error:
            listing.notes.append(f"{shown(path)} {error}: not read.")
    return found


def _not_taken(listing: Listing, files: Mapping[str, PurePosixPath]) -> list[str]:
    folders = {path.parent for path in files.values()}
    others = [
        path
        for path in sorted(listing.members)
        if path.suffix == ".py" and path.parent in folders and path.name != "__init__.py" and not is_candidate(path)
    ]
    if not others:
        return []
    return [f"{listed(others)} not taken: a stub file imports torch, the standard library and other stub files alone."]


def _notebooks(listing: Listing) -> list[Notebook]:
    paths = [path for path in listing.members if path.suffix.lower() == ".ipynb"]
    notebooks = []
    for path, content in _read(listing, paths, limits.NOTEBOOKS, limits.NOTEBOOK).items():
        try:
            notebooks.append(read_notebook(path, content))
        except Unreadable as error:
            listing.notes.append(f"{shown(path)} {error}.")
    return sorted(notebooks, key=lambda each: (len(each.path.parts), str(each.path)))


def _is_untouched(text: bytes) -> bool:
    """Tell whether a stub file is as it was handed out, so that a notebook with its functions was meant."""
    try:
        return is_stub(text.decode())
    except (ValueError, RecursionError, MemoryError):  # it is anybody's
        return False
