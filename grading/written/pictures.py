"""The pictures that a report shows, by the paths in its Markdown; every pattern takes a time that its length bounds."""

import re
from collections.abc import Iterator, Mapping

ENDINGS = r"(?:png|jpe?g|gif)"
PATTERNS = (
    re.compile(r"(!\[[^\[\]\n]{0,500}\]\([ \t]{0,9})(<[^<>\n]{1,500}>|[^\s()<>]{1,500})"),  # ![words](path)
    re.compile(r"""(<img\b[^<>]{0,500}?\bsrc[ \t]{0,9}=[ \t]{0,9}["']?)([^"'<>\n]{1,500})""", re.IGNORECASE),
    re.compile(  # [name]: path, for ![words][name]
        rf"^( {{0,3}}\[[^\[\]\n]{{1,500}}\]:[ \t]{{0,9}})(<[^<>\n]{{1,500}}>|\S{{1,500}}\.{ENDINGS}\b)",
        re.IGNORECASE | re.MULTILINE,
    ),
)


def shown_in(text: str) -> list[str]:
    """Return the paths of all pictures in a text, each once, in the order of the patterns.

    >>> shown_in("![a](b.png) <img src='c.jpg' width=3> ![d][e]\\n\\n[e]: <f g.gif>")
    ['b.png', 'c.jpg', 'f g.gif']
    """
    return list(dict.fromkeys(_found(text)))


def _found(text: str) -> Iterator[str]:
    for pattern in PATTERNS:
        yield from (match[2].strip("<>") for match in pattern.finditer(text))


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return a text that shows each picture by another path, where there is one for it."""
    for pattern in PATTERNS:
        text = pattern.sub(lambda match: match[1] + names.get(match[2].strip("<>"), match[2]), text)
    return text
