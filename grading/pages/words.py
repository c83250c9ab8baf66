"""A student's Markdown as HTML: words, tables, code, mathematics and pictures that were handed in; nothing that runs.

Raw HTML is text, a link leads to http, https or mailto, a heading is a line in bold: the page's own outline stays as it
is. What is too long is cut, and says so.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape
from mdit_py_plugins.dollarmath import dollarmath_plugin

from grading.intake.limits import listed
from grading.pages.bounds import bound, working
from grading.pages.layout import plain
from grading.pages.mathematics import mathml
from grading.pages.pictures import Album

LONGEST = 20_000  # signs of one section
NESTING = 20
MOST_FORMULAS = 300
LONGEST_ADDRESS = 500
LINK = re.compile(r"(?:https?://|mailto:)[^\s]+", re.IGNORECASE)
TAG = re.compile(r"<img\b[^<>]{1,1000}>", re.IGNORECASE)
SOURCE = re.compile(r"""\ssrc\s{0,9}=\s{0,9}(["'])(.{1,500}?)\1""", re.IGNORECASE | re.DOTALL)
ALTERNATIVE = re.compile(r"""\salt\s{0,9}=\s{0,9}(["'])(.{1,500}?)\1""", re.IGNORECASE | re.DOTALL)
ALIGNED = {"text-align:right": "number", "text-align:center": "centre"}


def html(words: str, album: Album) -> Markup:
    """Render one section of what a student wrote.

    Args:
        words: Markdown with mathematics as GitHub reads it: `$..$`, `$$..$$` and fences of `math`.
        album: the pictures that may be shown, and how many signs.
    """
    text = plain(words)
    shown = album.take(text[:LONGEST])
    left_out = len(text) - len(shown)
    env = {**working(), "album": album, "formulas": MOST_FORMULAS, "unread": {}, "linked": False}
    rendered = _reader().render(shown, env)
    notes = [f"{left_out} signs more are not shown."] if left_out > 0 else []
    if unread := list(env["unread"]):
        which = "This formula" if len(unread) == 1 else f"These {len(unread)} formulas"
        notes.append(f"{which} could not be read: {listed(unread)}")
    return Markup(rendered + "".join(f'<p class="quiet">{escape(note)}</p>\n' for note in notes))


def pictures(words: str) -> list[str]:
    """List the paths of the pictures that a text shows, as they are written, each once."""
    tokens = _reader().parse(plain(words)[:LONGEST], working())
    inner = [child for token in tokens for child in token.children or ()]
    return list(dict.fromkeys(str(t.attrGet("src")) for t in inner if t.type == "image"))


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING}).enable(["table", "strikethrough"])
    dollarmath_plugin(
        reader,
        allow_labels=False,
        allow_space=False,  # as on GitHub, so that "costs $5 or $6" is no mathematics
        allow_digits=False,
        allow_blank_lines=False,
        double_inline=True,
    )
    reader.inline.ruler.before("autolink", "picture_tag", _tag)
    bound(reader)
    for name, rule in RULES.items():
        reader.add_render_rule(name, rule)
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # the rules below choose
    return reader


def _tag(state: StateInline, silent: bool) -> bool:
    """Read `<img src="..." alt="...">`, as editors write it, for a picture of Markdown; all other tags are text."""
    found = TAG.match(state.src, state.pos)
    source = found and SOURCE.search(found[0])
    if found is None or source is None:
        return False
    if not silent:
        token = state.push("image", "img", 0)
        token.attrs = {"src": source[2]}
        alternative = ALTERNATIVE.search(found[0])
        token.content = alternative[2] if alternative else ""
    state.pos = found.end()
    return True


def _formula(env: dict[str, Any], latex: str, display: bool) -> str:
    """Render a formula; what cannot be rendered, which is noted, or comes after too many, stays as it was written."""
    env["formulas"] -= 1
    math = mathml(latex, display) if env["formulas"] >= 0 else None
    if math is None and env["formulas"] >= 0:
        env["unread"].setdefault(" ".join(latex.split()))
    sign = "$$" if display else "$"
    return math or f"<code>{escape(f'{sign}{latex}{sign}')}</code>"


def _inline_math(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    return _formula(env, tokens[index].content.strip().strip("`"), display=False)


def _block_math(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    return f'<span class="equation">{_formula(env, tokens[index].content.strip(), display=True)}</span>\n'


def _code(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    token = tokens[index]
    if token.info.strip() == "math":
        return _block_math(renderer, tokens, index, options, env)
    return f'<pre tabindex="0"><code>{escape(token.content)}</code></pre>\n'


def _image(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    token = tokens[index]
    address = env["album"].show(str(token.attrGet("src")))
    if address is None:
        return f'<span class="absent">{escape(token.content or "a picture")}</span>'
    return f'<img src="{address}" alt="{escape(token.content)}">'


def _link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    address = str(tokens[index].attrGet("href"))
    env["linked"] = len(address) <= LONGEST_ADDRESS and bool(LINK.fullmatch(address))
    return f'<a href="{escape(address)}" rel="noopener noreferrer">' if env["linked"] else ""


def _link_end(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    return "</a>" if env["linked"] else ""


def _cell(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    token = tokens[index]
    kind = ALIGNED.get(str(token.attrGet("style")), "")
    scope = ' scope="col"' if token.tag == "th" else ""
    return f'<{token.tag}{scope} class="{kind}">' if kind else f"<{token.tag}{scope}>"


def _fixed(text: str) -> Any:
    """Make a rule that writes the same each time."""
    return lambda renderer, tokens, index, options, env: text


RULES: Mapping[str, Any] = {
    "math_inline": _inline_math,
    "math_inline_double": _block_math,
    "math_block": _block_math,
    "fence": _code,
    "code_block": _code,
    "image": _image,
    "link_open": _link,
    "link_close": _link_end,
    "th_open": _cell,
    "td_open": _cell,
    "heading_open": _fixed('<p class="heading">'),
    "heading_close": _fixed("</p>\n"),
    "table_open": _fixed(
        '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table aria-label="Table">\n'
    ),
    "table_close": _fixed("</table></div>\n"),
}
