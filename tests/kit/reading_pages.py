"""Reading pages back for their tests: tags, attributes, and whether anything in them could run or be loaded."""

import io
import re
from html.parser import HTMLParser

from PIL import Image

from grading.pages import layout
from grading.pages.mathematics import ELEMENTS

VOID = {"meta", "img", "br", "input", "rect", "line", "hr", "wbr"}
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
    *("wbr", "svg", "desc", "rect", "text", "line"),
    *ELEMENTS,
}


def picture(kind: str = "PNG", size: tuple[int, int] = (3, 2)) -> bytes:
    file = io.BytesIO()
    Image.new("L", size).save(file, kind)
    return file.getvalue()


class Page(HTMLParser):
    """The tags of a page with their attributes, and what is told in each cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

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
