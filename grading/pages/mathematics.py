"""LaTeX as MathML, which a browser lays out by itself. It comes from what a student wrote, so little of it is kept."""

import re
from html import unescape
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import convert_to_element

from grading.pages.layout import plain

LONGEST = 2000  # signs of a formula
DEEPEST = 30  # elements in elements
ELEMENTS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mpadded", "mphantom", "mstyle"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "menclose"),
}
WORDS = r"(?:true|false|normal|block|inline|prefix|infix|postfix|left|right|center|none|solid|dashed)"
SIZE = r"-?[0-3]?(?:\.\d{1,4})?em|0"  # no space that makes a page wide
ATTRIBUTES = {
    **dict.fromkeys(("stretchy", "fence", "separator", "form", "accent", "movablelimits", "displaystyle"), WORDS),
    **dict.fromkeys(("mathvariant", "display", "columnalign", "rowlines", "columnlines"), f"{WORDS}(?: {WORDS})*"),
    **dict.fromkeys(("width", "minsize", "maxsize", "lspace", "rspace", "linethickness"), SIZE),
}
MACROS = re.compile(
    r"\\(?:(?:re)?new|provide|declare|def|let|gdef|edef|xdef|href|url|style|class|cssid)", re.IGNORECASE
)
ONE_LETTER = re.compile(r"\\(math(?:bb|bf|cal|frak|scr|sf|rm|it|tt))\s+([A-Za-z])")  # \mathbb E
ENVIRONMENTS = re.compile(r"\\(begin|end)\{(aligned|alignedat|gathered|eqnarray\*?|equation\*?|gather\*?)\}")


def mathml(latex: str, display: bool) -> str | None:
    """Return a formula as MathML; None where it cannot be rendered, or is longer or deeper than a formula is."""
    if len(latex) > LONGEST or MACROS.search(latex):
        return None
    latex = ONE_LETTER.sub(r"\\\1{\2}", latex)  # the library keeps the font of what stands in braces
    latex = ENVIRONMENTS.sub(r"\\\1{split}", plain(latex).replace("\N{REPLACEMENT CHARACTER}", "?"))
    try:
        math = convert_to_element(latex, display="block" if display else "inline")
    except Exception:  # of a formula that it cannot read the library raises errors of many kinds
        return None
    if not _cleaned(math, DEEPEST):
        return None
    for row in [*math.iter()]:
        _space(row)
    return tostring(math, encoding="unicode")


def _cleaned(element: Element, depth: int) -> bool:
    """Clean an element and what is in it; False where something is in it that cannot be shown."""
    text = unescape(element.text or "")
    if element.tag not in ELEMENTS or depth == 0 or re.match(r"\\[A-Za-z]", text):  # a command it does not know
        return False
    element.text, element.tail = text, None
    kept = {name: element.get(name, "") for name in ATTRIBUTES if name in element.attrib}
    element.attrib.clear()
    element.attrib.update({name: value for name, value in kept.items() if re.fullmatch(ATTRIBUTES[name], value)})
    return all(_cleaned(child, depth - 1) for child in element)


def _space(row: Element) -> None:
    """Set a thin space between the name of a function and an argument without brackets: log p, not logp."""
    children = [*row] if row.tag in ("math", "mrow", "mtd") else []
    for before in range(len(children) - 1, 0, -1):
        function, argument = children[before - 1], children[before]
        name = function[0] if function.tag in ("msub", "msup", "msubsup", "munder") else function
        if name.tag in ("mi", "mo") and re.fullmatch(r"[a-z]{2,}", name.text or "") and argument.tag != "mo":
            row.insert(before, Element("mspace", width="0.17em"))
