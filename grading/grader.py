"""Grading one submission: its stub files in a world of their own, every property judged here, points counted."""

import hashlib
import platform
import tempfile
import time
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import torch

from grading import rubric as rubrics
from grading import written
from grading.answers import Answers
from grading.drawing import inputs_of, name_of
from grading.engine.implementation import ROOT
from grading.engine.isolation import Limits
from grading.engine.remembering import Memory
from grading.engine.workers import Starter, layers_of
from grading.evidence import measure
from grading.intake import IntakeError, Source, Taken, fingerprint, read_report, take
from grading.judge import PROFILES, Judge
from grading.lending import Lender
from grading.looking import unjudged, unmeasured, unusual
from grading.records import Budget, Circumstances, PartRecord, Record, RunRecord, part_record, points_of_runs
from grading.rubric import Rubric
from grading.selection import select
from grading.written import Written

RUN_SECONDS = 1800.0  # after which no further run of a submission is begun


class Order(msgspec.Struct, frozen=True):
    """What is asked for, the same for every submission of a class.

    parts: parts or topics, all where there are none. inputs, budget_seconds: the rubric's where they are None. data:
    where the data of runs are, "" for the usual places. evidence: whether the claims of runs are measured again.
    """

    seed: int = 0
    parts: tuple[str, ...] = ()
    inputs: int | None = None
    budget_seconds: float | None = None
    data: str = ""
    evidence: bool = True
    required: tuple[str, ...] = ()


class Marked(msgspec.Struct, frozen=True):
    """A submission as it comes back from the process that judged it, which alone opens what was handed in.

    report: report.md and the pictures that it shows, by their paths; nothing where there is none that can be read.
    """

    record: Record
    report: dict[str, bytes] = {}


class IsolationError(Exception):
    """Fewer layers hold around a student's code than are required; the text names those that are missing."""


def limits(rubric: Rubric) -> Limits:
    """Return what a process of a student's code may take; its wall time is bounded beside that."""
    return Limits(memory_mb=rubric.grading.memory_mb, cpu_seconds=round(rubric.grading.budget_seconds) + 60)


class Grader:
    """Grades submissions one after another, on inputs that are drawn once."""

    def __init__(self, order: Order, starter: Starter, work: Path) -> None:
        """Draw nothing yet. work: a directory that the starter's workers can see.

        Raises:
            IsolationError: a layer that the order requires does not hold.
            CostError: the rubric asks for a cost that nothing measures.
        """
        self.order, self.starter, self.work = order, starter, work
        self.rubric = rubrics.load()
        every = select((), self.rubric)
        self.parts = select(order.parts, self.rubric)
        inputs = order.inputs or self.rubric.grading.inputs
        # The smallest of the inputs that fail is small enough to be told; a search for a smaller one takes seconds.
        profile = replace(PROFILES["grade"], inputs=inputs, shrink_seconds=0)
        self.judge = Judge(profile, order.seed, Memory())
        self.lender = Lender(every, work)
        written.expect_measured(self.rubric)
        self.circumstances = circumstances_of(order)
        self.layers = layers_of(starter, work)
        if missing := [name for name in order.required if name not in self.layers]:
            raise IsolationError(
                f"--isolation required: {', '.join(missing)} missing on this machine, which has "
                f"{', '.join(self.layers)}. `elbo doctor` tells what each stops and needs."
            )

    def draw(self, jobs: int = 1, place: Path | None = None) -> None:
        """Draw the inputs of every property, so that no submission waits for them, or read those kept in a place."""
        values = [value for part in self.parts for value in part.properties]
        seed, count = self.order.seed, self.judge.profile.inputs
        kept = place / name_of(seed, count, self.circumstances.kit) if place else None
        self.judge.take(inputs_of(values, seed, count, jobs, kept))

    def grade(self, source: Source) -> Marked:
        """Grade a submission; whatever it holds or does, a record comes back."""
        try:
            with tempfile.TemporaryDirectory(dir=self.work, ignore_cleanup_errors=True) as name:
                into = Path(name)
                into.chmod(0o755)
                return self._grade(source, into)
        except IntakeError as error:
            return Marked(self.refuse(source, str(error)), _report_of(source))
        except Exception as error:  # a full disk, or a defect of the kit: the others are graded all the same
            reason = f"the grader failed, which is not the student's fault: {error!r}"
            return Marked(self.refuse(source, reason, grader_failed=True), _report_of(source))

    def refuse(self, source: Source, reason: str, grader_failed: bool = False) -> Record:
        """Make the record of a submission of which nothing can be graded."""
        handed_in, possible = fingerprint(source), self._possible()
        return Record(
            source.name,
            "refused",
            self.circumstances,
            file=source.file,
            reason=reason,
            handed_in=handed_in,
            possible=possible,
            grader_failed=grader_failed,
        )

    def _possible(self) -> float:
        parts = sum(self.rubric.parts[p.name].total for p in self.parts)
        claims = self.rubric.claims.values() if self._measures else ()
        report = written.possible(self.rubric, self._measures) if self._asks else 0.0
        return parts + sum(claim.points for claim in claims) + report

    @property
    def _asks(self) -> bool:
        """Whether questions count: where everything is asked for."""
        return not self.order.parts

    @property
    def _measures(self) -> bool:
        """Whether the claims of runs count: where everything is asked for."""
        return self.order.evidence and self._asks

    def _grade(self, source: Source, into: Path) -> Marked:
        handed_in = fingerprint(source)  # before it is read: what comes later in its place is another one
        taken = take(source.path, into)
        words = {written.REPORT: taken.report.encode()} if taken.report else {}
        words |= {name: (into / name).read_bytes() for name in taken.figures}
        seed = _mixed(self.order.seed, taken.hash)
        budget = self.order.budget_seconds or self.rubric.grading.budget_seconds
        answers = Answers(self.judge, self.starter, self.lender, into / "implementation", budget, seed)
        parts = self._judge(answers)
        working = {part.part for part in parts if part.points > part.possible / 2}
        runs = self._measured(into, taken.runs, seed, working) if self._measures else []
        report = self._report(taken, runs)
        record = Record(
            source.name,
            "graded",
            self.circumstances,
            file=source.file,
            handed_in=handed_in,
            hash=taken.hash,
            seed=seed,
            points=sum(part.points for part in parts) + points_of_runs(runs) + report.points,
            possible=self._possible(),
            parts=parts,
            runs=runs,
            answers=report.answers,
            questions=report.questions,
            student=taken.student,
            notes=[*taken.notes, *report.notes],
            look_at=[*unusual(into / "implementation"), *unjudged(answers.unjudged), *unmeasured(runs)],
            isolation=list(answers.layers),
            budget=Budget(budget, round(answers.used, 3), round(answers.cpu, 3), answers.exhausted),
        )
        return Marked(record, words)

    def _measured(self, into: Path, names: Sequence[str], seed: int, working: Container[str]) -> list[RunRecord]:
        """Measure runs one after another, as long as the time for all of them lasts."""
        end, runs = time.monotonic() + RUN_SECONDS, []
        for name in names:
            late = time.monotonic() > end
            told = RunRecord(name, reason=f"the {RUN_SECONDS:.0f} seconds for all runs were used up before")
            runs.append(told if late else measure(into, name, self.order.data, seed, working))
        return runs

    def _report(self, taken: Taken, runs: Sequence[RunRecord]) -> Written:
        """Read the report, where everything is asked for."""
        if not self._asks:
            return Written()
        return written.grade_report(taken.report, taken.figures, runs, self.rubric, self._measures)

    def _judge(self, answers: Answers) -> list[PartRecord]:
        first = answers.judge(self.parts)
        second = answers.judge_again(self.parts, first)
        return [
            part_record(first[p.name], self.rubric.parts[p.name], f"{p.topic}/{p.file}", second[p.name])
            for p in self.parts
        ]


def _report_of(source: Source) -> dict[str, bytes]:
    """Return the report of a submission of which nothing else could be graded."""
    with suppress(Exception):  # the content is anybody's, and so is what its readers raise
        return read_report(source.path)
    return {}


def _mixed(seed: int, digest: str) -> int:
    """Return the seed of one submission's grading: handing in the same again rolls no new dice."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {digest}".encode(), digest_size=6).digest(), "big")


def circumstances_of(order: Order) -> Circumstances:
    """Return what the grades of a class depend on beside the submissions."""
    loaded = rubrics.load()
    parts = select(order.parts, loaded)
    files = sorted(file for topic in {part.topic for part in parts} for file in (ROOT / "tests" / topic).glob("*.py"))
    kit = b"".join(file.read_bytes() for file in [*files, *sorted((ROOT / "tests" / "support").glob("*.py"))])
    return Circumstances(
        order.seed,
        order.inputs or loaded.grading.inputs,
        [part.name for part in parts],
        # Points, thresholds and policy are counted anew at any time; see grading.pricing.
        hashlib.sha256(msgspec.json.encode(loaded.grading)).hexdigest()[:16],
        hashlib.sha256(kit).hexdigest()[:16],
        platform.python_version(),
        str(torch.__version__),
        platform.platform(),
    )
