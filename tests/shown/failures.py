"""Ten ways to be wrong: what a student might write in place of the answer, and which part is judged."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A wrong answer: in a file of the solutions some text is replaced by what was written instead.

    kind: the heading it has on the page. told: what to look at.
    """

    kind: str
    part: str
    file: str
    right: str
    written: str
    told: str


WRONG = (
    Wrong(
        "A mistake that is known by name",
        "vae.log_likelihood_normal",
        "vae/likelihoods.py",
        "logvar + (z - mu) ** 2 * torch.exp(-logvar)",
        "2 * logvar + ((z - mu) / torch.exp(logvar)) ** 2",
        "The answers to a few fixed probes are those of a mistake that others have made: the arrow names it.",
    ),
    Wrong(
        "A mistake that has no name",
        "vae.kl_gaussian_gaussian_analytic",
        "vae/divergences.py",
        "    return 0.5 * terms",
        "    return 1.5 * terms",
        "Nobody has entered this one, so that the counterexample speaks alone: the smallest inputs, both values, and "
        "what arithmetic says of them.",
    ),
    Wrong(
        "A shape",
        "vae.log_mean_exp",
        "vae/likelihoods.py",
        "    return torch.logsumexp(y, dim=1) - math.log(y.shape[1])",
        "    return torch.logsumexp(y, dim=1, keepdim=True) - math.log(y.shape[1])",
        "The numbers are right, and the next function would broadcast (batch, 1) against (batch,).",
    ),
    Wrong(
        "Overflow",
        "vae.log_mean_exp",
        "vae/likelihoods.py",
        "    return torch.logsumexp(y, dim=1) - math.log(y.shape[1])",
        "    return torch.exp(y).mean(dim=1).log()",
        "Right on paper, and for small numbers.",
    ),
    Wrong(
        "Two mistakes at once",
        "vae.log_mean_exp",
        "vae/likelihoods.py",
        "    return torch.logsumexp(y, dim=1) - math.log(y.shape[1])",
        "    return torch.logsumexp(y, dim=1, keepdim=True)",
        "Pairs that are often made together have names too.",
    ),
    Wrong(
        "A value that is right, with a gradient that is not",
        "vae.kl_gaussian_gaussian_mc",
        "vae/divergences.py",
        "    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)",
        "    z = (mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)).detach()",
        "Training would go on, and go nowhere: no value shows it.",
    ),
    Wrong(
        "Points at which a critic was asked",
        "gan.gradient_penalty",
        "gan/penalties.py",
        "torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype, device=real.device)",
        "torch.rand(real.shape, dtype=real.dtype, device=real.device)",
        "The critic is a given object that notes where it is asked. `elbo check gan.gradient_penalty --show` draws "
        "these points.",
    ),
    Wrong(
        "A flow that folds the plane",
        "flows.planar",
        "flows/planar.py",
        "    u_hat = constrain_u(u, w)\n",
        "    u_hat = u\n",
        "`elbo check flows.planar --show` draws the folded grid.",
    ),
    Wrong(
        "An error of one's own",
        "vae.elbo",
        "vae/bounds.py",
        "    prior = torch.zeros_like(mu)\n",
        "    prior = torch.zeros_like(means)\n",
        "The file, the line, and the call that it came of; `-v` shows the traceback.",
    ),
    Wrong(
        "A loop without an end",
        "vae.log_likelihood_bernoulli",
        "vae/likelihoods.py",
        "    probability = torch.lerp(1 - mu, mu, target.to(mu.dtype))\n",
        "    while True:\n        pass\n",
        "It ends after some seconds, and is asked no more.",
    ),
)
