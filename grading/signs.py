"""What somebody else wrote, in a sentence of ours."""


def shown(name: object) -> str:
    r"""Return a text in one line, without anything that a terminal would obey, and not too long.

    >>> shown("\x1b[31mvae/bounds.py")
    '?[31mvae/bounds.py'
    """
    text = "".join(c if c.isprintable() else "?" for c in str(name))
    return text if len(text) <= 100 else f"{text[:50]}...{text[-40:]}"


def told(error: BaseException) -> str:
    """Return an error in one line, with its kind, as `shown` has it."""
    return shown(f"{type(error).__name__}: {error}")
