"""Judging the parts of one submission within its budget, with its own helpers and, where they are wrong, right ones."""

import random
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from grading.diagnosis.naming import diagnosed
from grading.engine.inputs import Inputs
from grading.engine.workers import Starter, Worker
from grading.judge import Judge, PartVerdict, Verdict
from grading.lending import Lender
from grading.wording import TO_DO, Failure
from tests.support.properties import Part, Property

MOMENT = 0.5  # seconds
PROBING = 1.0  # seconds, for the probes of one part
OTHERS = 2  # wrong functions that a property is tried on alone, beside a right one
ONCE = ("shape", "cost")  # aspects of which no input is asked a second time


class Answers:
    """A submission's code in workers, and what was judged of it so far, in seconds of wall and processor time."""

    def __init__(
        self, judge: Judge, starter: Starter, lender: Lender, directory: Path, budget: float, seed: int
    ) -> None:
        """Start nothing yet.

        directory: the submission's implementation. budget: seconds of wall time in all. seed: of what is asked again.
        """
        self._judge, self._starter, self._lender, self._directory = judge, starter, lender, directory
        self._seed, self.budget, self.used, self.cpu = seed, budget, 0.0, 0.0
        self.layers: tuple[str, ...] = ()
        self.unjudged: list[str] = []  # parts for some of whose properties there was no time

    def judge(self, parts: Sequence[Part]) -> dict[str, PartVerdict]:
        """Judge parts in their order, each with the submission's own helpers.

        Each within its share of what is left of the budget, so that no endless loop starves the others; where shares
        ended, once more with what the others have left, so that a busy machine costs nobody a property.
        """
        worker = Worker(self._starter, self._directory)
        try:
            first, late = dict[str, PartVerdict](), dict[str, float]()
            for waiting, part in zip(range(len(parts), 0, -1), parts, strict=True):
                before, share = self.used, (self.budget - self.used) / waiting
                first[part.name] = self._part(part, worker, share)
                late |= {part.name: share} if self.used - before >= share else {}
            again = {p.name: self._again_later(p, first[p.name], worker, late[p.name]) for p in parts if p.name in late}
        finally:
            self._end(worker)
        judged = first | again
        self.unjudged = [name for name, verdict in judged.items() if any(map(_is_unjudged, verdict.verdicts))]
        return judged

    @property
    def exhausted(self) -> bool:
        """Whether there was too little time: for all of it, or for some properties of a part."""
        return self.used > self.budget or bool(self.unjudged)

    def judge_again(self, parts: Sequence[Part], first: Mapping[str, PartVerdict]) -> dict[str, PartVerdict | None]:
        """Judge what did not hold once more, with right helpers in place of wrong ones; None where none are wrong."""
        return {part.name: self._with_right_helpers(part, first) for part in parts}

    def _again_later(self, part: Part, judged: PartVerdict, worker: Worker, share: float) -> PartVerdict:
        """Judge what a part's share was not enough for within twice as much, if that much is left of the budget."""
        done = [verdict for verdict in judged.verdicts if not _is_unjudged(verdict)]
        done = done if done and done[-1].outcome == "right" else done[:-1]  # the last one may have lacked time
        seconds = min(2 * share, self.budget - self.used)
        if len(done) == len(judged.verdicts) or seconds <= 0:
            return judged
        again = self._part(part, worker, seconds, done)
        return msgspec.structs.replace(again, printed=judged.printed + again.printed)

    def _part(self, part: Part, worker: Worker, share: float, done: Sequence[Verdict] = ()) -> PartVerdict:
        """Judge a part within so many seconds. done: of its first properties, which are not judged again."""
        start, verdicts = time.monotonic(), [*done]
        # Asked again at once, of the process that has just answered: a later one would not know what it had said.
        judged = self._judge.part(part, worker, share, begin=len(done))
        for value, verdict in zip(part.properties[len(done) :], judged, strict=False):
            verdicts.append(self._again(part, value, verdict, worker, start + share))
            if time.monotonic() - start > share:
                break
        verdicts += [_unjudged(value, share) for value in part.properties[len(verdicts) :]]
        # What a property prints of the functions that it is tried on would tell what they answer.
        printed = worker.take_output().replace(f"{self._directory}/", "") if not part.tried_apart else ""
        whole = _named(part, PartVerdict(part.name, verdicts, printed), worker, start + share)
        self.used += time.monotonic() - start
        return whole

    def _again(self, part: Part, value: Property, verdict: Verdict, worker: Worker, end: float) -> Verdict:
        """Ask some inputs of a property that held a second time: an answer that is right is so more than once."""
        if verdict.outcome != "right" or (value.aspect in ONCE and not part.tried_apart):
            return verdict
        # Which ones does not depend on what was asked before, so that a slow machine changes no verdict.
        chance = random.Random(f"{self._seed} {value.full_name}")
        if part.tried_apart:
            return self._apart(value, verdict, self._some_functions(part, value, chance), end)
        # The first half has the least inputs, on which much that is wrong is right.
        inputs = self._judge.inputs(value)
        second = self._judge.judge(value, [chance.choice(inputs[len(inputs) // 2 :])], worker, self._left(end))
        return verdict if second.outcome == "right" else second

    def _left(self, end: float) -> float:
        """Return the seconds for a second answer: whoever has used the time up has a moment all the same."""
        return min(self._judge.profile.property_seconds, max(end - time.monotonic(), MOMENT))

    def _some_functions(self, part: Part, value: Property, chance: random.Random) -> list[Inputs]:
        """Choose a right function, and others that a property was tried on, in any order."""
        every, known_right = self._judge.inputs(value), self._judge.inputs(part.properties[0])
        right = [inputs for inputs in every if inputs in known_right]
        others = [inputs for inputs in every if inputs not in known_right] or right
        some = [chance.choice(right), *chance.sample(others, min(OTHERS, len(others)))]
        return chance.sample(some, len(some))

    def _apart(self, value: Property, verdict: Verdict, some: Sequence[Inputs], end: float) -> Verdict:
        """Try each in a process of its own, where nothing is left of the others to tell it by."""
        for inputs in some:
            worker = Worker(self._starter, self._directory)
            try:
                alone = self._judge.judge(value, [inputs], worker, self._left(end))
            finally:
                self._end(worker)
            if alone.outcome != "right":
                return alone
        return verdict

    def _with_right_helpers(self, part: Part, first: Mapping[str, PartVerdict]) -> PartVerdict | None:
        if part.tried_apart:
            return None  # its helpers are what it is to judge: right ones would do its work
        failed = {v.property for v in first[part.name].verdicts if v.outcome != "right"}
        wrong = {name for name, verdict in first.items() if verdict.outcome != "right"}
        if all(v.failure is not None and v.failure.message == TO_DO for v in first[part.name].verdicts):
            return None
        if not failed or not self._mentions(part, wrong & set(self._lender.lent(part))):
            return None
        worker = Worker(self._starter, self._directory, helpers=str(self._lender.directory(part)))
        try:
            tried = [self._once(value, worker) for value in part.properties if value.name in failed]
            found = [verdict for verdict in tried if verdict is not None]
            # Its mistake is named anew: with wrong helpers it may have looked like one that it has not.
            start = time.monotonic()
            judged = _named(part, PartVerdict(part.name, found), worker, start + self.budget - self.used)
            self.used += time.monotonic() - start
            return judged
        finally:
            self._end(worker)

    def _once(self, value: Property, worker: Worker) -> Verdict | None:
        """Judge a property; None where there is no time for it."""
        left = min(self._judge.profile.property_seconds, self.budget - self.used)
        if left <= 0:
            return None
        start = time.monotonic()
        verdict = self._judge.judge(value, self._judge.inputs(value), worker, left, self._judge.memory)
        self.used += time.monotonic() - start
        return verdict

    def _mentions(self, part: Part, others: set[str]) -> bool:
        """Tell whether the file of a part mentions one of these others, other than to define it.

        Also where the part itself calls none: what its file cannot import keeps it from an answer too.
        """
        try:
            text = (self._directory / part.topic / part.file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        names = "|".join(re.escape(other.split(".")[1]) for other in others)
        return bool(names) and re.search(rf"(?<!def )\b({names})\b", text) is not None

    def _end(self, worker: Worker) -> None:
        self.cpu += worker.cpu_seconds
        self.layers = self.layers or worker.layers
        worker.close()


def _named(part: Part, judged: PartVerdict, worker: Worker, end: float) -> PartVerdict:
    """Name the mistake of a wrong part, where there is time for it; whatever comes of that, its verdicts stand."""
    left = min(end - time.monotonic(), PROBING)
    if judged.outcome != "wrong" or left <= 0:
        return judged
    try:
        return diagnosed(part, judged, worker, left)
    except Exception:  # what answers is anybody's code, and no name is worth a grading
        return judged
    finally:
        worker.take_output()  # which no property has asked for


def _is_unjudged(verdict: Verdict) -> bool:
    return verdict.inputs == 0


def _unjudged(value: Property, share: float) -> Verdict:
    message = f"not judged: the {max(share, 0):.1f} seconds that this part could have were used up before"
    return Verdict(value.name, value.aspect, value.sentence, "wrong", 0, 0.0, Failure(message))
