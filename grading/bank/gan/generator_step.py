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


@bank.mistake("the samples are detached, as they are in the critic's step, so that the generator learns nothing")
def detaches_the_samples(game: Game, noise: Tensor) -> None:
    scores = game.critic(game.generator(noise).detach())
    _update(game, game.objective(torch.zeros_like(scores), scores))


@bank.mistake("the samples are scored without a graph, in order to leave the critic alone")
def scores_without_a_graph(game: Game, noise: Tensor) -> None:
    with torch.no_grad():
        scores = _scores(game, noise)
    _update(game, game.objective(torch.zeros_like(scores), scores))


@bank.mistake("the generator climbs the objective, as the critic does")
def climbs_the_objective(game: Game, noise: Tensor) -> None:
    _update(game, -_objective(game, noise))


@bank.mistake("the generator's scores are taken for real ones, and it lowers what this gives")
def exchanges_the_scores(game: Game, noise: Tensor) -> None:
    scores = _scores(game, noise)
    _update(game, game.objective(scores, torch.zeros_like(scores)))


@bank.mistake("the loss is the non-saturating one: the samples pass for real ones, and the generator climbs")
def does_not_saturate(game: Game, noise: Tensor) -> None:
    scores = _scores(game, noise)
    _update(game, -game.objective(scores, torch.zeros_like(scores)))


@bank.mistake("the scores of the samples stand for the real ones too, undetached, which adds a gradient")
def plays_against_itself(game: Game, noise: Tensor) -> None:
    scores = _scores(game, noise)
    _update(game, game.objective(scores, scores))


@bank.mistake("the mean score is raised, whatever the objective is")
def takes_the_mean_score(game: Game, noise: Tensor) -> None:
    _update(game, -_scores(game, noise).mean())


@bank.mistake("the logarithm of the sigmoid of the scores is raised, whatever the objective is")
def takes_the_cross_entropy(game: Game, noise: Tensor) -> None:
    _update(game, nn.functional.softplus(-_scores(game, noise)).mean())


@bank.mistake("the generator pays the critic's penalty")
def pays_the_penalty(game: Game, noise: Tensor) -> None:
    fake = game.generator(noise)
    scores = game.critic(fake)
    loss = game.objective(torch.zeros_like(scores), scores)
    if game.penalty is not None:
        loss = loss + game.coefficient * game.penalty(game.critic, fake, fake)
    _update(game, loss)


@bank.mistake("both optimizers make a step, so that the critic helps the generator")
def steps_both(game: Game, noise: Tensor) -> None:
    game.critic_optimizer.zero_grad()
    _update(game, _objective(game, noise))
    game.critic_optimizer.step()


@bank.mistake("the critic's optimizer makes the step")
def steps_the_critic(game: Game, noise: Tensor) -> None:
    game.generator_optimizer.zero_grad()
    _objective(game, noise).backward()
    game.critic_optimizer.step()


@bank.mistake("the gradients of the step before are not cleared")
def never_clears_the_gradients(game: Game, noise: Tensor) -> None:
    _objective(game, noise).backward()
    game.generator_optimizer.step()


@bank.mistake("the critic's gradients are cleared instead of the generator's")
def clears_the_wrong_gradients(game: Game, noise: Tensor) -> None:
    game.critic_optimizer.zero_grad()
    _objective(game, noise).backward()
    game.generator_optimizer.step()


@bank.mistake("the gradients are cleared between backward() and step()")
def clears_after_backward(game: Game, noise: Tensor) -> None:
    _objective(game, noise).backward()
    game.generator_optimizer.zero_grad()
    game.generator_optimizer.step()


@bank.mistake("the step is forgotten")
def forgets_the_step(game: Game, noise: Tensor) -> None:
    game.generator_optimizer.zero_grad()
    _objective(game, noise).backward()


@bank.mistake("two steps are made, the second on the gradient at the new parameters")
def makes_two_updates(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, noise)
    steps.generator_step(game, noise)


@bank.mistake("the moving average is trained instead of the generator")
def trains_the_average(game: Game, noise: Tensor) -> None:
    scores = game.critic(game.average(noise))
    _update(game, game.objective(torch.zeros_like(scores), scores))


@bank.mistake("the gradient is clipped to the norm 1")
def clips_the_gradient(game: Game, noise: Tensor) -> None:
    game.generator_optimizer.zero_grad()
    _objective(game, noise).backward()
    nn.utils.clip_grad_norm_(list(game.generator.parameters()), 1.0)
    game.generator_optimizer.step()


@bank.mistake("the noise of the argument is ignored, and other noise is taken from the game")
def takes_noise_of_its_own(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, game.noise_batch())


@bank.mistake("noise is drawn from a normal distribution, whatever the argument is")
def draws_noise_of_its_own(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, torch.randn_like(noise))


@bank.mistake("a real batch is taken from the game for scores that the gradient does not depend on")
def takes_a_real_batch(game: Game, noise: Tensor) -> None:
    _update(game, game.objective(game.critic(game.real_batch()), _scores(game, noise)))


@bank.mistake("the critic is frozen for the step and never thawed, so that it does not learn any more")
def leaves_the_critic_frozen(game: Game, noise: Tensor) -> None:
    game.critic.requires_grad_(False)
    steps.generator_step(game, noise)


@bank.mistake("the critic is put into evaluation mode for the step, and left there")
def leaves_the_critic_in_evaluation(game: Game, noise: Tensor) -> None:
    game.critic.eval()
    steps.generator_step(game, noise)


@bank.mistake("the noise is overwritten with new noise for the next update")
def renews_the_noise(game: Game, noise: Tensor) -> None:
    steps.generator_step(game, noise)
    noise.normal_()


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
