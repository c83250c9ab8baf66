"""Tables of TOML read into structs, and everything that is wrong with them told by the key that it stands under."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Any, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T")
BARE = re.compile(r"[A-Za-z0-9_-]+")
QUOTES = 'a name with other signs than A-Z, a-z, 0-9, - and _ needs quotes, as in "ben müller" = 3'
TEMPORAL = "a date and time with zone, without quotes, as 2026-12-01T23:59:00+01:00"


class ConversionError(Exception):
    """A text that is not what was expected; the message tells each fault, by its key."""


def read(text: str, kind: type[T]) -> T:
    """Read TOML into a struct.

    Raises:
        ConversionError: it is no TOML, or has wrong, unknown or missing keys.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConversionError(f"it cannot be read as TOML: {error}{_hint(text, str(error))}") from error
    try:
        return msgspec.convert(tables, kind)
    except msgspec.ValidationError as error:  # which tells the first fault, and of free keys not which one it is
        found = list(faults(tables, kind)) or [str(error)]
        several = [f"{len(found)} things are wrong:"] if len(found) > 1 else []
        raise ConversionError("\n  ".join([*several, *found])) from error


def _hint(text: str, reason: str) -> str:
    """Show the line that is no TOML, and tell what is often meant there."""
    found = re.search(r"\(at line (\d+)", reason)
    if found is None:
        return ""
    line = text.splitlines()[int(found[1]) - 1].strip()
    hint = QUOTES if "after a key" in reason else f"due is {TEMPORAL}" if re.match(r"due\b", line) else ""
    return f": {line}{hint and f' ({hint})'}"


def faults(value: Any, kind: Any, where: str = "") -> Iterator[str]:
    """Yield what keeps a value from being of a kind; a table's own faults only where its entries have none."""
    inner = list(_inner(value, kind, where))
    yield from inner
    if not inner:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield _told(value, kind, where, str(error))


def _inner(value: Any, kind: Any, where: str) -> Iterator[str]:
    """Yield the faults of a table's entries."""
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _of_struct(value, kind, where)
    elif isinstance(value, dict) and get_origin(kind) is dict:
        for key, entry in value.items():
            yield from faults(entry, get_args(kind)[1], _below(where, key))
    elif isinstance(value, list) and get_origin(kind) is list:
        for number, entry in enumerate(value):
            yield from faults(entry, get_args(kind)[0], f"{where}[{number}]")


def _of_struct(value: dict[str, Any], kind: type[msgspec.Struct], where: str) -> Iterator[str]:
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    prefix = f"{where}: " if where else ""
    for key, entry in value.items():
        if key in known:
            yield from faults(entry, known[key].type, _below(where, key))
        else:
            yield f"{prefix}unknown key {key!r}; expected are {', '.join(known)}"
    for name, field in known.items():
        if field.required and name not in value:
            yield f"{prefix}{name} is missing"


def _below(where: str, key: str) -> str:
    """Return the path of a key as TOML writes it."""
    name = key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    return f"{where}.{name}" if where else name


def _told(value: Any, kind: Any, where: str, message: str) -> str:
    """Tell one fault: where, what was found, what was expected."""
    reason, _, path = message.replace("`object", "`table").partition(" - at `$")
    if not reason.startswith(("Expected", "Invalid")):  # what a struct says of itself
        return f"{where}: {reason}" if where else reason
    if isinstance(value, dict):
        return f"{where} is a table with {', '.join(value) or 'nothing'}, {_lower(reason)}; {QUOTES}"
    expected = _described(kind)
    found = f" is {value.isoformat() if isinstance(value, date) else repr(value)}," if not path else ":"
    return f"{where}{path.rstrip('`')}{found} {f'expected {expected}' if expected else _lower(reason)}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _described(kind: Any) -> str:
    """Return what an annotated kind says of itself."""
    own = [each.description for each in getattr(kind, "__metadata__", ()) if isinstance(each, msgspec.Meta)]
    return next((text for text in [*own, *map(_described, get_args(kind))] if text), "")
