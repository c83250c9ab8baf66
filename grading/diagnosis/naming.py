"""Asking a wrong part the probes, and naming the mistake whose answers it gives."""

from grading.engine.workers import Exchange
from grading.judge import PartVerdict
from tests.support.properties import Part


def diagnosed(part: Part, verdict: PartVerdict, exchange: Exchange, seconds: float = 1.0) -> PartVerdict:
    """Return the verdict with a diagnosis where the part is wrong and its mistake is known; a right one as it is."""
    return verdict
