"""What all pages share: one frame, one sheet of styles, and a policy that lets nothing run but the kit's own script."""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent.parent / "templates"
LONGEST_WORD = 80  # signs
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def render(template: str, values: Mapping[str, Any], script: str = "") -> str:
    """Fill in a page, in which everything that is not marked as the kit's own is escaped.

    Args:
        template: name of a file in `templates` that extends page.html.j2.
        values: what it tells.
        script: name of the one script that runs on it, none if empty.
    """
    style, code = _kept("page.css"), _kept(script) if script else Markup()
    policy = _policy(style, code)
    return _environment().get_template(template).render(values, style=style, script=code, policy=policy)


@cache  # looked at once for a class
def changed_at() -> int:
    """Return when the templates, or the code that fills them in, changed last, in nanoseconds."""
    code = [Path(__file__).parent, TEMPLATES, TEMPLATES.parent / "feedback.py"]
    files = [path for place in code for path in (place.iterdir() if place.is_dir() else [place]) if path.is_file()]
    return max(path.stat().st_mtime_ns for path in files)


def plain(text: str) -> str:
    """Leave out what has no look of its own: control signs, what turns the direction of a line, half a surrogate."""
    return UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def number(value: float, digits: int | None = None) -> str:
    """Write a number with a real minus sign, with so many digits after the point or as few as it needs."""
    return (f"{value:g}" if digits is None else f"{value:.{digits}f}").replace("-", "−")


def figure(value: float | str | None, digits: int | None = 3) -> str:
    """Write a figure, the beginning of a word that somebody handed in, or a dash for none."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_WORD else f"{value[:LONGEST_WORD]} …"
    return "–" if value is None else number(value, digits)


def name(text: str) -> Markup:
    """Write a dotted name that may be broken after its dots and underscores, and nowhere else."""
    return Markup(re.sub(r"(?<=[._])(?=\w)", "<wbr>", str(escape(plain(text)))))


def sentence(text: str) -> Markup:
    """Write a sentence in which what stands between backticks is code."""
    return Markup(re.sub(r"`([^`\n]{1,200})`", r"<code>\1</code>", str(escape(plain(text)))))


@cache  # compiled once for a class
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters |= {"number": number, "figure": figure, "name": name, "sentence": sentence}
    environment.filters["in_url"] = lambda text: quote(plain(text), safe="")
    return environment


def _finalized(value: Any) -> Any:
    """Clean what is told, wherever a template tells it."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _kept(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    """Write the Content-Security-Policy: what was escaped wrongly still neither runs nor asks a server."""
    scripts = [f"script-src {_digest(script)}"] if script else []
    rules = ["default-src 'none'", "img-src data:", f"style-src {_digest(style)}", *scripts]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
