"""The handouts as students get them: without what the reference finds, which would answer the questions."""

import re

from .stubs import ReleaseError

BEGIN, END = "<details>", "</details>"
_BLOCK = re.compile(rf"^{BEGIN}.*?^{END}[ \t]*\n?", re.MULTILINE | re.DOTALL)


def for_students(text: str) -> str:
    """Return a handout without its blocks from <details> to </details>, each tag at the beginning of a line.

    >>> for_students("before\\n\\n<details><summary>found</summary>\\n\\nit cycles\\n\\n</details>\\n\\nafter\\n")
    'before\\n\\nafter\\n'

    Raises:
        ReleaseError: a block is nested, or one of its ends is missing or inside of a line.
    """
    blocks = _BLOCK.findall(text)
    cut = _BLOCK.sub("", text)
    if re.search("</?details", cut, re.IGNORECASE) or any(block.count("<details") > 1 for block in blocks):
        raise ReleaseError(
            f"a handout cannot be cut for students: write {BEGIN} and {END} in pairs, not one in another, and each at "
            "the beginning of a line"
        )
    return re.sub(r"\n{3,}", "\n\n", cut).rstrip("\n") + "\n"
