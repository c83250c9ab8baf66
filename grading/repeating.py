"""Repeating a run of the Dirac GAN with the student's functions and seed, enclosed in a process apart from the judge's.

The process that repeats has no file to write to: trajectories come back through its one pipe.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from exercises.experiments.dirac import trajectories
from exercises.experiments.dirac.experiment import rehearse
from exercises.experiments.dirac.settings import OBJECTIVES, Config, Training
from exercises.experiments.dirac.training import BrokenDown, simulate
from exercises.experiments.dirac.trajectories import Trajectory
from exercises.experiments.runs import RunError
from grading.engine.apart import NoAnswerError, answer_pipe, run_apart
from grading.engine.calls import CallFailed
from grading.engine.implementation import Implementation, fault_of
from grading.engine.isolation import Enclosure, Limits

SECONDS = 600.0
TOLD = 600  # characters of what went wrong there
LIMITS = Limits(memory_mb=2048, cpu_seconds=round(SECONDS))


class _Request(msgspec.Struct):
    """What the process is told: where the functions are, in which files, and what to train with them."""

    directory: str
    files: dict[str, str]
    config: dict[str, Any]
    trainings: list[str]


class Said(msgspec.Struct):
    """What it says: the files of trajectories, by the training's name, and what went wrong."""

    trajectories: dict[str, bytes]
    problem: str


def repeated(implementation: Path, config: Config) -> Mapping[Training, Trajectory]:
    """Train again from the settings of a run, and return the trajectories.

    Raises:
        RunError: the student's functions did not get to the end of any training, or left no trajectories.
    """
    return understood(repeat(implementation, config, config.trainings), config)


def repeat(implementation: Path, config: Config, trainings: Sequence[Training]) -> list[Said]:
    """Train again, the games of each objective in a process of their own, and return what they say, as it is."""
    from grading.catalogue import topic_parts

    files = {part.name: part.file for part in topic_parts("gan")}
    together = [[t.name for t in trainings if t.objective == objective] for objective in OBJECTIVES]
    requests = [_Request(str(implementation.resolve()), files, asdict(config), names) for names in together if names]
    if not requests:
        return []
    with ThreadPoolExecutor(len(requests)) as side_by_side:
        return list(side_by_side.map(_ask, requests))


def understood(said: Sequence[Said], config: Config) -> Mapping[Training, Trajectory]:
    """Read the trajectories in what processes said.

    Raises:
        RunError: there are none, or what there is is none.
    """
    trainings = {t.name: t for t in config.trainings}
    contents = [item for each in said for item in each.trajectories.items()]
    found = {trainings[n]: trajectories.decode(c, config, f"repeated, {n}") for n, c in contents if n in trainings}
    if not found:
        raise RunError(f"the run cannot be repeated: {'; '.join(s.problem for s in said if s.problem)[:TOLD]}")
    return found


def _ask(request: _Request) -> Said:
    try:
        answer = run_apart("grading.repeating", [], SECONDS, msgspec.json.encode(request))
        return msgspec.msgpack.decode(answer, type=Said)
    except NoAnswerError as error:
        return Said({}, str(error))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Said({}, "its process ended without a word")


# In the process apart


def main() -> None:
    """Read the request, close the door, train, and say what came of it."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=_Request)
    pipe = answer_pipe()
    directory = Path(request.directory)
    Enclosure.prepare(LIMITS, [directory]).close([directory])
    said = _repeat(request, directory)
    with pipe:
        pipe.write(msgspec.msgpack.encode(said))


def _repeat(request: _Request, directory: Path) -> Said:
    config = msgspec.convert(request.config, Config)
    try:
        functions = _functions(directory, request.files)
        playable, left_out = rehearse(functions, config)
        problems = list(left_out.values())
        mine = [training for training in playable if training.name in request.trainings]
        found = _train(functions, mine, config, problems)
    except BaseException as error:  # a student's function may raise anything, SystemExit included
        return Said({}, _told(error, directory))
    return Said({t.name: trajectories.encode(trajectory) for t, trajectory in found.items()}, "; ".join(problems))


def _train(
    functions: Any, left: Sequence[Training], config: Config, problems: list[str]
) -> Mapping[Training, Trajectory]:
    """Train games as one batch, and the others once more where some break down."""
    while left:
        try:
            return simulate(functions, left, config)
        except BrokenDown as error:
            problems.append(str(error))
            left = [training for training in left if training not in error.broken]
    return {}


def _functions(directory: Path, files: Mapping[str, str]) -> Any:
    implementation = Implementation(directory)
    return SimpleNamespace(**{p.split(".")[1]: _function(implementation, p, file) for p, file in files.items()})


def _function(implementation: Implementation, part: str, file: str) -> Callable[..., Any]:
    """Return a function, or one that tells why there is none: not every game needs it."""
    try:
        return implementation.function(part, file)
    except CallFailed as failed:
        reason = _told(failed, implementation.directory)

        def missing(*_: Any, **__: Any) -> Any:
            raise RunError(reason)

        return missing


def _told(error: BaseException, directory: Path) -> str:
    if isinstance(error, (RunError, NotImplementedError)):
        return str(error)
    fault = error.fault if isinstance(error, CallFailed) else fault_of(error, directory)
    where = f" ({fault.where})" if fault.where else ""
    return f"raised {fault.error}: {fault.message}{where}. `elbo check gan` tells more."


if __name__ == "__main__":
    main()
