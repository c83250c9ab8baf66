"""Implementations of gan.critic_step."""

import copy

import torch
from torch import Tensor, nn

from grading.bank import Bank
from solutions.gan import steps
from solutions.gan.steps import Game, critic_loss

bank = Bank("gan.critic_step")


def _fake(game: Game, noise: Tensor) -> Tensor:
    with torch.no_grad():
        return game.generator(noise)


def _update(game: Game, loss: Tensor) -> None:
    game.critic_optimizer.zero_grad()
    loss.backward()
    game.critic_optimizer.step()


bank.reason(
    "In this update the generator is only a source of data. Which of its tensors, values and .grad alike, differ "
    "before and after your step, and which line made the difference?"
)


@bank.mistake("the generated samples keep their graph, so that the generator gets gradients as well")
def lets_the_gradient_reach_the_generator(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, game.generator(noise))
    _update(game, loss)
    return value.detach()


@bank.mistake("the generator gets gradients too, and they are cleared together with those that stood there before")
def clears_the_generators_gradients(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, game.generator(noise))
    _update(game, loss)
    game.generator_optimizer.zero_grad(set_to_none=False)
    return value.detach()


@bank.mistake("both optimizers make a step, so that the generator helps the critic")
def steps_both(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    game.generator_optimizer.zero_grad()
    value, loss = critic_loss(game, real, game.generator(noise))
    _update(game, loss)
    game.generator_optimizer.step()
    return value.detach()


@bank.mistake("the generator's optimizer makes the step instead of the critic's")
def steps_the_generator(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, game.generator(noise))
    game.critic_optimizer.zero_grad()
    loss.backward()
    game.generator_optimizer.step()
    return value.detach()


bank.reason(
    "Let 5 stand in the critic's .grad before the call, and let the gradient of this loss be 2. Write down what "
    "stands there after each of your lines: with which number is the step made, and how often?"
)


@bank.mistake("the gradients of the step before are not cleared")
def never_clears_the_gradients(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    loss.backward()
    game.critic_optimizer.step()
    return value.detach()


@bank.mistake("the generator's gradients are cleared instead of the critic's")
def clears_the_wrong_gradients(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    game.generator_optimizer.zero_grad()
    loss.backward()
    game.critic_optimizer.step()
    return value.detach()


@bank.mistake("the gradients are cleared between backward() and step()")
def clears_after_backward(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    loss.backward()
    game.critic_optimizer.zero_grad()
    game.critic_optimizer.step()
    return value.detach()


@bank.mistake("two steps are made on one gradient")
def makes_two_steps(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    _update(game, loss)
    game.critic_optimizer.step()
    return value.detach()


@bank.mistake("the optimizer's step is forgotten")
def forgets_the_step(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    game.critic_optimizer.zero_grad()
    loss.backward()
    return value.detach()


bank.reason(
    "An optimizer lowers what it is given. Of the two numbers that critic_loss returns, which one does a critic "
    "want smaller, has it its sign already, and is the penalty in it?"
)


@bank.mistake("the sign of the loss is turned once more, so that the step goes up")
def climbs_the_loss(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    _update(game, -loss)
    return value.detach()


@bank.mistake("the objective is lowered instead of the loss")
def minimises_the_objective(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, _ = critic_loss(game, real, _fake(game, noise))
    _update(game, value)
    return value.detach()


@bank.mistake("the objective is raised without the penalty")
def forgets_the_penalty(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, _ = critic_loss(game, real, _fake(game, noise))
    _update(game, -value)
    return value.detach()


@bank.mistake("the pair is unpacked in the wrong order, so that the objective is lowered and the loss returned")
def takes_the_objective_for_the_loss(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    loss, value = critic_loss(game, real, _fake(game, noise))
    _update(game, loss)
    return value.detach()


bank.reason(
    "Whose job is the size of a step? Think of an optimizer with momentum or with a rate for each parameter, and "
    "of a gradient of norm 100: what should move the critic here, and what else limits or moves it in yours?"
)


@bank.mistake(
    "the parameters are moved by hand, by the learning rate times the gradient, and the optimizer is not asked"
)
def steps_by_hand(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    parameters = list(game.critic.parameters())
    with torch.no_grad():
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.sub_(gradient, alpha=game.critic_optimizer.param_groups[0]["lr"])
    return value.detach()


@bank.mistake("the weights are clipped to 0.01 after the step, as in the first Wasserstein GAN")
def clips_the_weights(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value = steps.critic_step(game, real, noise)
    for parameter in game.critic.parameters():
        parameter.data.clamp_(-0.01, 0.01)
    return value


@bank.mistake("the gradient is clipped to the norm 1")
def clips_the_gradient(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    game.critic_optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(list(game.critic.parameters()), 1.0)
    game.critic_optimizer.step()
    return value.detach()


bank.reason(
    "Two batches go into the loss, in an order. Say of each where it comes from, which network made it, and who "
    "fetches batches in this game. Then say the same of yours."
)


@bank.mistake("real and generated samples are exchanged in the loss")
def exchanges_the_samples(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, _fake(game, noise), real)
    _update(game, loss)
    return value.detach()


@bank.mistake("the samples are those of the moving average, not of the generator")
def takes_samples_of_the_average(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    with torch.no_grad():
        fake = game.average(noise)
    value, loss = critic_loss(game, real, fake)
    _update(game, loss)
    return value.detach()


@bank.mistake("the given samples and noise are ignored, and others are taken from the game")
def takes_batches_of_its_own(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    return steps.critic_step(game, game.real_batch(), game.noise_batch())


@bank.mistake("the noise for the generator's update is fetched here already, and lost")
def takes_noise_ahead(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value = steps.critic_step(game, real, noise)
    game.noise_batch()
    return value


bank.reason(
    "A plot of training shows what the two play for, as it stood when an update began. Which number is that, and "
    "after which of your lines is it known?"
)


@bank.mistake("the loss is returned instead of the objective")
def returns_the_loss(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    _, loss = critic_loss(game, real, _fake(game, noise))
    _update(game, loss)
    return loss.detach()


@bank.mistake("the objective that is returned is computed once more, after the update")
def returns_the_objective_afterwards(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    steps.critic_step(game, real, noise)
    return critic_loss(game, real, _fake(game, noise))[0].detach()


@bank.mistake("nothing is returned")
def returns_nothing(game: Game, real: Tensor, noise: Tensor) -> None:
    steps.critic_step(game, real, noise)


bank.reason(
    "What you return goes into a long list. Which type and shape does that list expect, and what would ten "
    "thousand of yours keep alive in memory?"
)


@bank.mistake("the objective is returned with its graph, which whoever keeps a history of it keeps too")
def keeps_the_graph(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, _fake(game, noise))
    _update(game, loss)
    return value


@bank.mistake("the objective is returned as a Python number")
def returns_a_number(game: Game, real: Tensor, noise: Tensor) -> float:
    return steps.critic_step(game, real, noise).item()


@bank.mistake("the objective is returned with an axis, (1,)")
def keeps_an_axis(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    return steps.critic_step(game, real, noise).reshape(1)


bank.reason(
    "After the call, look at all that is not the critic: the generator and its mode, the average, the samples. "
    "What is not as it was, and who has to put it back?"
)


@bank.mistake("the generator is frozen for the step and never thawed, so that it does not learn any more")
def leaves_the_generator_frozen(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    game.generator.requires_grad_(False)
    return steps.critic_step(game, real, noise)


@bank.mistake("the generator is put into evaluation mode for the step, and left there")
def leaves_the_generator_in_evaluation(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    game.generator.eval()
    return steps.critic_step(game, real, noise)


@bank.mistake("the real samples are zeroed once they are used")
def clears_the_samples(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value = steps.critic_step(game, real, noise)
    real.zero_()
    return value


@bank.mistake("the moving average follows the generator at every update of the critic")
def moves_the_average(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    steps.update_average(game.average, game.generator, 0.9)
    return steps.critic_step(game, real, noise)


@bank.pair("never_clears_the_gradients", "lets_the_gradient_reach_the_generator")
def never_clears_and_lets_the_gradient_reach_the_generator(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, game.generator(noise))
    loss.backward()
    game.critic_optimizer.step()
    return value.detach()


@bank.pair("lets_the_gradient_reach_the_generator", "keeps_the_graph")
def lets_the_gradient_reach_the_generator_and_keeps_the_graph(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, game.generator(noise))
    _update(game, loss)
    return value


@bank.pair("never_clears_the_gradients", "returns_the_loss")
def never_clears_the_gradients_and_returns_the_loss(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    _, loss = critic_loss(game, real, _fake(game, noise))
    loss.backward()
    game.critic_optimizer.step()
    return loss.detach()


@bank.alternative("all is written out, and the generated samples are detached")
def written_out(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    game.critic_optimizer.zero_grad(set_to_none=False)
    fake = game.generator(noise).detach()
    objective = game.objective(game.critic(real), game.critic(fake))
    loss = -objective
    if game.penalty is not None:
        loss = loss + game.coefficient * game.penalty(game.critic, real, fake)
    loss.backward()
    game.critic_optimizer.step()
    return objective.detach().clone()


@bank.alternative("autograd.grad takes the gradients, which are then put in their place")
def by_autograd(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    value, loss = critic_loss(game, real, game.generator(noise))
    parameters = list(game.critic.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    game.critic_optimizer.step()
    return value.data


@bank.alternative("the graph leads to the generator, but backward() is told to stop at the critic")
def with_inputs_of_backward(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    game.critic.zero_grad()
    value, loss = critic_loss(game, real, game.generator(noise))
    loss.backward(inputs=list(game.critic.parameters()))
    game.critic_optimizer.step()
    return value.detach()


@bank.alternative("the generator is frozen for the length of the step")
def freezes_and_thaws(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    game.generator.requires_grad_(False)
    value, loss = critic_loss(game, real, game.generator(noise))
    _update(game, loss)
    game.generator.requires_grad_(True)
    return value.detach()


@bank.alternative("the optimizer calls a closure")
def by_a_closure(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    values = []

    def closure() -> float:
        game.critic_optimizer.zero_grad()
        value, loss = critic_loss(game, real, _fake(game, noise))
        loss.backward()
        values.append(value.detach())
        return loss  # type: ignore[return-value]

    game.critic_optimizer.step(closure)
    return values[-1]


@bank.alternative("the samples come from a copy of the generator, both batches are scored at once")
def with_a_copy_of_the_generator(game: Game, real: Tensor, noise: Tensor) -> Tensor:
    fake = copy.deepcopy(game.generator).requires_grad_(False)(noise)
    real_scores, fake_scores = game.critic(torch.cat([real, fake])).split([len(real), len(fake)])
    value = game.objective(real_scores, fake_scores)
    paid = game.penalty(game.critic, real, fake) * game.coefficient if game.penalty else 0.0
    _update(game, paid - value)
    return torch.tensor(value.item(), dtype=value.dtype)
