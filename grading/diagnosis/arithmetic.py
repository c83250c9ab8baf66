"""What arithmetic says of a wrong answer, in one sentence, from all attempts at the property that it fails."""

from collections.abc import Sequence
from itertools import compress

from torch import Tensor

from tests.support.properties import Attempt

from .evidence import FEWEST, Evidence
from .holding import of_some_sizes
from .likeness import told_cut, told_elsewhere, told_function, told_order
from .multiples import told_difference, told_factor, told_number
from .pairs import Pair, held_in, is_nearly_right, pair_of
from .shapes import of_another_shape
from .sizes import Sizes

LOOKED_AT = 40  # wrong attempts, and as many right ones


def remark(attempts: Sequence[Attempt], shown: Attempt) -> str:
    """Say in one sentence what is true of all wrong answers to a property, the one that is shown among them.

    attempts: all attempts at the property, wrong and right ones. Returns nothing where nothing is sure.
    """
    if is_nearly_right(shown):
        return ""
    wrong = [*[a for a in attempts if a.error is not None and a is not shown][:LOOKED_AT], shown]
    right = [a for a in attempts if a.error is None][:LOOKED_AT]
    alike = [_asked(a) == _asked(shown) for a in wrong]  # the gradient by the same argument
    pairs, held = [pair_of(a) for a in wrong], list(held_in(right))
    found = _of_numbers(pairs, held, shown.tried.part)
    if not found and len(alike) / 2 <= sum(alike) < len(alike):  # few are chosen by what is right about them
        found = _of_numbers(list(compress(pairs, alike)), held, shown.tried.part)
    return found or of_another_shape(list(compress(wrong, alike))) or of_some_sizes(right, wrong)


def _asked(attempt: Attempt) -> tuple[str, ...]:
    return attempt.topic.last[0].wrt if attempt.topic.last else ()


def _of_numbers(pairs: Sequence[Pair | None], held: Sequence[tuple[Sizes, Tensor]], part: str) -> str:
    # Few answers are no evidence: on small inputs many a number is 2, or log 2, by chance.
    if len(pairs) < FEWEST or None in pairs:
        return ""
    evidence = Evidence([pair for pair in pairs if pair is not None], held, part)
    ways = (told_factor, told_difference, told_function, told_cut, told_order, told_elsewhere, told_number)
    return next((said for way in ways for said in [way(evidence)] if said), "")
