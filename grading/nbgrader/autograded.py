"""The notebook that formgrader shows: the submitted cells, in which all that nbgrader knows comes from its gradebook.

nbgrader's own preprocessors believe the metadata of a submitted notebook and stop at what does not fit. Here a cell is
its source and, where the gradebook knows its name, what that says of it; so nothing that was handed in can stop it.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import unescape
from typing import Any
from urllib.parse import quote

import msgspec
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from grading import signs
from grading.intake.limits import CELLS, Unreadable, listed
from grading.intake.notebook_cells import Cell, cells_in
from grading.nbgrader.points import Judged

SOURCE = 1 << 20  # characters of a cell
PICTURES = ("image/png", "image/jpeg", "image/gif")  # what Markdown may show, and no program can stand in
NAME = "grade_id"
SAFE = ":/?#@!$&()*+,;=%"  # signs that the path of a picture keeps in nbconvert
ATTACHED = re.compile(  # ![words](attachment:name "title"), or else the beginning of what may be one in another form
    r"!\[[^\[\]\n]{0,500}\]\([ \t]{0,9}"
    r"(?:<attachment:([^<>\n\\&]{1,300})>|attachment:((?:[^\s()<>\\&]|\([^\s()<>\\&]{0,100}\)){1,300}))"
    r"(?:[ \t][^()\n]{0,500})?\)|attachment:"
)


class Known(msgspec.Struct, frozen=True):
    """What the gradebook says of a cell: how it was released, and its points, None where it has none."""

    name: str
    kind: str
    source: str
    locked: bool
    solution: bool
    task: bool = False
    points: float | None = None
    checksum: str = ""

    @property
    def manual(self) -> bool:
        """Whether a person gives the points."""
        return self.points is not None and self.solution and not self.task


class Submitted(msgspec.Struct, frozen=True):
    """A cell that was handed in, of which nothing is believed."""

    kind: str
    source: str
    name: str = ""
    attachments: dict[str, dict[str, str]] = {}


def cells_of(content: bytes) -> list[Submitted]:
    """Read the cells of a notebook of version 3 or 4, and of those that are too many the first.

    Raises:
        Unreadable: it is none.
    """
    try:
        return [_cell(cell) for cell in cells_in(content, most=math.inf)[:CELLS]]
    except Exception as error:  # the content is anybody's, and so is what its reader raises
        raise Unreadable(f"is no notebook ({signs.told(error)})") from error


def _cell(cell: Cell) -> Submitted:
    plain = cell.text(SOURCE).encode(errors="replace").decode()[:SOURCE]
    attachments: dict[str, dict[str, str]] = {}
    for name, kind, content in cell.pictures():
        forms = attachments.setdefault(name, {})
        forms |= {kind: content} if kind in PICTURES and _is_base64(content) else {}
    shown_ones = {name: forms for name, forms in attachments.items() if forms}
    quoted = {quote(name, safe=SAFE): forms for name, forms in shown_ones.items()}  # nbconvert looks for these
    return Submitted(cell.kind, plain, cell.name, quoted | shown_ones)


def _is_base64(text: str) -> bool:
    """Tell whether the content of a picture can end no quotation mark around it."""
    return re.fullmatch(r"[A-Za-z0-9+/=\s]*", text) is not None


def notebook(
    cells: Sequence[Submitted],
    known: Mapping[str, Known],
    judged: Mapping[str, Judged],
    words: Mapping[str, str],
    notes: Iterable[str],
) -> NotebookNode:
    """Return the notebook for formgrader; what is lacking stands at its end.

    Args:
        cells: that were handed in; of several with one name the last one counts, as for nbgrader.
        known: all cells of the notebook that the gradebook knows, by name.
        judged: points and text for those that the kit judges.
        words: what stands in cells that are lacking or as released, by name, if it came in another form.
        notes: sentences for the person who reads it, on what was odd.
    """
    last = {cell.name: number for number, cell in enumerate(cells) if cell.name in known}
    taken = [_with_words(each, known, words) if last.get(each.name) == n else each for n, each in enumerate(cells)]
    nodes = [_node(each, known[each.name] if last.get(each.name) == n else None) for n, each in enumerate(taken)]
    lacking = {name: each for name, each in known.items() if name not in last}
    nodes += [_node(Submitted(each.kind, words.get(name, each.source)), each) for name, each in lacking.items()]
    for node in nodes:
        if node.cell_type == "code" and (told := judged.get(name_of(node))):
            node.outputs = _outputs(told)
    head = ["**Noted when this was graded**", "", *map("    {}".format, notes)]
    whole = new_notebook(cells=[*([new_markdown_cell("\n".join(head))] if head[2:] else []), *nodes])
    for number, node in enumerate(whole.cells):
        node["id"] = f"cell-{number}"
    return whole


def _with_words(cell: Submitted, known: Mapping[str, Known], words: Mapping[str, str]) -> Submitted:
    """Return a cell with the words that came in another form, where it is as it was released."""
    if cell.name not in words or cell.source.strip() != known[cell.name].source.strip():
        return cell
    return Submitted(cell.kind, words[cell.name], cell.name)


def odd_in(cells: Iterable[Submitted], known: Mapping[str, Known]) -> list[str]:
    """Say which cells are there several times, or not at all."""
    count = Counter(cell.name for cell in cells)
    several = [name for name in known if count[name] > 1]
    missing = [name for name in known if not count[name]]
    return [
        *([f"Cells that are there several times, of which the last counts: {listed(several)}."] if several else []),
        *([f"Cells that are missing, and stand at the end: {listed(missing)}."] if missing else []),
    ]


def name_of(node: Mapping[str, Any]) -> str:
    """Return the name by which the gradebook knows a cell, "" where it knows it not."""
    return str(node["metadata"].get("nbgrader", {}).get(NAME, ""))


def sources_in(content: bytes) -> dict[str, str]:
    """Return the sources of the cells with a name in a notebook that this module wrote, or nbgrader."""
    try:
        return {cell.name: cell.source for cell in cells_of(content) if cell.name}
    except Unreadable:
        return {}


def _node(cell: Submitted, known: Known | None) -> NotebookNode:
    kind = known.kind if known else cell.kind
    source = known.source if known and known.locked else cell.source
    metadata = {"nbgrader": _mark(known)} if known else {}
    if kind == "code":
        return new_code_cell(source, metadata=metadata)
    if kind != "markdown":
        return new_raw_cell(source, metadata=metadata)
    attached = {"attachments": cell.attachments} if cell.attachments else {}
    return new_markdown_cell(_without_dead_links(source, cell.attachments), metadata=metadata, **attached)


def _without_dead_links(text: str, attachments: Collection[str]) -> str:
    """Return a text in which no link to an attachment leads nowhere: nbconvert stops at one, and shows nothing at all.

    >>> _without_dead_links("![a](attachment:b.png) ![c](attachment:d.png)", ["b.png"])
    '![a](attachment:b.png) [picture not shown: d.png]'
    """

    def mended(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name and quote(name, safe=SAFE) in attachments:
            return match[0]
        return f"[picture not shown: {name}]" if name else "attachment :"

    found = ATTACHED.sub(mended, text)
    plain = unescape(unescape(found.replace("\\", "")).replace("\\", ""))
    if plain.count("attachment:") == found.count("attachment:"):
        return found
    return "\n".join(f"    {line}" for line in found.splitlines())  # one is in disguise: all is shown as it stands


def _mark(known: Known) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell."""
    mark: dict[str, Any] = {"schema_version": 3, NAME: known.name, "cell_type": known.kind, "task": known.task}
    mark |= {"grade": known.points is not None and not known.task, "solution": known.solution, "locked": known.locked}
    mark |= {"points": known.points} if known.points is not None else {}
    return mark | ({"checksum": known.checksum} if known.checksum else {})


def _outputs(told: Judged) -> list[NotebookNode]:
    """Return what the cell would have shown: the text, and the points as the value that nbgrader reads."""
    value = {"text/plain": repr(float(told.points))}
    return [
        new_output("stream", name="stdout", text=told.text),
        new_output("execute_result", data=value, execution_count=None),
    ]
