"""The runs in a hand-in: which directories are runs, and which of their files an experiment left to be judged."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from .limits import RUNS, listed

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+=-]{0,99}")
SET_ASIDE = re.compile(r"\.(?:older|broken)-\d+(?:\.|$)")  # what an experiment kept that it trained anew
JSON = ("config.json", "summary.json", "metrics.jsonl")
INNER = {"trajectories": 2, "trainings": 3}  # directories in a run, and the number of parts of a path in them


def choose_runs(paths: Iterable[PurePosixPath]) -> tuple[dict[str, PurePosixPath], list[str]]:
    """Return the directories runs/NAME with a config.json by their names, and what was odd; the least deep first."""
    found = {p.parent for p in paths if p.name == "config.json" and p.parent.parent.name == "runs"}
    chosen: dict[str, PurePosixPath] = {}
    left_out = []
    for path in sorted(found, key=lambda path: (len(path.parts), str(path))):
        name = re.sub("[^A-Za-z0-9._-]+", "-", path.name).strip("-.")[:80] or "run"
        if len(chosen) < RUNS and name.lower() not in map(str.lower, chosen):
            chosen[name] = path
        else:
            left_out.append(path)
    if left_out:
        return chosen, [f"{listed(left_out)} not taken: at most {RUNS} runs are, each of another name."]
    return chosen, []


def is_of_run(path: PurePosixPath) -> bool:
    """Tell whether a file, by its path in a run, is read when the run is judged; a figure is not.

    >>> [is_of_run(PurePosixPath(path)) for path in ("summary.json", "trainings/arcs-samples-2/metrics.jsonl")]
    [True, True]
    >>> [is_of_run(PurePosixPath(path)) for path in ("figures/a.png", "code/summary.json", "model.pt")]
    [False, False, False]
    >>> [is_of_run(PurePosixPath(f"trainings/cifar10-w1-3/{name}.safetensors")) for name in ("generator", "checkpoint")]
    [True, False]
    >>> [is_of_run(PurePosixPath(f"trainings/arcs-2{end}/summary.json")) for end in ("", ".older-1", ".broken-2")]
    [True, False, False]
    """
    if not all(NAME.fullmatch(part) and not SET_ASIDE.search(part) for part in path.parts):
        return False
    if path.match("trainings/cifar10-*/checkpoint.safetensors"):  # hundreds of MB, to go on from: nothing judges it
        return False
    if len(path.parts) != (1 if len(path.parts) == 1 else INNER.get(path.parts[0])):
        return False
    return path.name in JSON or path.suffix == ".safetensors"
