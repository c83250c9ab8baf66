"""Costs as a student writes them, such as "O(k d)", as the exponents of what grows."""

import re
from collections.abc import Mapping, Sequence

LONGEST = 100
EXPONENTS = str.maketrans(
    {"⁰": "^0", "¹": "^1", "²": "^2", "³": "^3", "⁴": "^4", "·": "*", "×": "*", "∙": "*", "⋅": "*"}
)
LATEX = (
    (r"\\(?:mathcal|mathrm|mathop|operatorname|text)\s*\{?\s*O\s*\}?", "O"),
    (r"\\Theta", "O"),
    (r"\\(?:cdot|times)", "*"),
    (r"\\(?:left|right|bigl?|bigr?|Bigl?|Bigr?)(?![A-Za-z])", ""),
    (r"\\[,;:! ()\[\]]|[$`]", " "),
    (r"\*\*", "^"),
    (r"\^\{(\d{1,2})\}", r"^\1"),
)
ORDER = re.compile(r"(?<![A-Za-z])[OoΘθΟ]\s*\(([^()]*)\)")
FACTOR = r"[A-Za-z](?:\^\d{1,2})?"
TERM = re.compile(rf"(?:\d{{1,9}}\*?)?({FACTOR}(?:\*?{FACTOR})*)|\d{{1,9}}")
WORDS = {"constant": 0, "linear": 1, "quadratic": 2, "cubic": 3}


def exponents_in(text: str, growing: Sequence[str]) -> dict[str, int] | None:
    """Return the exponent of each growing dimension in an order; None where the text is no single such order.

    Constant factors, and terms that another one dominates, count for nothing.

    >>> exponents_in("$O(2 k d^{2} + d)$", ["k", "d"])
    {'k': 1, 'd': 2}
    >>> exponents_in("O(n)", ["k", "d"]), exponents_in("O(d log d)", ["d"]), exponents_in("O(k + d)", ["k", "d"])
    (None, None, None)
    """
    if len(text) > LONGEST:
        return None
    if len(growing) == 1 and (word := _word(text, growing[0])) is not None:
        return {growing[0]: word}
    text = text.translate(EXPONENTS)
    for pattern, plain in LATEX:
        text = re.sub(pattern, plain, text)
    orders = ORDER.findall(text)
    if len(orders) > 1:
        return None
    terms = [_term(term, growing) for term in "".join((orders or [text])[0].split()).split("+")]
    return _largest([term for term in terms if term is not None]) if None not in terms else None


def told(exponents: Mapping[str, int]) -> str:
    """Write an order.

    >>> told({"k": 1, "d": 2}), told({"d": 0})
    ('O(k d^2)', 'O(1)')
    """
    factors = [name if power == 1 else f"{name}^{power}" for name, power in exponents.items() if power]
    return f"O({' '.join(factors) or '1'})"


def _word(text: str, name: str) -> int | None:
    """Return the exponent that a word means, as in "linear in d"."""
    found = re.fullmatch(rf"\s*({'|'.join(WORDS)})(?:\s+in\s+{re.escape(name)})?\s*\.?\s*", text, re.IGNORECASE)
    return WORDS[found[1].lower()] if found else None


def _term(term: str, growing: Sequence[str]) -> dict[str, int] | None:
    """Return the exponents of one product; it has no other letter than the growing dimensions."""
    found = TERM.fullmatch(term)
    if found is None:
        return None
    powers = dict.fromkeys(growing, 0)
    known = {name.lower(): name for name in growing}
    for letter, power in re.findall(r"([A-Za-z])(?:\^(\d{1,2}))?", found[1] or ""):
        if letter.lower() not in known:
            return None
        powers[known[letter.lower()]] += int(power or 1)
    return powers


def _largest(terms: Sequence[dict[str, int]]) -> dict[str, int] | None:
    """Return the term that dominates all others, None where there is none."""
    return next((a for a in terms if all(a[name] >= b[name] for b in terms for name in a)), None)
