"""Python files in whatever encoding an editor left them, as UTF-8."""

import codecs
import io
import re
import tokenize

COOKIE = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)([-\w.]+)")  # as in PEP 263
# Others that Python knows are none that an editor writes, and some take long to read.
WRITTEN = ("ascii", "utf", "iso8859", "cp", "mac", "koi8", "gb", "big5", "shift_jis", "euc")
PLAIN = "utf-8-sig"


def as_utf8(content: bytes) -> tuple[bytes, str]:
    """Return a Python file as UTF-8 that says nothing else of itself, and the encoding that it was read as.

    >>> as_utf8("# coding: latin-1\\n# Größe".encode("latin-1"))[0].decode()
    '# coding: utf-8\\n# Größe'
    """
    for encoding in (_declared(content), PLAIN, "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
            break
        except ValueError:
            continue
    lines = text.split("\n", 2)
    lines[:2] = [COOKIE.sub(r"\g<1>utf-8", line) for line in lines[:2]]
    return "\n".join(lines).encode(errors="replace"), encoding.removesuffix("-sig")


def _declared(content: bytes) -> str:
    """Return the encoding that a file says it has, UTF-8 if it says nothing that is known."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        name, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        return PLAIN
    plain = codecs.lookup(name).name
    return plain if plain.startswith(WRITTEN) and not plain.startswith("utf-8") else PLAIN
