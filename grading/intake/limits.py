"""What a hand-in may hold at most, and how its names appear in a sentence."""

from collections.abc import Iterable

from grading.signs import shown

MEMBERS = 20_000  # files and directories
DEPTH = 32  # directories above a file
NAME = 1_024  # characters of a path
STUB = 1 << 20  # bytes of a stub file
STUBS = 100  # files with a stub's name that are looked at
NOTEBOOK = 20 << 20
NOTEBOOKS = 10
CELLS = 2_000  # of a notebook
RUN_FILE = 64 << 20
REPORT = 500_000  # bytes of report.md, and signs of the Markdown in a notebook
PICTURE = 1 << 20
PICTURES = 24
PATHS = 200  # of pictures that a report shows which are looked for
RUNS = 8
TAKEN = 512 << 20  # bytes read from all files together
UNPACKED = 1 << 30  # bytes of a compressed tar archive, of which no more than
RATIO = 100  # times its size is unpacked,
UNPACKED_FREELY = 64 << 20  # beside so many
LIST = 16 << 20  # bytes of the list of files in a zip archive
BEFORE_A_FILE = 16  # headers of tar that only add to the next one, of which no program writes more than four,
RECORDS = 50  # and what one of them says


class IntakeError(Exception):
    """Nothing of a hand-in can be graded; the text says what was found, what was expected and what to do."""


class Unreadable(Exception):
    """One file of a hand-in cannot be read; the text goes on after the file's name."""


class NoSpace(OSError):
    """The grader's own disk takes no more, which is no hand-in's fault."""


def size(number: int) -> str:
    """Return a number of bytes as a person says it.

    >>> size(3 << 20)
    '3 MB'
    """
    return f"{number >> 20} MB" if number >= 1 << 20 else f"{number} bytes"


def listed(names: Iterable[object], most: int = 4) -> str:
    """Return names as one says them, with only the number of those after the first few.

    >>> listed("abc", most=1)
    'a and 2 more'
    """
    all_names = list(names)
    first, more = [shown(name) for name in all_names[:most]], len(all_names) - most
    if more > 0:
        return f"{', '.join(first)} and {more} more"
    return " and ".join([*filter(None, [", ".join(first[:-1])]), *first[-1:]])
