"""Proving the properties against the bank: which property rejects which mistake, and whether each earns its place."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial

import msgspec

from grading.bank import Entry, entries, of
from grading.catalogue import topic_parts
from grading.diagnosis import Diagnosis
from grading.diagnosis.fingerprints import Fingerprints
from grading.diagnosis.naming import diagnosed, name
from grading.diagnosis.searching import search
from grading.engine.implementation import locate
from grading.engine.workers import Starter, Worker
from grading.judge import PROFILES, Judge, PartVerdict
from tests.support.properties import Part


@dataclass(frozen=True)
class Row:
    """One entry of the bank, the properties that rejected it, and what it was named."""

    entry: Entry
    rejected_by: frozenset[str]
    unanswered: bool = False  # a call ended without an answer: then a busy machine may have rejected it
    named: Diagnosis | None = None


class PartAudit(msgspec.Struct, frozen=True):
    """What the bank says of one part's properties.

    rows: for each entry its kind, sentence, and the properties that rejected it.
    needed: for each property the mistakes that no other property rejects.
    stays: for each property why it is kept where there are none.
    named: for each entry the mistakes that its answers to the probes are taken for.
    problems: what has to change before the properties are proved.
    """

    part: str
    properties: list[str]
    rows: dict[str, tuple[str, str, list[str]]]
    needed: dict[str, list[str]]
    stays: dict[str, str]
    named: dict[str, list[str]]
    problems: list[str]


def audit_all(names: Sequence[str], seed: int) -> Iterator[PartAudit]:
    """Audit parts, on all cores, in the order in which they are named."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1), context) as pool:
        yield from pool.map(partial(_audit_named, seed=seed), names)


def search_all(names: Sequence[str], seed: int) -> Iterator[tuple[str, Fingerprints]]:
    """Choose the probes of parts anew, on all cores, and note what every mistake that is named answers to them."""
    names = [name for name in names if of(name).named]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(names) or 1, os.cpu_count() or 1), context) as pool:
        yield from zip(names, pool.map(partial(_search_named, seed=seed), names), strict=True)


def _search_named(name: str, seed: int) -> Fingerprints:
    return search(_part(name), seed, _starter())


def _part(name: str) -> Part:
    (part,) = (part for part in topic_parts(name.split(".")[0]) if part.name == name)
    return part


def _audit_named(name: str, seed: int) -> PartAudit:
    return audit_part(_part(name), Judge(replace(PROFILES["student"], shrink_seconds=0), seed), _starter())


@cache
def _starter() -> Starter:
    """Start what forks the workers, once in each process."""
    return Starter.spawning_once()


def audit_part(part: Part, judge: Judge, starter: Starter) -> PartAudit:
    """Judge every entry of the bank for a part, each standing in for the reference's function."""
    rows = list(_rows(part, judge, starter))
    needed = {
        value.name: [r.entry.name for r in rows if _is_single(r.entry) and r.rejected_by == {value.name}]
        for value in part.properties
    }
    return PartAudit(
        part.name,
        [value.name for value in part.properties],
        {r.entry.name: (r.entry.kind, r.entry.sentence, sorted(r.rejected_by)) for r in rows},
        needed,
        {value.name: value.stays for value in part.properties},
        {r.entry.name: r.named.mistakes if r.named else [] for r in rows},
        [
            *_wrong_verdicts(rows),
            *_counts(part, rows),
            *_idle(part, needed),
            *_wrong_names(rows, of(part.name).named),
            *_named_reference(part, starter),
        ],
    )


def _rows(part: Part, judge: Judge, starter: Starter) -> Iterator[Row]:
    for entry in entries(part.name):
        worker = Worker(starter, locate("solutions"), entry.full_name)
        verdict = PartVerdict(part.name, list(judge.part(part, worker)))
        # A student's path names what is wrong only; here a right answer is asked the probes too.
        named = diagnosed(part, verdict, worker, SECONDS).diagnosis if verdict.outcome == "wrong" else None
        named = named if verdict.outcome == "wrong" else name(part.name, worker, SECONDS)
        worker.close()
        unanswered = any(v.outcome == "wrong" and v.failure and not v.failure.called for v in verdict.verdicts)
        rejected_by = frozenset(v.property for v in verdict.verdicts if v.outcome != "right")
        yield Row(entry, rejected_by, unanswered, named)


def _is_single(entry: Entry) -> bool:
    """Tell whether an entry is one mistake: a pair proves nothing of its own about the properties."""
    return entry.kind == "mistake" and not entry.pair


def _wrong_verdicts(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.unanswered:
            yield f"the {row.entry.kind} {row.entry.full_name} gave no answer to a call: in time, or at all"
        if row.entry.kind == "mistake" and not row.rejected_by:
            yield f"the mistake {row.entry.full_name} passes every property: {row.entry.sentence}"
        if row.entry.kind == "alternative" and row.rejected_by:
            yield f"the alternative {row.entry.full_name} is rejected by {', '.join(sorted(row.rejected_by))}"


def _wrong_names(rows: Sequence[Row], expected: bool) -> Iterator[str]:
    """Find mistakes that are not named as themselves, in the words of today, and right answers that are named.

    expected: whether mistakes of this part have names.
    """
    for row in rows:
        named, entry = row.named, row.entry
        if entry.kind == "alternative" and named:
            yield f"the alternative {entry.full_name} is named as the mistake {' or '.join(named.mistakes)}"
        if not row.rejected_by and entry.kind == "mistake":
            continue  # nobody is told of it
        if entry.kind == "mistake" and expected and (named is None or entry.name not in named.mistakes):
            told = f"as {' or '.join(named.mistakes)}" if named else "by no name"
            yield f"the mistake {entry.full_name} is named {told}{ANEW}"
        elif entry.kind == "mistake" and named and entry.sentence not in named.sentence:
            yield f"the mistake {entry.full_name} is named in words that are no longer those of the bank{ANEW}"
        if entry.kind == "mistake" and not entry.reasoning:
            yield f"the mistake {entry.full_name} does not say where to think again"


def _named_reference(part: Part, starter: Starter) -> Iterator[str]:
    worker = Worker(starter, locate("solutions"))
    named = name(part.name, worker, SECONDS)
    worker.close()
    if named:
        yield f"the reference of {part.name} is named as the mistake {' or '.join(named.mistakes)}"


ANEW = ": write the fingerprints anew with elbo audit --write, or offer a probe on which it differs"
SECONDS = 20.0  # for the probes of an entry: a busy machine changes no name
MISTAKES, ALTERNATIVES = 8, 3


def _counts(part: Part, rows: Sequence[Row]) -> Iterator[str]:
    kinds: list[str] = [row.entry.kind for row in rows if not row.entry.pair]
    for kind, least in (("mistake", MISTAKES), ("alternative", ALTERNATIVES)):
        if kinds.count(kind) < least:
            yield f"the bank has {kinds.count(kind)} {kind}s of {part.name}, at least {least} are expected"


def _idle(part: Part, needed: dict[str, list[str]]) -> Iterator[str]:
    for value in part.properties:
        if not needed[value.name] and not value.stays:
            yield f"no mistake needs the property {value.full_name}, and it does not say why it stays"
        if needed[value.name] and value.stays:
            yield f"the property {value.full_name} says why it stays, but {needed[value.name][0]} needs it"
