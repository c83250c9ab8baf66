"""Settings of an experiment: a frozen dataclass of defaults, changed by --set FIELD=VALUE."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from .runs import RunError

Settings = TypeVar("Settings")


class SettingError(RunError):
    """A setting has no such name or cannot take such a value; the message names both and what was expected."""


def with_settings(defaults: Settings, assignments: Sequence[str]) -> Settings:
    """Change fields of a frozen dataclass by strings FIELD=VALUE.

    Args:
        defaults: a dataclass instance whose fields are of type int, float, str or bool.
        assignments: for example ["epochs=3", "learning_rate=1e-3"]; of two for one field the last one holds.

    Raises:
        SettingError: a string has no '=', a field is unknown, or a value is not of its type or out of range.
    """
    types = {f.name: type(getattr(defaults, f.name)) for f in fields(defaults)}  # type: ignore[arg-type]
    changes = {}
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            example = next(f"{f.name}={getattr(defaults, f.name)}" for f in fields(defaults))  # type: ignore[arg-type]
            raise SettingError(f"found --set {assignment!r}, expected FIELD=VALUE, for example {example}")
        if name not in types:
            near = difflib.get_close_matches(name, types, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise SettingError(f"unknown setting {name!r}{hint} There are: {', '.join(types)}")
        changes[name] = _parse(name, text, types[name])
    return replace(defaults, **changes)  # type: ignore[type-var]


def check_positive(settings: object, *names: str) -> None:
    """Check that numbers are above zero and finite; an integer is then at least 1.

    Raises:
        SettingError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if not 0 < value < math.inf:
            expected = "an integer of at least 1" if isinstance(value, int) else "a finite number above 0"
            raise SettingError(f"{name} is {value}, expected {expected}")


def check_one_of(settings: object, name: str, known: Sequence[str]) -> None:
    """Check that a setting is one of the words that are known.

    Raises:
        SettingError: it is none; the nearest is suggested.
    """
    value = getattr(settings, name)
    if value not in known:
        near = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"{name} is {value!r}, expected one of {', '.join(known)}{hint}")


def _parse(name: str, text: str, kind: type) -> Any:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    try:
        return words[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError) as error:
        expected = {int: "an integer", float: "a number", bool: "true or false"}[kind]
        raise SettingError(f"{name} is {text!r}, expected {expected}") from error
