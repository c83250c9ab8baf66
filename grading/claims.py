"""Measuring a run's figures again, from its checkpoint with the reference functions, never from what was handed in."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import torch
from torch import Tensor

import data
from exercises.experiments.checkpoints import CheckpointError
from exercises.experiments.runs import Run
from exercises.experiments.vae.evaluation import average_elbo, average_log_likelihood
from exercises.experiments.vae.networks import VAE, load_model
from grading.engine.implementation import Implementation, locate
from grading.rubric import ClaimRubric, Rubric, RubricError

Outcome = Literal["reached", "missed", "wrong", "refused", "without threshold"]
REPLICATED = 1000  # images that are measured twice, for the standard error
SAMPLES = 200
NOISIEST = 1.0  # nats; a standard error above it would agree with any report and reach any threshold
SEED = 20200412


class Claim(msgspec.Struct, frozen=True):
    """A figure of a run, reported and measured again, all in nats an image.

    standard_error: of one measurement, from the noise of the samples; the images are the same every time.
    message: why it is wrong or refused; else empty.
    """

    name: str
    sentence: str
    problem: str
    outcome: Outcome
    points: float
    data: str
    reported: float | None = None
    measured: float | None = None
    standard_error: float | None = None
    threshold: float | None = None
    message: str = ""

    @property
    def earned(self) -> float:
        """Points of the claim."""
        return self.points if self.outcome == "reached" else 0.0


def measure_claims(run: Run, rubric: Rubric, root: Path | None) -> Iterator[Claim]:
    """Measure every claim that the rubric sets on the run's experiment.

    Raises:
        DataError: the images that the run was trained on cannot be had.
        RunError: the run is not finished.
        RubricError: a claim is none that is measured here.
    """
    if unknown := set(rubric.claims) - set(MEASURES):
        raise RubricError(f"rubric.toml: claims has a key {min(unknown)!r}; measured are {', '.join(MEASURES)}")
    reported = run.summary()
    name = str(run.config["data"]["name"])
    images = data.load(name, root)
    for key, claim in rubric.claims.items():
        if claim.experiment == run.config.get("experiment"):
            yield _claim(key, claim, name, reported.get(key), run.checkpoint, images)


def _claim(key: str, claim: ClaimRubric, name: str, reported: object, path: Path, images: data.Images) -> Claim:
    threshold = claim.at_least.get(name)
    points = claim.points if name == claim.graded_on else 0.0
    told = Claim(key, claim.sentence, claim.problem, "refused", points, name, threshold=threshold)
    if isinstance(reported, int) and not isinstance(reported, bool) and abs(reported) < 1e9:
        reported = float(reported)
    if not isinstance(reported, float) or not math.isfinite(reported):
        return msgspec.structs.replace(told, message=f"the run's summary reports {reported!r:.40}, expected a number")
    told = msgspec.structs.replace(told, reported=reported)
    try:
        model = load_model(path)
    except CheckpointError as refusal:
        return msgspec.structs.replace(told, message=str(refusal))
    measured, error = MEASURES[key](model, images)
    outcome, message = judge(reported, measured, error, threshold)
    return msgspec.structs.replace(told, outcome=outcome, measured=measured, standard_error=error, message=message)


def judge(reported: float, measured: float, error: float, threshold: float | None) -> tuple[Outcome, str]:
    """Compare a reported with a measured figure, and that with the threshold.

    A report is wrong if it is more than four standard errors of a difference, 4 sqrt(2) error, from the measurement.
    A threshold is missed if even measured + 3 error is below it: noise alone fails nobody who is at the line.
    """
    if not math.isfinite(measured):
        return "missed", "the measured figure is not finite"
    if error > NOISIEST:
        return "missed", f"measured twice, the figure differs by some {error:.1f}: too noisy to be a result"
    if abs(reported - measured) > 4 * math.sqrt(2) * error:
        return "wrong", f"reported {reported:.3f}, measured {measured:.3f} ± {error:.3f}: the two do not agree"
    if threshold is None:
        return "without threshold", "the rubric sets no threshold on this data set"
    return ("reached", "") if measured + 3 * error >= threshold else ("missed", "")


def _elbo(model: VAE, images: data.Images) -> tuple[float, float]:
    elbo = _reference("vae.elbo")
    return _measured_twice(lambda x: average_elbo(elbo, x, model.encode, model.decode), images.valid)


def _log_likelihood(model: VAE, images: data.Images) -> tuple[float, float]:
    estimate = _reference("vae.importance_log_likelihood")
    return _measured_twice(
        lambda x: average_log_likelihood(estimate, x, model.encode, model.decode, SAMPLES), images.test
    )


MEASURES: dict[str, Callable[[VAE, data.Images], tuple[float, float]]] = {
    "vae.elbo": _elbo,
    "vae.log_likelihood": _log_likelihood,
}


def _reference(part: str) -> Callable[..., Tensor]:
    return Implementation(locate("solutions")).function(part, "bounds.py")


def _measured_twice(average: Callable[[Tensor], float], images: Tensor) -> tuple[float, float]:
    """Return an average over images and its standard error, from measuring pieces of some of them a second time."""
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        pieces = images[:REPLICATED].split(20)
        differences = torch.tensor([average(piece) - average(piece) for piece in pieces])
        # Half the variance of a difference is that of one measurement of a piece.
        error_of_piece = float((differences**2).mean() / 2) ** 0.5
        return average(images), error_of_piece * math.sqrt(len(pieces[0]) / len(images))
