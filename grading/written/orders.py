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
NAMED = r"(?:(?:(?:the )?(?:answer|complexity|cost|costs|time|work)|T)\s*(?:=|:|is)\s*)?"
# The whole answer: one order, with its sign or without, and nothing beside it that might say another.
ORDER = re.compile(rf"{NAMED}(?:[OΘθΟ]\s*\((?P<inside>[^()]*)\)|(?P<bare>[^()]*))")
FACTOR = r"[A-Za-z](?:\^\d{1,2})?"
TERM = re.compile(rf"(?:([1-9]\d{{0,8}})\*?)?({FACTOR}(?:\*?{FACTOR})*)|1")
WORDS = {"constant": 0, "linear": 1, "quadratic": 2, "cubic": 3}


def exponents_in(text: str, growing: Sequence[str]) -> dict[str, int] | None:
    """Return the exponent of each growing dimension in an order; None where the text says anything but one.

    A constant factor counts for nothing, nor does a term that another one dominates; a sum has no factors.

    >>> exponents_in("$O(k d^{2} + d)$", ["k", "d"]), exponents_in("cost = 2 k d.", ["k", "d"])
    ({'k': 1, 'd': 2}, {'k': 1, 'd': 1})
    >>> exponents_in("O(n)", ["k", "d"]), exponents_in("O(d) or d^2", ["d"]), exponents_in("O(k + d)", ["k", "d"])
    (None, None, None)
    """
    if len(text) > LONGEST:
        return None
    if len(growing) == 1 and (word := _word(text, growing[0])) is not None:
        return {growing[0]: word}
    text = text.translate(EXPONENTS)
    for pattern, plain in LATEX:
        text = re.sub(pattern, plain, text)
    order = ORDER.fullmatch(text.strip().removesuffix(".").rstrip())
    if order is None:
        return None
    products = "".join((order["bare"] if order["inside"] is None else order["inside"]).split()).split("+")
    terms = [_term(product, growing, alone=len(products) == 1) for product in products]
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


def _term(term: str, growing: Sequence[str], alone: bool) -> dict[str, int] | None:
    """Return the exponents of one product, of the growing dimensions and nothing else; alone: whether it is no sum."""
    found = TERM.fullmatch(term)
    if found is None or (not alone and found[1] not in (None, "1")):
        return None
    powers = dict.fromkeys(growing, 0)
    known = {name.lower(): name for name in growing}
    for letter, power in re.findall(r"([A-Za-z])(?:\^(\d{1,2}))?", found[2] or ""):
        if letter.lower() not in known:
            return None
        powers[known[letter.lower()]] += int(power or 1)
    return powers


def _largest(terms: Sequence[dict[str, int]]) -> dict[str, int] | None:
    """Return the term that dominates all others, None where there is none."""
    return next((a for a in terms if all(a[name] >= b[name] for b in terms for name in a)), None)
