"""Implementations of gan.generator_step."""

import copy

import torch
from torch import Tensor, nn

from grading.bank import Bank
from solutions.gan import steps
from solutions.gan.steps import Game

bank = Bank("gan.generator_step")


def _scores(game: Game, noise: Tensor) -> Tensor:
    return game.critic(game.generator(noise))


def _objective(game: Game, noise: Tensor) -> Tensor:
    scores = _scores(game, noise)
    return game.objective(torch.zeros_like(scores), scores)


def _update(game: Game, loss: Tensor) -> None:
    game.generator_optimizer.zero_grad()
    loss.backward()
    game.generator_optimizer.step()


bank.reason(
    "Follow the gradient backwards: objective, scores, critic, samples, generator. At which of these does your "
    "way end, and in which of the two updates was that wanted?"
)


@bank.mistake("the samples are scored without a graph, in order to leave the critic alone")
def scores_without_a_graph(game: Game, noise: Tensor) -> None:
    with torch.no_grad():
        scores = _scores(game, noise)
    _update(game, game.objective(torch.zeros_like(scores), scores))


bank.reason(
    "For the generator to move, two things must meet in the optimizer's step: a way from the objective back to "
    "the generator, and gradients that are still there. Print the generator's .grad after each of your lines: "
    "where is one missing?"
)


@bank.mistake("the samples are detached, as they are in the critic's step, so that the generator learns nothing")
def detaches_the_samples(game: Game, noise: Tensor) -> None:
    scores = game.critic(game.generator(noise).detach())
    _update(game, game.objective(torch.zeros_like(scores), scores))


@bank.mistake("the gradients are cleared between backward() and step()")
def clears_after_backward(game: Game, noise: Tensor) -> None:
    _objective(game, noise).backward()
    game.generator_optimizer.zero_grad()
    game.generator_optimizer.step()


bank.reason(
    "Take W1 and a generated sample with the score 2: which way should the generator move this score, and which "
    "way does your step move it, if at all? Do the same for JSD, and compare how strong the push is at a score of "
    "-5."
)


@bank.mistake("the generator climbs the objective, as the critic does")
def climbs_the_objective(game: Game, noise: Tensor) -> None:
    _update(game, -_objective(game, noise))


@bank.mistake("the generated scores stand in the place of the real ones, and the generator lowers what this gives")
def exchanges_the_scores(game: Game, noise: Tensor) -> None:
    scores = _scores(game, noise)
    _update(game, game.objective(scores, torch.zeros_like(scores)))


@bank.mistake(
    "the non-saturating loss is taken: the samples pass for real ones, and the generator raises the objective"
)
def does_not_saturate(game: Game, noise: Tensor) -> None:
    scores = _scores(game, noise)
    _update(game, -game.objective(scores, torch.zeros_like(scores)))


@bank.mistake("the scores of the samples stand for the real ones too, undetached, which adds a gradient")
def plays_against_itself(game: Game, noise: Tensor) -> None:
    scores = _scores(game, noise)
    _update(game, game.objective(scores, scores))


bank.reason(
    "What the two play for is the game's choice, and the penalty is the critic's bill. Write your loss down for a "
    "game with W1 and for one with JSD: is it the objective both times, and nothing else?"
)


@bank.mistake("the mean score is raised, whatever the objective is")
def takes_the_mean_score(game: Game, noise: Tensor) -> None:
    _update(game, -_scores(game, noise).mean())


@bank.mistake("the logarithm of the sigmoid of the scores is raised, whatever the objective is")
def takes_the_cross_entropy(game: Game, noise: Tensor) -> None:
    _update(game, nn.functional.softplus(-_scores(game, noise)).mean())


@bank.mistake("the generator pays the critic's penalty too")
def pays_the_penalty(game: Game, noise: Tensor) -> None:
    fake = game.generator(noise)
    scores = game.critic(fake)
    loss = game.objective(torch.zeros_like(scores), scores)
    if game.penalty is not None:
        loss = loss + game.coefficient * game.penalty(game.critic, fake, fake)
    _update(game, loss)


bank.reason(
    "Let 5 stand in the generator's .grad before the call, and let the gradient of this objective be 2. Write "
    "down what stands there after each of your lines: with which number is the step made, and how often?"
)


@bank.mistake("the gradients of the step before are not cleared")
def never_clears_the_gradients(game: Game, noise: Tensor) -> None:
    _objective(game, noise).backward()
    game.generator_optimizer.step()


@bank.mistake("the critic's gradients are cleared instead of the generator's")
def clears_the_wrong_gradients(game: Game, noise: Tensor) -> None:
    game.critic_optimizer.zero_grad()
    _objective(game, noise).backward()
    game.generator_optimizer.step()


@bank.mistake("the optimizer's step is forgotten")
def forgets_the_step(game: Game, noise: Tensor) -> None:
    game.generator_optimizer.zero_grad()
    _objective(game, noise).backward()


@bank.mistake("two steps are made, the second on the gradient at the new parameters")
def makes_two_updates(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, noise)
    steps.generator_step(game, noise)


bank.reason(
    "There are three networks in the game. Which of them makes the samples here, which moves, and whose optimizer "
    "makes the step? Ask your code the same three questions."
)


@bank.mistake("both optimizers make a step, so that the critic helps the generator")
def steps_both(game: Game, noise: Tensor) -> None:
    game.critic_optimizer.zero_grad()
    _update(game, _objective(game, noise))
    game.critic_optimizer.step()


@bank.mistake("the critic's optimizer makes the step instead of the generator's")
def steps_the_critic(game: Game, noise: Tensor) -> None:
    game.generator_optimizer.zero_grad()
    _objective(game, noise).backward()
    game.critic_optimizer.step()


@bank.mistake("the samples come from the moving average, so that the generator gets no gradient")
def trains_the_average(game: Game, noise: Tensor) -> None:
    scores = game.critic(game.average(noise))
    _update(game, game.objective(torch.zeros_like(scores), scores))


bank.reason(
    "Whose job is the size of a step? Take a gradient of norm 100: by how much does it move the generator by the "
    "docstring, and by how much in yours?"
)


@bank.mistake("the gradient is clipped to the norm 1")
def clips_the_gradient(game: Game, noise: Tensor) -> None:
    game.generator_optimizer.zero_grad()
    _objective(game, noise).backward()
    nn.utils.clip_grad_norm_(list(game.generator.parameters()), 1.0)
    game.generator_optimizer.step()


bank.reason(
    "Which batches does this update need, who has chosen them, and what do the game and the caller find of them "
    "afterwards?"
)


@bank.mistake("the given noise is ignored, and other noise is taken from the game")
def takes_noise_of_its_own(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, game.noise_batch())


@bank.mistake("noise is drawn from a normal distribution, and the given one ignored")
def draws_noise_of_its_own(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, torch.randn_like(noise))


@bank.mistake("a real batch is taken from the game for scores that the gradient does not depend on")
def takes_a_real_batch(game: Game, noise: Tensor) -> None:
    _update(game, game.objective(game.critic(game.real_batch()), _scores(game, noise)))


@bank.mistake("the noise is overwritten with new noise for the next update")
def renews_the_noise(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, noise)
    noise.normal_()


bank.reason(
    "What did you switch off in the critic for the length of this update? Its own next update comes soon: in "
    "which state does it find itself?"
)


@bank.mistake("the critic is frozen for the step and never thawed, so that it does not learn any more")
def leaves_the_critic_frozen(game: Game, noise: Tensor) -> None:
    game.critic.requires_grad_(False)
    steps.generator_step(game, noise)


@bank.mistake("the critic is put into evaluation mode for the step, and left there")
def leaves_the_critic_in_evaluation(game: Game, noise: Tensor) -> None:
    game.critic.eval()
    steps.generator_step(game, noise)


@bank.pair("climbs_the_objective", "never_clears_the_gradients")
def climbs_the_objective_and_never_clears(game: Game, noise: Tensor) -> None:
    (-_objective(game, noise)).backward()
    game.generator_optimizer.step()


@bank.pair("climbs_the_objective", "pays_the_penalty")
def climbs_the_objective_and_pays_the_penalty(game: Game, noise: Tensor) -> None:
    fake = game.generator(noise)
    scores = game.critic(fake)
    loss = -game.objective(torch.zeros_like(scores), scores)
    if game.penalty is not None:
        loss = loss + game.coefficient * game.penalty(game.critic, fake, fake)
    _update(game, loss)


@bank.pair("climbs_the_objective", "takes_a_real_batch")
def climbs_the_objective_and_takes_a_real_batch(game: Game, noise: Tensor) -> None:
    _update(game, -game.objective(game.critic(game.real_batch()), _scores(game, noise)))


@bank.pair("takes_the_cross_entropy", "never_clears_the_gradients")
def takes_the_cross_entropy_and_never_clears(game: Game, noise: Tensor) -> None:
    nn.functional.softplus(-_scores(game, noise)).mean().backward()
    game.generator_optimizer.step()


@bank.alternative("backward() goes through the critic too, whose gradients are cleared before and after")
def clears_both(game: Game, noise: Tensor) -> None:
    game.critic_optimizer.zero_grad()
    _update(game, _objective(game, noise))
    game.critic_optimizer.zero_grad()


@bank.alternative("the critic is frozen for the length of the step; its own scores, detached, stand for real ones")
def freezes_and_thaws(game: Game, noise: Tensor) -> Tensor:
    game.critic.requires_grad_(False)
    scores = _scores(game, noise)
    loss = game.objective(scores.detach(), scores)
    game.generator.zero_grad()
    loss.backward()
    game.generator_optimizer.step()
    game.critic.requires_grad_(True)
    return loss.detach()


@bank.alternative("autograd.grad takes the gradients, which are then put in their place; the constant is 1")
def by_autograd(game: Game, noise: Tensor) -> None:
    parameters = list(game.generator.parameters())
    value = game.objective(torch.ones(1), _scores(game, noise))
    for parameter, gradient in zip(parameters, torch.autograd.grad(value, parameters), strict=True):
        parameter.grad = gradient
    game.generator_optimizer.step()


@bank.alternative("the chain rule in two pieces: to the samples through the critic, then through the generator")
def in_two_pieces(game: Game, noise: Tensor) -> None:
    fake = game.generator(noise)
    leaf = fake.detach().requires_grad_()
    scores = game.critic(leaf)
    (slope,) = torch.autograd.grad(game.objective(torch.zeros_like(scores), scores), leaf)
    game.generator_optimizer.zero_grad(set_to_none=False)
    fake.backward(slope)
    game.generator_optimizer.step()


@bank.alternative("a copy of the critic scores the samples, so that its gradients are the copy's")
def with_a_copy_of_the_critic(game: Game, noise: Tensor) -> None:
    scores = copy.deepcopy(game.critic)(game.generator(noise))
    _update(game, game.objective(scores.new_full((len(scores),), 0.5), scores))


@bank.alternative("the critic is called with detached parameters, in the functional style, and by a closure")
def with_detached_parameters(game: Game, noise: Tensor) -> None:
    constants = {name: parameter.detach() for name, parameter in game.critic.named_parameters()}

    def closure() -> float:
        game.generator_optimizer.zero_grad()
        scores = torch.func.functional_call(game.critic, constants, (game.generator(noise),))
        value = game.objective(torch.zeros_like(scores), scores)
        value.backward()
        return value  # type: ignore[return-value]

    game.generator_optimizer.step(closure)
