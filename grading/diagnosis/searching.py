"""Choosing a part's probes, among all calls that its properties make, so that its mistakes are told apart."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

from torch import Tensor

from grading import bank
from grading.bank import Entry
from grading.engine import wire
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import locate
from grading.engine.inputs import draw
from grading.engine.workers import Starter, Worker
from tests.support.properties import Part, run_check

from .fingerprints import COARSE, FINE, ROUGH, Fingerprints, Grain, Known, agree, all_agree
from .observing import RAISED, Reading, readings

INPUTS = 25  # of each property, beside its edges
DRAWS = 500  # of a probe: whoever draws one after another answers in time all the same
WATCHED = 6  # of these are asked with gradients and effects as well
SMALL, LARGEST = 2500, 20_000  # bytes of a probe: a large one is taken where no small one tells anything
AT_ONCE = 40
SECONDS = 30.0
TWICE = 2  # in how many probes two mistakes should differ, where they can
WORTH = (0, 1, 100)  # of telling two apart for as many times as are left
MOST = 14  # probes

Seen = list[list[Reading]]  # of an entry, or of the reference: for each call its readings


def search(part: Part, seed: int, starter: Starter) -> Fingerprints:
    """Choose the probes of a part and note what the reference and every mistake answer."""
    calls = _candidates(part, seed, starter)
    found = {entry: _ask(calls, starter, entry.full_name) for entry in bank.entries(part.name)}
    right = _ask(calls, starter)
    alternatives = [seen for entry, seen in found.items() if entry.kind == "alternative"]
    mistakes = {entry: seen for entry, seen in found.items() if entry.kind == "mistake"}
    grain = [
        [_grain(call, j, right[i], [seen[i] for seen in alternatives]) for j in range(len(right[i]))]
        for i, call in enumerate(calls)
    ]
    chosen = _choose(calls, right, list(mistakes.values()), grain)
    return _fingerprints(calls, chosen, right, mistakes, grain)


def _candidates(part: Part, seed: int, starter: Starter) -> list[Call]:
    """Return the small calls that the properties of a part make of it, each once."""
    found: dict[bytes, Call] = {}
    worker = Worker(starter, locate("solutions"))

    def ask(call: Call, more: bool = False) -> Answer | Fault:
        if call.part == part.name:
            for one in (call, *(_watched_more(call) if more else ())):
                found.setdefault(wire.encode_calls([one]), one)
        return worker.post([call], SECONDS)()[0]

    for arguments in bank.of(part.name).probes:
        ask(Call(part.name, part.file, arguments), more=True)
    for value in part.properties:
        for number, inputs in enumerate(draw(value, seed, INPUTS)):
            run_check(value, partial(ask, more=number < WATCHED), inputs)
    worker.close()
    return [
        call for message, call in found.items() if len(message) <= LARGEST and max(_counts(call), default=1) <= DRAWS
    ]


def _watched_more(call: Call) -> Iterator[Call]:
    """Yield a call that asks for a value again, with the gradients by its arguments and with its effects."""
    if call.watch == "value" and not call.wrt:
        numbers = [str(i) for i, a in enumerate(call.arguments) if isinstance(a, Tensor) and a.is_floating_point()]
        for wrt in ((), *((number,) for number in numbers)):
            yield replace(call, watch="effects", wrt=wrt)


def _ask(calls: Sequence[Call], starter: Starter, entry: str = "") -> Seen:
    worker = Worker(starter, locate("solutions"), entry)
    seen = []
    for start in range(0, len(calls), AT_ONCE):
        some = calls[start : start + AT_ONCE]
        replies = worker.post(some, SECONDS)()
        seen += [readings([call], [reply]) for call, reply in zip(some, replies, strict=True)]
    worker.close()
    return seen


def _grain(call: Call, place: int, right: list[Reading], others: Sequence[list[Reading]]) -> Grain:
    """Return how closely a reading has to agree, and whether it is fragile.

    right, others: the readings of the reference, and of the alternatives.
    """
    tolerances = _tolerances(call, place, right)
    for tolerance in tolerances:
        if all(agree(seen[place], right[place], right[place], tolerance, loosely=False) for seen in others):
            return tolerance, isinstance(right[place], list) and _order_matters(call)
    # What is raised is what one would call by its name: it is never left out of a comparison.
    return tolerances[0], not _raises(right[place], *(seen[place] for seen in others))


def _tolerances(call: Call, place: int, right: list[Reading]) -> tuple[float, ...]:
    """Return the tolerances that a reading may have, the finest first."""
    if call.watch == "cost" and place == len(right) - 1:
        return (ROUGH,)
    form = right[place - 1] if place else ""
    return (COARSE,) if isinstance(form, str) and "float32" in form else (FINE, COARSE)


def _raises(*some: Reading) -> bool:
    return any(isinstance(each, str) and each.startswith(RAISED) for each in some)


def _order_matters(call: Call) -> bool:
    """Tell whether a call has several instances and several draws of each, whose noise may be drawn in any order."""
    batch = next((len(a) for a in call.arguments if isinstance(a, Tensor) and a.dim()), 1)
    return batch > 1 and max(_counts(call), default=1) > 1


def _counts(call: Call) -> list[int]:
    """Return how many draws a call asks for, if it takes such a number."""
    return [argument for argument in call.arguments if type(argument) is int]


def _choose(calls: Sequence[Call], right: Seen, mistakes: Sequence[Seen], grain: list[list[Grain]]) -> list[int]:
    """Choose calls one by one: each time the one that tells most pairs apart which are not yet told apart twice.

    Whoever is told apart by what is not fragile is so twice over: loosely and at all.
    """
    tells = [_told_apart([right[i], *(seen[i] for seen in mistakes)], grain[i]) for i in range(len(calls))]
    sizes = [len(wire.encode_calls([call])) for call in calls]
    left = {pair: TWICE for pairs in tells for pair in pairs}
    chosen: list[int] = []
    while len(chosen) < MOST and left:
        gain = {i: sum(WORTH[left.get(pair, 0)] for pair in tells[i]) for i in range(len(calls)) if i not in chosen}
        best = max(gain, key=lambda i: (gain[i] > 0 and sizes[i] <= SMALL, gain[i], -sizes[i]))
        if gain[best] == 0:
            break
        chosen.append(best)
        left = {pair: n - (pair in tells[best]) for pair, n in left.items() if n > (pair in tells[best])}
    return sorted(chosen)


def _told_apart(seen: Sequence[list[Reading]], grain: list[Grain]) -> set[tuple[int, int, bool]]:
    """Return who is told apart from whom by one call, loosely (True) and at all (False); 0 is the right answer."""
    alike: dict[str, list[int]] = {}
    for number, each in enumerate(seen):
        alike.setdefault(repr(each), []).append(number)
    found = set()
    for some, others in combinations(alike.values(), 2):
        for loosely in (True, False):
            if not all_agree(zip(seen[some[0]], seen[others[0]], seen[0], grain, strict=True), loosely):
                found |= {(min(a, b), max(a, b), loosely) for a in some for b in others}
    return found


def _fingerprints(
    calls: Sequence[Call],
    chosen: Sequence[int],
    right: Seen,
    mistakes: dict[Entry, Seen],
    grain: list[list[Grain]],
) -> Fingerprints:
    """Put together what was seen of the chosen calls; mistakes that differ in none of them are one."""
    truth, grains = _at(right, chosen), _at(grain, chosen)
    known: list[Known] = []
    for entry, seen in mistakes.items():
        here = _at(seen, chosen)
        differs = {i: a for i, a in enumerate(here) if not agree(a, truth[i], truth[i], grains[i][0], False)}
        same = next(
            (k for k in known if all_agree(zip(_whole(k, truth), here, truth, grains, strict=True), False)), None
        )
        if same is not None:
            known[known.index(same)] = _one(same, entry)
        elif differs:
            known.append(Known([entry.name], entry.sentence, entry.reasoning, differs, list(entry.pair)))
    return Fingerprints(
        wire.encode_calls([calls[i] for i in chosen]),
        truth,
        {i: tolerance for i, (tolerance, _) in enumerate(grains) if tolerance != FINE},
        [i for i, (_, fragile) in enumerate(grains) if fragile],
        known,
    )


def _one(same: Known, entry: Entry) -> Known:
    """Let a mistake of the bank count as another name of one that answers the same."""
    sentence = f"{same.sentence} (or, which gives the same: {entry.sentence})"
    return Known([*same.names, entry.name], sentence, same.reasoning, same.differs, same.pair)


def _at(values: Sequence[list[Any]], chosen: Sequence[int]) -> list[Any]:
    return [value for i in chosen for value in values[i]]


def _whole(known: Known, truth: list[Reading]) -> list[Reading]:
    return [known.differs.get(place, right) for place, right in enumerate(truth)]
