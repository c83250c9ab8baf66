"""Measuring a run's figures again: from its checkpoint, or by repeating it; never from the figure handed in."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from exercises.experiments.runs import Run, RunError
from grading.measuring import Measure, measured_names, measures
from grading.rubric import ClaimRubric, Relation, Rubric, RubricError

LONGEST_WORD = 40
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


def measure_claims(run: Run, rubric: Rubric, root: Path | None, implementation: Path) -> Iterator[Claim]:
    """Measure every claim that the rubric sets on what the run has trained.

    root: where the data are, None for the usual places. implementation: the directory of the functions that a run is
    repeated with, where it is measured in that way.

    Raises:
        DataError: the images that the run was trained on cannot be had.
        RunError: the run is not finished.
        RubricError: a claim is none that is measured here.
    """
    if unknown := set(rubric.claims) - measured_names():
        known = ", ".join(sorted(measured_names()))
        raise RubricError(f"rubric.toml: claims has a key {min(unknown)!r}; measured are {known}")
    reported, name = run.summary(), str(run.config["data"]["name"])
    present = measures(run, root, implementation)
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
    if claim.equals:
        return _word(told, reported, measure)
    if isinstance(reported, int) and not isinstance(reported, bool) and abs(reported) < 1e9:
        reported = float(reported)
    if not isinstance(reported, float) or not math.isfinite(reported):
        return msgspec.structs.replace(told, message=f"the run's summary reports {reported!r:.40}, expected a number")
    told = msgspec.structs.replace(told, reported=reported)
    try:
        measured, error = measure()
    except RunError as refusal:
        return msgspec.structs.replace(told, message=str(refusal))
    threshold = (claim.at_most or claim.at_least).get(told.data)
    outcome, message = judge(reported, measured, error, claim.noisiest or 0.0, threshold, told.relation)
    return msgspec.structs.replace(told, outcome=outcome, measured=measured, standard_error=error, message=message)


def _word(told: Claim, reported: object, measure: Measure) -> Claim:
    """Compare a reported with a measured word, and that with the one that it has to be."""
    if not isinstance(reported, str) or len(reported) > LONGEST_WORD:
        return msgspec.structs.replace(told, message=f"the run's summary reports {reported!r:.40}, expected a word")
    told = msgspec.structs.replace(told, reported=reported)
    try:
        measured, _ = measure()
    except RunError as refusal:
        return msgspec.structs.replace(told, message=str(refusal))
    told = msgspec.structs.replace(told, measured=measured, outcome="missed")
    if reported != measured:
        return msgspec.structs.replace(told, outcome="wrong", message=f"reported {reported!r}, repeated {measured!r}")
    return msgspec.structs.replace(told, outcome="reached") if measured == told.threshold else told


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
        return "without threshold", "the rubric sets no threshold on this data set"
    short = threshold - measured if relation == "at least" else measured - threshold
    return ("reached", "") if short <= 3 * error else ("missed", "")
