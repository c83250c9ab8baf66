"""The report in a notebook: cells that are named for a question, or else all of its Markdown."""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice

from grading import signs

from . import limits
from .limits import Unreadable
from .notebook_cells import Cell, cells_in, texts

QUESTION = re.compile(r"question_(\d{1,2}(?:_\d{1,2})?)")
ATTACHED = "attachment:"


def read_report_notebook(content: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the text of a report that was written as a notebook, and its attachments by the paths that show them.

    Raises:
        Unreadable: it is no notebook.
    """
    try:
        cells = [cell for cell in cells_in(content) if cell.kind == "markdown"]
        named = [cell for cell in cells if _question(cell)]
        chosen = named or cells
        numbered = list(enumerate(zip(chosen, texts(chosen, limits.REPORT), strict=True), 1))
        text = "\n\n".join(_below_its_heading(number, cell, source) for number, (cell, source) in numbered)
        return text, {path: found for number, (cell, _) in numbered for path, found in _attachments(number, cell)}
    except Exception as error:  # the content is anybody's, and so is what its reader raises
        reason = signs.told(error)
        raise Unreadable(f"is no notebook with a report ({reason}); save it with Jupyter again") from error


def _question(cell: Cell) -> str:
    """Return the question that a cell is named for, "3.2"."""
    found = QUESTION.fullmatch(cell.name)
    return found[1].replace("_", ".") if found else ""


def _below_its_heading(number: int, cell: Cell, source: str) -> str:
    """Return what stands in a cell, below a heading if it is named for a question.

    Jupyter calls every picture that is pasted image.png, so that the cell's number has to be in the path.
    """
    name = _question(cell)
    text = source.replace(f"]({ATTACHED}", f"]({ATTACHED}{number}/")
    return f"## {name}\n\n{text}" if name else text


def _attachments(number: int, cell: Cell) -> Iterator[tuple[str, bytes]]:
    for name, _, content in islice(cell.pictures(), limits.PICTURES):
        if len(content) < 2 * limits.PICTURE:
            try:
                picture = base64.b64decode(content)
            except (binascii.Error, ValueError):
                continue
            if len(picture) <= limits.PICTURE:
                yield f"{ATTACHED}{number}/{name}", picture
