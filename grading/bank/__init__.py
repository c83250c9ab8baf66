"""Wrong and differently written right implementations of each part, which prove the properties.

One file for each part, `TOPIC/FUNCTION.py`, with one entry after another:

    bank = Bank("vae.log_mean_exp")

    @bank.mistake("the division by K is missing")
    def forgets_the_mean(y): ...

    @bank.alternative("torch does the work")
    def by_logsumexp(y): ...
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["mistake", "alternative"]


@dataclass(frozen=True)
class Entry:
    """One implementation of one part, with one sentence on what is wrong, or different, about it."""

    part: str
    kind: Kind
    name: str
    sentence: str
    function: Callable[..., Any]

    @property
    def full_name(self) -> str:
        """Part and name."""
        return f"{self.part}.{self.name}"


@dataclass(frozen=True)
class Bank:
    """The entries of one part, in the order in which they are written."""

    part: str
    entries: list[Entry] = field(default_factory=list)

    def mistake(self, sentence: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Enter a wrong implementation."""
        return self._enter("mistake", sentence)

    def alternative(self, sentence: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Enter a right implementation that is written differently."""
        return self._enter("alternative", sentence)

    def _enter(self, kind: Kind, sentence: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def enter(function: Callable[..., Any]) -> Callable[..., Any]:
            self.entries.append(Entry(self.part, kind, function.__name__, sentence, function))
            return function

        return enter


def entries(part: str) -> list[Entry]:
    """Return the entries of a part; none where the bank has no file for it."""
    try:
        return importlib.import_module(f"grading.bank.{part}").bank.entries
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("grading.bank"):
            return []
        raise


def find(part: str, name: str) -> Entry:
    """Return one entry.

    Raises:
        KeyError: the bank has no such entry.
    """
    for entry in entries(part):
        if entry.name == name:
            return entry
    raise KeyError(f"the bank has no {part}.{name}")
