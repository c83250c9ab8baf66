"""All parts with their properties, gathered from the property files of each topic."""

import importlib
from functools import cache

from grading.engine.implementation import ROOT, TOPICS
from tests.support.properties import PARTS, Part


@cache
def topic_parts(topic: str) -> tuple[Part, ...]:
    """Return the parts of a topic in the order in which its property files define them."""
    for file in sorted((ROOT / "tests" / topic).glob("test_*.py")):
        importlib.import_module(f"tests.{topic}.{file.stem}")
    return tuple(part for part in PARTS.values() if part.name.startswith(f"{topic}."))


def all_parts() -> tuple[Part, ...]:
    """Return the parts of all topics."""
    return tuple(part for topic in TOPICS for part in topic_parts(topic))
