"""Reading pages back for their tests: tags, attributes, and whether anything in them could run or be loaded."""

import io
import re
from html.parser import HTMLParser

from PIL import Image

from grading.pages import layout
from grading.pages.mathematics import ELEMENTS

VOID = {"meta", "img", "br", "input", "rect", "line", "hr", "wbr"}
NONE = "–"
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "script", "header", "main", "nav", "section", "div", "span"),
    *("h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "dl", "dt", "dd", "strong", "em", "s", "code", "pre", "a"),
    *(
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "img",
        "br",
        "hr",
        "wbr",
        "details",
    ),
    *("blockquote", "summary", "label", "input", "select", "option", "output", "button"),
    *("svg", "g", "desc", "rect", "text", "line"),
    *ELEMENTS,
}


def picture(kind: str = "PNG", size: tuple[int, int] = (3, 2)) -> bytes:
    file = io.BytesIO()
    Image.new("L", size).save(file, kind)
    return file.getvalue()


class Page(HTMLParser):
    """The tags of a page with their attributes, what is told in each, and what is told in none that has a value."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []  # in each of the tags
        self.loose: list[str] = []  # in no tag with a value
        self._open: list[int] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {[self.tags[number] for number in self._open]}"

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self._open.append(len(self.tags))
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")

    def handle_endtag(self, tag):
        assert self.tags[self._open.pop()][0] == tag

    def handle_data(self, data):
        for number in self._open:
            self.texts[number] += data
        inner = [self.tags[number] for number in self._open]
        if not any("data-value" in attributes or tag in ("style", "script") for tag, attributes in inner):
            self.loose.append(data)

    def valued(self) -> list[tuple[str, dict[str, str], str]]:
        """Return each tag that has a value, its attributes, and the text that a person sees in it."""
        told = zip(self.tags, self.texts, strict=True)
        return [(tag, attributes, text.strip()) for (tag, attributes), text in told if "data-value" in attributes]

    def rows(self, attribute: str) -> dict[str, list[dict[str, str]]]:
        """Return the attributes of all that follows each tag with an attribute, up to the next, by its value."""
        found: dict[str, list[dict[str, str]]] = {}
        inner: list[dict[str, str]] = []
        for tag, attributes in self.tags:
            if tag in ("tr", "h2"):
                inner = []
            if attribute in attributes:
                inner = found.setdefault(attributes[attribute], [])
            inner.append(attributes)
        return found


def assert_harmless(text: str) -> Page:
    """Assert that a page has no tag and no attribute that could run, load or lay over anything."""
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag in ALLOWED, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("style", "srcset", "action", "formaction", "xlink:href", "background"), (tag, name)
            if name == "href":
                assert tag == "a"
                assert re.match(r"https?://|mailto:|#|feedback/", value), value
            if name == "src":
                assert value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,"))
    assert not layout.UNSEEN.search(text)
    return page


def assert_figures_are_as_told(page: Page) -> None:
    """Assert that a person sees of every value what a program reads, rounded to the digits that are shown."""
    for tag, attributes, text in page.valued():
        assert _is_shown(attributes["data-value"], text, tag), (tag, attributes, text)


def _is_shown(value: str, text: str, tag: str) -> bool:
    if not value or not text:  # of a bar of no height the number is left out
        return text == NONE if tag != "g" else value == "0"
    if tag == "th":  # of a row, whose name comes first
        return text.startswith(value)
    try:
        number = float(value)
    except ValueError:
        return text == value
    number = 100 * number if text.endswith(" %") else number
    shown = text.removesuffix(" %").replace("−", "-")
    return shown == f"{number:.{len(shown.partition('.')[2])}f}"
