"""Writes what a student sees, as the terminal shows it: exercises/README.md, and the pictures of the README.

python -m tests.shown           # a minute
"""

import tempfile
from pathlib import Path

from grading.engine.implementation import ROOT
from grading.engine.workers import Starter

from .failures import WRONG, Wrong
from .recording import check, svg, text, write

PAGE = ROOT / "exercises" / "README.md"
PICTURES = ROOT / "exercises" / "pictures"
SHORT = WRONG[3]  # enough for the README
HEAD = """# What a failure tells

A property that does not hold is told by what was tried, what came back, and what was expected, on the smallest input
that was found. Where the answers of a part are those of a mistake that is known, an arrow names it, in words and
without the way out. Ten failures of different kinds, as `elbo check` prints them; `elbo watch` and pytest say it too.

| row | is |
| --- | --- |
| `→` | the mistake whose answers to a few fixed probes are those of your function |
| `wrong` | what is wrong, in a sentence |
| `with`, `called` | the smallest inputs that show it, as one would type them, and the last call |
| `answer`, `expected` | what came back, and what should have |
| `difference`, `ratio`, `note` | what arithmetic says of the two |
| `in` | file and line of an error of yours |

`elbo hint PART` gives three hints; for a mistake that is named the third says where to think again.
`elbo check PART --show` draws a picture of many a failure.
"""
TAIL = """
<!-- Written by `python -m tests.shown`, which makes each of these mistakes and checks the part. -->
"""


def page(starter: Starter) -> str:
    """Return the page of ten failures."""
    return HEAD + "".join(_section(number, wrong, starter) for number, wrong in enumerate(WRONG, 1)) + TAIL


def _section(number: int, wrong: Wrong, starter: Starter) -> str:
    with tempfile.TemporaryDirectory() as root:
        console, _ = check([wrong.part], write(wrong, Path(root)), starter)
    return f"\n## {number}. {wrong.kind}\n\n{wrong.told}\n\n```\n{text(console)}\n```\n"


def main() -> None:
    starter = Starter.spawning_once()
    PAGE.write_text(page(starter), encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        failure, _ = check([SHORT.part], write(SHORT, Path(root)), starter)
    topic, _ = check(["vae"], ROOT / "solutions", starter)
    for name, console in (("failure", failure), ("topic", topic)):
        (PICTURES / f"{name}.svg").write_text(svg(console, name), encoding="utf-8")
    starter.close()
    print(
        f"wrote {PAGE.relative_to(ROOT)} and {', '.join(str(p.relative_to(ROOT)) for p in sorted(PICTURES.iterdir()))}"
    )


if __name__ == "__main__":
    main()
