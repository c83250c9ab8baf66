"""Whose functions trained a run: its configuration tells them from those before a change, which trained what is older.

`source` in config.json is what tells functions apart. Of a run that has none nothing is known, and so nothing is said.
"""

import json
from pathlib import Path

from .runs import Run, first_free, write_whole

TRAINED = ("summary.json", "metrics.jsonl", "checkpoint.safetensors")


def is_of_others(run: Run, source: str) -> bool:
    """Tell whether functions other than those of a source trained a run."""
    return bool(source) and run.config.get("source", source) != source


def set_aside(path: Path, word: str) -> Path:
    """Rename a file or directory to the first name that is free of NAME.WORD-1, NAME.WORD-2 ..."""
    return path.rename(first_free(lambda number: path.with_name(f"{path.stem}.{word}-{number}{path.suffix}")))


def begin_anew(run: Run, source: str) -> Run:
    """Set aside what other functions trained, and say so; what is left of the run is its configuration."""
    aside = [set_aside(path, "older").name for name in TRAINED if (path := run.path / name).is_file()]
    if aside:
        kept = ", ".join(aside)
        print(f"{run.path} was trained by other functions: it is kept as {kept}, and trained anew", flush=True)
    config = {**run.config, "source": source}  # last: a kill before it has the rest set aside by the next attempt
    write_whole(run.path / "config.json", (json.dumps(config, indent=2) + "\n").encode())
    return Run(run.path, config)
