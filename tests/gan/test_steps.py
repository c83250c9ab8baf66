"""Properties of steps.py: what the updates leave behind in the players, and whom they ask for what."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import WrongAnswer, assert_close, assert_same_dtype
from tests.support.common import assert_all_unchanged
from tests.support.gan import F64, Left, assert_close_or_named, assert_number, games, left_of, number
from tests.support.players import Game, LinearCritic, LinearGenerator, Objective
from tests.support.properties import Observation, Part, Topic
from tests.support.strategies import reals

loss = Part("gan.critic_loss", "steps.py", ("game", "real", "fake"))
critic_part = Part("gan.critic_step", "steps.py", ("game", "real", "noise"))
generator_part = Part("gan.generator_step", "steps.py", ("game", "noise"))
training = Part("gan.train_step", "steps.py", ("game", "num_critic_steps", "decay"))

RATE = 1e-4  # of a step so small that a gradient is all that counts
MANY = 10.0  # terms of order one in every number below


def _critic_loss(game: Game, critic: LinearCritic, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The objective and the critic's loss by the formula."""
    value = game.objective(critic(real), critic(fake))
    paid = game.coefficient * game.penalty(critic, real, fake) if game.penalty is not None else 0.0
    return value, paid - value


def _descended(tensors: Sequence[Tensor], gradients: Sequence[Tensor], rate: float) -> list[Tensor]:
    return [t - rate * g for t, g in zip(tensors, gradients, strict=True)]


def _after_critic_step(gan: Topic, game: Game, real: Tensor, noise: Tensor) -> list[Tensor]:
    """The critic's weight and bias after one step down the gradient of the implementation's own critic_loss."""
    arguments, weights = (game, real, game.generator(noise)), (None, torch.ones((), dtype=F64))
    paths = ("0.critic.weight", "0.critic.bias")
    gradients = list(gan.critic_loss.gradients(*arguments, wrt=paths, cotangent=weights))
    return _descended((game.critic.weight, game.critic.bias), gradients, game.rates[0])


def _after_generator_step(game: Game, noise: Tensor) -> list[Tensor]:
    """The generator's weight and bias after one step down the gradient of the objective."""
    leaves = [t.clone().requires_grad_() for t in (game.generator.weight, game.generator.bias)]
    scores = game.critic(LinearGenerator(*leaves)(noise))
    value = game.objective(torch.zeros_like(scores), scores)
    return _descended([leaf.detach() for leaf in leaves], torch.autograd.grad(value, leaves), game.rates[1])


def _last(game: Game) -> tuple[Tensor, Tensor]:
    """Real samples and noise to call an update with: not those that the game would hand out first."""
    return game.real[-1], game.noise[-1]


def _samples(game: Game) -> tuple[Tensor, Tensor]:
    """Real and generated samples to call the loss with, from the same batches."""
    real, noise = _last(game)
    return real, game.generator(noise)


def _assert_ready(left: Left) -> None:
    """Accept players that the next update finds as this one did."""
    if not left.same:
        raise WrongAnswer("a player of the game was replaced; players are changed in place")
    for name, (trainable, training) in zip(("critic", "generator"), left.ready, strict=True):
        if not trainable:
            raise WrongAnswer(f"a parameter of the {name} does not ask for gradients any more: it was left frozen")
        if not training:
            raise WrongAnswer(f"the {name} was left in evaluation mode")


# The critic's loss


def _two(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        found = "a single tensor" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise WrongAnswer(f"returned {found}, expected the pair (objective, loss)")
    return value[0], value[1]


@loss.property("shape", game=games(batches=2))
def two_numbers(gan: Topic, game: Game) -> None:
    """The result is the pair (objective, loss), each of the shape () and of the precision of the samples."""
    for each in _two(gan.critic_loss.raw(game, *_samples(game))):
        assert_number(each)
        assert_same_dtype(each, F64)


@loss.property("value", game=games(batches=2, penalised=False))
def without_a_penalty(gan: Topic, game: Game) -> None:
    """Without a penalty the pair is the objective of the critic's scores, real ones first, and its negative."""
    value, paid = map(number, _two(gan.critic_loss.raw(game, *_samples(game))))
    expected, _ = _critic_loss(game, game.critic, *_samples(game))
    exchanged = game.objective(*map(game.critic, reversed(_samples(game))))
    mistakes = {"the scores are exchanged": exchanged, "it is the loss": -expected}
    assert_close_or_named(value, expected, MANY, "the objective", mistakes)
    assert_close_or_named(paid, -expected, MANY, "the loss", {"its sign is turned": expected})


@loss.property("value", game=games(batches=2, penalised=True))
def with_a_penalty(gan: Topic, game: Game) -> None:
    """With one, the loss has coefficient times penalty(critic, real, fake) more, and the objective is as it was."""
    value, paid = map(number, _two(gan.critic_loss.raw(game, *_samples(game))))
    expected = _critic_loss(game, game.critic, *_samples(game))
    assert_close(value, expected[0], MANY, "the objective")
    penalty = (expected[0] + expected[1]) / game.coefficient
    mistakes = {
        "the penalty is missing": -expected[0],
        "the coefficient is missing": penalty - expected[0],
        "half of the coefficient was taken": 0.5 * game.coefficient * penalty - expected[0],
        "the penalty was subtracted": -game.coefficient * penalty - expected[0],
        "the objective has the wrong sign in it": game.coefficient * penalty + expected[0],
        "the coefficient weighs the objective too": game.coefficient * (penalty - expected[0]),
    }
    assert_close_or_named(paid, expected[1], MANY + penalty.abs() * game.coefficient, "the loss", mistakes)


@loss.property("gradient", game=games(batches=2))
def gradient_in_the_critic(gan: Topic, game: Game) -> None:
    """The gradients of objective and loss by the critic's parameters are those of the formula."""
    one = torch.ones((), dtype=F64)
    fields = ("weight", "bias")
    leaves = {field: getattr(game.critic, field).clone().requires_grad_() for field in fields}
    values = _critic_loss(game, replace(game.critic, **leaves), *_samples(game))
    arguments = (game, *_samples(game))
    for value, cotangent, name in zip(values, ((one, None), (None, one)), ("objective", "loss"), strict=True):
        gradients = torch.autograd.grad(value, list(leaves.values()), retain_graph=True)
        answers = gan.critic_loss.gradients(*arguments, wrt=[f"0.critic.{f}" for f in fields], cotangent=cotangent)
        for field, answer, expected in zip(fields, answers, gradients, strict=True):
            assert_close(answer, expected, 10 * MANY, f"the gradient of the {name} by the critic's {field}")


@loss.property("value", most=10, game=games(batches=2))
def leaves_everything_alone(gan: Topic, game: Game) -> None:
    """The samples and the players are as before: no parameter moved, no gradient (.grad) was added to or cleared, and
    each of them asks for gradients as it did."""
    seen = gan.critic_loss.observe(game, *_samples(game))
    assert_all_unchanged(loss.arguments[1:], seen.arguments[1:], _samples(game))
    for name, tracked in zip(loss.arguments[1:], seen.tracked[1:], strict=True):
        if tracked:
            raise WrongAnswer(
                f"{name} asks for a gradient after the call: requires_grad was set on the caller's tensor"
            )
    left = left_of(seen)
    _assert_ready(left)
    _assert_player_unchanged("critic", left.critic, left.critic_gradients, game)
    _assert_player_unchanged("generator", left.generator, left.generator_gradients, game)


def _assert_player_unchanged(
    name: str, now: Sequence[Tensor], gradients: Sequence[Tensor | None] | None, game: Game
) -> None:
    """Accept a player whose parameters are as in the game, and whose gradients too where they are given."""
    before: Any = getattr(game, name)
    for field, after in zip(("weight", "bias"), now, strict=True):
        if not torch.equal(after, getattr(before, field)):
            raise WrongAnswer(f"the {field} of the {name} moved", after, getattr(before, field))
    for gradient in gradients or ():
        entries = None if gradient is None else gradient.unique().tolist()
        if entries != (None if game.stale is None else [game.stale]):
            raise WrongAnswer(f"the gradients (.grad) of the {name} were added to, or cleared", gradient)


def _assert_stepped(who: str, left: Left, game: Game, expected: Sequence[Tensor]) -> None:
    """Accept a player whose optimizer made one step, to the weight and the bias that are expected."""
    count, rate = left.count(f"{who} step"), game.rates[("critic", "generator").index(who)]
    if count != 1:
        raise WrongAnswer(f"the {who}'s optimizer made {count} steps, expected 1")
    for field, now, wanted in zip(("weight", "bias"), getattr(left, who), expected, strict=True):
        before = getattr(getattr(game, who), field)
        mistakes = {
            "it has not moved: was the gradient cleared before the step, or something detached?": before,
            "it moved as far in the other direction: a sign is turned": 2 * before - wanted,
            "gradients that stood in .grad before were added": wanted - rate * (game.stale or 0.0),
        }
        assert_close_or_named(now, wanted, MANY, f"the {who}'s {field} after the step", mistakes)


def _update_properties(part: Part) -> None:
    """Give an update of one player what holds for both."""
    name = part.name.split(".")[1]

    def observed(gan: Topic, game: Game) -> Observation:
        return getattr(gan, name).observe(game, *_last(game)[1 - len(part.arguments) :])

    @part.property("value", most=10, game=games(batches=2))
    def asks_for_no_batch(gan: Topic, game: Game) -> None:
        """The update is on the batches that it is given: it does not take others from the game."""
        left = left_of(observed(gan, game))
        for what in ("real", "noise"):
            if left.count(what):
                raise WrongAnswer(f"{what}_batch was called; the update has its batches as arguments")

    @part.property("value", most=10, game=games(batches=2))
    def leaves_the_players_ready(gan: Topic, game: Game) -> None:
        """After the update every parameter still asks for gradients, both players are in training mode, the average
        has not moved, and the batches are as they were."""
        seen = observed(gan, game)
        left = left_of(seen)
        _assert_ready(left)
        _assert_player_unchanged("average", left.average, None, game)
        assert_all_unchanged(part.arguments[1:], seen.arguments[1:], _last(game)[1 - len(part.arguments) :])


# The critic's step


@critic_part.property("value", game=games())
def generator_stays(gan: Topic, game: Game) -> None:
    """The generator's parameters and their gradients (.grad) are as before: no graph leads to it."""
    left = left_of(gan.critic_step.observe(game, game.real[0], game.noise[0]))
    _assert_player_unchanged("generator", left.generator, left.generator_gradients, game)


@critic_part.property("value", game=games(batches=2))
def one_step_down_the_gradient(gan: Topic, game: Game) -> None:
    """The critic's parameters move by one step of its optimizer on the gradient of its loss, whatever gradients stood
    there before."""
    real, noise = _last(game)
    expected = _after_critic_step(gan, game, real, noise)
    left = left_of(gan.critic_step.observe(game, real, noise))
    _assert_stepped("critic", left, game, expected)


@critic_part.property("value", game=games(batches=2))
def objective_before_the_step(gan: Topic, game: Game) -> None:
    """The result is the objective before the update, (), and has no graph that would be kept for as long as it is."""
    real, noise = _last(game)
    seen = gan.critic_step.observe(game, real, noise)
    assert_number(seen.value)
    assert_same_dtype(seen.value, F64)
    value, paid = _critic_loss(game, game.critic, real, game.generator(noise))
    after, _ = _critic_loss(game, left_of(seen).after(game).critic, real, game.generator(noise))
    mistakes = {"it is the loss": paid, "it is the objective after the step": after}
    assert_close_or_named(seen.value, value, MANY, "the result", mistakes)
    if seen.has_graph:
        raise WrongAnswer("the result has a graph: return it detached")


@critic_part.property(
    "value",
    stays="it shows the sign: the critic goes up the objective, the generator down",
    game=games(penalised=False),
)
def critic_raises_the_objective(gan: Topic, game: Game) -> None:
    """After a small step without a penalty the same batches have a larger objective: by the rate times the square of
    its gradient, nearly."""
    small = replace(game, rates=(RATE, RATE))
    real, fake = _samples(game)
    leaves = [t.clone().requires_grad_() for t in (game.critic.weight, game.critic.bias)]
    before, _ = _critic_loss(game, replace(game.critic, weight=leaves[0], bias=leaves[1]), real, fake)
    rise = RATE * sum(g.square().sum() for g in torch.autograd.grad(before, leaves))
    left = left_of(gan.critic_step.observe(small, *_last(game)))
    after, _ = _critic_loss(game, left.after(game).critic, real, fake)
    change = (after - before).detach()
    if float(change) < 0.9 * float(rise) - 1e-12:
        falls = (
            "falls in the critic's step, where it should climb" if float(change) < 0 else "does not climb as it should"
        )
        raise WrongAnswer(f"the objective {falls}", change, rise)


_update_properties(critic_part)


# The generator's step


@generator_part.property("value", game=games(batches=2))
def one_step_down_the_objective(gan: Topic, game: Game) -> None:
    """The generator's parameters move by one step of its optimizer on the gradient of the objective, whatever gradients
    stood there before."""
    noise = game.noise[-1]
    left = left_of(gan.generator_step.observe(game, noise))
    _assert_stepped("generator", left, game, _after_generator_step(game, noise))


@generator_part.property("value", game=games())
def critic_stays(gan: Topic, game: Game) -> None:
    """The critic's parameters have not moved."""
    left = left_of(gan.generator_step.observe(game, game.noise[0]))
    _assert_player_unchanged("critic", left.critic, None, game)


_update_properties(generator_part)


# The training step


@st.composite
def _iterations(draw: st.DrawFn) -> Game:
    return draw(games(batches=draw(st.sampled_from([1, 2, 3, 5]))))


def _played(gan: Topic, game: Game) -> tuple[Game, Tensor]:
    """The game after updates by the implementation's own critic_step and generator_step, and the last objective."""
    value: Any = None
    for real, noise in zip(game.real, game.noise, strict=False):
        seen = gan.critic_step.observe(game, real, noise)
        game, value = left_of(seen).after(game), seen.value
    game = left_of(gan.generator_step.observe(game, game.noise[-1])).after(game)
    return game, number(value)


@training.property("value", game=_iterations(), decay=reals(0, 1))
def new_batches_for_every_update(gan: Topic, game: Game, decay: float) -> None:
    """Each update of the critic asks for one batch of real samples and one of noise, and that of the generator for
    noise of its own."""
    left = left_of(gan.train_step.observe(game, len(game.real), decay))
    for what, expected in (("real", len(game.real)), ("noise", len(game.real) + 1)):
        if left.count(what) != expected:
            raise WrongAnswer(
                f"{what}_batch was called {left.count(what)} times for {len(game.real)} updates of the critic and one "
                f"of the generator, expected {expected}"
            )


@training.property("value", game=_iterations(), decay=reals(0, 1))
def critic_first_then_the_generator(gan: Topic, game: Game, decay: float) -> None:
    """The players end where updates of the critic by critic_step, and then one of the generator by generator_step, lead
    them, each with the next batches."""
    expected, _ = _played(gan, game)
    left = left_of(gan.train_step.observe(game, len(game.real), decay))
    for name in ("critic", "generator"):
        player = getattr(expected, name)
        for field, now in zip(("weight", "bias"), getattr(left, name), strict=True):
            assert_close(now, getattr(player, field), MANY, f"the {name}'s {field} after the iteration")


@training.property("value", game=_iterations(), decay=reals(0, 1))
def average_follows_the_generator(gan: Topic, game: Game, decay: float) -> None:
    """After the generator's update the average moves towards it, by update_average with the given decay."""
    left = left_of(gan.train_step.observe(game, len(game.real), decay))
    seen = gan.update_average.observe(game.average, LinearGenerator(*left.generator), decay)
    for field, now, latest, wanted in zip(
        ("weight", "bias"), left.average, left.generator, seen.arguments[0][0], strict=True
    ):
        old, first = getattr(game.average, field), getattr(game.generator, field)
        mistakes = {
            "it has not moved": old,
            "it follows the generator of before its update": decay * old + (1 - decay) * first,
            "decay and 1 - decay are exchanged": decay * latest + (1 - decay) * old,
        }
        assert_close_or_named(now, wanted, MANY, f"the average's {field} after the iteration", mistakes)


@training.property("value", game=_iterations(), decay=reals(0, 1))
def objective_of_the_last_update(gan: Topic, game: Game, decay: float) -> None:
    """The result is the objective of the last update of the critic, (), without a graph."""
    _, expected = _played(gan, game)
    seen = gan.train_step.observe(game, len(game.real), decay)
    assert_number(seen.value)
    assert_same_dtype(seen.value, F64)
    assert_close(seen.value, expected, MANY, "the result")
    if seen.has_graph:
        raise WrongAnswer("the result has a graph: return it detached")


@training.property("value", most=10, game=_iterations(), decay=reals(0, 1))
def leaves_the_players_ready(gan: Topic, game: Game, decay: float) -> None:
    """After the iteration every parameter still asks for gradients, and both players are in training mode."""
    _assert_ready(left_of(gan.train_step.observe(game, len(game.real), decay)))


@training.property(
    "value",
    stays="it is the game that is trained next, by a formula for the hand; the generator sees the new critic",
    psi=reals(-1, 1),
    theta=reals(-1, 1),
    rate=reals(0.01, 0.5),
)
def one_iteration_of_the_dirac_gan(gan: Topic, psi: float, theta: float, rate: float) -> None:
    """For data at 0, the critic psi x, the generator theta, and the difference of the scores as the objective, an
    iteration leads to psi - rate theta, and then to theta + rate (psi - rate theta)."""
    zero = torch.zeros((), dtype=F64)
    game = Game(
        critic=LinearCritic(zero.reshape(1) + psi, zero),
        generator=LinearGenerator(zero.reshape(1, 1), zero.reshape(1) + theta),
        average=LinearGenerator(zero.reshape(1, 1), zero.reshape(1)),
        objective=Objective(0.0, 0.0),
        penalty=None,
        coefficient=0.0,
        real=zero.reshape(1, 1, 1),
        noise=torch.zeros(2, 1, 1, dtype=F64),
        rates=(rate, rate),
    )
    left: Left = left_of(gan.train_step.observe(game, 1, 0.5))
    moved = psi - rate * theta
    assert_close(left.critic[0], zero.reshape(1) + moved, 10.0, "psi after the iteration")
    assert_close(left.generator[1], zero.reshape(1) + theta + rate * moved, 10.0, "theta after the iteration")
