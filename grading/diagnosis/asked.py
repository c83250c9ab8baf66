"""Which other parts a property asks, as its check is written: whatever was asked this time, and before."""

import types
from collections.abc import Iterator

from tests.support.properties import PARTS, Part, Property


def asks_others(part: Part) -> bool:
    """Tell whether a property of a part compares with what other functions of the same student answer."""
    others = {one.name.split(".")[1] for one in PARTS.values() if one.topic == part.topic and one.name != part.name}
    return any(others & names_in(value) for value in part.properties)


def names_in(value: Property) -> set[str]:
    """Return all names that a check and its helpers use, those of the functions it asks among them."""
    names: set[str] = set()
    seen: set[types.FunctionType] = set()
    waiting: list[object] = [value.check]
    while waiting:
        function = waiting.pop()
        if isinstance(function, types.FunctionType) and function not in seen and _is_near(function, value):
            seen.add(function)
            used = set(_used(function.__code__))
            names |= used
            waiting += [function.__globals__.get(name) for name in used]
    return names


def _is_near(function: types.FunctionType, value: Property) -> bool:
    """Tell a check and its helpers from what a library has."""
    return function.__module__.split(".")[0] == value.check.__module__.split(".")[0]


def _used(code: types.CodeType) -> Iterator[str]:
    """Yield the names of globals and attributes in a function, and in those that it defines."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _used(constant)
