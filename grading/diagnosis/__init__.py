"""Naming the mistake that a wrong part looks like, by what it answers to a few fixed probes."""

import msgspec


class Diagnosis(msgspec.Struct, frozen=True):
    """A mistake of the bank whose answers to the probes are those of a part that is wrong.

    mistakes: its name; several where they cannot be told apart. sentence: what was done. reasoning: where to think
    again, and no code.
    """

    mistakes: list[str]
    sentence: str
    reasoning: str = ""

    @property
    def told(self) -> str:
        """Return the sentence as a student reads it."""
        return f"equals what you get when {self.sentence}"
