"""A terminal's commands and files in the words of a notebook, where `elbo` need not be and the kit lies elsewhere."""

import functools
import re
import tomllib
from collections.abc import Callable

from grading.engine.implementation import ROOT, TOPICS

CALLED = "check|hint|train|report"  # what a notebook has of the commands
STUB = rf"(?:{'|'.join(TOPICS)})/\w+\.py"


def in_notebook(text: str) -> str:
    r"""Name what a notebook has where a text names commands and files of the folder kit.

    >>> in_notebook("`elbo report runs/vae-1` measures the run again; see `elbo report`")
    '`report("runs/vae-1")` measures the run again; see `report()`'
    >>> in_notebook("    elbo train vae --preset paper    # or: --data DIR")
    '    train("vae", "--preset", "paper")  # or: --data DIR'
    """
    for pattern, there in _TABLE:
        text = pattern.sub(there, text)
    return text


def _line(found: re.Match[str]) -> str:
    """Return a line of a code block, with its comment where that was or right of it."""
    call, width = _call(found[2], found[3]), len(found[0]) - len(found[5] or "") - len(found[1])
    comment = f"{call:<{max(width, len(call) + 2)}}{found[5]}" if found[5] else call
    return found[1] + comment


def _called(found: re.Match[str]) -> str:
    return _call(found[1], found[2] or "")


def _call(name: str, options: str) -> str:
    """Write a command as a call; one that cannot be called without anything by its name."""
    given = ", ".join(f'"{option}"' for option in options.split())
    return f"{name}({given})" if given or name == "report" else name


def _install(found: re.Match[str]) -> str:
    return " ".join(["%pip install", *(f'"{each}"' for each in _extras()[found[1]])])


@functools.cache
def _extras() -> dict[str, list[str]]:
    return dict(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    )


def _module(found: re.Match[str]) -> str:
    return f"the kit's module `{found[1].replace('/', '.')}`"


_TABLE: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"^( {{4}})elbo ({CALLED})((?: [^\s#]+)*)( *)(#.*)?$", re.MULTILINE), _line),
    (re.compile(rf"(?<=`)elbo ({CALLED})((?:\s+[^\s`]+)*)(?=`)"), _called),
    (re.compile(rf"\belbo ({CALLED})\b((?: (?!-)[\w./-]*\w)?(?: --[\w-]+(?: \w[\w=./-]*\w)?)*)"), _called),
    (re.compile(r"`elbo list` names them all"), "`check` of vae, gan or flows judges all of a topic"),
    (re.compile(r"'python -m grading\.cli (\w+) --help'"), r'`\1("--help")`'),
    (re.compile(r"python -m grading\.cli (\w+) .*"), r"\1(...)"),
    (re.compile(r"^elbo: ", re.MULTILINE), ""),
    (re.compile(r"pip install -e '\.\[(\w+)\]'"), _install),
    (re.compile(r"(?:exercises/)?report\.md"), "report.ipynb"),
    (re.compile(r"`(exercises/experiments/[\w/]+)\.py`"), _module),
    (re.compile(r"`\w+\.py` begins with"), "This notebook begins with"),
    (re.compile(r" in \w+\.py(?=[.,])"), ""),  # of a function that stands in the notebook as well
    (re.compile(rf"({STUB})(?:, line \d+)?"), lambda found: f"{found[1].split('/')[0]}.ipynb"),
)
