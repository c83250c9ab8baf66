"""Implementations of gan.train_step."""

import copy

import torch
from torch import Tensor

from grading.bank import Bank
from solutions.gan.averaging import update_average
from solutions.gan.steps import Game, critic_loss, critic_step, generator_step

bank = Bank("gan.train_step")


def _critic_updates(game: Game, count: int) -> Tensor:
    for _ in range(count):
        value = critic_step(game, game.real_batch(), game.noise_batch())
    return value


def _finish(game: Game, decay: float) -> None:
    generator_step(game, game.noise_batch())
    update_average(game.average, game.generator, decay)


bank.reason(
    "Write an iteration with three updates of the critic as a row of letters: C for an update of the critic, G "
    "for one of the generator, A for the average. Then write the row that your code makes."
)


@bank.mistake("the generator is updated first, against the critic of the iteration before")
def updates_the_generator_first(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    generator_step(game, game.noise_batch())
    value = _critic_updates(game, num_critic_steps)
    update_average(game.average, game.generator, decay)
    return value


@bank.mistake("the generator is updated after each update of the critic, in the same loop")
def updates_the_generator_in_the_loop(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        value = critic_step(game, game.real_batch(), game.noise_batch())
        generator_step(game, game.noise_batch())
    update_average(game.average, game.generator, decay)
    return value


@bank.mistake("the generator gets as many updates as the critic, after them")
def updates_the_generator_as_often(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    for _ in range(num_critic_steps):
        generator_step(game, game.noise_batch())
    update_average(game.average, game.generator, decay)
    return value


@bank.mistake("the average is updated before the generator, and stays one iteration behind")
def averages_before_the_generator(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    update_average(game.average, game.generator, decay)
    generator_step(game, game.noise_batch())
    return value


@bank.mistake("the average is updated after each update of the critic too")
def averages_in_the_loop(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        value = critic_step(game, game.real_batch(), game.noise_batch())
        update_average(game.average, game.generator, decay)
    _finish(game, decay)
    return value


@bank.mistake("the average is never updated")
def forgets_the_average(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    generator_step(game, game.noise_batch())
    return value


bank.reason("Ask for 1, for 2 and for 5 updates of the critic, and count how many are made each time.")


@bank.mistake("the critic is updated once, however many updates are asked for")
def updates_the_critic_once(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, 1)
    _finish(game, decay)
    return value


@bank.mistake("the critic is updated once too often")
def updates_the_critic_once_more(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps + 1)
    _finish(game, decay)
    return value


@bank.mistake("the loop of the critic's updates begins with 1, so that there is one too few")
def begins_with_one(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = torch.zeros((), dtype=torch.float64)
    for _ in range(1, num_critic_steps):
        value = critic_step(game, game.real_batch(), game.noise_batch())
    _finish(game, decay)
    return value


@bank.mistake("at most three updates of the critic are made")
def stops_at_three_updates(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, min(num_critic_steps, 3))
    _finish(game, decay)
    return value


bank.reason(
    "Number the batches as they are fetched, real ones and noise apart. In an iteration with two updates of the "
    "critic, which numbers does each update get, the generator's too? Is a batch used twice in yours, or fetched "
    "for nobody?"
)


@bank.mistake("the generator is updated on the noise of the critic's last update")
def reuses_the_noise_for_the_generator(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        noise = game.noise_batch()
        value = critic_step(game, game.real_batch(), noise)
    generator_step(game, noise)
    update_average(game.average, game.generator, decay)
    return value


@bank.mistake("new noise for the generator is fetched, and that of the critic's last update used")
def mistakes_the_noise(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        noise = game.noise_batch()
        value = critic_step(game, game.real_batch(), noise)
    game.noise_batch()
    generator_step(game, noise)
    update_average(game.average, game.generator, decay)
    return value


@bank.mistake("all updates of the critic are on one batch of noise")
def reuses_the_noise_for_the_critic(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    noise = game.noise_batch()
    for _ in range(num_critic_steps):
        value = critic_step(game, game.real_batch(), noise)
    _finish(game, decay)
    return value


@bank.mistake("all updates of the critic are on one batch of real samples")
def reuses_the_real_batch(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    real = game.real_batch()
    for _ in range(num_critic_steps):
        value = critic_step(game, real, game.noise_batch())
    _finish(game, decay)
    return value


@bank.mistake("the next real batch is fetched at the end of the loop, so that the last one is never used")
def fetches_a_real_batch_too_many(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    real = game.real_batch()
    for _ in range(num_critic_steps):
        value = critic_step(game, real, game.noise_batch())
        real = game.real_batch()
    _finish(game, decay)
    return value


@bank.mistake("noise is fetched once more after the last update, to look at samples")
def fetches_noise_too_often(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    _finish(game, decay)
    game.average(game.noise_batch())
    return value


bank.reason(
    "Take a decay of 0.9 and three updates of the critic. Which share of the old average should be left after the "
    "iteration, and which share does yours leave?"
)


@bank.mistake("the average gets 1 - decay for the decay")
def swaps_the_decay(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    _finish(game, 1 - decay)
    return value


@bank.mistake("the decay is always 0.999, whatever is asked for")
def ignores_the_decay(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    _finish(game, 0.999)
    return value


@bank.mistake("the decay is applied once for every update of the critic")
def decays_for_each_update(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    _finish(game, decay**num_critic_steps)
    return value


bank.reason(
    "The average is moved in place. Which module is changed by that, which is only read, and would somebody who "
    "holds on to the average from before see it move?"
)


@bank.mistake("the average follows the critic instead of the generator")
def averages_the_critic(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    generator_step(game, game.noise_batch())
    update_average(game.average, game.critic, decay)
    return value


@bank.mistake("average and generator are exchanged, so that the generator follows its average")
def moves_the_generator_to_the_average(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    generator_step(game, game.noise_batch())
    update_average(game.generator, game.average, decay)
    return value


@bank.mistake("a copy of the average is moved and put into the game, so that the caller's average stays behind")
def replaces_the_average(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    game.average = copy.deepcopy(game.average)
    _finish(game, decay)
    return value


@bank.mistake("what update_average returns, which is nothing, is put in the place of the average")
def assigns_the_average(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    generator_step(game, game.noise_batch())
    game.average = update_average(game.average, game.generator, decay)  # type: ignore[func-returns-value,assignment]
    return value


bank.reason(
    "With three updates of the critic the objective is known three times and more. Which of these values is asked "
    "for: after how many steps, and of which parameters?"
)


@bank.mistake("the objective of the first update of the critic is returned")
def returns_the_first_objective(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    values = [critic_step(game, game.real_batch(), game.noise_batch()) for _ in range(num_critic_steps)]
    _finish(game, decay)
    return values[0]


@bank.mistake("the mean of the objectives is returned")
def returns_the_mean_objective(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    values = [critic_step(game, game.real_batch(), game.noise_batch()) for _ in range(num_critic_steps)]
    _finish(game, decay)
    return torch.stack(values).mean()


@bank.mistake("the objective of the last batches is computed again after all updates, and returned")
def returns_the_objective_afterwards(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        real, noise = game.real_batch(), game.noise_batch()
        critic_step(game, real, noise)
    _finish(game, decay)
    with torch.no_grad():
        return critic_loss(game, real, game.generator(noise))[0]


bank.reason(
    "What you return goes into a long list. Which type does that list expect, and what would ten thousand of "
    "yours keep alive in memory?"
)


@bank.mistake("the objective is returned with its graph, which whoever keeps a history of it keeps too")
def keeps_the_graph(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        real, noise = game.real_batch(), game.noise_batch()
        value, loss = critic_loss(game, real, game.generator(noise).detach())
        game.critic_optimizer.zero_grad()
        loss.backward()
        game.critic_optimizer.step()
    _finish(game, decay)
    return value


@bank.mistake("the objective is returned as a Python number")
def returns_a_number(game: Game, num_critic_steps: int, decay: float) -> float:
    value = _critic_updates(game, num_critic_steps)
    _finish(game, decay)
    return value.item()


@bank.mistake("nothing is returned")
def returns_nothing(game: Game, num_critic_steps: int, decay: float) -> None:
    _critic_updates(game, num_critic_steps)
    _finish(game, decay)


bank.reason("Call the function twice in a row. What did the first call switch off that the second one needs?")


@bank.mistake("the critic is frozen for the generator's update and not thawed, so that the next iteration fails")
def leaves_the_critic_frozen(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    game.critic.requires_grad_(False)
    _finish(game, decay)
    return value


@bank.mistake("the generator is put into evaluation mode before it is averaged, and left there")
def leaves_the_generator_in_evaluation(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = _critic_updates(game, num_critic_steps)
    generator_step(game, game.noise_batch())
    update_average(game.average, game.generator.eval(), decay)
    return value


@bank.pair("updates_the_generator_in_the_loop", "averages_in_the_loop")
def does_everything_in_the_loop(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        value = critic_step(game, game.real_batch(), game.noise_batch())
        _finish(game, decay)
    return value


@bank.pair("reuses_the_real_batch", "reuses_the_noise_for_the_critic")
def reuses_the_real_batch_and_the_noise(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    real, noise = game.real_batch(), game.noise_batch()
    for _ in range(num_critic_steps):
        value = critic_step(game, real, noise)
    _finish(game, decay)
    return value


@bank.pair("forgets_the_average", "reuses_the_noise_for_the_generator")
def forgets_the_average_and_reuses_the_noise(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        noise = game.noise_batch()
        value = critic_step(game, game.real_batch(), noise)
    generator_step(game, noise)
    return value


@bank.alternative("all is written out, with one backward() for each player")
def written_out(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    for _ in range(num_critic_steps):
        noise, real = game.noise_batch(), game.real_batch()
        fake = game.generator(noise).detach()
        objective = game.objective(game.critic(real), game.critic(fake))
        loss = -objective
        if game.penalty is not None:
            loss = loss + game.coefficient * game.penalty(game.critic, real, fake)
        game.critic_optimizer.zero_grad()
        loss.backward()
        game.critic_optimizer.step()
    scores = game.critic(game.generator(game.noise_batch()))
    game.generator_optimizer.zero_grad()
    game.objective(torch.zeros_like(scores), scores).backward()
    game.generator_optimizer.step()
    with torch.no_grad():
        for mean, latest in zip(game.average.parameters(), game.generator.parameters(), strict=True):
            mean.mul_(decay).add_(latest, alpha=1 - decay)
    return objective.detach()


@bank.alternative("all batches are fetched first, and the objectives kept")
def fetches_the_batches_first(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    reals = [game.real_batch() for _ in range(num_critic_steps)]
    *noises, last = [game.noise_batch() for _ in range(num_critic_steps + 1)]
    values = [critic_step(game, real, noise) for real, noise in zip(reals, noises, strict=True)]
    generator_step(game, last)
    update_average(game.average, game.generator, decay)
    return values[-1]


@bank.alternative("a while loop counts down; each player is frozen while the other is updated")
def freezes_and_thaws(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    game.generator.requires_grad_(False)
    left = num_critic_steps
    while left:
        value = critic_step(game, game.real_batch(), game.noise_batch())
        left -= 1
    game.generator.requires_grad_(True)
    game.critic.requires_grad_(False)
    scores = game.critic(game.generator(game.noise_batch()))
    game.generator_optimizer.zero_grad()
    game.objective(torch.zeros_like(scores), scores).backward()
    game.generator_optimizer.step()
    game.critic.requires_grad_(True)
    update_average(game.average, game.generator, decay)
    return value


@bank.alternative("one update of the critic, and the rest of the iteration by recursion")
def by_recursion(game: Game, num_critic_steps: int, decay: float) -> Tensor:
    value = critic_step(game, game.real_batch(), game.noise_batch())
    if num_critic_steps > 1:
        return by_recursion(game, num_critic_steps - 1, decay)
    _finish(game, decay)
    return value
