"""Asking a wrong part the probes, and naming the mistake whose answers it gives."""

import msgspec

from grading.engine.workers import Exchange
from grading.judge import PartVerdict
from tests.support.properties import Part

from . import Diagnosis, fingerprints
from .observing import readings


def diagnosed(part: Part, verdict: PartVerdict, exchange: Exchange, seconds: float = 1.0) -> PartVerdict:
    """Return the verdict with a diagnosis where the part is wrong and its mistake is known; a right one as it is.

    seconds: of waiting for answers to the probes. What prints meanwhile is left with the exchange.
    """
    if verdict.outcome != "wrong" or not _answers(verdict):
        return verdict
    return msgspec.structs.replace(verdict, diagnosis=name(part.name, exchange, seconds))


def _answers(verdict: PartVerdict) -> bool:
    """Tell whether every call was answered or raised: what hangs or cannot be imported is no mistake of the bank."""
    failures = [v.failure for v in verdict.verdicts if v.outcome == "wrong" and v.failure is not None]
    return all(failure.called for failure in failures)


def name(part: str, exchange: Exchange, seconds: float) -> Diagnosis | None:
    """Return the mistake whose answers to the probes are those of whoever answers; None where none is, or several."""
    known = fingerprints.load(part)
    if known is None:
        return None
    probes = known.probes()
    return known.named(readings(probes, exchange.post(probes, seconds)()))
