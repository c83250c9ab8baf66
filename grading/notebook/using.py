"""What a part's function uses of its notebook, as its code says: other parts, and files of the student's own."""

import dis
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from grading.catalogue import topic_parts
from grading.intake.limits import listed
from grading.own_files import GIVEN
from tests.support.properties import Part

from .living import Names

ALONE = "a notebook's functions import torch, the standard library and numpy alone"


def called(names: Names, part: Part) -> list[str]:
    """Return which other parts of its topic a part's function calls, under whatever name, also through others."""
    used, _ = _used(names, part)
    own = {id(names[name]) for name in used if name in names}
    others = {other.name: other.name.split(".")[1] for other in topic_parts(part.topic) if other.name != part.name}
    return [name for name, short in others.items() if short in used or (short in names and id(names[short]) in own)]


def not_handed_in(names: Names, part: Part) -> str:
    """Say which files beside the notebook a part's function uses, and what that costs; "" for none."""
    used, modules = _used(names, part)
    modules |= {_module_of(names[name]) for name in used if name in names}
    files = sorted({found for module in modules if (found := _file_here(module))})
    if not files:
        return ""
    are = "is" if len(files) == 1 else "are"
    return f"{listed(files)} {are} not handed in: {ALONE}. So {part.name} is wrong for the grader"


def _used(names: Names, part: Part) -> tuple[set[str], set[str]]:
    """Return the names that a part's function looks up in the notebook, and the modules that it imports itself."""
    found: set[str] = set()
    modules: set[str] = set()
    waiting = [part.name.split(".")[1]]
    while waiting:
        for kind, name in _looked_up(names, waiting.pop()):
            if kind == "IMPORT_NAME":
                modules.add(name)
            elif name not in found:
                found.add(name)
                waiting.append(name)
    return found, modules


def _looked_up(names: Names, name: str) -> Iterator[tuple[str, str]]:
    """Yield the globals and modules in the code of a function that a cell defines."""
    function = inspect.unwrap(names[name]) if callable(names.get(name)) else None
    if not inspect.isfunction(function) or function.__globals__ is not names:
        return
    codes = [function.__code__]
    for code in codes:  # which grows
        codes += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
        for each in dis.get_instructions(code):
            if each.opname in ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"):
                yield each.opname, str(each.argval)


def _module_of(value: Any) -> str:
    return value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))


def _file_here(module: str) -> str:
    """Return the name of a module's file in this directory, "" where it lies elsewhere, or is of the kit."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(file, str) or module.partition(".")[0] in GIVEN or "site-packages" in Path(file).parts:
        return ""
    path, here = Path(file).resolve(), Path.cwd().resolve()
    return str(path.relative_to(here)) if path.is_relative_to(here) else ""
