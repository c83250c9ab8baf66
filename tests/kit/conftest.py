"""What the tests of the command share: running it as a person does, submissions with troubles in them, small runs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import data
from exercises.experiments import runs
from exercises.experiments.vae.networks import VAE
from grading import cli
from grading.engine.implementation import ROOT
from grading.engine.isolation import Limits
from grading.engine.workers import Starter

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}


@pytest.fixture(scope="session", autouse=True)
def no_bytecode() -> Iterator[None]:
    """Leave nothing beside what tests import: some of them look at what lies in a directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        patch.setattr(sys, "dont_write_bytecode", True)
        yield


@pytest.fixture(scope="session", autouse=True)
def programs_of_the_environment() -> Iterator[None]:
    """Find the programs beside Python by name, as in an activated environment: nbgrader calls alembic so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ENVIRONMENT | environment
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300
    )


@pytest.fixture(scope="session")
def python():
    """A function that runs Python with these arguments, from the root of the kit."""
    return _run


@pytest.fixture(scope="session")
def elbo():
    """A function that runs the command with these arguments."""
    return lambda *arguments: _run("-m", "grading.cli", *map(str, arguments))


@pytest.fixture
def call(monkeypatch, capsys):
    """A function that runs the command in this process and returns status, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["elbo", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def submission(tmp_path_factory):
    """A function that copies the solutions with changes in them, {file: [(old, new), ...]}."""

    def make(changes):
        directory = tmp_path_factory.mktemp("submission") / "work"
        shutil.copytree(ROOT / "solutions", directory, ignore=shutil.ignore_patterns("__pycache__"))
        for file, replacements in changes.items():
            text = (directory / file).read_text(encoding="utf-8")
            for old, new in replacements:
                assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
                text = text.replace(old, new)
            (directory / file).write_text(text, encoding="utf-8")
        return directory

    return make


@pytest.fixture(scope="session")
def troubled(submission):
    """A submission with something wrong, raising, still to do, renamed, and not Python."""
    return submission(
        {
            "vae/likelihoods.py": [
                (
                    "    probability = torch.lerp",
                    "    raise ValueError('\x1b[31m[bold]mine[/bold]')\n    p = torch.lerp",
                ),
                ("    return torch.logsumexp(y, dim=1) - math.log(y.shape[1])", "    return torch.logsumexp(y, dim=1)"),
                ("    terms = math.log(2 * math.pi)", "    print('\x1b[32m' + 'y' * 9999)\n    terms = math.log(6)"),
            ],
            "vae/divergences.py": [
                ("def kl_gaussian_gaussian_analytic(", "def kl_gaussian_gaussian_analytical("),
                ("    # One row for each instance", "    raise NotImplementedError\n    # One row for each instance"),
            ],
            "vae/bounds.py": [("    prior = torch.zeros_like(mu)\n", "    prior = = torch.zeros_like(mu)\n")],
        }
    )


@pytest.fixture(scope="session")
def images():
    """Sixty random images a split, under the name of the digits."""
    generator = torch.Generator().manual_seed(1)
    splits = {s: torch.randint(2, (60, 784), generator=generator).to(torch.uint8) for s in ("train", "valid", "test")}
    return data.Images("digits", "random numbers", **splits)


CONFIG = {
    "experiment": "vae",
    "preset": "quick",
    "implementation": "solutions",
    "data": {"name": "digits", "source": "random numbers"},
    "settings": {"epochs": 1},
}
EPOCH = {"epoch": 1, "train_negative_elbo": 2.0, "valid_negative_elbo": 3.0, "cpu_seconds": 4.0}


@pytest.fixture(scope="session")
def make_run_in():
    """A function that makes a finished run of an untrained network, by place and name, as `make_run` does."""

    def make(place, name="run", config=None, summary=None):
        run = runs.create(place / name, CONFIG | (config or {}))
        run.append_metrics(EPOCH)
        torch.manual_seed(0)
        save_file({f"model.{key}": value for key, value in VAE().state_dict().items()}, run.checkpoint)
        run.write_summary({"vae.elbo": -500.0, "vae.log_likelihood": -500.0} | (summary or {}))
        return run

    return make


@pytest.fixture
def make_run(tmp_path, make_run_in):
    """A function that makes a finished run of an untrained network, by name, with changes to config and summary."""
    return partial(make_run_in, tmp_path)


@pytest.fixture
def rubric_file(tmp_path):
    """A function that writes a rubric with one part and one claim, with changes to the text, and returns its path."""
    text = """
        [parts."vae.log_mean_exp"]
        problem = "1"
        minutes = 10
        hints = ["look", "look there", "it is there"]
        [parts."vae.log_mean_exp".points]
        keeps_the_dtype = 0.25
        [claims."vae.elbo"]
        problem = "1.1"
        experiment = "vae"
        sentence = "average bound"
        unit = "nats"
        points = 15
        graded_on = "digits"
        noisiest = 1.0
        at_least = { digits = -200.0 }
    """

    def write(old: str = "", new: str = "") -> Path:
        assert old in text, old
        path = tmp_path / "rubric.toml"
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
        return path

    return write


@pytest.fixture
def facts():
    """A function that reads a JSON file."""
    return lambda path: json.loads(Path(path).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A directory that workers see submissions in; not pytest's own, which nobody but its owner may pass."""
    with tempfile.TemporaryDirectory(prefix="elbo-tests-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name).resolve()


@pytest.fixture(scope="module")
def starter() -> Iterator[Starter]:
    """What starts workers that are not enclosed: for each file of tests its own, as some of them harm it."""
    value = Starter.spawning_once()
    yield value
    value.close()


@pytest.fixture(scope="session")
def enclosed(place: Path) -> Iterator[Starter]:
    """Starts workers around which every layer holds that this machine has; the judge's environment has a secret."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELBO_TESTS_SECRET", "of the judge")
        (starter,) = Starter.enclosed(Limits(memory_mb=1024, cpu_seconds=120), [place])
    yield starter
    starter.close()
