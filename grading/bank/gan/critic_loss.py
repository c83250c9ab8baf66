"""Implementations of gan.critic_loss."""

import copy

import torch
from torch import Tensor

from grading.bank import Bank
from solutions.gan import steps
from solutions.gan.steps import Game

bank = Bank("gan.critic_loss")
Pair = tuple[Tensor, Tensor]


def _value(game: Game, real: Tensor, fake: Tensor) -> Tensor:
    return game.objective(game.critic(real), game.critic(fake))


def _paid(game: Game, real: Tensor, fake: Tensor) -> Tensor | float:
    """Coefficient times penalty, 0 without one."""
    return 0.0 if game.penalty is None else game.coefficient * game.penalty(game.critic, real, fake)


bank.reason(
    "Whatever you return as the loss is made smaller. Does a critic want a larger objective, and does it want a "
    "larger penalty? Put in 2 and 5 for each of the two and see which way your loss moves."
)


@bank.mistake("the penalty is subtracted, as if it were a part of the objective")
def subtracts_the_penalty(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, -value - _paid(game, real, fake)


@bank.mistake("the objective enters the loss with its own sign, so that the critic lowers it")
def minimises_the_objective(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, value + _paid(game, real, fake)


bank.reason(
    "Take an objective of 2, a penalty of 3 and a coefficient of 10. What is the loss by the formula, and which "
    "of your numbers is multiplied by what?"
)


@bank.mistake("the penalty is forgotten")
def forgets_the_penalty(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, -value


@bank.mistake("the penalty is not multiplied by its coefficient")
def forgets_the_coefficient(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, -value if game.penalty is None else game.penalty(game.critic, real, fake) - value


@bank.mistake("half of the coefficient is taken, as in another paper's definition of the penalty")
def halves_the_coefficient(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, 0.5 * _paid(game, real, fake) - value


@bank.mistake("the coefficient multiplies the objective instead of the penalty")
def weights_the_objective(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, -value if game.penalty is None else game.penalty(game.critic, real, fake) - game.coefficient * value


@bank.mistake("the coefficient multiplies the whole loss, the objective in it too")
def weights_both(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    if game.penalty is None:
        return value, -value
    return value, game.coefficient * (game.penalty(game.critic, real, fake) - value)


bank.reason(
    "A game may have no penalty at all. What is left of the formula then, its sign included, and what does your "
    "code do on that path?"
)


@bank.mistake("the penalty is called also where there is none")
def calls_a_penalty_that_is_none(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, game.coefficient * game.penalty(game.critic, real, fake) - value  # type: ignore[misc]


@bank.mistake("1 stands for the penalty where there is none, which adds the coefficient to the loss")
def pays_the_coefficient_without_a_penalty(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    penalty = game.penalty(game.critic, real, fake) if game.penalty is not None else 1.0
    return value, game.coefficient * penalty - value


@bank.mistake("the objective is returned twice where there is no penalty, so that the loss has the wrong sign")
def forgets_the_sign_without_a_penalty(game: Game, real: Tensor, fake: Tensor) -> Pair:
    if game.penalty is None:
        value = _value(game, real, fake)
        return value, value
    return steps.critic_loss(game, real, fake)


bank.reason(
    "A penalty is given three things. Which are they, in which order, and is each of yours the very one that the "
    "formula names?"
)


@bank.mistake("the penalty gets the generated samples first")
def exchanges_the_samples_of_the_penalty(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, _paid(game, fake, real) - value


@bank.mistake("the penalty gets the real samples twice")
def penalises_real_samples_only(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, _paid(game, real, real) - value


bank.reason(
    "Who decides what the two play for, and which batch's scores come first in it? Try your function with JSD and "
    "with W1, real scores of 1 and generated ones of 0."
)


@bank.mistake("the objective gets the scores of the generated samples first")
def exchanges_the_scores(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = game.objective(game.critic(fake), game.critic(real))
    return value, _paid(game, real, fake) - value


@bank.mistake("the difference of the mean scores stands for the game's objective")
def takes_the_mean_scores(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = game.critic(real).mean() - game.critic(fake).mean()
    return value, _paid(game, real, fake) - value


bank.reason(
    "Who chose the batches that are judged here? Call your function twice with the same two: should the answers "
    "be the same, and are they?"
)


@bank.mistake("batches are taken from the game inside, and the given ones ignored")
def takes_batches_of_its_own(game: Game, real: Tensor, fake: Tensor) -> Pair:
    return steps.critic_loss(game, game.real_batch(), game.generator(game.noise_batch()))


bank.reason(
    "A value may be right where its gradient is not. Follow each term of what you return, penalty, real scores "
    "and generated scores, back to the parameters of the game's critic: where does the way end, or get thinner?"
)


@bank.mistake("the penalty is detached, so that it is in the value and not in the gradient")
def detaches_the_penalty(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, torch.as_tensor(_paid(game, real, fake)).detach() - value


@bank.mistake("the penalty gets a copy of the critic, so that its gradient reaches the copy only")
def penalises_a_copy_of_the_critic(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    if game.penalty is None:
        return value, -value
    return value, game.coefficient * game.penalty(copy.deepcopy(game.critic), real, fake) - value


@bank.mistake("the loss is detached, so that nothing can be learned from it")
def detaches_the_loss(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value, loss = steps.critic_loss(game, real, fake)
    return value, loss.detach()


@bank.mistake("the objective is detached before it is returned, so that it has no gradient")
def detaches_the_objective(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value, loss = steps.critic_loss(game, real, fake)
    return value.detach(), loss


@bank.mistake("Python numbers are returned, which train nobody")
def returns_numbers(game: Game, real: Tensor, fake: Tensor) -> tuple[float, float]:
    value, loss = steps.critic_loss(game, real, fake)
    return value.item(), loss.item()


@bank.mistake("the scores of the generated samples are computed without a graph, where only the samples need none")
def scores_fakes_without_a_graph(game: Game, real: Tensor, fake: Tensor) -> Pair:
    with torch.no_grad():
        scores = game.critic(fake)
    value = game.objective(game.critic(real), scores)
    return value, _paid(game, real, fake) - value


@bank.mistake("the gradient is halved on its way to those of the critic's parameters that are single numbers")
def halves_the_gradient_by_numbers(game: Game, real: Tensor, fake: Tensor) -> Pair:
    for parameter in game.critic.parameters():
        if parameter.dim() == 0 and parameter.requires_grad:
            parameter.register_hook(lambda gradient: gradient / 2)
    return steps.critic_loss(game, real, fake)


bank.reason(
    "The caller unpacks two numbers, plots the first and trains on the second. Which is which, what shape have "
    "they, and is the first what both players play for?"
)


@bank.mistake("the pair is returned in the order (loss, objective)")
def swaps_the_pair(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value, loss = steps.critic_loss(game, real, fake)
    return loss, value


@bank.mistake("the loss is returned alone")
def returns_the_loss_alone(game: Game, real: Tensor, fake: Tensor) -> Tensor:
    return steps.critic_loss(game, real, fake)[1]


@bank.mistake("the penalty is taken off the objective that is returned, too")
def reports_the_penalised_objective(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value, loss = steps.critic_loss(game, real, fake)
    return value - torch.as_tensor(_paid(game, real, fake)).detach(), loss


@bank.mistake("objective and loss are returned with an axis, (1,)")
def keeps_an_axis(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value, loss = steps.critic_loss(game, real, fake)
    return value.reshape(1), loss.reshape(1)


bank.reason(
    "This function says what the loss is, and makes no step. What could a caller find changed after your call: "
    "gradients, what asks for them, the samples?"
)


@bank.mistake("backward() is called inside, so that the gradients count twice after the caller's backward()")
def calls_backward(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value, loss = steps.critic_loss(game, real, fake)
    loss.backward(retain_graph=True)
    return value, loss


@bank.mistake("the critic's gradients are cleared inside, also those that the caller collects")
def clears_the_gradients(game: Game, real: Tensor, fake: Tensor) -> Pair:
    game.critic_optimizer.zero_grad()
    return steps.critic_loss(game, real, fake)


@bank.mistake("the generator is frozen while the critic is evaluated, and is left so")
def leaves_the_generator_frozen(game: Game, real: Tensor, fake: Tensor) -> Pair:
    game.generator.requires_grad_(False)
    return steps.critic_loss(game, real, fake)


@bank.mistake("the caller's real samples are made to ask for gradients, for the penalty")
def tracks_the_real_samples(game: Game, real: Tensor, fake: Tensor) -> Pair:
    return steps.critic_loss(game, real.requires_grad_(), fake)


@bank.pair("subtracts_the_penalty", "forgets_the_coefficient")
def subtracts_the_penalty_and_forgets_the_coefficient(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, -value if game.penalty is None else -value - game.penalty(game.critic, real, fake)


@bank.pair("minimises_the_objective", "forgets_the_penalty")
def minimises_the_objective_and_forgets_the_penalty(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, value


@bank.pair("forgets_the_coefficient", "exchanges_the_samples_of_the_penalty")
def forgets_the_coefficient_and_exchanges_the_samples(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value = _value(game, real, fake)
    return value, -value if game.penalty is None else game.penalty(game.critic, fake, real) - value


@bank.pair("forgets_the_coefficient", "swaps_the_pair")
def forgets_the_coefficient_and_swaps_the_pair(game: Game, real: Tensor, fake: Tensor) -> Pair:
    value, loss = forgets_the_coefficient(game, real, fake)
    return loss, value


@bank.alternative("both batches go through the critic at once, as long as it has no batch normalisation")
def scores_both_at_once(game: Game, real: Tensor, fake: Tensor) -> Pair:
    real_scores, fake_scores = game.critic(torch.cat([real, fake])).split([len(real), len(fake)])
    value = game.objective(real_scores, fake_scores)
    return value, _paid(game, real, fake) - value


@bank.alternative("the samples are detached, which they need not be here")
def detaches_the_samples(game: Game, real: Tensor, fake: Tensor) -> Pair:
    real, fake = real.detach(), fake.detach()
    loss = -game.objective(game.critic(real), game.critic(fake))
    value = -loss
    if game.penalty is not None:
        loss = loss + game.coefficient * game.penalty(game.critic, real, fake)
    return value, loss


@bank.alternative("the penalty comes first, of a critic in a function, and scores lose their axis of size one")
def penalises_first(game: Game, real: Tensor, fake: Tensor) -> Pair:
    def critic(x: Tensor) -> Tensor:
        return game.critic(x).flatten()

    loss = torch.zeros((), dtype=real.dtype)
    if game.penalty:
        loss = torch.add(loss, game.penalty(critic, real, fake), alpha=game.coefficient)  # type: ignore[arg-type]
    value = game.objective(critic(real), critic(fake))
    return value, torch.sub(loss, value)


@bank.alternative("the critic's parameters are handed over as a dictionary, and the pair is a list")
def calls_it_by_its_parameters(game: Game, real: Tensor, fake: Tensor) -> list[Tensor]:
    parameters: dict[str, Tensor] = {**dict(game.critic.named_parameters())}
    scores = [torch.func.functional_call(game.critic, parameters, (batch,)) for batch in (real, fake)]
    value = game.objective(*scores)
    return [value, -(value - _paid(game, real, fake))]
