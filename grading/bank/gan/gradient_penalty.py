"""Implementations of gan.gradient_penalty."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from grading.bank import Bank
from solutions.gan import penalties

bank = Bank("gan.gradient_penalty")
Critic = Callable[[Tensor], Tensor]


def _one_for_each(real: Tensor) -> Tensor:
    """Numbers between 0 and 1, (batch, 1, ...)."""
    return torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype)


def _between(real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    return (epsilon * real + (1 - epsilon) * fake).detach()


def _gradient(critic: Critic, x: Tensor) -> Tensor:
    """The critic's gradient at each point, flattened, with a graph to its parameters."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0].flatten(1)


def _penalty(critic: Critic, x: Tensor) -> Tensor:
    return (_gradient(critic, x).norm(dim=1) - 1).square().mean()


# Points

bank.reason(
    "One real and one generated image span one line. How many random numbers choose a point on it, and how many "
    "choose a point for each of 8 pairs? Count yours, and where each goes, for samples (8, 3), (8, 3, 4) and (8, "
    "3, 4, 4)."
)


@bank.mistake("every entry of a sample has an eps of its own, so that the points fill a box instead of a line")
def draws_for_each_entry(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, torch.rand_like(real)))


@bank.mistake(
    "every row of an image has an eps of its own, which is one for each sample only where samples are vectors"
)
def draws_for_each_row(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, torch.rand(*real.shape[:-1], 1, dtype=real.dtype)))


@bank.mistake("eps has the shape (batch, 1), which for images is one for each row, or fits none")
def draws_for_vectors(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, torch.rand(len(real), 1, dtype=real.dtype)))


@bank.mistake("eps has a shape that fits vectors and images, but nothing that is between the two")
def knows_vectors_and_images_only(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    shape = (len(real), 1) if real.dim() <= 3 else (len(real), 1, 1, 1)
    return _penalty(critic, _between(real, fake, torch.rand(shape, dtype=real.dtype)))


@bank.mistake("one eps is shared by the batch")
def draws_once(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, torch.rand((), dtype=real.dtype)))


bank.reason(
    "Follow one pair, real at 1 and generated at 0, over a thousand calls. Where does the formula put its points, "
    "and how evenly? Where do yours lie?"
)


@bank.mistake("eps is normal, so that many points lie beyond the samples")
def draws_normal_numbers(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, torch.randn_like(_one_for_each(real))))


@bank.mistake("eps is uniform between -1 and 1 instead of 0 and 1")
def draws_on_both_sides(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, 2 * _one_for_each(real) - 1))


@bank.mistake("eps is always 1/2")
def takes_the_middle(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, torch.full_like(_one_for_each(real), 0.5)))


@bank.mistake("eps is 0 or 1, so that a point is the one sample or the other")
def tosses_a_coin(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, _one_for_each(real).round()))


@bank.mistake("eps is the mean of two uniform numbers, which is more often in the middle")
def averages_two_numbers(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, _between(real, fake, (_one_for_each(real) + _one_for_each(real)) / 2))


@bank.mistake("eps is spread evenly from 0 to 1 over the batch instead of drawn")
def spreads_evenly(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(
        critic, _between(real, fake, torch.linspace(0, 1, len(real)).to(real.dtype).view_as(_one_for_each(real)))
    )


@bank.mistake("the random numbers are seeded inside, so that every call draws the same eps")
def seeds_the_generator(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    torch.manual_seed(0)
    return penalties.gradient_penalty(critic, real, fake)


bank.reason(
    "Take two pairs: real at 1 and generated at 3, real at 10 and generated at 14. Between which numbers does the "
    "formula put the point of each pair, and where may yours lie?"
)


@bank.mistake("the critic is asked at the real samples")
def asks_at_the_real_samples(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, real)


@bank.mistake("the critic is asked at the generated samples")
def asks_at_the_generated_samples(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, fake)


@bank.mistake("the critic is asked at real and generated samples, not between them")
def asks_at_both(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return _penalty(critic, torch.cat([real, fake]))


@bank.mistake("both samples are weighed with eps, so that the points are eps (real + fake)")
def weighs_both_alike(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    epsilon = _one_for_each(real)
    return _penalty(critic, epsilon * real + epsilon * fake)


@bank.mistake("the points lie around the real samples, with noise of their spread, as in DRAGAN")
def stays_around_the_real_samples(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    spread = (real - real.mean()).square().mean().sqrt()
    return _penalty(critic, real + 0.5 * spread * torch.rand_like(real))


@bank.mistake("the generated samples are moved on by one place in the batch, so that each meets another real one")
def mixes_the_pairs(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return penalties.gradient_penalty(critic, real, fake.roll(1, 0))


# Norm

bank.reason(
    "Take a batch of 8 images (3, 4, 4). How many norms are there, and over how many entries of the gradient does "
    "each of them run? From how many numbers do you subtract 1?"
)


@bank.mistake(
    "the norm runs over the first axis of a sample only, which is all there is of a vector but not of an image"
)
def takes_the_norm_of_one_axis(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real))
    norm = _gradient(critic, x).view_as(x).norm(2, dim=1)
    return (norm - 1).square().mean()


@bank.mistake("one norm is taken of the gradients of the whole batch")
def takes_the_norm_of_the_batch(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return (_gradient(critic, _between(real, fake, _one_for_each(real))).norm() - 1).square()


@bank.mistake("1 is subtracted from every entry of the gradient instead of from its norm")
def subtracts_from_every_entry(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return (_gradient(critic, _between(real, fake, _one_for_each(real))) - 1).square().sum(1).mean()


bank.reason(
    "Let one pair stand in the batch once, and then ten times, with points at the same place. Should the gradient "
    "at a point change with that, or the penalty? Do yours?"
)


@bank.mistake("the mean score is differentiated, which divides every gradient by the batch size")
def differentiates_the_mean(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).mean(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@bank.mistake("scores (batch, 1) are multiplied by ones (batch,), so that every gradient is taken batch times")
def broadcasts_the_scores(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real)).requires_grad_()
    scores = critic(x)
    total = (scores * torch.ones(len(x), dtype=scores.dtype)).sum()
    (gradient,) = torch.autograd.grad(total, x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@bank.mistake("the squares are summed over the batch, not averaged")
def sums_the_batch(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return penalties.gradient_penalty(critic, real, fake) * len(real)


bank.reason(
    "Take two points, at which the critic's gradient has the norms 0 and 3. What does each of them cost by the "
    "formula, and what is the penalty? At which step does your code leave this way?"
)


@bank.mistake("the norms are averaged before 1 is subtracted, so that steep and flat places cancel")
def averages_the_norms(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return (_gradient(critic, _between(real, fake, _one_for_each(real))).norm(dim=1).mean() - 1).square()


@bank.mistake("1 is subtracted from the squared norm")
def squares_before_subtracting(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return (_gradient(critic, _between(real, fake, _one_for_each(real))).square().sum(1) - 1).square().mean()


@bank.mistake("the penalty is centred at 0 instead of 1")
def is_centred_at_zero(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return penalties.r1_penalty(critic, _between(real, fake, _one_for_each(real)))


@bank.mistake("only norms above 1 cost something")
def is_one_sided(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return (_gradient(critic, _between(real, fake, _one_for_each(real))).norm(dim=1) - 1).relu().square().mean()


@bank.mistake("the difference from 1 is not squared, and its magnitude taken")
def forgets_the_square(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return (_gradient(critic, _between(real, fake, _one_for_each(real))).norm(dim=1) - 1).abs().mean()


@bank.mistake("the penalty is multiplied by the paper's lambda = 10")
def takes_the_factor(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return 10 * penalties.gradient_penalty(critic, real, fake)


bank.reason(
    "A flat critic stands just where a norm has its corner. Work out your norm there and its slope: is the one 0 "
    "to many digits, and the other finite?"
)


@bank.mistake(
    "the norm is the root of a sum of squares, whose slope at 0 is infinite: nan in the gradient of a flat critic"
)
def takes_the_root_of_the_sum(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    norm = _gradient(critic, _between(real, fake, _one_for_each(real))).square().sum(1).sqrt()
    return (norm - 1).square().mean()


@bank.mistake("a number is added under the root that is not small enough to be lost in the norm")
def adds_a_number_that_shows(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    norm = (_gradient(critic, _between(real, fake, _one_for_each(real))).square().sum(1) + 1e-6).sqrt()
    return (norm - 1).square().mean()


# Graph

bank.reason(
    "For the critic c(x) = w x the penalty is (|w| - 1) squared. What is its derivative by w, at w = 3 say, and "
    "how much of w does your result still remember?"
)


@bank.mistake("create_graph is missing, so that the penalty trains nobody")
def creates_no_graph(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@bank.mistake("one of the two factors of the square is detached, which halves the gradient by the parameters")
def detaches_a_factor(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    off = _gradient(critic, _between(real, fake, _one_for_each(real))).norm(dim=1) - 1
    return (off * off.detach()).mean()


@bank.mistake("a Python number is returned, which trains nobody")
def returns_a_number_of_python(critic: Critic, real: Tensor, fake: Tensor) -> float:
    return penalties.gradient_penalty(critic, real, fake).item()


bank.reason(
    "Ask three questions of the tensor that you differentiate by: is it tracked, who owns it, and does it already "
    "come out of somebody's computation?"
)


@bank.mistake("requires_grad is set on the caller's samples")
def tracks_the_callers_samples(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    epsilon = _one_for_each(real)
    x = epsilon * real.requires_grad_() + (1 - epsilon) * fake
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@bank.mistake("requires_grad is set on points that belong to the graph of the generated samples, which torch refuses")
def tracks_what_is_no_leaf(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    epsilon = _one_for_each(real)
    x = epsilon * real + (1 - epsilon) * fake
    x.requires_grad = True
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@bank.mistake("the gradient is taken by points that nobody said to track")
def forgets_to_track(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real))
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


bank.reason(
    "The penalty is a visitor. List what a caller can look at before and after the call, both batches, the "
    "critic's .grad and its mode, and compare: what did you leave behind, or take away?"
)


@bank.mistake("backward() is called, which adds to the gradients of the critic's parameters too")
def calls_backward(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real)).requires_grad_()
    critic(x).sum().backward(create_graph=True)
    assert x.grad is not None
    return (x.grad.flatten(1).norm(dim=1) - 1).square().mean()


@bank.mistake("backward() is called and zero_grad() after it, which forgets what the critic had gathered before")
def cleans_up_after_backward(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    value = calls_backward(critic, real, fake)
    critic.zero_grad()
    return value


@bank.mistake("the points are written into the generated samples")
def moves_the_generated_samples(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    fake.data.lerp_(real.data, _one_for_each(real))
    return _penalty(critic, fake)


@bank.mistake("the critic is put in evaluation mode, and left there")
def leaves_the_critic_in_evaluation(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    if isinstance(critic, nn.Module):
        critic.eval()
    return penalties.gradient_penalty(critic, real, fake)


# Result

bank.reason(
    "Write down the shape after each of your steps, for samples (8, 3, 4, 4). Which axes are still there at the "
    "end, and how many has one number?"
)


@bank.mistake("one value for each sample is returned")
def forgets_the_mean(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return (_gradient(critic, _between(real, fake, _one_for_each(real))).norm(dim=1) - 1).square()


@bank.mistake("the averaged axis is kept, so that the result is (1,)")
def keeps_the_axis(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return penalties.gradient_penalty(critic, real, fake).unsqueeze(0)


bank.reason(
    "Try the same samples and critic in single and in double precision: which type should come out each time, and "
    "by how much may the two values differ?"
)


@bank.mistake("the norms are computed in double precision, and left there")
def doubles_the_precision(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    norm = _gradient(critic, _between(real, fake, _one_for_each(real))).double().norm(dim=1)
    return (norm - 1).square().mean()


@bank.mistake("the value is a little too large in single precision")
def is_wrong_in_single_precision(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return penalties.gradient_penalty(critic, real, fake) + (0.1 if real.dtype == torch.float32 else 0)


@bank.pair("draws_for_each_entry", "takes_the_norm_of_one_axis")
def draws_for_each_entry_and_takes_the_norm_of_one_axis(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, torch.rand_like(real))
    norm = _gradient(critic, x).view_as(x).norm(2, dim=1)
    return (norm - 1).square().mean()


@bank.pair("draws_once", "takes_the_root_of_the_sum")
def draws_once_and_takes_the_root_of_the_sum(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, torch.rand((), dtype=real.dtype))
    return (_gradient(critic, x).square().sum(1).sqrt() - 1).square().mean()


@bank.pair("differentiates_the_mean", "creates_no_graph")
def differentiates_the_mean_and_creates_no_graph(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).mean(), x)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@bank.pair("differentiates_the_mean", "takes_the_root_of_the_sum")
def differentiates_the_mean_and_takes_the_root_of_the_sum(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).mean(), x, create_graph=True)
    return (gradient.flatten(1).square().sum(1).sqrt() - 1).square().mean()


@bank.pair("draws_once", "takes_the_factor")
def draws_once_and_takes_the_factor(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return 10 * _penalty(critic, _between(real, fake, torch.rand((), dtype=real.dtype)))


@bank.alternative("ones as grad_outputs, as in the paper's code and its many copies")
def by_grad_outputs(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    alpha = torch.rand(real.size(0), *([1] * (real.dim() - 1))).to(real.dtype).expand_as(real)
    interpolates = (alpha * real.detach() + (1 - alpha) * fake.detach()).requires_grad_(True)
    scores = critic(interpolates)
    gradients = torch.autograd.grad(
        outputs=scores,
        inputs=interpolates,
        grad_outputs=torch.ones_like(scores),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    gradients = gradients.view(gradients.size(0), -1)
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()


@bank.alternative("points that stay in the graph of the generated samples")
def with_points_in_a_graph(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = (fake + _one_for_each(real) * (real - fake)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.flatten(1).norm(dim=1).sub(1).pow(2).mean()


@bank.alternative("1e-12 is added under the root, against the corner of the norm")
def by_a_rounded_root(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    norm = torch.sqrt(torch.sum(_gradient(critic, _between(real, fake, _one_for_each(real))) ** 2, dim=1) + 1e-12)
    return torch.mean((norm - 1) ** 2)


@bank.alternative("the root of 0 is left out: 1 is put in its place, and 0 in the place of its root")
def by_a_choice(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    squared = _gradient(critic, _between(real, fake, _one_for_each(real))).square().sum(1)
    is_flat = squared == 0
    norm = torch.where(
        is_flat, torch.zeros_like(squared), torch.where(is_flat, torch.ones_like(squared), squared).sqrt()
    )
    return (norm - 1).square().mean()


@bank.alternative("one pair after the other")
def by_a_loop(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    values = []
    for one, other in zip(real.detach(), fake.detach(), strict=True):
        x = torch.lerp(one, other, torch.rand(()).item()).unsqueeze(0).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(x).squeeze(), x, create_graph=True)
        values.append((torch.linalg.vector_norm(gradient) - 1) ** 2)
    return torch.stack(values).mean()


@bank.alternative("torch.func.grad of one sample's score, mapped over the points by vmap")
def by_vmap(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real))
    gradient = torch.func.vmap(torch.func.grad(lambda point: critic(point.unsqueeze(0)).sum()))(x)
    return (torch.linalg.vector_norm(gradient, dim=tuple(range(1, x.dim()))) - 1).square().mean()


@bank.alternative("the Jacobian of the summed scores, at points drawn by torch.distributions")
def by_the_jacobian(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    epsilon = torch.distributions.Uniform(0.0, 1.0).sample((len(real),)).to(real.dtype)
    x = _between(real, fake, epsilon.view(-1, *[1] * (real.dim() - 1)))
    slope = torch.autograd.functional.jacobian(lambda points: critic(points).sum(), x, create_graph=True)
    return nn.functional.mse_loss(slope.flatten(1).norm(dim=1), torch.ones(len(x), dtype=x.dtype))


@bank.alternative("the critic is asked twice at the same points, for the scores and for their gradient")
def by_asking_twice(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    x = _between(real, fake, _one_for_each(real)).requires_grad_()
    weights = torch.ones_like(critic(x))
    (slope,) = torch.autograd.grad(critic(x), x, grad_outputs=weights, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
