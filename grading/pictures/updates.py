"""The two players' updates: where a step leads from many places, over what it should descend."""

from dataclasses import dataclass, replace

import torch
from matplotlib.figure import Figure
from torch import Tensor

from tests.support.gan import Left, left_of
from tests.support.players import Game, LinearCritic, LinearGenerator
from tests.support.properties import Observation

from .asking import Asking
from .canvas import NOTHING, OTHER, WRONG, YOURS, headed, legend, named, sheet
from .curves_scores import played

F64 = torch.float64
SIDE, REACH = 7, 1.6
FINE = 41
RATES = (0.08, 0.4)  # of the critic and of the generator, for arrows of a length that one sees


@dataclass(frozen=True)
class Steps:
    """Updates of one player from places (weight, bias), (n, 2).

    after: where they led. right: where one step down the gradient leads. besides: what else was done that should not.
    """

    player: str
    places: Tensor
    after: Tensor
    right: Tensor
    besides: str = ""

    @property
    def sentence(self) -> str:
        """What one sees."""
        step, wanted = self.after - self.places, self.right - self.places
        if not bool(step.isfinite().all()):
            return "steps lead to nan or infinity"
        size = wanted.norm(dim=1)
        also = f", and {self.besides}" if self.besides else ""
        if float(step.norm(dim=1).max()) < 1e-9:
            return f"no step is made{also}"
        wrong = (step - wanted).norm(dim=1) > 0.02 * size.max()
        uphill = (step * wanted).sum(1) < 0
        if float(uphill.double().mean()) > 0.5:
            return f"{int(uphill.sum())} of {len(step)} steps lead up, not down{also}"
        if bool(wrong.any()):
            ratio = float((step.norm(dim=1) / size.clamp(min=1e-9)).median())
            return (
                f"{int(wrong.sum())} of {len(step)} steps end elsewhere, {ratio:.2g} times as long in the median{also}"
            )
        return f"its steps are right, but {self.besides}" if self.besides else NOTHING


def _lattice(points: int) -> Tensor:
    axis = torch.linspace(-REACH, REACH, points, dtype=F64)
    return torch.cartesian_prod(axis, axis)


def _game(player: str, place: Tensor) -> Game:
    """Return a game in which a player stands at a place (weight, bias), with gradients left over from before."""
    game = played(True, torch.tensor(0.9, dtype=F64))
    away = LinearGenerator(game.generator.weight - 1, game.generator.bias + 1)
    more = torch.tensor([[[0.5], [-0.9], [1.4]]], dtype=F64)
    game = replace(
        game,
        average=away,
        real=torch.cat([more - 1, game.real]),
        noise=torch.cat([more, game.noise]),
        stale=2.0,
        rates=RATES,
    )
    if player == "critic":
        return replace(game, critic=LinearCritic(place[:1], place[1]))
    return replace(game, generator=LinearGenerator(place[:1, None], place[1:]))


def _value(player: str, place: Tensor) -> Tensor:
    """Return what a player descends, at a place."""
    game = _game(player, place)
    samples = game.real[-1], game.generator(game.noise[-1])
    value = game.objective(*map(game.critic, samples))
    if player == "generator" or game.penalty is None:
        return value
    return game.coefficient * game.penalty(game.critic, *samples) - value


def _descended(player: str, place: Tensor) -> Tensor:
    leaf = place.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(_value(player, leaf), leaf)
    return place - RATES[player == "generator"] * gradient


def steps(ask: Asking) -> Steps:
    """Ask for one update from each of many places."""
    player = "critic" if ask.part.name.endswith("critic_step") else "generator"
    places = _lattice(SIDE)
    games = [_game(player, place) for place in places]
    batch = (games[0].real[-1], games[0].noise[-1])[3 - len(ask.part.arguments) :]
    calls = [ask.call(game, *batch, watch="effects") for game in games]
    after, besides = [], ""
    for game, answer in zip(games, ask.answers(calls), strict=True):
        left = left_of(Observation(answer.value, False, None, answer.arguments, answer.asked, answer.tracked))
        after.append(torch.cat([t.double().reshape(1) for t in getattr(left, player)]))
        besides = besides or _besides(player, game, left)
    right = torch.stack([_descended(player, place) for place in places])
    return Steps(player, places, torch.stack(after), right, besides)


def _besides(player: str, game: Game, left: Left) -> str:
    """Say what a step did beside moving its player, if there is anything."""
    other = "generator" if player == "critic" else "critic"
    for name in (other, "average"):
        given = getattr(game, name)
        if not all(torch.equal(a, b) for a, b in zip(getattr(left, name), (given.weight, given.bias), strict=True)):
            return f"the {name} moves too"
    if player == "critic" and not all(_still(g, game.stale) for g in left.generator_gradients):
        return "the gradients of the generator were added to, or cleared"
    if not all(trainable and training for trainable, training in left.ready):
        return "a player is left frozen, or in evaluation mode"
    return ""


def _still(gradient: Tensor | None, stale: float | None) -> bool:
    return gradient is not None and gradient.unique().tolist() == [stale]


def update(ask: Asking) -> Figure:
    """Draw where an update leads from many places."""
    found = steps(ask)
    figure, frames = sheet(1, 1, 4.8)
    (axes,) = frames[0]
    fine = _lattice(FINE)
    values = torch.stack([_value(found.player, place) for place in fine]).view(FINE, FINE).T
    axis = torch.linspace(-REACH, REACH, FINE)
    what = "loss of the critic" if found.player == "critic" else "objective"
    contours = axes.contourf(axis, axis, values, 14, cmap="Greys", alpha=0.45)
    figure.colorbar(contours, ax=axes, label=f"{what}, to go down")
    for after, colour, width, label in (
        (found.right, OTHER, 0.009, "one step down"),
        (found.after, YOURS, 0.004, "your step"),
    ):
        step = (after - found.places).nan_to_num().clamp(-3 * REACH, 3 * REACH)
        axes.quiver(
            *found.places.T, *step.T, angles="xy", scale_units="xy", scale=1, width=width, color=colour, label=label
        )
    axes.plot(*found.places.T, ".", color=WRONG, markersize=3, label="it begins here")
    axes.set(xlim=(-1.3 * REACH, 1.3 * REACH), ylim=(-1.3 * REACH, 1.3 * REACH))
    named(axes, "", f"weight of the {found.player}", f"bias of the {found.player}")
    legend(figure, axes)
    return headed(figure, ask.part.name, found.sentence)
