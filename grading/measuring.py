"""The figures of a run that are measured again: from its checkpoint by the reference, or by repeating the run."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

import data
from exercises.experiments.checkpoints import CheckpointError
from exercises.experiments.dirac import settings as dirac
from exercises.experiments.dirac.outcomes import claim_name, outcome
from exercises.experiments.dirac.trajectories import Trajectory
from exercises.experiments.flows import evaluation as flows
from exercises.experiments.flows.inversion import invert
from exercises.experiments.flows.networks import Layers
from exercises.experiments.flows.networks import load_model as load_flow
from exercises.experiments.flows.settings import Config, Training, trainings
from exercises.experiments.runs import Run, RunError
from exercises.experiments.vae.evaluation import average_elbo, average_log_likelihood
from exercises.experiments.vae.networks import VAE
from exercises.experiments.vae.networks import load_model as load_vae
from grading.catalogue import topic_parts
from grading.engine.implementation import ROOT, Implementation, locate
from grading.measuring_images import image_measures, image_names
from grading.run_settings import cifar10_config, dirac_config, flows_config, is_the_assignments

REPLICATED = 1000  # images that are measured twice, for the standard error
SAMPLES = 200
SEED = 20200412

Measure = Callable[[], tuple[Any, float]]  # a number, or a word, and its standard error
Repeat = Callable[[dirac.Config], Mapping[dirac.Training, Trajectory]]


def measures(run: Run, root: Path | None, again: Repeat, seed: int = SEED) -> dict[str, Measure]:
    """Return, for each figure that the run has, what measures it: value and standard error.

    A measure raises RunError where the checkpoint cannot be used, or the run not be repeated.

    Raises:
        DataError: the data that the run was trained on cannot be had.
        RunError: the run's settings are none that an experiment has.
    """
    match run.config["experiment"]:
        case "vae":
            return dict(_vae(run, root, seed))
        case "dirac":
            return dict(_dirac(run, again))
        case "cifar10":
            return dict(image_measures(run, cifar10_config(run), root, reference("gan"), seed))
        case _:
            return dict(_flows(run, seed))


def measured_names() -> set[str]:
    """Return the names of all figures that can be measured."""
    flows_names = {name for t in trainings(Config()) for name in flows.score_names(t)}
    classes = {claim_name(c) for c in dirac.CONFIGURATIONS}
    return {"vae.elbo", "vae.log_likelihood"} | flows_names | classes | image_names()


def is_reference_here() -> bool:
    """Tell whether figures are measured with the reference; what students get has none."""
    return (ROOT / "solutions").is_dir()


def measured_with() -> str:
    """Tell whose functions figures are measured with."""
    return (
        "the reference functions" if is_reference_here() else "your own functions in exercises/; the grader has others"
    )


def reference(topic: str) -> Any:
    """Return the reference's functions of a topic; where it is not, those in exercises/."""
    if not is_reference_here():
        from grading.training import functions_of  # which tells a student's own errors by their place

        return getattr(functions_of("exercises", topic), topic)
    solutions = Implementation(locate("solutions"))
    return SimpleNamespace(
        **{part.name.split(".")[1]: solutions.function(part.name, part.file) for part in topic_parts(topic)}
    )


# The Dirac GAN: the run is repeated with the student's functions and seed, in a process apart


def _dirac(run: Run, repeat: Repeat) -> Iterator[tuple[str, Measure]]:
    config = dirac_config(run)
    if not is_the_assignments(config):
        return  # what other settings do is worth a look, and no points

    @cache  # a failure too: it would be the same for every claim
    def again() -> Mapping[dirac.Training, Trajectory] | RunError:
        try:
            return repeat(config)
        except RunError as error:
            return error

    for configuration in config.chosen:
        yield claim_name(configuration), partial(_class, again, configuration.training)


def _class(
    again: Callable[[], Mapping[dirac.Training, Trajectory] | RunError], training: dirac.Training
) -> tuple[str, float]:
    found = again()
    if isinstance(found, RunError):
        raise found
    if training not in found:
        raise RunError(
            f"{training.name} was not repeated to its end: some function that it is played with raises, or "
            "earned less than half of its points"
        )
    return outcome(found[training]).word, 0.0


# The variational autoencoder: the noise of the samples is measured by measuring twice


def _vae(run: Run, root: Path | None, seed: int) -> Mapping[str, Measure]:
    images = data.load(str(run.config["data"]["name"]), root)
    return {
        "vae.elbo": lambda: elbo(load_vae(run.checkpoint), images, seed),
        "vae.log_likelihood": lambda: log_likelihood(load_vae(run.checkpoint), images, seed),
    }


def elbo(model: VAE, images: data.Images, seed: int = SEED) -> tuple[float, float]:
    """Measure the average ELBO of the validation images, in nats, and its standard error."""
    bound = reference("vae").elbo
    return _measured_twice(lambda x: average_elbo(bound, x, model.encode, model.decode), images.valid, seed)


def log_likelihood(model: VAE, images: data.Images, seed: int = SEED) -> tuple[float, float]:
    """Measure the average importance-sampled log p(x) of the test images, in nats, and its standard error."""
    estimate = reference("vae").importance_log_likelihood
    return _measured_twice(
        lambda x: average_log_likelihood(estimate, x, model.encode, model.decode, SAMPLES), images.test, seed
    )


def _measured_twice(average: Callable[[Tensor], float], images: Tensor, seed: int) -> tuple[float, float]:
    """Return an average over images and its standard error, from measuring pieces of some of them a second time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pieces = images[:REPLICATED].split(20)
        differences = torch.tensor([average(piece) - average(piece) for piece in pieces])
        # Half the variance of a difference is that of one measurement of a piece.
        error_of_piece = float((differences**2).mean() / 2) ** 0.5
        return average(images), error_of_piece * math.sqrt(len(pieces[0]) / len(images))


# Flows: the samples are independent, and the spread of their losses gives the error


def _flows(run: Run, seed: int) -> Iterator[tuple[str, Measure]]:
    config = flows_config(run)
    for training in trainings(config):
        once = cache(partial(flow_scores, run.training(training.name), training, config.shifted, seed))
        for name in flows.score_names(training):
            yield name, partial(_score, once, name)


def _score(all_scores: Callable[[], Mapping[str, flows.Score]], name: str) -> tuple[float, float]:
    score = all_scores()[name]
    return score.value, score.error


def flow_scores(path: Path, training: Training, shifted: bool, seed: int = SEED) -> dict[str, flows.Score]:
    """Measure the figures of one trained flow, in double precision.

    Raises:
        CheckpointError: its layers are none of a flow.
    """
    checkpoint = path / "checkpoint.safetensors"
    functions, layers = reference("flows"), load_flow(checkpoint, training.k, shifted).double().layers()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        if not _can_be_inverted(functions, layers, training):
            raise CheckpointError(f"{checkpoint} holds layers that send different points to one: that is no flow")
        return flows.scores(functions, layers, training)


def _can_be_inverted(functions: Any, layers: Layers, training: Training) -> bool:
    """Tell whether nearly all points come back through the flow.

    Parameters of a size that rounding makes constants of would have any density that one likes, and be none.
    """
    points = flows.points_for(training, flows.LOOK).double()
    back = invert(functions.constrain_u, layers, flows.push(functions.compose, layers, points))
    return float(((back - points).norm(dim=1) < 1e-3).double().mean()) > 0.99
