"""Pictures inside of a page: those that are PNG, JPEG or GIF by what they hold, bounded in size and in number."""

import base64
import io
import posixpath
import warnings
from collections.abc import Mapping
from urllib.parse import unquote

from PIL import Image

KINDS = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif"}  # no SVG: it is a page by itself
LARGEST = 2 << 20  # bytes
MOST_PIXELS = 40_000_000
MOST, MOST_BYTES = 48, 24 << 20  # of one page
MOST_SIGNS = 80_000  # of the words on one page: some twenty pages of print


def embedded(content: bytes) -> str | None:
    """Return a picture as a `data:` address; None where it is none that is shown."""
    if len(content) > LARGEST:
        return None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=[*KINDS]) as image:
            kind, (width, height) = KINDS[image.format or ""], image.size
    except Exception:  # Pillow reads hostile heads here, and fails in many ways
        return None
    if width * height > MOST_PIXELS:
        return None
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


class Album:
    """The pictures that the words on one page may show: every showing counts, as every one makes the page longer.

    It counts the words too.
    """

    def __init__(self, figures: Mapping[str, bytes]) -> None:
        """Take pictures by the paths that the words name them by."""
        self._figures = {_normal(name): content for name, content in figures.items()}
        self._by_name = {posixpath.basename(name): content for name, content in self._figures.items()}
        self._left, self._bytes_left, self._signs_left = MOST, MOST_BYTES, MOST_SIGNS

    def take(self, words: str) -> str:
        """Return what of some words may still be shown, their beginning."""
        taken = words[: self._signs_left]
        self._signs_left -= len(taken)
        return taken

    def show(self, path: str) -> str | None:
        """Return the picture that words name, as a `data:` address; None where there is none to be shown."""
        wanted = _normal(unquote(path))
        content = self._figures.get(wanted) or self._by_name.get(posixpath.basename(wanted)) or b""
        if not self._left or len(content) > self._bytes_left:
            return None
        address = embedded(content)
        if address is not None:
            self._left, self._bytes_left = self._left - 1, self._bytes_left - len(content)
        return address


def _normal(path: str) -> str:
    return posixpath.normpath(path.replace("\\", "/"))
