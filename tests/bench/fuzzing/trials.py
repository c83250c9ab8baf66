"""An input on its way through the judge, and what is a problem there.

What decides about an input is drawn from its number, and from a seed.
"""

import random
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tests.bench.fuzzing.messages import extreme
from tests.bench.fuzzing.mutations import damaged
from tests.bench.pairs import forget_peak, memory

SECONDS = 1.0  # of the judge's CPU time
MEGABYTES = 256  # eight times what bytes become as doubles, and their message beside them, twice over
EXTREME = 0.002  # of the inputs are as large as a message may be
KEPT = 8  # messages of an input, the last ones, that are written to a file


@dataclass
class Trial:
    """One input: who reads it, what was sent, what it took, what became of it."""

    number: int
    reader: str
    rng: random.Random
    sent: list[bytes] = field(default_factory=list)
    outcome: str = ""
    problem: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0

    def start(self) -> None:
        """Begin, or go on, to measure what is the judge's own work."""
        self._held, self._begin = forget_peak(), time.process_time()

    def stop(self) -> None:
        """Leave out what follows."""
        self.seconds += time.process_time() - self._begin
        self.megabytes = max(self.megabytes, memory("VmHWM") - self._held)

    def send(self, message: bytes, damage: float = 1.0) -> bytes:
        """Damage a right message with some chance, and keep what is sent."""
        chance = self.rng.random()
        message = extreme(self.rng) if chance < EXTREME else damaged(self.rng, message) if chance < damage else message
        self.sent.append(message)
        return message

    def expect(self, holds: bool, problem: str) -> None:
        """Note a problem where something does not hold."""
        self.problem = self.problem or ("" if holds else problem)


Reader = Callable[[Trial], None]


def tried(number: int, readers: Mapping[Reader, int], seed: int = 0) -> Trial:
    """Try the input of a number, the same one for the same seed; a problem is tried again before it is told.

    What comes first after the start of a process may be slow, and large, for reasons of its own.

    readers: and how often each has its turn.
    """
    trial = _once(number, readers, seed)
    return _once(number, readers, seed) if trial.problem else trial


def _once(number: int, readers: Mapping[Reader, int], seed: int) -> Trial:
    rng = random.Random(f"{seed} {number}")
    torch.manual_seed(rng.randrange(1 << 30))
    (reader,) = rng.choices(list(readers), list(readers.values()))
    trial = Trial(number, reader.__name__, rng)
    try:
        reader(trial)
    except Exception as error:
        trial.problem = f"{type(error).__name__}: {error}"[:500] + "\n" + traceback.format_exc()
    trial.expect(trial.seconds < SECONDS, f"{trial.seconds:.1f} seconds")
    trial.expect(trial.megabytes < MEGABYTES, f"{trial.megabytes:.0f} MB")
    return trial


def keep(trial: Trial, seed: int) -> Path:
    """Write the bytes of an input to a file, as hexadecimal digits."""
    file = Path(tempfile.gettempdir()) / f"fuzzing_{seed}_{trial.number}.hex"
    file.write_text("\n".join(message.hex() for message in trial.sent[-KEPT:]) + "\n")
    return file
