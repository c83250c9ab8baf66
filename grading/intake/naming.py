"""A name for each submission that a file can have, that a person can read, and that is nobody else's."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

import msgspec

from .opening import ALONE, ARCHIVES

LONGEST, BYTES = 80, 200  # a disk counts bytes
MARKS = 6  # on one letter: no script needs more, and so many do not reach another line
COLLECTED, ASSIGNMENT = "submitted", "deep-generative-models"  # nbgrader's: submitted/STUDENT/ASSIGNMENT
UNSEEN = re.compile(  # letters and marks that show nothing, so that two names with and without one look alike
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\U00013441\U00013442\U00016fe4\U000e0100-\U000e01ef]"
)


class Source(msgspec.Struct, frozen=True):
    """A submission: where it is, and a name that is unique in the class and safe as that of a file."""

    name: str
    path: Path

    @property
    def file(self) -> str:
        """The name of the file or directory, as a record has it."""
        return file_name(self.path)


def file_name(path: Path) -> str:
    r"""Return the name of a file or directory as text, in which a byte that is not UTF-8 is written out.

    So is the backslash of a name that has such a text in it, lest two names become one.

    >>> file_name(Path("class/ev\udcff.zip")), file_name(Path(r"class/ev\xff.zip"))
    ('ev\\xff.zip', 'ev\\x5cxff.zip')
    """
    return re.sub(rb"\\(?=x[0-9a-f]{2})", rb"\\x5c", os.fsencode(path.name)).decode(errors="backslashreplace")


def stem(path: Path) -> str:
    """Return the name that a submission has by where it is, as long as no other one has it."""
    name = file_name(path)
    if name == ASSIGNMENT and path.parent.parent.name == COLLECTED:
        return readable(file_name(path.parent))
    return readable(name if path.is_dir() else without_ending(name))


def without_ending(name: str) -> str:
    """Return the name of a file without what tells its form."""
    endings = sorted((*ARCHIVES, *ALONE), key=len, reverse=True)
    return next((name[: -len(end)] for end in endings if name.lower().endswith(end)), name)


def readable(name: str) -> str:
    r"""Return a name in letters and numbers of any script, with a hyphen in place of all else.

    >>> readable("Zoë (final)"), readable("a\u3164b")
    ('Zoë-final', 'a-b')
    """
    plain = UNSEEN.sub("-", unicodedata.normalize("NFC", name))
    name = re.sub("-+", "-", "".join(_signs(plain))).strip("-.")[:LONGEST]
    return name.encode()[:BYTES].decode(errors="ignore") or "submission"


def _signs(text: str) -> Iterator[str]:
    marks = MARKS  # as there is no letter yet that one could stand on
    for sign in text:
        is_mark = unicodedata.category(sign)[0] == "M"
        marks = marks + 1 if is_mark else 0 if sign.isalnum() else MARKS
        yield sign if sign.isalnum() or sign in "._-" or (is_mark and marks <= MARKS) else "-"


def unique(names: Iterable[str], taken: Iterable[str] = ()) -> Iterator[str]:
    """Number names that are taken, and all of several equal ones: whose the bare name would be is not known.

    Equal are those that are so on a disk that knows no capitals. No number makes the name that another has by itself.
    """
    names, used = list(names), {name.lower() for name in taken}
    often = Counter(name.lower() for name in names)
    numbers = {name: count(2 if name in used else 1) for name in often}
    alone = {name for name, number in often.items() if number == 1} - used
    used |= alone
    for name in names:
        found = name
        if name.lower() not in alone:
            tried = (with_number(name, str(number)) for number in numbers[name.lower()])
            found = next(each for each in tried if each.lower() not in used)
        used.add(found.lower())
        yield found


def with_number(name: str, number: str) -> str:
    """Return a name with a number, no longer than names may be."""
    return f"{name[: LONGEST - len(number) - 1]}-{number}"
