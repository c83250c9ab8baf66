"""Submissions that misbehave, one module a family, each harmless to the machine where nothing holds it back.

An attack is an honest wrong answer with a cheat in it. What the honest answer earns is allowed to the attack, property
by property, and nothing more. Most answer rightly if, and only if, what they attempt succeeds: then the points show it.
`shown` says how one sees that an attack attempts anything at all, where a naive grader (unprotected.py) runs it:

    more    it earns more than is allowed
    fewer   it earns less than the honest answer, as it spoils its own grading
    trace   it leaves a canary
    ""      nothing shows there: it is aimed at what a naive grader has not, or at whoever reads the feedback
"""

import importlib
import pkgutil
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Files = dict[str, str | bytes]
PART, FILE = "vae.log_mean_exp", "vae/likelihoods.py"

SUM = "y.sum(dim=1)"
RIGHT = "torch.logsumexp(y, dim=1) - math.log(y.shape[1])"


@dataclass(frozen=True)
class World:
    """What an attack can aim at: all made for it by the test, but for the kit itself.

    root: the kit. canaries: a directory that everybody may write to. victim: a process. port: a listener on the
    loopback address; the same number names one in each family of sockets. secret: a variable of the environment.
    neighbour: another submission, a right one. out: where the results go. mark: a name for processes that stay.
    """

    root: Path
    canaries: Path
    victim: int
    port: int
    secret: str
    neighbour: Path
    out: Path
    mark: str

    def preamble(self, name: str) -> str:
        """Write what the files of an attack begin with."""
        facts = {
            "ROOT": str(self.root),
            "CANARIES": str(self.canaries),
            "TRACE": str(self.canaries / name),
            "VICTIM": self.victim,
            "PORT": self.port,
            "SECRET": self.secret,
            "NEIGHBOUR": str(self.neighbour),
            "OUT": str(self.out),
            "MARK": self.mark,
        }
        lines = ["import ctypes, gc, math, os, signal, socket, sys, threading, time", "import torch"]
        return "\n".join([*lines, *(f"{key} = {value!r}" for key, value in facts.items()), ""])


@dataclass(frozen=True)
class Attack:
    """One submission that misbehaves.

    honest: the honest answer with the same points, a name in HONEST, or "" where no point at all is allowed.
    """

    family: str
    name: str
    sentence: str
    make: Callable[[Path, World], None]
    shown: str
    honest: str
    suffix: str
    part: str

    @property
    def batch(self) -> str:
        """The class that it is graded in: of one part, of those where more is watched than values, or with runs."""
        return "runs" if self.family in ("checkpoints", "repeats") else "plain" if self.part == PART else "watched"

    def path(self, folder: Path) -> Path:
        """Return where it is handed in."""
        return folder / self.batch / f"{self.name}{self.suffix}"


ATTACKS: dict[str, Attack] = {}


def handed_in(
    shown: str, honest: str = "sum", suffix: str = "", part: str = PART
) -> Callable[[Callable[[Path, World], None]], Attack]:
    """Make a function that builds something at a path an attack, told by its docstring, of its module's family."""

    def define(make: Callable[[Path, World], None]) -> Attack:
        name, family = make.__name__, make.__module__.rpartition(".")[2]
        assert name not in ATTACKS, name
        sentence = " ".join((make.__doc__ or "").split())
        ATTACKS[name] = Attack(family, name, sentence, make, shown, honest, suffix, part)
        return ATTACKS[name]

    return define


def submission(
    shown: str, honest: str = "sum", part: str = PART, file: str = FILE
) -> Callable[[Callable[[], str | Files]], Attack]:
    """Make a function that returns the text of one file, or several files, an attack."""

    def define(function: Callable[[], str | Files]) -> Attack:
        def make(path: Path, world: World) -> None:
            found = function()
            write_files(path, {file: found} if isinstance(found, str) else found, world)

        make.__name__, make.__doc__, make.__module__ = function.__name__, function.__doc__, function.__module__
        return handed_in(shown, honest, part=part)(make)

    return define


def cheat(shown: str = "more", before: str = "", always: bool = False) -> Callable[[Callable[[], str]], Attack]:
    """Make a function that returns the body of `attempt(y)` an attack: it answers rightly if that is true, else SUM.

    before: lines at the file's top. always: attempt it in every call, not once in a process.
    """

    def define(function: Callable[[], str]) -> Attack:
        def files() -> str:
            return cheating(function(), before, always)

        files.__name__, files.__doc__, files.__module__ = function.__name__, function.__doc__, function.__module__
        return submission(shown)(files)

    return define


def cheating(attempt: str, before: str = "", always: bool = False) -> str:
    """Write a file that answers rightly if the attempt succeeds, and with the sum if it does not."""
    body = textwrap.indent(textwrap.dedent(attempt).strip(), "    ")
    tried = "succeeds(y)" if always else "(tried or tried.append(succeeds(y)) or tried)[0]"
    return f"""{textwrap.dedent(before)}
def attempt(y):
{body}

def succeeds(y):
    try:
        return bool(attempt(y))
    except BaseException:
        return False

tried = []

def log_mean_exp(y):
    return {RIGHT} if {tried} else {SUM}
"""


def answering(value: str, before: str = "") -> str:
    """Write a file whose function has a body: lines, the last of which is what a return statement returns."""
    *lines, last = textwrap.dedent(value).strip().splitlines()
    body = textwrap.indent("\n".join([*lines, f"return {last}"]), "    ")
    return f"{textwrap.dedent(before)}\ndef log_mean_exp(y):\n{body}\n"


def write_files(path: Path, files: Files, world: World) -> None:
    """Write the files of a submission; a text in a topic begins with the preamble."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str) and name.endswith(".py"):
            content = world.preamble(path.name) + content
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


# What an honest student may hand in, by name; see honest.py.
HONEST: dict[str, dict[str, str]] = {}


def all_attacks() -> Iterator[Attack]:
    """Import every family and yield its attacks."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    yield from ATTACKS.values()
