"""Runs that are handed in with a checkpoint that is a program, or a header that promises more than there is."""

import json
import os
import pickle
import struct
from pathlib import Path

from . import FILE, World, handed_in
from .honest import LIKELIHOODS

CONFIG = {
    "experiment": "vae",
    "preset": "quick",
    "implementation": "solutions",
    "data": {"name": "digits", "source": "random numbers"},
    "settings": {"epochs": 1},
}
SUMMARY = {"vae.elbo": -1.0, "vae.log_likelihood": -1.0}


def with_run(path: Path, checkpoint: bytes, config: object = CONFIG, summary: str = json.dumps(SUMMARY)) -> Path:
    """Make an honest submission with a run, and return the run."""
    (path / "vae").mkdir(parents=True)
    (path / FILE).write_text(LIKELIHOODS)
    run = path / "runs" / "vae"
    run.mkdir(parents=True)
    (run / "config.json").write_text(json.dumps(config))
    (run / "metrics.jsonl").write_text(
        '{"epoch": 1, "train_negative_elbo": 2.0, "valid_negative_elbo": 3.0, "cpu_seconds": 4.0}\n'
    )
    (run / "summary.json").write_text(summary)
    (run / "checkpoint.safetensors").write_bytes(checkpoint)
    return run


def header(facts: object, body: bytes = b"") -> bytes:
    """Write a file of safetensors with any header."""
    text = json.dumps(facts).encode()
    return struct.pack("<Q", len(text)) + text + body


class Touch:
    """An object whose pickle makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@handed_in("trace", "sum")
def checkpoint_is_a_program(path: Path, world: World) -> None:
    """A pickle that makes a folder when it is read, under each name that a checkpoint might have."""
    data = pickle.dumps(Touch(world.canaries / "checkpoint_is_a_program"))
    run = with_run(path, data)
    for name in ("checkpoint.pt", "checkpoint.pth", "checkpoint.pkl", "model.pt"):
        (run / name).write_bytes(data)


@handed_in("", "sum")
def checkpoint_promises_too_much(path: Path, world: World) -> None:
    """A header that names 10^9 numbers where there is none."""
    with_run(path, header({"model.w": {"dtype": "F64", "shape": [10**9], "data_offsets": [0, 8 * 10**9]}}))


@handed_in("", "sum")
def checkpoint_has_an_endless_header(path: Path, world: World) -> None:
    """A header that says that it is 2^62 bytes long."""
    with_run(path, struct.pack("<Q", 1 << 62) + b"{}")


@handed_in("", "sum")
def run_is_nested_deeply(path: Path, world: World) -> None:
    """A configuration and a summary that are nested a hundred thousand times, and figures that are no numbers."""
    run = with_run(path, header({}), summary="[" * 100_000)
    (run / "config.json").write_text('{"a":' * 100_000)


@handed_in("", "sum")
def run_claims_what_it_likes(path: Path, world: World) -> None:
    """A summary with figures that no network has, with a run's names that lead elsewhere."""
    figures = {"vae.elbo": 1e300, "vae.log_likelihood": float("nan"), "../../x": "\x1b[2J<script>"}
    with_run(path, header({}), {**CONFIG, "preset": "../" * 9, "data": {"name": "/etc/passwd"}}, json.dumps(figures))


@handed_in("", "sum")
def run_is_a_link(path: Path, world: World) -> None:
    """A run that is a link to the kit's own results, and a checkpoint that is a link to a device."""
    run = with_run(path, header({}))
    (run / "checkpoint.safetensors").unlink()
    (run / "checkpoint.safetensors").symlink_to("/dev/zero")
    (path / "runs" / "best").symlink_to(world.root / "exercises" / "experiments" / "results" / "vae-paper")
