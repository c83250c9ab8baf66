"""The functions of the bank that a student's own property is tried on, by the aspect in which each is wrong.

A mistake stands under one aspect in which properties of its part reject it: the form of the result before its numbers,
and these before what follows from them.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from grading.bank import find as entry
from grading.engine.answering import answer
from grading.engine.calls import Answer, Call
from grading.engine.implementation import Implementation, locate
from tests.support.properties import PARTS, Topic

REFERENCE = "reference"
RIGHT = "right"
NAMES: dict[str, dict[str, str]] = {
    "vae.log_mean_exp": {
        RIGHT: "reference by_hand by_a_constant_maximum by_rows by_adding_samples by_running_sums",
        "value": "forgets_to_divide divides_by_all_entries divides_by_the_batch averages_the_logarithms"
        " adds_an_epsilon rounds_log_k subtracts_in_place forgets_to_add_the_maximum",
        "shape": "reduces_the_batch broadcasts_the_maximum keeps_the_axis squeezes_everything"
        " returns_single_precision computes_in_single_precision",
        "stability": "exponentiates_directly shifts_by_the_batch_maximum shifts_by_the_first shifts_by_the_mean"
        " shifts_by_the_minimum drops_terms_of_zero",
        "gradient": "detaches_one_maximum rebuilds_from_numbers",
    },
    "gan.gradient_penalty": {
        RIGHT: "reference by_grad_outputs with_points_in_a_graph by_a_rounded_root by_a_choice by_a_loop"
        " by_the_jacobian",
        "value": "is_centred_at_zero is_one_sided forgets_the_square squares_before_subtracting takes_the_factor"
        " sums_the_batch averages_the_norms takes_the_norm_of_the_batch takes_the_norm_of_one_axis"
        " subtracts_from_every_entry differentiates_the_mean broadcasts_the_scores adds_a_number_that_shows"
        " forgets_to_track tracks_the_callers_samples calls_backward cleans_up_after_backward"
        " moves_the_generated_samples leaves_the_critic_in_evaluation",
        "shape": "forgets_the_mean keeps_the_axis returns_a_number_of_python doubles_the_precision"
        " is_wrong_in_single_precision",
        "stability": "takes_the_root_of_the_sum tracks_what_is_no_leaf",
        "gradient": "creates_no_graph detaches_a_factor",
        "randomness": "takes_the_middle draws_once draws_for_each_entry draws_for_each_row draws_for_vectors"
        " knows_vectors_and_images_only draws_normal_numbers draws_on_both_sides tosses_a_coin"
        " averages_two_numbers spreads_evenly seeds_the_generator asks_at_the_real_samples"
        " asks_at_the_generated_samples asks_at_both weighs_both_alike stays_around_the_real_samples"
        " mixes_the_pairs",
    },
    "flows.planar": {
        RIGHT: "reference by_psi by_matrix_products by_exponentials by_rows by_one_gradient",
        "value": "forgets_the_constraint forgets_constraint_and_absolute_value moves_along_u"
        " takes_the_determinant_of_u takes_m_for_the_dot_product skips_a_layer_without_direction corrects_u_in_place"
        " overwrites_u sums_the_batch averages_features takes_two_features forgets_the_dot_product forgets_b"
        " forgets_b_in_the_determinant forgets_the_square applies_tanh_twice forgets_to_differentiate"
        " forgets_the_inner_derivative turns_the_sign forgets_the_logarithm adds_an_epsilon bounds_the_determinant"
        " takes_the_first_layer_for_all computes_in_single_precision adds_b_outside squares_the_difference"
        " forgets_the_one",
        "shape": "swaps_the_results sums_the_log_determinants keeps_the_axis squeezes_everything"
        " broadcasts_the_determinant broadcasts_b takes_shared_layers_only takes_own_layers_only"
        " adds_to_double_precision",
        "stability": "divides_by_cosh divides_exponentials",
        "gradient": "detaches_u_hat detaches_the_slope detaches_the_inner_derivative detaches_the_constraint"
        " asks_autograd_without_a_graph",
    },
}
COST = "its answers are right: only what they cost is wrong, and a property sees answers"
LEFT_OUT: dict[str, dict[str, str]] = {
    "vae.log_mean_exp": {},
    "gan.gradient_penalty": {
        "by_asking_twice": "each point is asked for twice, and who looks at the points may count on one for each pair",
        "by_vmap": "its first call imports torch.func, a second of the judge's time; what it answers others answer too",
    },
    "flows.planar": {
        "forms_the_jacobian": COST,
        "asks_autograd_for_each_feature": COST,
        "multiplies_all_with_all": COST,
    },
}


def names(part: str) -> dict[str, list[str]]:
    """Return the functions of a part by aspect, the right ones under `right`, the reference first."""
    return {aspect: text.split() for aspect, text in NAMES[part].items()}


def find(part: str, name: str) -> tuple[str, bool, Callable[[Topic, Call], Answer]]:
    """Return the sentence on a function, whether it is right, and what answers calls of it in this process."""
    if name == REFERENCE:
        return "the reference", True, _asked(_reference(part))
    found = entry(part, name)
    return found.sentence, found.kind == "alternative", _asked(found.function)


@cache
def _reference(part: str) -> Callable[..., Any]:
    return Implementation(locate("solutions")).function(part, PARTS[part].file)


def _asked(function: Callable[..., Any]) -> Callable[[Topic, Call], Answer]:
    def ask(topic: Topic, call: Call) -> Answer:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are of what is written on purpose, and nobody's fault
            return answer(function, call)

    return ask
