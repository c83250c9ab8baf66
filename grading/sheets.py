"""Tables as spreadsheets write and read them: any of their encodings and separators in, no formula out."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

# A formula begins with one of these signs where a text does, and behind any that some spreadsheet tells cells apart
# by, whichever they were written with. Spaces before it are left away, and so are quotes that are half of a pair.
BEFORE, FORMULA = r"((?:^|[;|,\t])[ \"']*)", r"(?=[=+\-@＝＋－＠])"
BEGINS, MARKED = re.compile(BEFORE + FORMULA), re.compile(f"{BEFORE}'{FORMULA}")
SEPARATORS = ",;\t"
LARGEST = 64 << 20  # bytes
CELL = 500  # signs


class SheetError(Exception):
    """A table that cannot be read; the text says where and what was expected."""


class Sheet(msgspec.Struct, frozen=True):
    """A table as somebody saved it.

    head: the names of the columns. rows: their cells, each row with its number in the file. separator: between cells.
    """

    head: list[str]
    rows: list[tuple[int, list[str]]]
    separator: str = ","

    def cell(self, row: Sequence[str], column: str) -> str:
        """Return a cell without the spaces around it, "" where a row or the table has none."""
        place = self.head.index(column) if column in self.head else len(row)
        return row[place].strip() if place < len(row) else ""

    def name(self, row: Sequence[str], column: str) -> str:
        """Return a cell that is a name, without the marks that keep it from being a formula; see `plain`."""
        return unicodedata.normalize("NFC", MARKED.sub(r"\1", self.cell(row, column)))


def read(path: Path, needed: Iterable[str], skip: int = 0) -> Sheet:
    """Read a table, of any separator and encoding that a spreadsheet writes. skip: lines above its head.

    Raises:
        SheetError: it cannot be read, or a column is missing.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise SheetError(f"{path} has {len(content) >> 20} MB, expected a table of at most {LARGEST >> 20}")
    text = "".join(decoded(content).splitlines(keepends=True)[skip:])
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SheetError(f"{path}, line {reader.line_num}: {error}") from error
    head = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    if missing := [name for name in needed if name not in head]:
        found = f"its first line is {text.partition(chr(10))[0][:80]!r}" if rows else "it is empty"
        raise SheetError(f"{path}: {found}, expected the columns {', '.join(needed)}: {missing[0]} is missing")
    return Sheet(head, rows[1:], separator)


def decoded(content: bytes) -> str:
    """Return the text of a table; a spreadsheet that is not asked for Unicode writes the letters of its country."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def encode(rows: Iterable[Sequence[str]], separator: str = ",") -> bytes:
    """Write rows as CSV, with the mark without which Excel takes it for Latin."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode("utf-8-sig", errors="replace")


def plain(text: str) -> str:
    """Write a text in one line that no spreadsheet takes for a formula, nor a part of it where it tells cells apart."""
    line = "".join(c if c.isprintable() else " " for c in text)[:CELL]
    return BEGINS.sub(r"\1'", line)
