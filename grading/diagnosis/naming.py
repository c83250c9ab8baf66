"""Asking a wrong part the probes, and naming the mistake whose answers it gives."""

from itertools import chain

import msgspec
from torch import Tensor

from grading.engine.calls import Call
from grading.engine.workers import Exchange
from grading.judge import PartVerdict, Verdict
from tests.support.properties import Part

from . import Diagnosis, fingerprints
from .observing import readings
from .readings import without_cause


def diagnosed(part: Part, verdict: PartVerdict, exchange: Exchange, seconds: float = 1.0) -> PartVerdict:
    """Return the verdict with a diagnosis where the part is wrong and its mistake is known; a right one as it is.

    seconds: of waiting for answers to the probes. What prints meanwhile is left with the exchange.
    """
    if verdict.outcome != "wrong" or not _answers(verdict):
        return verdict
    found = name(part.name, exchange, seconds)
    verdicts = [beside_a_name(each) for each in verdict.verdicts] if found else verdict.verdicts
    return msgspec.structs.replace(verdict, verdicts=verdicts, diagnosis=found)


def beside_a_name(verdict: Verdict) -> Verdict:
    """Leave out what arithmetic supposes to be the cause: what was done is told already."""
    failure = verdict.failure
    if failure is None or not failure.remark:
        return verdict
    told = msgspec.structs.replace(failure, remark=without_cause(failure.remark))
    return msgspec.structs.replace(verdict, failure=told)


def _answers(verdict: PartVerdict) -> bool:
    """Tell whether every call was answered or raised: what hangs or cannot be imported is no mistake of the bank."""
    failures = [v.failure for v in verdict.verdicts if v.outcome == "wrong" and v.failure is not None]
    return all(failure.called for failure in failures)


def name(part: str, exchange: Exchange, seconds: float) -> Diagnosis | None:
    """Return the mistake whose answers to the probes are those of whoever answers; None where none is, or several.

    Where images come out as of no mistake, as where one axis of several is summed, what is done to vectors may have a
    name all the same.
    """
    known = fingerprints.load(part)
    if known is None:
        return None
    probes = known.probes()
    replies = exchange.post(probes, seconds)()
    each = [readings([probe], [reply]) for probe, reply in zip(probes, replies, strict=True)]
    seen = list(chain.from_iterable(each))
    if found := known.named(seen):
        return Diagnosis(found.names, found.sentence, found.reasoning)
    flat = [_is_flat(probe) for probe, some in zip(probes, each, strict=True) for _ in some]
    places = [place for place, is_flat in enumerate(flat) if is_flat]
    found = known.named(seen, places) if 0 < len(places) < len(seen) else None
    return Diagnosis(found.names, f"{found.sentence}{ON_TOP}", found.reasoning) if found else None


ON_TOP = "; and something else is done to images of several axes"


def _is_flat(probe: Call) -> bool:
    """Tell whether a probe has batches of vectors only, and no images."""
    return all(argument.dim() <= 2 for argument in probe.arguments if isinstance(argument, Tensor))
