"""What the reference's functions cost, by counting: the exponents by which their work grows with each dimension.

Counted are the entries that operations read and write, and beside those the products in matrix multiplications and
decompositions, which take more work than their matrices have entries. Nothing is timed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from grading.catalogue import topic_parts
from grading.engine.implementation import Implementation, locate
from grading.engine.metering import Meter, tensors_in
from grading.rubric import Rubric

BATCH = 2
USUAL = {"d": 64, "k": 8}  # of a dimension, while another one grows
GROWN = {"d": (256, 1024), "k": (32, 128)}  # so large that what is added once for all no longer counts
CUBIC = ("det", "lu", "inv", "solve", "cholesky", "qr", "svd", "eig", "matrix_exp", "lstsq")
Arguments = Callable[[Mapping[str, int]], tuple[Any, ...]]


class CostError(Exception):
    """A cost that the rubric asks for and nothing measures; the text names the question and what is measured."""


class Work(Meter):
    """A meter whose `elements` also count the products of linear algebra."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count its work."""
        result = super().__torch_dispatch__(func, types, args, kwargs)
        name = func.overloadpacket.__name__
        if func.overloadpacket in flop_registry:
            self.elements += int(flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=result))
        elif "linalg" in name and any(each in name for each in CUBIC):
            self.elements += sum(t.numel() * t.shape[-1] for t in tensors_in(args) if t.dim() >= 2)
        return result


def _layer(d: int) -> tuple[Tensor, Tensor, Tensor]:
    return torch.ones(d) / d, torch.ones(d) / d, torch.zeros(())


ARGUMENTS: dict[str, tuple[tuple[str, ...], Arguments]] = {
    "flows.planar": (("d",), lambda size: (torch.ones(BATCH, size["d"]), *_layer(size["d"]))),
    "flows.compose": (("k", "d"), lambda size: ([_layer(size["d"])] * size["k"], torch.ones(BATCH, size["d"]))),
}


@cache
def measured(part: str, growing: tuple[str, ...]) -> dict[str, int]:
    """Return the exponent of each growing dimension in what the reference's function of a part costs."""
    (found,) = (each for each in topic_parts(part.partition(".")[0]) if each.name == part)
    function = Implementation(locate("solutions")).function(part, found.file)
    return exponents_of(function, ARGUMENTS[part][1], growing)


def exponents_of(function: Callable[..., Any], arguments: Arguments, growing: Sequence[str]) -> dict[str, int]:
    """Return the exponents by which a function's work grows, each rounded to the nearest integer."""
    return {name: round(slope(function, arguments, name)) for name in growing}


def slope(function: Callable[..., Any], arguments: Arguments, name: str) -> float:
    """Return the slope of a function's work over one dimension, between its two grown sizes, in logarithms."""
    small, large = GROWN[name]
    works = [_work(function, arguments({**USUAL, name: size})) for size in (small, large)]
    return math.log(works[1] / works[0]) / math.log(large / small)


def _work(function: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
    with torch.no_grad(), Work(tensors_in(arguments)) as meter:
        function(*arguments)
        return meter.elements


def expect_measured(rubric: Rubric) -> None:
    """Accept a rubric whose costs can be measured.

    Raises:
        CostError: it asks for one that nothing measures.
    """
    for name, question in rubric.questions.items():
        for key, answer in question.answers.items():
            dimensions, _ = ARGUMENTS.get(answer.cost, ((), None))
            if answer.cost and not set(answer.growing) <= set(dimensions):
                known = ", ".join(f"{part} in {' and '.join(names)}" for part, (names, _) in ARGUMENTS.items())
                raise CostError(
                    f'rubric.toml: questions."{name}".answers.{key} asks for the cost of {answer.cost} in '
                    f"{' and '.join(answer.growing)}; measured are {known}. Ask for one of those."
                )
