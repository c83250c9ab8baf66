"""How many times, or how much more than what was expected a wrong answer is."""

from collections.abc import Sequence

from torch import Tensor

from .evidence import Evidence
from .pairs import DIGITS
from .readings import CAUSE, Reading, differences, factors
from .sizes import Sizes


def told_factor(evidence: Evidence) -> str:
    """Tell a factor that has a name."""
    if not evidence.various:
        return ""
    readings = list(factors(list(evidence.pairs[-1].sizes), bits=evidence.may_be_bits))
    for sign in (1, -1):
        found = [reading for reading in readings if _is_factor(evidence, reading, sign)]
        if found:
            return _said(evidence, found, sign)
    return ""


def _is_factor(evidence: Evidence, reading: Reading, sign: int) -> bool:
    if not evidence.begins_with(sign * reading.of(evidence.pairs[0].sizes)):
        return False
    values = [sign * reading.of(pair.sizes) for pair in evidence.pairs]
    if 1 in values or (reading.size and all(pair.sizes.get(reading.size) == 1 for pair in evidence.pairs)):
        return False

    def allows(sizes: Sizes, value: Tensor) -> bool:
        return sign * reading.of(sizes) == 1 or _is_zero(value)

    return evidence.equal(evidence.spread(values) * evidence.expected) and evidence.few_held(allows)


def _is_zero(value: Tensor) -> bool:
    """Tell a right answer of 0, which is right whatever it is multiplied by."""
    return not bool((value.abs() > DIGITS).any())


def _said(evidence: Evidence, found: Sequence[Reading], sign: int) -> str:
    """Say the one reading, or a number and the sizes that it may come from where there are several."""
    first, *others = found
    minus = "minus " if sign < 0 else ""
    if others and first.size:
        return ""
    if others:
        sizes = list(dict.fromkeys(reading.size for reading in others))
        numbers = sorted({str(pair.sizes[name]) for pair in evidence.pairs for name in sizes})
        are = "is" if len(sizes) == 1 else "are"
        return f"the answer is {minus}{first.words}; {' and '.join(sizes)} {are} {' or '.join(numbers)} here"
    turned = "a sign is turned round" if minus else ""
    if minus and evidence.held and evidence.equal(evidence.expected.abs()):
        turned += ", or an absolute value is taken"
    causes = " and ".join(cause for cause in (turned, first.causes[0]) if cause)
    return f"the answer is {minus}{first.words}" + (f"{CAUSE}{causes}" if causes else "")


def told_difference(evidence: Evidence) -> str:
    """Tell a difference that has a name."""
    found = [
        (reading, sign)
        for reading in differences(list(evidence.pairs[-1].sizes), logarithms=evidence.are_logarithms)
        for sign in (1, -1)
        if _is_difference(evidence, reading, sign)
    ]
    if not found or (len(found) > 1 and found[0][0].size):
        return ""
    reading, sign = found[0]
    told = f"the answer is too {'large' if sign > 0 else 'small'} by {reading.words}"
    cause = reading.causes[0 if sign > 0 else -1]
    return f"{told}{CAUSE}{cause}" if cause else told


def _is_difference(evidence: Evidence, reading: Reading, sign: int) -> bool:
    if not evidence.begins_with(1, sign * reading.of(evidence.pairs[0].sizes)):
        return False
    values = [sign * reading.of(pair.sizes) for pair in evidence.pairs]
    return (
        (evidence.various or len(set(values)) > 1)
        and _differ_by(evidence, evidence.spread(values))
        and evidence.few_held(lambda sizes, value: reading.of(sizes) == 0)
    )


def _differ_by(evidence: Evidence, values: Tensor) -> bool:
    """Tell whether the answers are by so much more than what is expected, and not so large that nobody can tell."""
    rounding = 1e-12 * evidence.scale
    close = (evidence.answer - evidence.expected - values).abs() <= DIGITS * values.abs() + rounding
    return bool((close & (rounding < 1e-3 * values.abs())).all())


def told_number(evidence: Evidence) -> str:
    """Tell a factor or a difference without a name, where it is the same for all inputs."""
    if not evidence.various or not all(_is_zero(value) for _, value in evidence.held):
        return ""
    largest = evidence.expected.abs().argmax()
    factor = float(evidence.answer[largest] / evidence.expected[largest])
    if abs(factor) > DIGITS and evidence.equal(factor * evidence.expected):
        return f"the answer is {factor:.6g} times what is expected, for all inputs"
    smallest = evidence.expected.abs().argmin()
    more = evidence.answer[smallest] - evidence.expected[smallest]
    if not evidence.held and _differ_by(evidence, more.expand_as(evidence.expected)):
        return f"the answer is too {'large' if more > 0 else 'small'} by {abs(float(more)):.6g}, for all inputs"
    return ""
