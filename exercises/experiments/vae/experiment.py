"""The experiment of Problem 1 from beginning to end: rehearse, train, measure, draw."""

from pathlib import Path

import torch
from torch import Tensor

from data import Images

from .. import runs
from ..seeds import seed_epoch
from ..sources import begin_anew, is_of_others
from . import figures
from .evaluation import measure
from .networks import LATENT, PIXELS, VAE, Functions, Implementation, means_, student_decoder
from .training import Config, fit


def train(
    implementation: Implementation,
    config: Config,
    images: Images,
    out: Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    threshold: float | None = None,
    name: str = "",
    preset: str = "",
    source: str = "",
) -> runs.Run:
    """Train the given network with the student's functions, evaluate it, and leave a run.

    Every epoch begins from the seed (seed, epoch), so a run that is resumed ends with the same bits on the CPU.

    Args:
        implementation: its topic `vae` has elbo, importance_log_likelihood and log_likelihood_bernoulli.
        config: the settings.
        images: the data set that config.data names.
        out: the run directory; new, or with `resume` an unfinished run of the same configuration.
        resume: go on after the last finished epoch.
        device: where to compute, 'cpu' or 'cuda'.
        threshold: negative ELBO to stay below, in nats, for the figure.
        name: of the implementation, for the record.
        preset: the preset that config began from, for the record.
        source: what tells the functions from those before a change; with `resume`, what others trained is trained anew.

    Returns:
        The finished run; its summary has 'vae.elbo' (of the validation images) and 'vae.log_likelihood' (of the
        test images, K = 200), in nats an image.

    Raises:
        RunError: the run cannot be made or resumed, a function is still to do or answers in another shape,
            or the loss is not finite.
        RunInterrupted: Ctrl-C; the finished epochs are kept.
        CheckpointError: the checkpoint to resume from is damaged.
    """
    record = runs.record("vae", config, preset=preset, implementation=name, data=images.name, source=images.source)
    functions = implementation.vae
    seed_epoch(config.seed, 0)
    model = VAE().to(device)
    rehearse(functions, model)
    run = runs.resume(out, record) if resume else runs.create(out, record | ({"source": source} if source else {}))
    if is_of_others(run, source):
        run = begin_anew(run, source)
    try:
        fit(functions, model, config, images, run)
        finish(functions, model, config, images, run, threshold)
    except KeyboardInterrupt as error:
        raise runs.RunInterrupted(
            f"stopped; {len(run.metrics())} of {config.epochs} epochs are kept in {out}. "
            f"Go on with the same command, --out {out} and --resume."
        ) from error
    return run


def rehearse(functions: Functions, model: VAE) -> None:
    """Call every function that the experiment needs once, before anything is written and any time is spent.

    Raises:
        RunError: one is still to do, or answers with another shape than (batch,).
    """
    x = torch.zeros(2, PIXELS, device=next(model.parameters()).device)
    calls = {"elbo": (), "importance_log_likelihood": (2,)}
    for name, more in calls.items():
        try:
            answer = getattr(functions, name)(x, model.encode, student_decoder(model, functions), *more)
        except NotImplementedError as error:
            raise runs.RunError(f"training needs vae.{name}, and something in it is still to do: {error}") from error
        if not isinstance(answer, Tensor) or answer.shape != (2,):
            found = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            raise runs.RunError(f"vae.{name} gave {found} for two images, expected one number an image, shape (2,)")


def finish(
    functions: Functions, model: VAE, config: Config, images: Images, run: runs.Run, threshold: float | None
) -> None:
    """Measure the trained model on the test images, draw the figures and write the summary."""
    seed_epoch(config.seed, config.epochs + 1)
    metrics = run.metrics()
    test = images.test.to(next(model.parameters()).device)
    measured = measure(functions, model, test)
    by_samples = measured["log_likelihood_by_samples"]
    with torch.no_grad():
        # Any 50, for a data set may be in the order of its digits.
        originals = test[torch.randperm(len(test))[:50].to(test.device)].float()
        drawn = means_(model.logits(model.encode(originals)[0]))
        imagined = means_(model.logits(torch.randn(100, LATENT, device=test.device)))
    run.save_figure("learning_curve", figures.learning_curve(metrics, threshold))
    run.save_figure("log_likelihood", figures.log_likelihood_curve(by_samples, measured["test_elbo"]))
    run.save_figure("reconstructions", figures.reconstructions(originals, drawn))
    run.save_figure("samples", figures.samples(imagined))
    run.write_summary(
        {
            "vae.elbo": -metrics[-1]["valid_negative_elbo"],
            "vae.log_likelihood": by_samples[max(by_samples)],
            **measured,
            "training_cpu_seconds": sum(m["cpu_seconds"] for m in metrics),
        }
    )
