"""What an instructor may want to look at: code that no answer needs, and runs of which nothing was measured.

Names in code prove nothing, and tell where to read; a run may lack its points for no reason of the student's.
"""

import io
import re
import tokenize
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from grading.records import RunRecord

MODULES = (
    *("sys", "os", "gc", "ctypes", "inspect", "threading", "subprocess", "socket", "multiprocessing", "importlib"),
    *("builtins", "signal", "atexit", "pickle", "marshal", "greenlet", "grading", "tests", "conftest", "pytest"),
    *("hypothesis", "unittest", "_python_dispatch"),
)
NAMES = (
    *("__import__", "__builtins__", "exec", "eval", "compile", "_getframe", "_current_frames", "__globals__"),
    *("__traceback__", "tb_frame", "f_back", "f_locals", "f_globals", "gi_frame", "__subclasses__"),
)
UNUSUAL = frozenset((*MODULES, *NAMES))
FOREIGN = re.compile(r"[^\x00-\x7f]")
OF_NAMES = re.compile(r"[A-Za-z0-9_]+")


def unusual(directory: Path) -> list[str]:
    """Return a sentence for each file of an implementation that names something which no answer needs."""
    found = ((file.relative_to(directory), _names_in(file)) for file in sorted(directory.glob("*/*.py")))
    return [
        f"{file} names {', '.join(sorted(names))}, which no answer needs: read it" for file, names in found if names
    ]


def unjudged(parts: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where there was too little time to judge all properties of some parts."""
    if parts:
        again = "grade again on a quieter machine, or with more --budget"
        yield f"there was no time for all of {', '.join(parts)}: {again}"


def unmeasured(runs: Sequence[RunRecord]) -> Iterator[str]:
    """Yield a sentence for each run of which something could not be measured."""
    for run in runs:
        refused = [claim.message for claim in run.claims if claim.outcome == "refused"]
        if reason := run.reason or (refused[0] if refused else ""):
            what = "nothing" if run.reason else f"{len(refused)} of {len(run.claims)} figures not"
            yield f"{run.run}: {what} measured: {reason[:300]}"


def _names_in(file: Path) -> set[str]:
    """Return the unusual names in the code of a file, not those in its comments and texts."""
    names: set[str] = set()
    text = FOREIGN.sub(_as_in_names, file.read_text(encoding="utf-8", errors="replace"))
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and token.string in UNUSUAL:
                names.add(token.string)
    except (tokenize.TokenError, SyntaxError, RecursionError):  # what is no Python cannot run either
        pass
    return names


def _as_in_names(sign: re.Match[str]) -> str:
    """Return what Python reads a sign as in a name, where ｅｘｅｃ is exec; signs that end a name stay as they are."""
    read = unicodedata.normalize("NFKC", sign[0])
    return read if OF_NAMES.fullmatch(read) else sign[0]
