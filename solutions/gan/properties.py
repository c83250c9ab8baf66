"""A property of the gradient penalty: what tells the right function from wrong ones."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def gradient_penalty_property(
    gradient_penalty: Callable[..., Tensor],
    linear_critic: Callable[..., Any],
    quadratic_critic: Callable[[Tensor], Any],
) -> None:
    """Return where a function is gradient_penalty, and raise where it is not, whatever is wrong with it.

    Write what you know of the right function as assertions on what this one answers, on arguments that you choose:
    by hand, or drawn from torch.

    Args:
        gradient_penalty: takes critic, real and fake, as described at gradient_penalty in penalties.py, with a critic
            that one of the two below has made. It may be asked up to 50 times, about up to 2,000 numbers at
            once. Gradients flow where they do through the real one, with torch.autograd, not under torch.func.
        linear_critic: linear_critic(weight, bias) makes a module whose score is weight.x + bias: weight of the shape
            of a sample, bias (). Scores are (batch,), with column=True as a third argument (batch, 1).
        quadratic_critic: quadratic_critic(root) makes a module whose score is 1/2 x.A x, with
            A = (root + root^T) / 2: root (d, d), samples (batch, d).
            Of either critic, `asked` is a list of tensors: the points at which it was called, row by row in order, by
            you too; `weight`, `bias` and `root` are its parameters.

    Returns:
        None, for every right function, however it is written and rounded.

    Raises:
        AssertionError: for every wrong one; any other exception rejects it too.
    """
    ### BEGIN SOLUTION
    double, flat = torch.float64, torch.zeros(3, dtype=torch.float64)
    cases = [(quadratic_critic(torch.eye(1, dtype=double)), 300) for _ in range(2)]
    cases += [(linear_critic(flat), 4), (linear_critic(flat + 0.2, 1.0, True), 4)]
    cases += [(linear_critic(torch.randn(shape, dtype=double)), 8) for shape in ((2, 3), (1, 2, 2))]
    cases += [(linear_critic(torch.randn(3)), 8), (quadratic_critic(torch.randn(2, 2, dtype=double)), 1)]
    drawn: list[Tensor] = []
    for critic, n in cases:
        (parameter, *_), sample = critic.parameters(), critic.weight if hasattr(critic, "weight") else critic.root[0]
        real, leaf = (torch.randn(n, *sample.shape, dtype=sample.dtype) for _ in range(2))
        fake = 1 + 2 * (leaf.requires_grad_() if n == 8 else leaf)
        before = real.clone(), fake.clone()
        parameter.grad = torch.full_like(parameter, 3.0)
        value = gradient_penalty(critic, real, fake)
        assert value.shape == (), "not one number"
        assert value.dtype == real.dtype, "in another precision"
        assert all(map(torch.equal, (real, fake), before)), "the samples were changed"
        assert not real.requires_grad, "the samples ask for a gradient"
        assert critic.training, "the critic was left in evaluation mode"
        assert bool((parameter.grad == 3).all()), "the gradients of the critic's parameters were changed"
        x = torch.cat([points.reshape(real.shape) for points in critic.asked]).detach()[:n]
        step, way = (x - fake.detach()).flatten(1), (real - fake.detach()).flatten(1)
        epsilon = (step * way).sum(1, keepdim=True) / (way * way).sum(1, keepdim=True)
        assert torch.allclose(step, epsilon * way, atol=1e-5), "a point is off the line between its samples"
        assert bool(((epsilon - 0.5).abs() < 0.5 + 1e-4).all()), "a point is beyond its samples"
        if n == 300:
            assert abs(epsilon.mean() - 1 / 2) < 0.1, "the numbers are not uniform between 0 and 1"
            assert abs(epsilon.var() - 1 / 12) < 0.03, "the numbers are not uniform between 0 and 1"
            assert not drawn or not torch.allclose(epsilon, drawn.pop()), "two calls draw the same numbers"
            drawn.append(epsilon)
        slope = torch.autograd.grad(critic(x.requires_grad_()).sum(), x, create_graph=True)[0].reshape(n, -1)
        expected = ((slope.norm(dim=1) - 1) ** 2).mean()
        assert torch.allclose(value, expected, rtol=1e-5, atol=1e-5), "another number"
        found, truth = (torch.autograd.grad(each, parameter)[0] for each in (value, expected))
        right = found.isfinite().all() if critic is cases[2][0] else torch.allclose(found, truth, 1e-4, 1e-4)
        assert bool(right), "another gradient by the critic's parameters, or none that is finite"
    ### END SOLUTION
