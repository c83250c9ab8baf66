"""Whose functions trained a run: a hash of them stands in it, and tells when they have changed since."""

import hashlib
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

from exercises.experiments.dirac import trajectories
from exercises.experiments.dirac.experiment import path_of
from exercises.experiments.flows.experiment import trained
from exercises.experiments.flows.settings import trainings
from exercises.experiments.runs import Run
from grading.engine.implementation import ImplementationNotFound, locate
from grading.run_settings import dirac_config, flows_config

TOPIC_OF = {"vae": "vae", "dirac": "gan", "flows": "flows", "cifar10": "gan"}
# Nothing of these is called in a training: to write them later makes no run another one.
UNCALLED = {
    "vae": {"properties.py"},
    "dirac": {"properties.py", "scores.py"},
    "flows": {"properties.py", "posterior.py"},
    "cifar10": {"properties.py"},
}

STRUCTURE = {tokenize.INDENT: "{", tokenize.DEDENT: "}", tokenize.NEWLINE: ";"} | dict.fromkeys(
    (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER), ""
)


def source_of(directory: Path, experiment: str) -> str:
    """Return a hash of the functions that an experiment calls, which changes when one is mended; "" without files.

    directory: of the implementation.
    """
    topic = directory / TOPIC_OF[experiment]
    files = sorted(f for f in topic.glob("*.py") if f.is_file() and f.name not in UNCALLED[experiment])
    return hashlib.sha256(b"".join(f.name.encode() + _code(f) for f in files)).hexdigest() if files else ""


def _code(file: Path) -> bytes:
    """Return what a file does, the same for each version of Python: without comments and layout, if it is code."""
    content = file.read_bytes()
    try:
        tokens = [*tokenize.tokenize(io.BytesIO(content).readline)]
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError):
        return content
    told = "".join(STRUCTURE.get(token.type, token.string) for token in tokens)
    return "".join(told.split()).encode(errors="replace")  # some versions tell the spaces inside of an f-string


def changed_since(run: Run) -> str:
    """Say that other functions trained a run than stand in its implementation now; "" where they did, or nobody knows.

    Raises:
        RunError: the run's settings are none that an experiment has.
    """
    experiment, name = run.config["experiment"], str(run.config["implementation"])
    try:
        now = source_of(locate(name), experiment)
    except (ImplementationNotFound, OSError):
        return ""
    if not now or all(source == now for source in _sources(run) if source):
        return ""
    return f"trained with other functions than now stand in {name}/{TOPIC_OF[experiment]}: train anew"


def _sources(run: Run) -> Iterator[object]:
    """Yield what tells the functions, as the run itself or each of its trainings has it."""
    match run.config["experiment"]:
        case "dirac":
            yield from (trajectories.source_of(path_of(run.path, t)) for t in dirac_config(run).trainings)
        case "flows":
            opened = (trained(run, t) for t in trainings(flows_config(run)))
            yield from (own.config.get("source") for own in opened if own is not None)
        case _:
            yield run.config.get("source")
