"""Stub files from a notebook: its functions, with what they need, and without what it ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grading import signs

from .cells import Broken, Statement, needed, statements_in
from .choosing import functions_in, stub_files
from .limits import STUB, Unreadable, listed, shown
from .notebook_cells import cells_in, texts


@dataclass(frozen=True)
class Notebook:
    """What can be taken from a notebook."""

    path: PurePosixPath
    statements: Sequence[Statement]
    broken: Sequence[Broken]

    def parts_of(self, stub: str) -> list[str]:
        """Return the functions of a stub file that stand in the notebook, whole or broken."""
        return [name for name in functions_in(stub) if self._cells_of(name) or self._broken(name)]

    def file(self, stub: str) -> str:
        """Return the text of a stub file.

        A function whose cell is no Python raises its SyntaxError when it is called, so that it spoils no other.
        """
        names = self.parts_of(stub)
        taken = sorted(needed(self.statements, names), key=lambda each: not each.text.startswith("from __future__"))
        broken = [_raising(name, found) for name in names if (found := self._broken(name))]
        return "\n\n".join([*(statement.text for statement in taken), *broken]) + "\n"

    def notes(self, stubs: Sequence[str]) -> list[str]:
        """Tell what was odd about the cells that stub files come from."""
        names = [name for stub in stubs for name in self.parts_of(stub)]
        where = shown(self.path)
        cells = {name: self._cells_of(name) for name in names}
        return [
            *(f"{name} stands in code cells {listed(cells[name])} of {where}; the last one counts."
              for name in names if len(cells[name]) > 1),
            *(f"{name} in {where} is no Python: {found.reason}." for name in names if (found := self._broken(name))),
            *(f"{where}, {cell.reason}: skipped." for cell in self.broken[:3] if not any(map(cell.holds, names))),
        ]  # fmt: skip

    def _cells_of(self, name: str) -> list[int]:
        return sorted({statement.cell for statement in self.statements if name in statement.defines})

    def _broken(self, name: str) -> Broken | None:
        """Return the last cell in which a function was to be defined, if none defines it."""
        if self._cells_of(name):
            return None
        return next((cell for cell in reversed(self.broken) if cell.holds(name)), None)


def _raising(name: str, cell: Broken) -> str:
    return f"def {name}(*arguments, **named):\n    raise SyntaxError({cell.reason!r})"


def read_notebook(path: PurePosixPath, content: bytes) -> Notebook:
    """Read a notebook of version 3 or 4.

    Raises:
        Unreadable: it is none.
    """
    try:
        sources = texts((cell for cell in cells_in(content) if cell.kind == "code"), STUB)
    except Exception as error:  # the content is anybody's, and so is what its reader raises
        reason = signs.told(error)
        raise Unreadable(f"is no notebook ({reason}); save it with Jupyter again") from error
    parts = {name for stub in stub_files() for name in functions_in(stub)}
    return Notebook(path, *statements_in(sources, parts))
