"""Measuring the claims of a submitted run where nothing that its files hold can reach the judge.

A process apart reads the run, its door closed like that of a student's code, none of which is in it. A run that is
measured by repeating it is repeated in yet another one.
"""

import io
import os
import sys
from collections.abc import Container
from contextlib import redirect_stdout, suppress
from functools import cache, partial
from pathlib import Path

import msgspec
import torch

from data import COLOUR_NAMES, DataError, data_root, load_colour
from exercises.experiments import runs
from exercises.experiments.cifar10.scores import make_scorer
from exercises.experiments.dirac.settings import Training
from exercises.experiments.runs import Run, RunError
from grading import signs
from grading.claims import measure_claims
from grading.engine.apart import NoAnswerError, answer_pipe, run_apart
from grading.engine.implementation import ROOT
from grading.engine.isolation import Enclosure, Limits
from grading.handed_in import finished_runs
from grading.measuring_images import is_measured
from grading.records import RunRecord
from grading.repeating import Said, repeat, understood
from grading.rubric import RubricError, load
from grading.run_settings import cifar10_config, dirac_config, is_the_assignments

SECONDS = 1800.0
INCEPTION_SECONDS = 0.5  # an image, on one core
STEPS = ("gan.critic_loss", "gan.critic_step", "gan.generator_step", "gan.train_step", "gan.update_average")
MEMORY_MB = 4096
FAILED = "the run could not be measured, which is not the student's fault"


class _Request(msgspec.Struct):
    """What the process is told: where the submission, its run and data are, what was repeated, how long it has."""

    into: str
    run: str
    data: str
    seed: int
    said: list[Said]
    seconds: float


def measure(into: Path, run: str, data: str, seed: int, working: Container[str]) -> RunRecord:
    """Measure a run of a submission.

    Args:
        into: the directory of what was taken of the submission, with implementation/ and the run in it.
        run: the run's directory in that.
        data: where the data are, "" for the usual places.
        seed: of the samples that figures are measured with.
        working: the parts that earned more than half of their points; a game is repeated with such alone, as others
            could only say that they had played it.

    Returns:
        The claims, or the reason why there are none.
    """
    try:
        found = runs.read(into / run)
        said = _repeat(found, into, working)
        seconds = _prepare(found, data)
        request = _Request(str(into), run, str(data_root(Path(data) if data else None)), seed, said, seconds)
        answer = run_apart("grading.evidence", [], seconds, msgspec.msgpack.encode(request))
        return msgspec.msgpack.decode(answer, type=RunRecord)
    except RunError as error:
        return RunRecord(run, reason=str(error).replace(f"{into}/", ""))
    except NoAnswerError as error:
        return RunRecord(run, reason=f"the run could not be measured: {error}")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return RunRecord(run, reason="the run could not be measured: its process ended without a word")
    except Exception as error:  # a full disk, or a defect of the kit: the rest is graded all the same
        return RunRecord(run, reason=f"{FAILED}: {signs.told(error)}")


def _prepare(run: Run, data: str) -> float:
    """Make what scores images of a run, and return how many seconds there are for measuring.

    What is made is kept in data/cache/, in which the process that measures cannot write. Nothing of the run but three
    settings is looked at here.
    """
    if run.config.get("experiment") != "cifar10":
        return SECONDS
    config = cifar10_config(run)
    if config.data not in COLOUR_NAMES or not is_measured(config):
        return SECONDS
    with redirect_stdout(io.StringIO()):  # a bar of progress would stand across that of the grading
        _make_scorer(config.extractor, config.data, data)
    slow = INCEPTION_SECONDS * config.samples * len(config.chosen) if config.extractor == "inception" else 0.0
    return SECONDS + slow


@cache
def _make_scorer(extractor: str, name: str, data: str) -> None:
    root = Path(data) if data else None
    with suppress(DataError, RunError):  # is told by the process that measures
        make_scorer(extractor, load_colour(name, root), data_root(root))


def _repeat(found: Run, into: Path, working: Container[str]) -> list[Said]:
    """Repeat a run of the assignment's Dirac GAN; whatever else the run holds is not looked at here."""
    if found.config.get("experiment") != "dirac":
        return []
    config = dirac_config(found)
    if not is_the_assignments(config):
        return []
    played = [training for training in config.trainings if all(part in working for part in parts_of(training))]
    return repeat(into / "implementation", config, played)


def parts_of(training: Training) -> list[str]:
    """Return the parts that a game of the Dirac GAN is played with."""
    penalty = {"none": [], "r1": ["gan.r1_penalty"], "gp": ["gan.gradient_penalty"]}[training.penalty]
    return [*STEPS, f"gan.{training.objective}", *penalty]


# In the process apart


def limits(seconds: float) -> Limits:
    """Return what measuring may take."""
    return Limits(memory_mb=MEMORY_MB, cpu_seconds=round(seconds))


def main() -> None:
    """Read the request, close the door, measure, and say what came of it."""
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Request)
    pipe = answer_pipe()
    torch.set_num_threads(1)
    import matplotlib  # noqa: F401  (the digits are drawn from its fonts, and its import looks for a place to write to)

    places = [place for place in (ROOT, Path(request.into), Path(request.data).resolve()) if place.exists()]
    layers = Enclosure.prepare(limits(request.seconds), places).close(places)
    record = msgspec.structs.replace(_measured(request), isolation=list(layers))
    with pipe:
        pipe.write(msgspec.msgpack.encode(record))


def _measured(request: _Request) -> RunRecord:
    os.chdir(request.into)  # so that messages name the run as it was handed in
    try:
        (run,) = finished_runs([Path(request.run)])
        again = partial(understood, request.said)
        return RunRecord(request.run, list(measure_claims(run, load(), Path(request.data), again, request.seed)))
    except (RunError, DataError, RubricError) as error:
        return RunRecord(request.run, reason=str(error))
    except Exception as error:  # memory, or a defect of the kit
        return RunRecord(request.run, reason=f"the run could not be measured: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
