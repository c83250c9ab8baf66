"""The cells of a notebook, of which no more is made than is asked for: outputs and all else beside them are skipped.

Megabytes of anybody's JSON pack into a few kilobytes, and take gigabytes as objects. So what stands in a cell is kept
as it stands in the file, and becomes text only for the cells that are of interest, within bounds.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from msgspec import Raw

from .limits import CELLS, size

ESCAPED = 6  # bytes of JSON for a sign, at most
KEYS = 1_000  # names in the attachments of a cell
MENDED = 100_000  # surrogates that are looked at
KEY = re.compile(rb'(?<!\\)"\s*:')
ABSENT = Raw(b"")
# A surrogate as an escape: a whole pair is the second group, and a half is no text.
SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u[dD](?:([89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|[89a-fA-F][0-9a-fA-F]{2})"
)


class Cell(msgspec.Struct, frozen=True, gc=False):
    """A cell as it stands in the file. input: the source of code, and level: of a heading, before version 4."""

    cell_type: str
    source: Raw = ABSENT
    input: Raw = ABSENT
    level: int = 1
    metadata: Raw = ABSENT
    attachments: Raw = ABSENT

    @property
    def kind(self) -> str:
        """What it is in version 4: "code", "markdown" or "raw", or whatever else it says that it is."""
        return "markdown" if self.cell_type in ("heading", "html") else self.cell_type

    @property
    def name(self) -> str:
        """The name by which nbgrader knows the cell, "" where it has none."""
        try:
            return msgspec.json.decode(self.metadata or b"{}", type=_Metadata).nbgrader.grade_id
        except (ValueError, RecursionError):
            return ""

    def text(self, most: int) -> str:
        """Return the source.

        Raises:
            ValueError: it has more than so many signs, or is no text.
        """
        found = bytes(self.source) or bytes(self.input)
        if len(found) > ESCAPED * most:
            raise ValueError(f"the source of a cell has more than {size(most)}")
        if not found:
            raise ValueError("a cell has no source")
        source = msgspec.json.decode(found, type=str | list[str])
        text = source if isinstance(source, str) else "".join(source)
        return f"{'#' * max(1, min(self.level, 6))} {text}" if self.cell_type == "heading" else text

    def pictures(self) -> Iterator[tuple[str, str, str]]:
        """Yield the attached pictures: the name, the kind, "image/png", and the content as base64 has it.

        One whose content is no text is left out: it was skipped when the notebook was read, and nobody looked at it.
        """
        found = bytes(self.attachments)
        if sum(1 for _ in islice(KEY.finditer(found), KEYS + 1)) > KEYS:
            return
        try:
            attached = msgspec.json.decode(found or b"{}", type=dict[str, dict[str, Raw]])
        except (ValueError, RecursionError):
            return
        for name, forms in attached.items():
            for kind, content in forms.items():
                if kind.startswith("image/") and (text := _text(content)) is not None:
                    yield name, kind, text


def _text(content: Raw) -> str | None:
    try:
        return msgspec.json.decode(content, type=str)
    except ValueError:
        return None


class _Mark(msgspec.Struct, frozen=True):
    grade_id: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    nbgrader: _Mark = _Mark()


class _Worksheet(msgspec.Struct, frozen=True, gc=False):
    cells: Raw


class _Notebook(msgspec.Struct, frozen=True):
    cells: list[Cell] | None = None
    worksheets: Raw = ABSENT  # of version 3, which had its cells in them


def cells_in(content: bytes, most: float = CELLS) -> list[Cell]:
    """Return the cells of a notebook of version 3 or 4.

    Raises:
        ValueError: it is none, or has more cells.
        RecursionError: it is too deep.
    """
    found = _decoded(content.removeprefix(codecs.BOM_UTF8))
    cells = _of_worksheets(found.worksheets) if found.cells is None else found.cells
    if len(cells) > most:
        raise ValueError(f"it has {len(cells):,} cells, at most {most:,.0f} are read")
    return cells


def _of_worksheets(worksheets: Raw) -> list[Cell]:
    sheets = msgspec.json.decode(worksheets or b"[]", type=list[_Worksheet])
    if not 1 <= len(sheets) <= CELLS:
        raise ValueError("it has no cells")
    return [cell for sheet in sheets for cell in msgspec.json.decode(sheet.cells, type=list[Cell])]


def _decoded(content: bytes) -> _Notebook:
    try:
        return msgspec.json.decode(content, type=_Notebook)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:  # perhaps of half a surrogate pair alone, which Python writes
        whole = SURROGATES.sub(lambda match: match[0] if match[2] else match[1] + b"?", content, MENDED)
        return msgspec.json.decode(whole, type=_Notebook)


def texts(cells: Iterable[Cell], most: int) -> list[str]:
    """Return the sources of cells.

    Raises:
        ValueError: together they have more than so many signs, or one is no text.
    """
    found, length = [], 0
    for cell in cells:
        found.append(cell.text(most))
        length += len(found[-1])
        if length > most:
            raise ValueError(f"the sources of its cells have more than {size(most)}")
    return found
