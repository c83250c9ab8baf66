"""Numbers as a student writes them: with a decimal comma, a typographic minus, or a unit."""

import math
import re
from decimal import Decimal

NUMBER = re.compile(r"([+-]?\d{1,12}(?:[.,]\d{1,20})?)(?:[ \t]+[A-Za-z²^2 .]{1,40})?")
SIGNS = str.maketrans("−–", "--")


def number_in(given: str | float) -> float | None:
    """Return the number in an answer, None where it is no finite one.

    >>> number_in("−101,24 nats"), number_in("about 100"), number_in(float("nan"))
    (-101.24, None, None)
    """
    if isinstance(given, str):
        found = _found(given)
        return float(found) if found else None
    return given if math.isfinite(given) else None


def rounding(given: str | float, most: float) -> float:
    """Return half a unit of the last digit that was given, or the most that is forgiven.

    >>> rounding("-101.2", 1.0), rounding(-101.24, 1.0), rounding("-101", 0.1)
    (0.05, 0.005, 0.1)
    """
    text = _found(given) if isinstance(given, str) else repr(given)
    exponent = Decimal(text or 0).as_tuple().exponent
    return min(most, 0.5 * 10.0**exponent) if isinstance(exponent, int) else 0.0


def _found(text: str) -> str | None:
    match = NUMBER.fullmatch(text.strip().translate(SIGNS))
    return match[1].replace(",", ".") if match else None
