"""The run directory: what an experiment leaves, and what a report and the grader read.

config.json             what was run: experiment, preset, implementation, data, settings, versions
metrics.jsonl           one JSON object a line, one line an epoch
checkpoint.safetensors  model and optimizer after the last finished epoch
summary.json            the reported figures
figures/*.png
trajectories/, trainings/  what an experiment of many trainings leaves of each, in place of one checkpoint
"""

import itertools
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Only a run that draws waits for matplotlib; whoever reads runs or catches their errors does not.
    from matplotlib.figure import Figure

Facts = Mapping[str, Any]
LARGEST = 16 << 20  # bytes of a file of JSON


class RunError(Exception):
    """A run cannot be made, resumed or read; the message says what was found, what was expected and what to do."""


class RunInterrupted(RunError):
    """The person stopped the run; its finished epochs are kept."""


@dataclass(frozen=True)
class Run:
    """One run directory; `config` is the content of its config.json."""

    path: Path
    config: dict[str, Any]

    @property
    def checkpoint(self) -> Path:
        """Path of the one checkpoint file; it is there from the first finished epoch on."""
        return self.path / "checkpoint.safetensors"

    def training(self, name: str) -> Path:
        """Return where one of many trainings has a run of its own."""
        return self.path / "trainings" / name

    @property
    def finished(self) -> bool:
        """Whether training, evaluation and figures are all done."""
        return (self.path / "summary.json").is_file()

    def metrics(self) -> list[dict[str, Any]]:
        """Read the metrics of the epochs in order; a last line that was cut off while it was written is left out.

        Raises:
            RunError: a line is not what an experiment writes.
        """
        path = self.path / "metrics.jsonl"
        whole_lines = _read_text(path).split("\n")[:-1] if path.exists() else []
        try:
            found = [json.loads(line) for line in whole_lines]
        except (ValueError, RecursionError) as error:
            raise RunError(f"{path} is not what an experiment writes: a line is not JSON ({error})") from error
        if not all(isinstance(line, dict) and isinstance(line.get("epoch"), int) for line in found):
            raise RunError(f"{path} is not what an experiment writes: a line has no number as its epoch; train again")
        return found

    def keep_metrics(self, epochs: int) -> None:
        """Forget the metrics after an epoch, and a line that was cut off: training goes on from there."""
        kept = [m for m in self.metrics() if m["epoch"] <= epochs]
        _write_text(self.path / "metrics.jsonl", "".join(json.dumps(m) + "\n" for m in kept))

    def append_metrics(self, metrics: Facts) -> None:
        """Add the line of one epoch, in one write."""
        with (self.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(metrics) + "\n")

    def summary(self) -> dict[str, Any]:
        """Read the reported figures of a finished run.

        Raises:
            RunError: the run is not finished.
        """
        if not self.finished:
            raise RunError(f"{self.path} has no summary.json, so this run is not finished. Go on with it by --resume.")
        return _read_json(self.path / "summary.json")

    def write_summary(self, figures: Facts) -> None:
        """Write the reported figures; this marks the run as finished."""
        _write_text(self.path / "summary.json", json.dumps(figures, indent=2) + "\n")

    def save_figure(self, name: str, figure: "Figure", colours: int | None = None) -> None:
        """Write a figure to figures/NAME.png; one of lines needs few colours, and then a third of the space."""
        (self.path / "figures").mkdir(exist_ok=True)
        path = self.path / "figures" / f"{name}.png"
        figure.savefig(path, dpi=120)
        if colours is not None:
            from PIL import Image

            with Image.open(path) as image:
                reduced = image.convert("RGB").quantize(colours, dither=Image.Dither.NONE)
            reduced.save(path, optimize=True)


def record(
    experiment: str, settings: Any, *, preset: str, implementation: str, data: str, source: str
) -> dict[str, Any]:
    """Say what is run, as config.json has it; settings: a dataclass. data, source: the data set's, for the record."""
    return {
        "experiment": experiment,
        "preset": preset,
        "implementation": implementation,
        "data": {"name": data, "source": source},
        "settings": asdict(settings),
    }


def create(path: Path, config: Facts) -> Run:
    """Make a run directory.

    Args:
        path: where; the directory must not exist yet.
        config: what is run, as JSON can hold it; the versions of Python and of the libraries are added.

    Raises:
        RunError: something is there already, or nothing can be written there.
    """
    try:
        path.mkdir(parents=True)
        run = Run(path, {**config, "versions": _versions()})
        _write_text(path / "config.json", json.dumps(run.config, indent=2) + "\n")
    except FileExistsError as error:
        raise RunError(
            f"{path} is there already, and a run is never overwritten. "
            "Give another directory with --out, go on with this run by --resume, or remove it."
        ) from error
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror}. Give a directory that you may write to with --out."
        ) from error
    return run


def read(path: Path) -> Run:
    """Open an existing run directory.

    Raises:
        RunError: it is not a run.
    """
    if not (path / "config.json").is_file():
        found = "has no config.json" if path.is_dir() else "is not there" if not path.exists() else "is not a directory"
        raise RunError(f"{path} {found}, so it is not a run. Give the directory that an experiment wrote.")
    return Run(path, _read_json(path / "config.json"))


def resume(path: Path, config: Facts) -> Run:
    """Open a run to go on with it, under the configuration that it began with.

    Raises:
        RunError: it is not a run, it cannot be written, or its configuration is another one.
    """
    run = read(path)
    for key, wanted in json.loads(json.dumps(config)).items():
        found = run.config.get(key)
        if found != wanted:
            if isinstance(found, dict) and isinstance(wanted, dict):  # only what differs
                keys = [name for name in wanted if found.get(name) != wanted[name]]
                found, wanted = {name: found.get(name) for name in keys}, {name: wanted[name] for name in keys}
            raise RunError(
                f"{path} was run with {key} = {found}, not with {wanted}. "
                "Resume it under its own configuration, or begin another run with --out."
            )
    if not os.access(path, os.W_OK):
        raise RunError(f"{path} is read-only. Copy it to a place that you may write to, and resume the copy.")
    return run


def begin(path: Path, config: Facts) -> Run:
    """Make a run directory, or open it where it was made before, for a job that is begun as often as it takes.

    Raises:
        RunError: what `create` and `resume` raise.
    """
    if path.is_dir() and not (path / "config.json").exists():  # a kill came before the configuration was written
        for part in path.glob("config.json.part"):
            part.unlink()
        if not any(path.iterdir()):
            path.rmdir()
    return resume(path, config) if path.exists() else create(path, config)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "numpy", "safetensors", "elbo-room"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not JSON ({error}). It was changed or cut off; run the experiment again.") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} holds a {type(content).__name__}, expected a JSON object. Run the experiment again.")
    return content


def _read_text(path: Path) -> str:
    """Read a file that anybody may have written.

    Raises:
        RunError: it is larger than anything that an experiment writes.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise RunError(
            f"{path} has {size} bytes, expected at most {LARGEST}. It was changed; run the experiment again."
        )
    return path.read_text()


def _write_text(path: Path, text: str) -> None:
    write_whole(path, text.encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: an interruption leaves the one before."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)  # whatever stands there, a link too, is not written to
    with part.open("xb") as file:
        file.write(content)
    os.replace(part, path)


def first_free(name: Callable[[int], Path]) -> Path:
    """Return the first of name(1), name(2) ... at which nothing stands: nothing is ever overwritten."""
    return next(path for number in itertools.count(1) if not (path := name(number)).exists())
