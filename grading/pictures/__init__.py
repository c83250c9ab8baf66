"""Pictures of what wrong parts answer: each part's failure, drawn from the student's own answers.

A picture shows what is wrong, beside numbers that are right, and no formula.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from exercises.experiments.runs import write_whole
from grading.engine.workers import Exchange
from tests.support.properties import Part

from . import (
    constraint,
    curves_images,
    curves_scores,
    curves_vae,
    curves_weights,
    densities,
    densities_vae,
    estimators,
    estimators_flows,
    iteration,
    penalties,
    updates,
    warped,
)
from .asking import Asking
from .canvas import png

PICTURES: dict[str, Callable[[Asking], Figure]] = {
    "vae.log_likelihood_bernoulli": densities_vae.log_likelihood_bernoulli,
    "vae.log_likelihood_normal": densities_vae.log_likelihood_normal,
    "vae.log_mean_exp": curves_vae.log_mean_exp,
    "vae.kl_gaussian_gaussian_analytic": curves_vae.kl_analytic,
    "vae.kl_gaussian_gaussian_mc": estimators.kl_mc,
    "vae.elbo": estimators.elbo,
    "vae.importance_log_likelihood": estimators.importance,
    "gan.jsd": curves_scores.jsd,
    "gan.w1": curves_scores.w1,
    "gan.gradient_penalty": penalties.penalty,
    "gan.r1_penalty": penalties.penalty,
    "gan.inception_score": curves_images.inception_score,
    "gan.frechet_distance": curves_images.frechet_distance,
    "gan.spectral_norm": curves_weights.spectral_norm,
    "gan.critic_loss": curves_scores.critic_loss,
    "gan.critic_step": updates.update,
    "gan.generator_step": updates.update,
    "gan.train_step": iteration.train_step,
    "gan.update_average": curves_weights.update_average,
    "flows.planar": warped.planar,
    "flows.constrain_u": constraint.constrain_u,
    "flows.compose": warped.compose,
    "flows.log_density": densities.flow_density,
    "flows.negative_log_likelihood": densities.flow_density,
    "flows.reverse_kl": estimators_flows.reverse_kl,
    "flows.flow_elbo": estimators_flows.flow_elbo,
}


# Of these no picture helps: the properties that students write tell right from wrong, which a sentence says.
WITHOUT = frozenset({"vae.log_mean_exp_property", "gan.gradient_penalty_property", "flows.planar_property"})


def draw(part: Part, exchange: Exchange, directory: Path) -> Path | None:
    """Draw what a part answers to questions of its picture, and return the picture's path, `directory/PART.png`.

    None where a part has no picture, and where a question got no answer, or one that cannot be drawn: then the
    failure's own words say more. A picture that stands there is replaced.

    Raises:
        OSError: the picture cannot be written there.
    """
    if part.name not in PICTURES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # matplotlib's and numpy's, of numbers that a student's code chose
            content = png(PICTURES[part.name](Asking(part, exchange)))
    except Exception:  # an answer that nobody thought of may break the arithmetic of a picture
        return None
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{part.name}.png"
    write_whole(path, content)
    return path
