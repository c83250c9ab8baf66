"""The pictures that a report shows, by the places in the hand-in where the intake will look for them."""

import posixpath
import re
from urllib.parse import unquote

from grading.intake.pictures import ELSEWHERE
from grading.written.blocks import without_comments
from grading.written.pictures import shown_in

ENDINGS = (".png", ".jpg", ".jpeg", ".gif")

SPACED = re.compile(  # ![words](a path.png), of which Markdown makes no picture
    r"!\[[^\[\]\n]{0,500}\]\([ \t]{0,9}([^\s()<>]{1,250})([ \t][^()<>\n\"']{0,250}\.(?:png|jpe?g|gif))[ \t]{0,9}\)",
    re.IGNORECASE,
)


def links_in(report: str) -> list[str]:
    """Return the paths of the pictures that a report shows, each once; addresses in the net are none.

    >>> links_in("![the curve](a.png) <img src='b%20c.jpg'> ![](https://example.org/d.png) <!-- ![](e.png) -->")
    ['a.png', 'b%20c.jpg']
    """
    return [link for link in shown_in(without_comments(report)) if not ELSEWHERE.match(link)]


def with_spaces(report: str) -> dict[str, str]:
    """Return the paths that have spaces and stand between no < and >, by what is taken for them: their first words.

    >>> with_spaces("![](plots/own picture.png) ![](<fine too.png>) ![](a.png 'A title.png')")
    {'plots/own': 'plots/own picture.png'}
    """
    return {found[1]: found[1] + found[2] for found in SPACED.finditer(without_comments(report))}


def places_of(link: str, place: str) -> list[str]:
    r"""Return the paths in the archive that a link in a report means: from its own directory, or from the top.

    >>> places_of("../runs/./vae-1\\a%20b.png", "exercises"), places_of("../../a.png", "exercises")
    (['runs/vae-1/a b.png'], ['a.png'])
    >>> places_of("a.png", "exercises")
    ['exercises/a.png', 'a.png']
    """
    plain = unquote(link).replace("\\", "/").partition("#")[0].partition("?")[0].lstrip("/")
    found = (posixpath.normpath(f"/{folder}/{plain}").lstrip("/") for folder in (place, ""))
    return list(dict.fromkeys(found))
