"""An iteration of training as a timeline: who was asked for what, and how far the average followed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from tests.support.gan import Left, left_of
from tests.support.players import Game
from tests.support.properties import Observation

from .asking import Asking
from .canvas import NOTHING, OTHER, RIGHT, YOURS, compare, headed, legend, named, sheet
from .curves import Curve
from .curves_scores import played

F64 = torch.float64
UPDATES = 4  # of the critic
MOST = 60  # events that are drawn
ROWS = ("real", "noise", "critic step", "generator", "generator step")
NAMES = ("real batch\nfetched", "noise\nfetched", "critic\nsteps", "generator\nasked", "generator\nsteps")


@dataclass(frozen=True)
class Event:
    """Something in the log of a game; batch: the number of the batch of noise that was fetched or used, or 0."""

    row: str
    batch: int


@dataclass(frozen=True)
class Iteration:
    """What happened in an iteration, in order, and the average's share of the generator over the decay."""

    events: Sequence[Event]
    average: Curve

    def count(self, row: str) -> int:
        """How often something happened."""
        return sum(event.row == row for event in self.events)

    @property
    def sentence(self) -> str:
        """What one sees."""
        wanted = {"critic step": UPDATES, "generator step": 1, "real": UPDATES, "noise": UPDATES + 1}
        words = {
            "critic step": "critic's steps",
            "generator step": "generator's steps",
            "real": "real batches fetched",
            "noise": "batches of noise fetched",
        }
        for row, count in wanted.items():
            if self.count(row) != count:
                return f"asked for {UPDATES} updates of the critic: {words[row]} {self.count(row)}, expected {count}"
        rows = [event.row for event in self.events]
        last = len(rows) - 1 - rows[::-1].index("critic step")
        if rows.index("generator step") < last:
            return "the generator steps before the critic's last step"
        used = [event.batch for event in self.events if event.row == "generator"]
        if len(set(used)) < UPDATES + 1:
            return "a batch of noise is used for more than one update"
        return self.average.sentence or NOTHING


def _batch(x: Tensor | None, game: Game) -> int:
    """Return the number of the batch of noise that a tensor is, from 1; 0 for none."""
    same = [i + 1 for i, noise in enumerate(game.noise) if x is not None and torch.equal(x.double(), noise)]
    return same[0] if same else 0


def _game() -> Game:
    def numbers(seed: int, batches: int) -> Tensor:
        return torch.randn(batches, 3, 1, dtype=F64, generator=torch.Generator().manual_seed(seed))

    game = played(False, torch.tensor(0.7, dtype=F64))
    # The average begins as far from the generator as that moves: it shows which generator it follows.
    average = replace(game.generator, weight=game.generator.weight - 0.5)
    real, noise = numbers(1, UPDATES + 2), numbers(2, 2 * UPDATES + 4)
    return replace(game, average=average, rates=(0.1, 2.0), real=real, noise=noise)


def iteration(ask: Asking) -> Iteration:
    """Ask for one iteration with several decays of the average."""
    game, x = _game(), torch.linspace(0, 1, 11, dtype=F64)
    answers = ask.answers([ask.call(game, UPDATES, float(decay), watch="effects") for decay in x])
    lefts = [left_of(Observation(a.value, False, None, a.arguments, a.asked, a.tracked)) for a in answers]
    events = [Event(name, _batch(tensor, game)) for name, tensor in lefts[0].log if name in ROWS]
    shares = torch.stack([_share(left, game) for left in lefts])
    return Iteration(events, Curve("share of the way", "the decay", x, shares, 1 - x, subject="the average"))


def _share(left: Left, game: Game) -> Tensor:
    """How far the average went on the way to the generator as it was left, ()."""
    before = game.average.weight.double().reshape(())
    return (left.average[0].double().reshape(()) - before) / (left.generator[0].double().reshape(()) - before)


def train_step(ask: Asking) -> Figure:
    """Draw an iteration of training."""
    found = iteration(ask)
    figure, frames = sheet(1, 2, 3.6, width_ratios=(2.2, 1))
    _timeline(frames[0, 0], found)
    compare(frames[0, 1], found.average.x, found.average.yours, found.average.right)
    named(frames[0, 1], "how far the average follows", found.average.over, found.average.what)
    legend(figure, frames[0, 1])
    return headed(figure, ask.part.name, found.sentence)


def _timeline(axes: Axes, found: Iteration) -> None:
    events = found.events[:MOST]
    for place, event in enumerate(events):
        row = len(ROWS) - 1 - ROWS.index(event.row)
        colour = YOURS if "step" in event.row else OTHER if "noise" in event.row or event.row == "generator" else RIGHT
        axes.plot(place, row, "s", color=colour, markersize=11)
        if event.batch:
            axes.annotate(str(event.batch), (place, row), color="white", ha="center", va="center", fontsize=8)
    axes.set_yticks(range(len(ROWS)), [f"{n}: {found.count(r)}" for n, r in zip(NAMES[::-1], ROWS[::-1], strict=True)])
    axes.set_ylim(-0.6, len(ROWS) - 0.4)
    axes.set_xlim(-1, max(len(events), 12))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", alpha=0.25)
    named(axes, f"{UPDATES} updates of the critic were asked for; numbers: batches of noise", "order of events", "")
