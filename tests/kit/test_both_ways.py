"""A property says the same of a function beside it and of the same function in another process, on the same inputs."""

import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
from torch import Tensor

from grading.bank import entries, find
from grading.catalogue import all_parts
from grading.engine.implementation import ROOT, Implementation, locate
from grading.engine.inputs import Inputs, draw
from grading.engine.lockstep import replay
from grading.engine.worker import reply
from grading.engine.workers import Starter, Worker
from tests.support.properties import Attempt, run_check

INPUTS = 2
PARTS = {part.name: part for part in all_parts()}
PROPERTIES = {value.full_name: value for part in PARTS.values() for value in part.properties}
CANDIDATES = [(part, entry.name) for part in PARTS for entry in entries(part)] + [(part, "") for part in PARTS]


@cache
def drawn(name: str, seed: int = 0, count: int = INPUTS) -> list[Inputs]:
    return draw(PROPERTIES[name], seed, count)


def told(attempts: list[Attempt]) -> list[tuple[str, str]]:
    return [(type(attempt.error).__name__, str(attempt.error)) for attempt in attempts]


@pytest.mark.parametrize(("part", "entry"), CANDIDATES, ids=lambda value: value or "reference")
def test_a_property_says_the_same_across_a_process(part: str, entry: str, starter: Starter) -> None:
    worker = Worker(starter, locate("solutions"), f"{part}.{entry}" if entry else "")
    beside = Implementation(locate("solutions"))
    if entry:
        beside.replace(part, find(part, entry).function)
    for value in PARTS[part].properties:
        inputs = drawn(value.full_name)
        if entry and (value.aspect in ("cost", "randomness") or value.name == "many_samples"):
            continue  # they take a second each; the reference shows that they cross a process
        here = [run_check(value, lambda call: reply(beside, call), each) for each in inputs]
        assert told(replay(value, inputs, worker, 60)) == told(here), value.full_name
    worker.close()


def plain(value: Any) -> Any:
    """The numbers in an input, as something to compare."""
    if isinstance(value, Tensor):
        return str(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def numbers(inputs: list[Inputs]) -> str:
    return repr([{name: plain(value) for name, value in each.items()} for each in inputs])


@pytest.mark.parametrize("name", PROPERTIES)
def test_inputs_depend_on_the_seed_and_on_nothing_else(name: str) -> None:
    assert numbers(drawn(name)) == numbers(draw(PROPERTIES[name], 0, INPUTS))
    if PROPERTIES[name].inputs and PROPERTIES[name].most != 1:
        assert numbers(drawn(name, 1, 5)) != numbers(drawn(name, 2, 5))


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_is_tried_on_its_edges_and_on_as_many_inputs_as_it_wants(name: str) -> None:
    value = PROPERTIES[name]
    inputs = drawn(name, 0, 5)
    assert inputs[: len(value.edges)] == list(value.edges)
    assert 1 <= len(inputs) <= len(value.edges) + 5
    assert len(drawn(name, 0, 1)) <= len(value.edges) + 1


def test_inputs_are_the_same_in_every_process() -> None:
    """Python's own hashes differ from process to process; what is drawn does not."""
    names = sorted(PROPERTIES)[::16]
    code = f"from tests.kit.test_both_ways import drawn, numbers\nfor name in {names}: print(numbers(drawn(name)))"
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == [numbers(drawn(name)) for name in names], done.stderr
