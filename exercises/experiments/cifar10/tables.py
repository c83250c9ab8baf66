"""The table of a run as text, and what it answers: which of metric and score tells more of a training's progress."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import runs
from ..runs import Run
from ..tables import Table
from .scores import rank_correlation, score_names, titles
from .settings import Config, Configuration

TELLS = -0.5  # a rank correlation above which a quantity did not fall
Metrics = Sequence[Mapping[str, Any]]


def told(run: Run, config: Config) -> tuple[list[Table], list[str]]:
    """Make the table of a finished run, and what it answers.

    Raises:
        RunError: a training's metrics are not what the experiment writes.
    """
    found = {c: runs.read(path).metrics() for c in config.chosen if (path := run.training(c.name)).is_dir()}
    return [comparison(config, found)], answer(config, found)


def ranks(metrics: Metrics, config: Config) -> tuple[float, float]:
    """Correlate the ranks of metric and distance with the order of the checkpoints in time.

    Both estimate a distance from the images. One that told of progress would fall from each checkpoint to the next: -1.
    With fewer than three checkpoints there is nothing to correlate: nan.
    """
    if len(metrics) < 3:
        return math.nan, math.nan
    distance, _ = score_names(config.extractor, config.samples)
    updates = [line["update"] for line in metrics]
    metric, score = (rank_correlation([line[key] for line in metrics], updates) for key in ("metric", distance))
    return metric, score


def seconds_an_update(metrics: Metrics) -> float:
    """Return how long an update took, without the evaluations."""
    return sum(line["seconds"] for line in metrics) / int(metrics[-1]["update"])


def comparison(config: Config, metrics: Mapping[Configuration, Metrics]) -> Table:
    """Set the configurations side by side: scores at the end, and how well metric and distance told of progress."""
    keys = score_names(config.extractor, config.samples)
    rows = []
    for configuration, lines in metrics.items():
        last = lines[-1]
        numbers = (f"{last[key]:.3f}" for key in (*keys, "metric"))
        told = (*numbers, *map(_rank, ranks(lines, config)), f"{seconds_an_update(lines):.3f}")
        rows.append([configuration.name, configuration.label, str(last["update"]), *told])
    distance, score = titles(config.extractor, config.samples)
    title = f"After the last update: {distance}, small is good, and {score}, large is good"
    columns = ("configuration", "game", "updates", "distance", "score", "metric", "rank, metric", "rank, distance")
    return Table(title, (*columns, "s an update"), rows)


def _rank(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.2f}".replace("-", "−")


def answer(config: Config, metrics: Mapping[Configuration, Metrics]) -> list[str]:
    """Say in numbers which of the two tells more of progress; nothing where there are too few evaluations."""
    pairs = [pair for lines in metrics.values() if not any(map(math.isnan, pair := ranks(lines, config)))]
    if not pairs:
        return []
    metric, distance = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
    more = sum(score < metric for metric, score in pairs)
    checkpoints = max(map(len, metrics.values()))
    told = (
        f"over {checkpoints} checkpoints the rank correlation with their order in time is {_rank(distance)} for "
        f"the distance and {_rank(metric)} for the metric, on average over {len(pairs)} "
        f"training{'s' * (len(pairs) != 1)}; what falls from each checkpoint to the next has −1"
    )
    if min(metric, distance) > TELLS:
        return [told, "neither of them fell steadily: here neither tells of progress"]
    return [told, f"the distance tells more of progress than the metric in {more} of {len(pairs)}"]
