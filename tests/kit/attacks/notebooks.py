"""Notebooks whose cells do something as they are read, or that cannot be read."""

import json
from pathlib import Path

from . import World, handed_in
from .honest import LIKELIHOODS as GOOD


def notebook(path: Path, *cells: str) -> None:
    """Write a notebook with cells of code."""
    written: list[object] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": c} for c in cells
    ]
    path.write_text(json.dumps({"cells": written, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@handed_in("trace", "sum", ".ipynb")
def notebook_runs_a_shell(path: Path, world: World) -> None:
    """A notebook whose cells run programs."""
    trace = world.canaries / "notebook_runs_a_shell"
    notebook(path, f"!touch {trace}", f"%%bash\ntouch {trace}", f"get_ipython().system('touch {trace}')", GOOD)


@handed_in("trace", "sum", ".ipynb")
def notebook_writes_a_file(path: Path, world: World) -> None:
    """A notebook whose cell writes a file as it is read."""
    notebook(path, f"open({str(world.canaries / 'notebook_writes_a_file')!r}, 'w').close()", GOOD)


@handed_in("", "", ".ipynb")
def notebook_is_nested_deeply(path: Path, world: World) -> None:
    """A notebook that is a list in a list a hundred thousand times."""
    path.write_text("[" * 100_000 + "]" * 100_000)
