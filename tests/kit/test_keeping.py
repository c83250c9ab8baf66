"""Inputs that were kept are those that were drawn, down to the kinds of their sequences."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from grading.catalogue import all_parts
from grading.drawing import draw_side_by_side, inputs_of, name_of
from grading.engine import keeping
from grading.engine.inputs import draw
from grading.engine.wire import WireError

PROPERTIES = [value for part in all_parts() for value in part.properties]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.nan_to_num(7.5), b.nan_to_num(7.5))
    if isinstance(a, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("value", PROPERTIES, ids=lambda value: value.full_name)
def test_kept_inputs_are_the_drawn_ones(value):
    drawn = draw(value, 3, 4)
    found = keeping.decode(value, keeping.encode(value, drawn))
    assert [list(each) for each in found] == [list(each) for each in drawn]
    assert all(same(each[name], other[name]) for each, other in zip(drawn, found, strict=True) for name in each)
    assert all(a is b for a, b in zip(found, value.edges, strict=False))


def test_several_processes_draw_what_one_draws():
    values = PROPERTIES[:3]
    found = keeping.decode_all(values, draw_side_by_side(values, 3, 4, 2))
    assert all(
        same(dict(a)[name], dict(b)[name])
        for value in values
        for a, b in zip(found[value.full_name], draw(value, 3, 4), strict=True)
        for name in a
    )


@pytest.mark.parametrize("content", [b"", b"\x81", b"\x80", draw_side_by_side(PROPERTIES[:1], 1, 2, 1)])
def test_what_are_no_inputs_of_these_properties_is_refused(content):
    with pytest.raises(WireError):
        keeping.decode_all(PROPERTIES[1:3], content)


def test_inputs_are_drawn_once_and_kept(tmp_path, monkeypatch):
    values, kept = PROPERTIES[:2], tmp_path / "out" / name_of(3, 4, "kit")
    drawn = inputs_of(values, 3, 4, 1, kept)
    monkeypatch.setattr("grading.drawing.draw", None)
    found = inputs_of(values, 3, 4, 1, kept)
    assert found.keys() == drawn.keys() == {value.full_name for value in values}
    assert [len(each) for each in found.values()] == [len(each) for each in drawn.values()]


def test_inputs_that_were_damaged_are_drawn_anew(tmp_path):
    kept = tmp_path / "inputs.bin"
    kept.write_bytes(b"no")
    assert inputs_of(PROPERTIES[:1], 3, 4, 1, kept)
    assert kept.read_bytes() != b"no"
