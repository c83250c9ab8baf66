"""The report in a notebook: cells that are named for a question, or else all of its Markdown."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import limits
from .limits import Unreadable, shown, size

QUESTION = re.compile(r"question_(\d{1,2}(?:_\d{1,2})?)")
ATTACHED = "attachment:"


def read_report_notebook(content: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the text of a report that was written as a notebook, and its attachments by the paths that show them.

    Raises:
        Unreadable: it is no notebook.
    """
    from nbformat import converter, reader  # seconds, which a class without notebooks need not wait

    try:
        notebook = converter.convert(reader.reads(content.decode("utf-8-sig")), 4)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
        named = [cell for cell in cells if _question(cell)]
        chosen = list(enumerate(named or cells, 1))
        texts = [_text(number, cell) for number, cell in chosen]
        if sum(map(len, texts)) > limits.REPORT:
            raise ValueError(f"its Markdown has more than {size(limits.REPORT)}")
        attached = {path: found for number, cell in chosen for path, found in _attachments(number, cell)}
    except Exception as error:  # the content is anybody's, and so is what its reader raises
        reason = shown(f"{type(error).__name__}: {error}")
        raise Unreadable(f"is no notebook with a report ({reason}); save it with Jupyter again") from error
    return "\n\n".join(texts), attached


def _question(cell: Mapping[str, Any]) -> str:
    """Return the question that a cell is named for, "3.2"."""
    given = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "")
    found = QUESTION.fullmatch(given) if isinstance(given, str) else None
    return found[1].replace("_", ".") if found else ""


def _text(number: int, cell: Mapping[str, Any]) -> str:
    """Return what stands in a cell, below a heading if it is named for a question.

    Jupyter calls every picture that is pasted image.png, so that the cell's number has to be in the path.
    """
    source = cell["source"]
    if not isinstance(source, str):
        raise ValueError("the source of a cell is no text")
    name = _question(cell)
    text = source.replace(f"]({ATTACHED}", f"]({ATTACHED}{number}/")
    return f"## {name}\n\n{text}" if name else text


def _attachments(number: int, cell: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    for name, forms in list(cell.get("attachments", {}).items())[: limits.PICTURES]:
        for kind, content in forms.items():
            if kind.startswith("image/") and isinstance(content, str) and len(content) < 2 * limits.PICTURE:
                try:
                    picture = base64.b64decode(content)
                except (binascii.Error, ValueError):
                    continue
                if len(picture) <= limits.PICTURE:
                    yield f"{ATTACHED}{number}/{name}", picture
