"""The record: the graded result of one submission, as JSON; every table, page and file of feedback is a view of it.

`grading/record.schema.json` is its schema. A change that a reader of older records would trip over raises VERSION.
"""

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from grading.claims import Claim
from grading.diagnosis import Diagnosis
from grading.engine.implementation import ROOT
from grading.judge import Outcome, PartVerdict, Verdict
from grading.rubric import PartRubric
from grading.wording import Failure

VERSION = 1
SCHEMA = ROOT / "grading" / "record.schema.json"
Helpers = Literal["own", "reference"]


class PropertyRecord(msgspec.Struct, frozen=True):
    """The outcome of one property.

    helpers: whose functions the part could call when it was judged; a part that fails with the student's own is judged
    again with the reference's. points: earned of `possible`. inputs: how many were tried. seconds: of wall time.
    instructor_only: the student is told the outcome and nothing else.
    """

    property: str
    aspect: str
    sentence: str
    outcome: Outcome
    points: float
    possible: float
    inputs: int
    seconds: float
    helpers: Helpers = "own"
    instructor_only: bool = False
    failure: Failure | None = None


class PartRecord(msgspec.Struct, frozen=True):
    """The properties of one part.

    printed: what the part's code wrote, its beginning. diagnosis: the mistake of the bank whose answers it gives, with
    right helpers where its own are wrong; None where it is not wrong, or where none is known.
    """

    part: str
    problem: str
    file: str
    outcome: Outcome
    points: float
    possible: float
    properties: list[PropertyRecord]
    printed: str = ""
    diagnosis: Diagnosis | None = None


class Budget(msgspec.Struct, frozen=True):
    """Wall seconds allowed and used for a submission's parts, and processor seconds that its own code took."""

    allowed: float
    used: float
    cpu: float
    exhausted: bool


class Circumstances(msgspec.Struct, frozen=True):
    """What a grade may depend on beside the submission: the same for all of a class.

    grading_seed: what the inputs were drawn from. inputs: drawn for a property. parts: those that were asked for.
    rubric, kit: digests of the table [grading] of the rubric and of the properties. python, torch, platform: versions.
    """

    grading_seed: int
    inputs: int
    parts: list[str]
    rubric: str
    kit: str
    python: str
    torch: str
    platform: str


class RunRecord(msgspec.Struct, frozen=True):
    """The claims of one run, measured again.

    reason: why there are none. isolation: the layers that held around the process that measured.
    """

    run: str
    claims: list[Claim] = []
    reason: str = ""
    isolation: list[str] = []


class AnswerRecord(msgspec.Struct, frozen=True):
    """An answer of one word or number, and what it was set beside.

    outcome: "missing" where nothing was answered, "unmeasured" where nothing was there to measure, for `message`.
    given: what the student wrote. measured: what the grader found.
    """

    question: str
    answer: str
    sentence: str
    outcome: Literal["right", "wrong", "missing", "unmeasured"]
    points: float
    possible: float
    given: float | str | None = None
    measured: float | str | None = None
    message: str = ""


class QuestionRecord(msgspec.Struct, frozen=True):
    """The words to one question, and what a person gave for them.

    words: the student's Markdown. figures: the names of the pictures in it that were handed in. points: None until a
    person gave some. comment: that person's.
    """

    question: str
    title: str
    possible: float
    words: str = ""
    figures: list[str] = []
    points: float | None = None
    comment: str = ""


class Settlement(msgspec.Struct, frozen=True):
    """How the points of a record come about, by the rubric's policy.

    machine: earned by parts, runs and answers. manual: given by a person. waiting: questions for which nobody gave
    points yet. dropped: parts that count neither way. extra: what counts beyond what is possible. late_days: begun
    ones, after the extension; charged_days: those that cost something. penalty: points that they took.
    """

    machine: float
    manual: float
    waiting: int
    dropped: list[str] = []
    extra: list[str] = []
    late_days: int = 0
    charged_days: int = 0
    penalty: float = 0.0


class Record(msgspec.Struct, frozen=True):
    """The graded result of one submission.

    file: the name of the file or directory. student: the number in its manifest. handed_in_at: when it was there, ISO
    8601, "" where nobody knows. grader_failed: it was refused for no reason of its own, and is graded again by
    --resume. outcome: "refused" where nothing could be graded, for `reason`. handed_in: digest of what was handed in,
    as it came. hash: digest of what was taken from it. seed: of all chance in this grading, from the grading seed and
    the hash. points, possible: as settled, of all that was asked for. runs: a claim that several of them make counts
    once. notes: what was odd, and how it was read. look_at: what an instructor may want to read in the code; no student
    is told. isolation: the layers that held around that code.
    """

    submission: str
    outcome: Literal["graded", "refused"]
    circumstances: Circumstances
    version: int = VERSION
    file: str = ""
    grader_failed: bool = False
    reason: str = ""
    handed_in: str = ""
    hash: str = ""
    seed: int = 0
    points: float = 0.0
    possible: float = 0.0
    parts: list[PartRecord] = []
    runs: list[RunRecord] = []
    answers: list[AnswerRecord] = []
    questions: list[QuestionRecord] = []
    settlement: Settlement | None = None
    student: str = ""
    handed_in_at: str = ""
    notes: list[str] = []
    look_at: list[str] = []
    isolation: list[str] = []
    budget: Budget | None = None


def part_record(verdict: PartVerdict, rubric: PartRubric, file: str, second: PartVerdict | None) -> PartRecord:
    """Count the points of a part. second: what did not hold, judged with right helpers in place of wrong ones."""
    helped = {v.property: v for v in second.verdicts} if second else {}
    properties = [_property(v, helped.get(v.property), rubric) for v in verdict.verdicts]
    outcome = PartVerdict(verdict.part, [_final(v, helped.get(v.property))[0] for v in verdict.verdicts]).outcome
    return PartRecord(
        verdict.part,
        rubric.problem,
        file,
        outcome,
        sum(p.points for p in properties),
        rubric.total,
        properties,
        verdict.printed[:4000],
        (second or verdict).diagnosis if outcome == "wrong" else None,
    )


def percent(points: float, possible: float) -> float | None:
    """Return points in percent of what was possible; None where nothing was."""
    return 100 * points / possible if possible else None


def points_of_runs(runs: Iterable[RunRecord]) -> float:
    """Count every claim once, where several runs make it."""
    return sum(claim.earned for claim in best_claims(runs))


def best_claims(runs: Iterable[RunRecord]) -> list[Claim]:
    """Return every claim once, of the run that makes it best: by its points, then by its figure."""
    best: dict[str, Claim] = {}
    for claim in (claim for run in runs for claim in run.claims):
        if claim.name not in best or _worth(claim) > _worth(best[claim.name]):
            best[claim.name] = claim
    return list(best.values())


def _worth(claim: Claim) -> tuple[float, float, float]:
    known = isinstance(claim.measured, float) and math.isfinite(claim.measured)
    measured = float(claim.measured or 0.0) if known else math.inf
    return claim.earned, claim.points, measured if known and claim.relation == "at least" else -measured


def _final(own: Verdict, second: Verdict | None) -> tuple[Verdict, Helpers]:
    """Take the verdict with the reference's helpers where only they let the property hold."""
    return (second, "reference") if second is not None and second.outcome == "right" else (own, "own")


def _property(own: Verdict, second: Verdict | None, rubric: PartRubric) -> PropertyRecord:
    verdict, helpers = _final(own, second)
    possible = rubric.points[own.property]
    return PropertyRecord(
        own.property,
        own.aspect,
        own.sentence,
        verdict.outcome,
        possible if verdict.outcome == "right" else 0.0,
        possible,
        verdict.inputs,
        round(verdict.seconds, 4),
        helpers,
        own.property in rubric.instructor_only,
        own.failure,
    )


class Summary(msgspec.Struct, frozen=True):
    """A record in a line: the parts by outcome, and whether there is something to read in its notes."""

    submission: str
    outcome: str
    points: float
    possible: float
    right: int
    wrong: int
    todo: int
    notes: int
    look_at: int
    seconds: float
    reason: str = ""

    @property
    def percent(self) -> float | None:
        """The points in percent of what was possible."""
        return percent(self.points, self.possible)


def summary(record: Record) -> Summary:
    """Return a record in a line."""
    outcomes = [part.outcome for part in record.parts]
    return Summary(
        record.submission,
        record.outcome,
        record.points,
        record.possible,
        right=outcomes.count("right"),
        wrong=outcomes.count("wrong"),
        todo=outcomes.count("todo"),
        notes=len(record.notes),
        look_at=len(record.look_at),
        seconds=record.budget.used if record.budget else 0.0,
        reason=record.reason,
    )


def encode(record: Record) -> bytes:
    """Write a record as JSON, in which no sign is one that a terminal would obey."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=1).decode()
    return re.sub(r"[^\x20-\x7e\n]", _escaped, text).encode() + b"\n"


def _escaped(found: re.Match[str]) -> str:
    """Write a sign as JSON escapes, one for each half of a surrogate pair; one that can be shown stays."""
    sign = found[0]
    return (
        sign if sign.isprintable() else "".join(f"\\u{pair}" for pair in sign.encode("utf-16-be").hex(" ", 2).split())
    )


def read(path: Path) -> Record:
    """Read a record.

    Raises:
        ValueError, OSError: it is none, or of a version that this kit does not read.
    """
    record = msgspec.json.decode(path.read_bytes(), type=Record)
    if record.version != VERSION:
        raise ValueError(f"{path} is a record of version {record.version}, expected {VERSION}")
    return record


def schema() -> bytes:
    """Return the JSON schema of a record."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Record)), indent=1) + b"\n"
