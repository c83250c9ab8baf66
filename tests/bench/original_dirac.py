"""The Dirac GAN in the style of the course's own notebook: modules, losses made by name, one trajectory at a time."""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    """The distribution delta_theta."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(0.7 * torch.randn(1))

    def forward(self, z: Tensor) -> Tensor:
        return self.theta.unsqueeze(0).expand(z.size(0), 1)


class Critic(nn.Module):
    """The critic psi0 x + psi1."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)
        nn.init.normal_(self.linear.weight, std=0.7)
        nn.init.normal_(self.linear.bias, std=0.7)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).squeeze(1)


def jsd(cp: Tensor, cq: Tensor) -> Tensor:
    log4 = torch.log(torch.tensor(4.0))
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean() + log4)


def w1(cp: Tensor, cq: Tensor) -> Tensor:
    return cp.mean() - cq.mean()


def r1(p: Tensor, cp: Tensor, q: Tensor, cq: Tensor, critic: nn.Module) -> Tensor:
    x = p.detach().clone().requires_grad_(True)
    out = critic(x)
    grad = torch.autograd.grad(
        outputs=out, inputs=x, grad_outputs=torch.ones_like(out), create_graph=True, retain_graph=True
    )[0]
    return (grad.view(grad.size(0), -1).norm(2, dim=1) ** 2).mean()


def gp(p: Tensor, cp: Tensor, q: Tensor, cq: Tensor, critic: nn.Module) -> Tensor:
    eps = torch.rand(p.size(0), *[1] * (p.dim() - 1))
    x = (eps * p.detach() + (1 - eps) * q.detach()).requires_grad_(True)
    out = critic(x)
    grad = torch.autograd.grad(
        outputs=out, inputs=x, grad_outputs=torch.ones_like(out), create_graph=True, retain_graph=True
    )[0]
    return ((grad.view(grad.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()


METRICS = {"jsd": jsd, "w1": w1}
PENALTIES: dict[str, Callable[..., Tensor]] = {"r1": r1, "gp": gp}


def make_losses(loss_type: str, reg_type: str, reg_cf: float) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    metric = METRICS[loss_type]

    def critic_loss(p: Tensor, cp: Tensor, q: Tensor, cq: Tensor, critic: nn.Module) -> Tensor:
        loss = -metric(cp, cq)
        if reg_type in PENALTIES:
            loss = loss + reg_cf * PENALTIES[reg_type](p, cp, q, cq, critic)
        return loss

    return metric, critic_loss


def apply_exponential_moving_average(source: nn.Module, target: nn.Module, alpha: float) -> None:
    parameters = dict(source.named_parameters())
    with torch.no_grad():
        for name, value in target.named_parameters():
            value.copy_(alpha * value + (1 - alpha) * parameters[name])
        buffers = dict(source.named_buffers())
        for name, value in target.named_buffers():
            value.copy_(buffers[name])


def trajectory(loss_type: str, reg_type: str, reg_cf: float, alpha_ema: float | None) -> Callable[[int], float]:
    """Return what makes so many iterations of one configuration, keeping its parameters after each in a list."""
    critic, generator = Critic(), Generator()
    average = copy.deepcopy(generator) if alpha_ema is not None else None
    critic_optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
    generator_optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
    metric, critic_loss = make_losses(loss_type, reg_type, reg_cf)
    history: list[Any] = []

    def iterate(count: int) -> float:
        for _ in range(count):
            p, z = torch.zeros(1, 1), torch.randn(1, 1)
            critic_optimizer.zero_grad()
            q = generator(z).detach()
            cp, cq = critic(p), critic(q)
            critic_loss(p, cp, q, cq, critic).backward()
            critic_optimizer.step()
            p, z = torch.zeros(1, 1), torch.randn(1, 1)
            generator_optimizer.zero_grad()
            value = metric(critic(p), critic(generator(z)))
            value.backward()
            generator_optimizer.step()
            shown = generator
            if average is not None and alpha_ema is not None:
                apply_exponential_moving_average(generator, average, alpha_ema)
                shown = average
            history.append((critic.linear.weight.item(), critic.linear.bias.item(), shown.theta.item(), value.item()))
        return float(history[-1][2])

    return iterate
