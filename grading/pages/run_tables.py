"""The tables of a run on the report page: how its training went, and what its experiment tells."""

from collections.abc import Callable

from exercises.experiments.cifar10 import tables as cifar10
from exercises.experiments.dirac import tables as dirac
from exercises.experiments.flows.evaluation import impossible, lower_bound
from exercises.experiments.flows.experiment import trained
from exercises.experiments.flows.settings import trainings
from exercises.experiments.runs import Run
from exercises.experiments.tables import Table
from grading.pages.layout import number
from grading.run_settings import cifar10_config, dirac_config, flows_config

EPOCHS_SHOWN = 10


def tables(run: Run) -> list[Table]:
    """Return the tables of a run, by its experiment."""
    return TABLES[run.config["experiment"]](run)


def _vae_tables(run: Run) -> list[Table]:
    by_samples = run.summary().get("log_likelihood_by_samples", {})
    metrics = run.metrics()
    every = max(1, -(-len(metrics) // EPOCHS_SHOWN))
    shown = [m for m in metrics if m["epoch"] % every == 0 or m is metrics[-1]]
    keys = {"train_negative_elbo": 2, "valid_negative_elbo": 2, "cpu_seconds": 1}
    rows = [[str(m["epoch"]), *(number(m[key], digits) for key, digits in keys.items())] for m in shown]
    training = Table("Training", ("epoch", "−ELBO, training", "−ELBO, validation", "CPU seconds"), rows)
    if not by_samples:
        return [training]
    rows = [[k, number(value, 3)] for k, value in by_samples.items()]
    return [Table("log p(x) of the test set by the number of samples", ("K", "nats an image"), rows), training]


NO_BOUND = (
    "The reverse KL of the sine has no lower bound, as the mass of exp(−U) on the plane is infinite: a flow lowers it "
    "for ever by spreading along z1. So it is no claim; samples are looked at instead, how many lie near the ridge and "
    "how evenly they fill the window |z1| ≤ 5."
)


def _flows_tables(run: Run) -> list[Table]:
    chosen = trainings(flows_config(run))
    opened = [(t, trained(run, t)) for t in chosen]
    rows, notes = [], []
    for training, own in opened:
        last = own.metrics()[-1] if own is not None and own.metrics() else None
        if last is None:
            continue
        bound = lower_bound(training)
        floor = "none" if bound is None else number(bound, 4)
        if reason := impossible(training, last["held_out_loss"]):
            notes.append(f"{training.name}: {reason}.")
        figures = (number(last[key], 4) for key in ("train_loss", "held_out_loss"))
        seconds = sum(m["cpu_seconds"] for m in own.metrics()) if own is not None else 0.0
        rows.append([training.name, str(last["iteration"]), *figures, floor, number(seconds, 1)])
    columns = ("training", "iterations", "last losses", "on 10,000 held-out points", "lower bound", "CPU seconds")
    if any(lower_bound(t) is None for t in chosen):
        notes.append(NO_BOUND)
    return [Table("Training: losses in nats", columns, rows, " ".join(notes))] if rows else []


HIDES = (
    "A moving average is small where theta itself goes round and round: it hides a cycle and ends none. Outcomes are "
    "those of theta itself, of the first start. Your update: the spectral radius, as the run recorded it. Along path: "
    "by which an iteration multiplied the distance from the equilibrium, on average over the second half."
)


def _dirac_tables(run: Run) -> list[Table]:
    tables, notes = dirac.told(run, dirac_config(run))
    first, second = tables
    return [first, second._replace(note=" ".join([HIDES, *(f"{note[0].upper()}{note[1:]}." for note in notes)]))]


def _cifar10_tables(run: Run) -> list[Table]:
    (table,), notes = cifar10.told(run, cifar10_config(run))
    return [table._replace(note=" ".join(f"{note[0].upper()}{note[1:]}." for note in notes))]


TABLES: dict[str, Callable[[Run], list[Table]]] = {
    "vae": _vae_tables,
    "dirac": _dirac_tables,
    "flows": _flows_tables,
    "cifar10": _cifar10_tables,
}
