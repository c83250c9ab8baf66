"""The original assignment's kind of code, written anew to be measured against: a notebook's loop.

A Python object for each layer, a DataLoader over float images, Bernoulli means, autograd, Adam as it comes.
"""

import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Encoder(nn.Module):
    def __init__(self, latent_size):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(784, 300),
            nn.ELU(),
            nn.Linear(300, 300),
            nn.ELU(),
            nn.Linear(300, 2 * latent_size),
        )

    def forward(self, x):
        z_mean, z_logvar = self.mlp(x.view(x.size(0), 784)).chunk(2, dim=-1)
        return z_mean, z_logvar


class Decoder(nn.Module):
    def __init__(self, latent_size):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(latent_size, 300),
            nn.ELU(),
            nn.Linear(300, 300),
            nn.ELU(),
            nn.Linear(300, 784),
        )

    def forward(self, z):
        return self.mlp(z) - 5


class VAE(nn.Module):
    def __init__(self, latent_size=100):
        super().__init__()
        self.encode = Encoder(latent_size)
        self.decode = Decoder(latent_size)

    def sample(self, z_mean, z_logvar):
        return z_mean + torch.exp(z_logvar / 2) * torch.randn_like(z_mean)

    def forward(self, x):
        z_mean, z_logvar = self.encode(x)
        x_mean = torch.sigmoid(self.decode(self.sample(z_mean, z_logvar)))
        return z_mean, z_logvar, x_mean


def log_likelihood_bernoulli(mu, target):
    mu, target = mu.view(mu.size(0), -1), target.view(target.size(0), -1)
    # The notebook's guard against log 0.
    return (target * torch.log(mu + 1e-8) + (1 - target) * torch.log(1 - mu + 1e-8)).sum(dim=1)


def log_likelihood_normal(mu, logvar, z):
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / torch.exp(logvar)).sum(dim=1)


def log_mean_exp(y):
    largest = y.max(dim=1, keepdim=True)[0]
    return (largest + torch.log(torch.exp(y - largest).mean(dim=1, keepdim=True))).squeeze(1)


def kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p):
    variance_ratio = torch.exp(logvar_q) / torch.exp(logvar_p)
    distance = (mu_p - mu_q) ** 2 / torch.exp(logvar_p)
    return 0.5 * (logvar_p - logvar_q + variance_ratio + distance - 1).sum(dim=1)


def batches(images, batch_size=64, shuffle=True):
    return DataLoader(TensorDataset(images.float()), batch_size=batch_size, shuffle=shuffle)


def update(model, optimizer, x):
    z_mean, z_logvar, x_mean = model(x)
    log_likelihood = log_likelihood_bernoulli(x_mean, x)
    kl = kl_gaussian_gaussian_analytic(z_mean, z_logvar, torch.zeros_like(z_mean), torch.zeros_like(z_logvar))
    loss = -(log_likelihood - kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def importance_sampling(model, images, num_samples=200, batch_size=64):
    estimates = []
    with torch.no_grad():
        for (x,) in batches(images, batch_size, shuffle=False):
            rows = x.size(0) * num_samples
            z_mean, z_logvar = model.encode(x)
            z_mean = z_mean[:, None, :].expand(-1, num_samples, -1).reshape(rows, -1)
            z_logvar = z_logvar[:, None, :].expand(-1, num_samples, -1).reshape(rows, -1)
            z = model.sample(z_mean, z_logvar)
            x_mean = torch.sigmoid(model.decode(z))
            x = x[:, None, :].expand(-1, num_samples, -1).reshape(rows, -1)
            log_joint = log_likelihood_bernoulli(x_mean, x)
            log_joint = log_joint + log_likelihood_normal(torch.zeros_like(z), torch.zeros_like(z), z)
            log_weights = log_joint - log_likelihood_normal(z_mean, z_logvar, z)
            estimates.append(log_mean_exp(log_weights.view(-1, num_samples)))
    return torch.cat(estimates)
