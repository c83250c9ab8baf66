"""The original assignment's kind of code, written anew to be measured against: a notebook's loop.

A module for each layer with its own parameters, u corrected in place where w.u is below -1, a DataLoader, RMSprop.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class PlanarTransformation(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.randn(1, dim) * 0.01)
        self.w = nn.Parameter(torch.randn(1, dim) * 0.01)
        self.b = nn.Parameter(torch.zeros(1))

    def adjust_u(self) -> None:
        with torch.no_grad():
            wu = (self.w @ self.u.t()).squeeze()
            if wu < -1:
                m = -1 + torch.log1p(torch.exp(wu))
                self.u += (m - wu) * self.w / (self.w @ self.w.t())

    def get_logdet(self, z: Tensor) -> Tensor:
        h = torch.tanh(z @ self.w.t() + self.b)
        psi = (1 - h**2) * self.w
        return torch.log(torch.abs(1 + psi @ self.u.t()))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.adjust_u()
        return z + self.u * torch.tanh(z @ self.w.t() + self.b), self.get_logdet(z)


class Flow(nn.Module):
    def __init__(self, dim: int, num_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([PlanarTransformation(dim) for _ in range(num_layers)])

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        logdet = torch.zeros(z.size(0), 1)
        for layer in self.layers:
            z, term = layer(z)
            logdet = logdet + term
        return z, logdet


def log_normal(z: Tensor) -> Tensor:
    return -0.5 * (math.log(2 * math.pi) + z**2).sum(dim=1)


def loss_from_samples(flow: Flow, x: Tensor) -> Tensor:
    z, logdet = flow(x)
    return -(log_normal(z) + logdet.squeeze(1)).mean()


def batches(samples: Tensor, batch_size: int = 128) -> Iterator[Tensor]:
    loader = DataLoader(TensorDataset(samples), batch_size=batch_size, shuffle=True, drop_last=True)
    while True:
        for (x,) in loader:
            yield x


def update(flow: Flow, optimizer: torch.optim.Optimizer, x: Tensor) -> float:
    loss = loss_from_samples(flow, x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
