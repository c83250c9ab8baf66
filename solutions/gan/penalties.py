"""What keeps a critic from being too steep: penalties on its gradient by its input."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]  # (batch, ...) samples to (batch,) or (batch, 1) scores, each of its own sample


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Zero-centred penalty on real samples: the average squared norm of the critic's gradient there.

    R1 = 1/n sum_i |grad_x critic(x_i)|^2, the norm over all dimensions of a sample

    Args:
        critic: critic(x) is (batch,) or (batch, 1).
        real: (n, ...) samples of any shape. They may belong to a graph, and are left as they are.

    Returns:
        (), differentiable in the critic's parameters, whose own gradients (.grad) are left as they are.

    Source: Mescheder, Geiger and Nowozin (2018), equation 9, without the factor gamma / 2.
    """
    ### BEGIN SOLUTION
    x = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.square().sum() / len(real)
    ### END SOLUTION


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """One-centred penalty between real and generated samples: how far the norm of the critic's gradient is from 1.

    GP = 1/n sum_i (|grad_x critic(x_i)| - 1)^2, x_i = eps_i real_i + (1 - eps_i) fake_i, eps_i ~ U(0, 1),
    one for each sample

    Args:
        critic: critic(x) is (batch,) or (batch, 1).
        real: (n, ...) samples of any shape. They may belong to a graph, and are left as they are.
        fake: the shape of real, likewise.

    Returns:
        (), differentiable in the critic's parameters, whose own gradients (.grad) are left as they are;
        with a finite gradient also where the norm is 0.

    Source: Gulrajani et al. (2017), equation 3 and algorithm 1, without the factor lambda.
    """
    ### BEGIN SOLUTION
    epsilon = torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype, device=real.device)
    x = torch.lerp(fake.detach(), real.detach(), epsilon).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    norm = torch.linalg.vector_norm(gradient.reshape(len(real), -1), dim=1)
    return (norm - 1).square().mean()
    ### END SOLUTION
