"""Wrong and differently written right implementations of each part, which prove the properties.

One file for each part, `TOPIC/FUNCTION.py`, with one entry after another:

    bank = Bank("vae.log_mean_exp")

    bank.reason("A mean is a sum divided by how many there are: what is that in the domain of logarithms?")

    @bank.mistake("the division by K is missing")
    def forgets_the_mean(y): ...

    @bank.pair("forgets_the_mean", "keeps_the_axis")
    def forgets_the_mean_and_keeps_the_axis(y): ...

    @bank.alternative("torch does the work")
    def by_logsumexp(y): ...
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["mistake", "alternative"]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True)
class Entry:
    """One implementation of one part, with one sentence on what is wrong, or different, about it.

    reasoning: for whoever made this mistake, where to think again. pair: the names of the mistakes that are made in it
    at once, if there are two.
    """

    part: str
    kind: Kind
    name: str
    sentence: str
    function: Callable[..., Any]
    reasoning: str = ""
    pair: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """Part and name."""
        return f"{self.part}.{self.name}"


@dataclass
class Bank:
    """The entries of one part, in the order in which they are written.

    named: whether its mistakes have fingerprints; a property that a student writes is told by what it lets through.
    """

    part: str
    named: bool = True
    entries: list[Entry] = field(default_factory=list)
    reasoning: str = ""
    probes: list[tuple[Any, ...]] = field(default_factory=list)

    def probe(self, *arguments: Any) -> None:
        """Offer arguments on which mistakes differ that are the same on all that the properties try."""
        self.probes.append(arguments)

    def reason(self, text: str) -> None:
        """Say where to think again for the mistakes that follow."""
        self.reasoning = text

    def mistake(self, sentence: str) -> Decorator:
        """Enter a wrong implementation."""
        return self._enter("mistake", sentence, self.reasoning)

    def pair(self, first: str, second: str) -> Decorator:
        """Enter an implementation in which two mistakes that were entered before are made at once."""
        one, other = self.find(first), self.find(second)
        sentence = f"{one.sentence}; and {other.sentence}"
        reasoning = " ".join(dict.fromkeys((one.reasoning, other.reasoning)))
        return self._enter("mistake", sentence, reasoning, (first, second))

    def find(self, name: str) -> Entry:
        """Return an entry that was made before.

        Raises:
            KeyError: there is none of that name.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(f"the bank has no {self.part}.{name}, or not above the pair that names it")

    def alternative(self, sentence: str) -> Decorator:
        """Enter a right implementation that is written differently."""
        return self._enter("alternative", sentence)

    def _enter(self, kind: Kind, sentence: str, reasoning: str = "", pair: tuple[str, ...] = ()) -> Decorator:
        def enter(function: Callable[..., Any]) -> Callable[..., Any]:
            self.entries.append(Entry(self.part, kind, function.__name__, sentence, function, reasoning, pair))
            return function

        return enter


def of(part: str) -> Bank:
    """Return the bank of a part; an empty one where there is no file for it."""
    try:
        return importlib.import_module(f"grading.bank.{part}").bank
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("grading.bank"):
            return Bank(part)
        raise


def entries(part: str) -> list[Entry]:
    """Return the entries of a part; none where the bank has no file for it."""
    return of(part).entries


def find(part: str, name: str) -> Entry:
    """Return one entry.

    Raises:
        KeyError: the bank has no such entry.
    """
    return of(part).find(name)
