"""Proving the properties against the bank: which property rejects which mistake, and whether each earns its place."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial

import msgspec

from grading.bank import Entry, entries
from grading.catalogue import topic_parts
from grading.engine.implementation import locate
from grading.engine.workers import Starter, Worker
from grading.judge import PROFILES, Judge
from tests.support.properties import Part


@dataclass(frozen=True)
class Row:
    """One entry of the bank and the properties that rejected it."""

    entry: Entry
    rejected_by: frozenset[str]
    unanswered: bool = False  # a call ended without an answer: then a busy machine may have rejected it


class PartAudit(msgspec.Struct, frozen=True):
    """What the bank says of one part's properties.

    rows: for each entry its kind, sentence, and the properties that rejected it.
    needed: for each property the mistakes that no other property rejects.
    stays: for each property why it is kept where there are none.
    problems: what has to change before the properties are proved.
    """

    part: str
    properties: list[str]
    rows: dict[str, tuple[str, str, list[str]]]
    needed: dict[str, list[str]]
    stays: dict[str, str]
    problems: list[str]


def audit_all(names: Sequence[str], seed: int) -> Iterator[PartAudit]:
    """Audit parts, on all cores, in the order in which they are named."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1), context) as pool:
        yield from pool.map(partial(_audit_named, seed=seed), names)


def _audit_named(name: str, seed: int) -> PartAudit:
    (part,) = (part for part in topic_parts(name.split(".")[0]) if part.name == name)
    return audit_part(part, Judge(replace(PROFILES["student"], shrink_seconds=0), seed), _starter())


@cache
def _starter() -> Starter:
    """Start what forks the workers, once in each process."""
    return Starter.spawning_once()


def audit_part(part: Part, judge: Judge, starter: Starter) -> PartAudit:
    """Judge every entry of the bank for a part, each standing in for the reference's function."""
    rows = list(_rows(part, judge, starter))
    needed = {
        value.name: [r.entry.name for r in rows if r.entry.kind == "mistake" and r.rejected_by == {value.name}]
        for value in part.properties
    }
    return PartAudit(
        part.name,
        [value.name for value in part.properties],
        {r.entry.name: (r.entry.kind, r.entry.sentence, sorted(r.rejected_by)) for r in rows},
        needed,
        {value.name: value.stays for value in part.properties},
        [*_wrong_verdicts(rows), *_counts(part, rows), *_idle(part, needed)],
    )


def _rows(part: Part, judge: Judge, starter: Starter) -> Iterator[Row]:
    for entry in entries(part.name):
        worker = Worker(starter, locate("solutions"), entry.full_name)
        verdicts = list(judge.part(part, worker))
        worker.close()
        unanswered = any(v.outcome == "wrong" and v.failure and not v.failure.called for v in verdicts)
        yield Row(entry, frozenset(v.property for v in verdicts if v.outcome != "right"), unanswered)


def _wrong_verdicts(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.unanswered:
            yield f"the {row.entry.kind} {row.entry.full_name} gave no answer to a call: in time, or at all"
        if row.entry.kind == "mistake" and not row.rejected_by:
            yield f"the mistake {row.entry.full_name} passes every property: {row.entry.sentence}"
        if row.entry.kind == "alternative" and row.rejected_by:
            yield f"the alternative {row.entry.full_name} is rejected by {', '.join(sorted(row.rejected_by))}"


MISTAKES, ALTERNATIVES = 8, 3


def _counts(part: Part, rows: Sequence[Row]) -> Iterator[str]:
    kinds: list[str] = [row.entry.kind for row in rows]
    for kind, least in (("mistake", MISTAKES), ("alternative", ALTERNATIVES)):
        if kinds.count(kind) < least:
            yield f"the bank has {kinds.count(kind)} {kind}s of {part.name}, at least {least} are expected"


def _idle(part: Part, needed: dict[str, list[str]]) -> Iterator[str]:
    for value in part.properties:
        if not needed[value.name] and not value.stays:
            yield f"no mistake needs the property {value.full_name}, and it does not say why it stays"
        if needed[value.name] and value.stays:
            yield f"the property {value.full_name} says why it stays, but {needed[value.name][0]} needs it"
