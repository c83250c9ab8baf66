"""Inputs as bytes, so that those that were drawn once can be kept, or drawn in another process."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tests.support.properties import Property

from . import wire
from .inputs import Inputs

_entries = msgspec.msgpack.Decoder(list[wire.Value])
_lists = msgspec.msgpack.Decoder(dict[str, bytes])


class _Writer(wire.Writer):
    """Also writes what never travels to a worker: lists as such, and the dataclasses of properties."""

    def value(self, value: Any, depth: int = 0) -> wire.Value:
        if type(value) is list:
            return wire.GivenEntry("list", [self.value(item, depth + 1) for item in value])
        if dataclasses.is_dataclass(value) and type(value).__name__ not in self.known:
            fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
            name = f"{type(value).__module__}:{type(value).__qualname__}"
            return wire.GivenEntry(name, [self.value(field, depth + 1) for field in fields])
        return super().value(value, depth)


class _Reader(wire.Reader):
    def given(self, entry: wire.GivenEntry, depth: int) -> Any:
        if entry.name == "list":
            return [self.value(item, depth + 1) for item in entry.fields]
        module, _, name = entry.name.partition(":")
        kind: Any = getattr(sys.modules.get(module), name, None) if name and module.startswith("tests.") else None
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            return kind(*(self.value(field, depth + 1) for field in entry.fields))
        return super().given(entry, depth)


def encode(value: Property, inputs: Sequence[Inputs]) -> bytes:
    """Write the inputs of a property that were drawn; its edges stand in its definition."""
    writer = _Writer(wire.GIVEN)
    return writer.message([writer.value(tuple(each.values())) for each in inputs[len(value.edges) :]])


def decode(value: Property, message: bytes) -> list[Inputs]:
    """Read the inputs of a property.

    Raises:
        WireError: they are of another property, or of none.
    """
    header, body = wire.split(message)
    reader = _Reader(body, wire.GIVEN, own=True)
    rows = [reader.value(entry) for entry in _entries.decode(header)]
    names = list(value.inputs)
    return [*value.edges, *(dict(zip(names, row, strict=True)) for row in rows)]


def decode_all(values: Sequence[Property], content: bytes) -> dict[str, list[Inputs]]:
    """Read the inputs of properties, by name.

    Raises:
        WireError: they are not all there, or damaged.
    """
    try:
        found = _lists.decode(content)
        return {value.full_name: decode(value, found[value.full_name]) for value in values}
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise wire.WireError(f"these are no inputs of the properties: {error!r}") from error


def encode_all(inputs: Mapping[str, bytes]) -> bytes:
    """Write the inputs of properties, each as `encode` writes them, by name."""
    return msgspec.msgpack.encode(inputs)
