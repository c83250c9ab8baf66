"""What a run tells in a table, as text: for a terminal as for a page."""

from collections.abc import Sequence
from typing import NamedTuple


class Table(NamedTuple):
    """A title, the columns' names, the rows, and a note below them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
