"""Measuring a run's figures again: from its checkpoint, or by repeating it; never from the figure handed in."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from exercises.experiments.runs import Run, RunError
from grading.measuring import SEED, Measure, Repeat, measured_names, measures
from grading.rubric import ClaimRubric, Relation, Rubric, RubricError

LONGEST_WORD = 40
WITHOUT = "the rubric sets no threshold on this data set"
Outcome = Literal["reached", "missed", "wrong", "refused", "without threshold"]


class Claim(msgspec.Struct, frozen=True):
    """A figure of a run, or a word, reported and measured again, all in `unit`.

    relation: what the figure has to be to the threshold. standard_error: of one measurement, from the noise of the
    samples. message: why it is wrong or refused; else empty.
    """

    name: str
    sentence: str
    unit: str
    problem: str
    outcome: Outcome
    points: float
    data: str
    relation: Relation
    reported: float | str | None = None
    measured: float | str | None = None
    standard_error: float | None = None
    threshold: float | str | None = None
    message: str = ""

    @property
    def earned(self) -> float:
        """Points of the claim."""
        return self.points if self.outcome == "reached" else 0.0


def measure_claims(run: Run, rubric: Rubric, root: Path | None, again: Repeat, seed: int = SEED) -> Iterator[Claim]:
    """Measure every claim that the rubric sets on what the run has trained.

    root: where the data are, None for the usual places. again: repeats a run with the student's functions, where it is
    measured in that way. seed: of the samples that figures are measured with.

    Raises:
        DataError: the images that the run was trained on cannot be had.
        RunError: the run is not finished.
        RubricError: a claim is none that is measured here.
    """
    if unknown := set(rubric.claims) - measured_names():
        known = ", ".join(sorted(measured_names()))
        raise RubricError(f"rubric.toml: claims has a key {min(unknown)!r}; measured are {known}")
    reported, name = run.summary(), str(run.config["data"]["name"])
    present = measures(run, root, again, seed)
    for key, claim in rubric.claims.items():
        if claim.experiment == run.config["experiment"] and key in present:
            yield _claim(key, claim, name, reported.get(key), present[key])


def _claim(key: str, claim: ClaimRubric, name: str, reported: object, measure: Measure) -> Claim:
    told = Claim(
        key,
        claim.sentence,
        claim.unit,
        claim.problem,
        "refused",
        claim.points if name == claim.graded_on else 0.0,
        name,
        claim.relation,
        threshold=claim.threshold(name),
    )
    figure = _readable(reported, claim)
    if figure is None:
        kind = "a word" if claim.equals else "a number"
        return msgspec.structs.replace(told, message=f"the run's summary reports {reported!r:.40}, expected {kind}")
    told = msgspec.structs.replace(told, reported=figure)
    try:
        measured, error = measure()
    except (RunError, NotImplementedError) as refusal:  # where a student's own functions measure, one may be missing
        return msgspec.structs.replace(told, message=str(refusal))
    if claim.equals:
        return _compared(msgspec.structs.replace(told, measured=measured), claim)
    return _compared(msgspec.structs.replace(told, measured=float(measured), standard_error=error), claim)


def judged_again(claim: Claim, rubric: ClaimRubric) -> Claim:
    """Return a claim as a rubric has it, from what was reported and measured; a refused one stays refused."""
    told = msgspec.structs.replace(
        claim,
        sentence=rubric.sentence,
        unit=rubric.unit,
        problem=rubric.problem,
        points=rubric.points if claim.data == rubric.graded_on else 0.0,
        relation=rubric.relation,
        threshold=rubric.threshold(claim.data),
    )
    return told if claim.outcome == "refused" else _compared(told, rubric)


def _compared(claim: Claim, rubric: ClaimRubric) -> Claim:
    """Judge what was reported by what was measured; a claim that a rubric has of another kind now stays as it is."""
    reported, measured, threshold = claim.reported, claim.measured, claim.threshold
    if isinstance(measured, str) and rubric.equals:
        outcome, message = judge_word(str(reported), measured, rubric.equals.get(claim.data))
    elif isinstance(measured, float) and isinstance(reported, float) and not rubric.equals:
        error, limit = claim.standard_error or 0.0, threshold if isinstance(threshold, float) else None
        outcome, message = judge(reported, measured, error, rubric.noisiest or 0.0, limit, claim.relation)
    else:  # a measured figure that is not finite is none in JSON
        return claim
    return msgspec.structs.replace(claim, outcome=outcome, message=message)


def _readable(reported: object, claim: ClaimRubric) -> float | str | None:
    """Return what a summary reports if it is of the claim's kind: a short word, or a finite number."""
    if claim.equals:
        # No escape sequence for the terminal of whoever grades, and no half of a surrogate pair.
        if isinstance(reported, str) and len(reported) <= LONGEST_WORD and reported.isprintable():
            return reported
        return None
    if isinstance(reported, bool) or not isinstance(reported, (int, float)) or not abs(reported) < 1e9:
        return None
    return float(reported)


def judge_word(reported: str, measured: str, expected: str | None) -> tuple[Outcome, str]:
    """Compare a reported with a measured word, and that with the one that it has to be."""
    if reported != measured:
        return "wrong", f"reported {reported!r}, repeated {measured!r}"
    if expected is None:
        return "without threshold", WITHOUT
    return ("reached" if measured == expected else "missed"), ""


def judge(
    reported: float, measured: float, error: float, noisiest: float, threshold: float | None, relation: Relation
) -> tuple[Outcome, str]:
    """Compare a reported with a measured figure, and that with the threshold.

    A report is wrong if it is more than four standard errors of a difference, 4 sqrt(2) error, from the measurement.
    A threshold is missed if even three standard errors do not carry the measurement to the right side of it: noise
    alone fails nobody who is at the line.
    """
    if not math.isfinite(measured):
        return "missed", "the measured figure is not finite"
    if error > noisiest:
        return "missed", f"measured twice, the figure differs by some {error:.2g}: too noisy to be a result"
    if abs(reported - measured) > 4 * math.sqrt(2) * error:
        return "wrong", f"reported {reported:.3f}, measured {measured:.3f} ± {error:.3f}: the two do not agree"
    if threshold is None:
        return "without threshold", WITHOUT
    short = threshold - measured if relation == "at least" else measured - threshold
    return ("reached", "") if short <= 3 * error else ("missed", "")
