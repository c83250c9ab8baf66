"""Implementations of gan.r1_penalty."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from grading.bank import Bank
from solutions.gan import penalties

bank = Bank("gan.r1_penalty")
Critic = Callable[[Tensor], Tensor]


def _gradient(critic: Critic, real: Tensor) -> Tensor:
    """The critic's gradient at each sample, with a graph to its parameters."""
    x = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient


bank.reason(
    "Take a batch of 8 images (3, 4, 4). How many numbers has the critic's gradient at one image, how many of "
    "them belong to its norm, and how many norms are averaged? Count the same in yours."
)


@bank.mistake(
    "the norm runs over the first axis of a sample only, which is all there is of a vector but not of an image"
)
def takes_the_norm_of_one_axis(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).norm(2, dim=1).square().mean()


@bank.mistake("the squares are averaged over all axes, those of a sample too")
def averages_everything(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).square().mean()


@bank.mistake("the squares are summed over the batch too, not averaged")
def sums_the_batch(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).square().sum()


@bank.mistake("one norm is taken of the gradients of the whole batch, and squared")
def takes_the_norm_of_the_batch(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).norm() ** 2


bank.reason(
    "Take two samples of one feature, at which the critic has the slopes 1 and -3. What is the mean of the "
    "squares, and what comes out in the order in which you square and average?"
)


@bank.mistake("the gradients are averaged over the batch before they are squared, so that opposite ones cancel")
def averages_before_squaring(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).mean(0).square().sum()


@bank.mistake("the mean of the norms is squared, where the mean of their squares is meant")
def squares_the_mean(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).flatten(1).norm(dim=1).mean() ** 2


bank.reason(
    "Let one sample stand in the batch once, and then ten times. Should the gradient at one of the copies change "
    "with that, and does yours? Look at what is differentiated, and at its shape."
)


@bank.mistake("the mean score is differentiated, which divides every gradient by the batch size")
def differentiates_the_mean(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).mean(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


@bank.mistake("scores (batch, 1) are multiplied by ones (batch,), so that every gradient is taken batch times")
def broadcasts_the_scores(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().requires_grad_()
    scores = critic(x)
    ones = torch.ones(len(x), dtype=scores.dtype)
    (gradient,) = torch.autograd.grad((scores * ones).sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


bank.reason(
    "Take one sample at which the critic's gradient is (3, 4). What is its squared norm, and at which step does "
    "your code leave the way to it?"
)


@bank.mistake("the norm is not squared")
def forgets_the_square(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).flatten(1).norm(dim=1).mean()


@bank.mistake("the squared norm is squared again")
def squares_twice(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).square().flatten(1).sum(1).square().mean()


@bank.mistake("the sum of the entries' magnitudes is squared, where the sum of their squares is meant")
def takes_absolute_values(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).abs().flatten(1).sum(1).square().mean()


bank.reason(
    "What does the critic c(x) = x, of one feature, pay by the formula of the handout, and what does it pay in "
    "yours? Two penalties are in this problem, and a coefficient is somebody else's."
)


@bank.mistake("the penalty is centred at 1, as is the one of Gulrajani et al.")
def is_centred_at_one(critic: Critic, real: Tensor) -> Tensor:
    return (_gradient(critic, real).flatten(1).norm(dim=1) - 1).square().mean()


@bank.mistake("the penalty is multiplied by the 1/2 of the paper's gamma / 2")
def takes_the_half(critic: Critic, real: Tensor) -> Tensor:
    return 0.5 * penalties.r1_penalty(critic, real)


@bank.mistake("the penalty is multiplied by the paper's gamma / 2, with gamma = 10")
def takes_the_factor(critic: Critic, real: Tensor) -> Tensor:
    return 10 / 2 * penalties.r1_penalty(critic, real)


bank.reason(
    "Name three things in the formula: which function is differentiated, by which variable, and at which points, "
    "and how many. Then name the same three in your code."
)


@bank.mistake("the penalty is taken at samples with some noise added")
def adds_noise_to_the_samples(critic: Critic, real: Tensor) -> Tensor:
    return penalties.r1_penalty(critic, real + 0.1 * torch.randn_like(real))


@bank.mistake("only the first sample is looked at")
def looks_at_the_first_sample(critic: Critic, real: Tensor) -> Tensor:
    return penalties.r1_penalty(critic, real[:1])


@bank.mistake("the scores go through a sigmoid before they are differentiated")
def differentiates_the_probability(critic: Critic, real: Tensor) -> Tensor:
    return penalties.r1_penalty(lambda x: torch.sigmoid(critic(x)), real)


@bank.mistake("the gradient by the critic's parameters is penalised, not the one by its input")
def differentiates_by_the_parameters(critic: nn.Module, real: Tensor) -> Tensor:
    gradients = torch.autograd.grad(critic(real).sum(), list(critic.parameters()), create_graph=True)
    return torch.stack([g.square().sum() for g in gradients]).sum()


bank.reason(
    "For the critic c(x) = w x the penalty is the square of w. What is its derivative by w, at w = 3 say, and how "
    "much of w does your result still remember?"
)


@bank.mistake("create_graph is missing, so that the penalty trains nobody")
def creates_no_graph(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    return gradient.square().flatten(1).sum(1).mean()


@bank.mistake("the graph is retained but not created, so that the penalty trains nobody")
def retains_the_graph_only(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, retain_graph=True)
    return gradient.square().flatten(1).sum(1).mean().requires_grad_()


@bank.mistake("one of the two factors of the square is detached, which halves the gradient by the parameters")
def detaches_a_factor(critic: Critic, real: Tensor) -> Tensor:
    gradient = _gradient(critic, real)
    return (gradient * gradient.detach()).flatten(1).sum(1).mean()


@bank.mistake("a Python number is returned, which trains nobody")
def returns_a_number_of_python(critic: Critic, real: Tensor) -> float:
    return penalties.r1_penalty(critic, real).item()


bank.reason(
    "Take a flat critic, so that every sum of squares is 0. What is the slope of a root there, what is 0 times "
    "that, and what is left of a root that is squared?"
)


@bank.mistake("the root of the sum of squares is taken and then squared, with nan in the gradient of a flat critic")
def takes_a_root_on_the_way(critic: Critic, real: Tensor) -> Tensor:
    norm = _gradient(critic, real).square().flatten(1).sum(1).sqrt()
    return (norm**2).mean()


bank.reason(
    "Ask three questions of the tensor that you differentiate by: is it tracked, who owns it, and does it already "
    "come out of somebody's computation?"
)


@bank.mistake("requires_grad is set on the caller's samples")
def tracks_the_callers_samples(critic: Critic, real: Tensor) -> Tensor:
    real.requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


@bank.mistake("requires_grad is set on a copy that belongs to the graph of the samples, which torch refuses")
def tracks_what_is_no_leaf(critic: Critic, real: Tensor) -> Tensor:
    x = real.clone()
    x.requires_grad = True
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


@bank.mistake("the gradient is taken by samples that nobody said to track")
def forgets_to_track(critic: Critic, real: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


bank.reason(
    "The penalty is a visitor. List what a caller can look at before and after the call, the samples, the "
    "critic's .grad and its mode, and compare: what did you leave behind, or take away?"
)


@bank.mistake("backward() is called, which adds to the gradients of the critic's parameters too")
def calls_backward(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().clone().requires_grad_()
    critic(x).sum().backward(create_graph=True)
    assert x.grad is not None
    return x.grad.square().flatten(1).sum(1).mean()


@bank.mistake("backward() is called and zero_grad() after it, which forgets what the critic had gathered before")
def cleans_up_after_backward(critic: nn.Module, real: Tensor) -> Tensor:
    value = calls_backward(critic, real)
    critic.zero_grad()
    return value


@bank.mistake("the samples are brought to [0, 1] in place")
def rescales_in_place(critic: Critic, real: Tensor) -> Tensor:
    value = penalties.r1_penalty(critic, real)
    real.data.add_(1).div_(2)
    return value


@bank.mistake("the critic is put in evaluation mode, and left there")
def leaves_the_critic_in_evaluation(critic: Critic, real: Tensor) -> Tensor:
    if isinstance(critic, nn.Module):
        critic.eval()
    return penalties.r1_penalty(critic, real)


bank.reason(
    "Write down the shape after each of your steps, for samples (8, 3, 4, 4). Which axes are still there at the "
    "end, and how many has one number?"
)


@bank.mistake("one value for each sample is returned")
def forgets_the_mean(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).square().flatten(1).sum(1)


@bank.mistake("the averaged axis is kept, so that the result is (1,)")
def keeps_the_axis(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).square().flatten(1).sum(1).mean(0, keepdim=True)


bank.reason(
    "Try the same samples and critic in single and in double precision: which type should come out each time, and "
    "by how much may the two values differ?"
)


@bank.mistake("the squares are summed in double precision, and left there")
def doubles_the_precision(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).double().square().flatten(1).sum(1).mean()


@bank.mistake("the value is a little too large in single precision")
def is_wrong_in_single_precision(critic: Critic, real: Tensor) -> Tensor:
    return penalties.r1_penalty(critic, real) + (0.1 if real.dtype == torch.float32 else 0)


@bank.pair("differentiates_the_mean", "averages_everything")
def differentiates_the_mean_and_averages_everything(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).mean(), x, create_graph=True)
    return gradient.square().mean()


@bank.pair("differentiates_the_mean", "creates_no_graph")
def differentiates_the_mean_and_creates_no_graph(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).mean(), x)
    return gradient.square().flatten(1).sum(1).mean()


@bank.pair("takes_the_norm_of_one_axis", "forgets_the_square")
def takes_the_norm_of_one_axis_and_forgets_the_square(critic: Critic, real: Tensor) -> Tensor:
    return _gradient(critic, real).norm(2, dim=1).mean()


@bank.pair("averages_everything", "takes_the_half")
def averages_everything_and_takes_the_half(critic: Critic, real: Tensor) -> Tensor:
    return 0.5 * _gradient(critic, real).square().mean()


@bank.alternative("ones as grad_outputs, and the squared norm over all axes at once")
def by_grad_outputs(critic: Critic, real: Tensor) -> Tensor:
    x = real.detach().clone()
    x.requires_grad = True
    scores = critic(x)
    gradient = torch.autograd.grad(
        outputs=scores,
        inputs=x,
        grad_outputs=torch.ones_like(scores),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    return (gradient.reshape(len(real), -1).norm(2, dim=1) ** 2).mean()


@bank.alternative("one sample after the other")
def by_a_loop(critic: Critic, real: Tensor) -> Tensor:
    total = torch.zeros((), dtype=real.dtype)
    for row in real.detach().split(1):
        x = row.requires_grad_()
        gradient = torch.autograd.grad(critic(x).squeeze(), x, create_graph=True)[0]
        total = total + torch.sum(gradient * gradient)
    return total / len(real)


@bank.alternative("torch.func.grad of one sample's score, mapped over the samples by vmap")
def by_vmap(critic: Critic, real: Tensor) -> Tensor:
    gradient = torch.func.vmap(torch.func.grad(lambda x: critic(x[None]).squeeze()))(real.detach())
    return torch.einsum("bd,bd->b", gradient.flatten(1), gradient.flatten(1)).mean()


@bank.alternative("the Jacobian of the summed scores")
def by_the_jacobian(critic: Critic, real: Tensor) -> Tensor:
    slope = torch.autograd.functional.jacobian(lambda x: critic(x).sum(), real.detach(), create_graph=True)
    return slope.pow(2).sum() / real.size(0)


@bank.alternative("the samples stay in the graph that they belong to")
def with_samples_in_their_graph(critic: Critic, real: Tensor) -> Tensor:
    x = real * torch.ones_like(real, requires_grad=True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.square().sum(dim=tuple(range(1, gradient.dim()))).mean(0)


@bank.alternative("backward() that is told to reach the samples only")
def by_backward_to_the_samples(critic: Critic, real: Tensor) -> Tensor:
    x = nn.Parameter(real.detach().clone())
    critic(x).sum().backward(create_graph=True, inputs=[x])
    assert x.grad is not None
    return x.grad.square().sum() / len(real)
