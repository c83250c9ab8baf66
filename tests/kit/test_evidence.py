"""Figures of submitted runs: measured again behind a closed door, whatever the files of the run hold."""

import json
import math
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from exercises.experiments import runs
from exercises.experiments.cifar10.settings import PRESETS
from exercises.experiments.dirac import trajectories
from exercises.experiments.dirac.experiment import path_of
from exercises.experiments.dirac.settings import Config
from exercises.experiments.dirac.trajectories import Trajectory
from exercises.experiments.flows.settings import Config as Flows
from exercises.experiments.runs import Run, RunError
from grading import evidence, rubric
from grading.engine.apart import NoAnswerError
from grading.engine.implementation import ROOT
from grading.engine.workers import Starter, layers_of
from grading.handed_in import finished_runs
from grading.records import RunRecord, points_of_runs
from grading.rubric import load

WORKING = tuple(load().parts)
GAME = replace(Config(), starts=2, seed=20113225, configuration="dirac-w1-1")
CLASS = "dirac.class.dirac-w1-1"
MakeRun = Callable[..., Run]


@pytest.fixture
def into(place: Path, request: pytest.FixtureRequest) -> Any:
    """The directory of what was taken of a submission, with the reference's functions in it."""
    directory = place / "taken"
    shutil.copytree(ROOT / "solutions" / "gan", directory / "implementation" / "gan")
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def take(run: Path, into: Path, name: str) -> str:
    """Put a run into what was taken, as files that anybody may read."""
    shutil.copytree(run, into / "runs" / name, symlinks=True)
    for path in (into / "runs", *(into / "runs").rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    return f"runs/{name}"


def measured(into: Path, run: str, working: tuple[str, ...] = WORKING) -> RunRecord:
    return evidence.measure(into, run, "", 3, working)


@pytest.fixture
def game(tmp_path: Path) -> MakeRun:
    """A function that makes a finished run of one game, whose trajectory was never played, reporting a class."""

    def make(word: str = "cycles", config: Config = GAME) -> Run:
        record = {
            "experiment": "dirac",
            "preset": "quick",
            "implementation": "mine",
            "data": {"name": "dirac", "source": "a point mass at 0"},
            "settings": asdict(config),
        }
        run = runs.create(tmp_path / "game", record)
        records = config.iterations // trajectories.stride(config) + 1
        idle = Trajectory(torch.zeros(config.iterations + 1, 4).double(), torch.zeros(records, config.starts, 2))
        (training,) = config.trainings
        trajectories.write(path_of(run.path, training), idle)
        run.write_summary({CLASS: word})
        return run

    return make


# Measured


def test_a_run_of_images_is_measured_behind_every_layer(
    make_run: MakeRun, into: Path, enclosed: Starter, place: Path
) -> None:
    name = take(make_run().path, into, "vae-1")
    record = measured(into, name)
    assert (record.run, record.reason) == ("runs/vae-1", "")
    claims = {claim.name: claim for claim in record.claims}
    assert set(claims) == {"vae.elbo", "vae.log_likelihood"}
    for claim in claims.values():
        assert (claim.outcome, claim.reported, claim.data) == ("wrong", -500.0, "digits")
        assert isinstance(claim.measured, float)
        assert -700 < claim.measured < -500  # of a network that nobody trained: 784 log 2 and a little more
        assert "do not agree" in claim.message
    assert points_of_runs([record]) == 0
    assert tuple(record.isolation) == layers_of(enclosed, place)


def test_a_game_is_played_again_with_the_students_functions(game: MakeRun, into: Path) -> None:
    record = measured(into, take(game().path, into, "dirac-1"))
    (claim,) = record.claims
    assert (claim.name, claim.outcome, claim.reported, claim.measured) == (CLASS, "reached", "cycles", "cycles")
    assert points_of_runs([record]) == claim.points > 0
    assert record.isolation[0] == "process"


def test_a_false_report_of_a_game_is_wrong(game: MakeRun, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = take(game("converges").path, into, "dirac-1")
    short = [evidence.Said({"w1": trajectories.encode(_cycle())}, "")]
    monkeypatch.setattr(evidence, "repeat", lambda *_: short)
    (claim,) = measured(into, name).claims
    assert (claim.outcome, claim.earned) == ("wrong", 0)
    assert claim.message == "reported 'converges', repeated 'limit cycle'"


def _cycle() -> Trajectory:
    """A trajectory that goes round and round on one circle."""
    angle = torch.arange(GAME.iterations + 1).double() / 50
    path = torch.stack([angle.sin(), angle.sin(), angle.cos(), angle.cos()], dim=1)
    step = trajectories.stride(GAME)
    starts = path[::step][:, [0, 2]].float()[:, None].expand(-1, GAME.starts, 2)
    return Trajectory(path, starts.clone())


PLAYED = (*evidence.STEPS, "gan.w1")


@pytest.mark.parametrize("missing", ["", *PLAYED])
def test_a_game_is_played_with_parts_that_work_alone(
    game: MakeRun, into: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    asked: list[Any] = []

    def repeat(implementation: Path, config: Config, played: Any) -> list[Any]:
        asked.append(played)
        return []

    monkeypatch.setattr(evidence, "repeat", repeat)
    name = take(game().path, into, "dirac-1")
    evidence._repeat(runs.read(into / name), into, [part for part in PLAYED if part != missing])
    assert asked == [[] if missing else GAME.trainings]


def test_functions_that_raise_refuse_the_claims_and_tell_what(game: MakeRun, into: Path) -> None:
    with (into / "implementation" / "gan" / "objectives.py").open("a") as file:
        file.write("\n\ndef w1(real_scores, fake_scores):\n    raise ValueError('mine')\n")
    (claim,) = measured(into, take(game().path, into, "dirac-1")).claims
    assert (claim.outcome, claim.earned) == ("refused", 0)
    assert "ValueError: mine" in claim.message
    assert str(into) not in claim.message


def test_a_file_that_no_game_asks_for_may_be_broken(game: MakeRun, into: Path) -> None:
    (into / "implementation" / "gan" / "scores.py").write_text("def (")
    (claim,) = measured(into, take(game().path, into, "dirac-1")).claims
    assert (claim.outcome, claim.message) == ("reached", "")


def test_a_game_of_other_settings_is_not_played(game: MakeRun, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "repeat", None)
    run = game(config=replace(GAME, iterations=40))
    name = take(run.path, into, "dirac-1")
    assert evidence._repeat(runs.read(into / name), into, WORKING) == []


# Refused


class Trap:
    """Unpickling it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_is_no_checkpoint_and_is_not_opened(make_run: MakeRun, into: Path) -> None:
    run = make_run()
    trap = into / "runs" / "trapped"
    run.checkpoint.write_bytes(pickle.dumps(Trap(trap)))
    record = measured(into, take(run.path, into, "vae-1"))
    assert {claim.outcome for claim in record.claims} == {"refused"}
    for claim in record.claims:
        assert "is a pickle" in claim.message
        assert claim.message.startswith("runs/vae-1/checkpoint.safetensors")  # not where it lay while it was graded
    assert not trap.exists()


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "false header": (
        lambda run: (run / "checkpoint.safetensors").write_bytes(b"\xff" * 7 + b"\x7f{}"),
        "cut off or no safetensors file",
    ),
    "header of another size": (
        lambda run: (run / "checkpoint.safetensors").write_bytes(
            (2).to_bytes(8, "little") + (run / "checkpoint.safetensors").read_bytes()[8:]
        ),
        "cut off or no safetensors file",
    ),
    "checkpoint is a link": (lambda run: link(run / "checkpoint.safetensors"), "is a link"),
    "summary is a link": (lambda run: link(run / "summary.json"), "is a link"),
    "metrics are a link": (lambda run: link(run / "metrics.jsonl"), "is a link"),
    "no summary": (lambda run: (run / "summary.json").unlink(), "summary.json"),
    "no checkpoint": (lambda run: (run / "checkpoint.safetensors").unlink(), "cannot be read"),
    "summary of lists": (lambda run: (run / "summary.json").write_text("[]"), "summary.json"),
    "another data set": (lambda run: configured(run, data={"name": "../../etc", "source": ""}), "data set"),
    "another experiment": (lambda run: configured(run, experiment="x"), "no experiment is called 'x'"),
}


def link(path: Path) -> None:
    kept = path.rename(path.with_name("kept"))
    path.symlink_to(kept.resolve())


def configured(run: Path, **changes: Any) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_no_experiment_wrote_is_refused_and_named_as_it_was_handed_in(
    make_run: MakeRun, into: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.chdir(into)  # what follows is the work of the process apart, in this one
    change, words = DAMAGES[damage]
    name = take(make_run().path, into, "vae-1")
    change(into / name)
    record = evidence._measured(evidence._Request(str(into), name, str(into), 3, [], 60.0))
    told = [record.reason] if record.reason else [claim.message for claim in record.claims]
    assert told
    assert all(words in message for message in told), told
    assert not any(str(into) in message for message in told)
    assert points_of_runs([record]) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda run: (run / "config.json").unlink(),
        lambda run: (run / "config.json").write_text("{"),
        lambda run: (run / "config.json").write_text("[" * 100_000),
        lambda run: configured(run, experiment="dirac", settings={"iterations": "many"}),
        lambda run: configured(run, experiment="dirac", settings=None),
    ],
    ids=["missing", "cut off", "deep", "settings of text", "no settings"],
)
def test_a_run_that_cannot_be_read_is_told_without_temporary_paths(
    make_run: MakeRun, into: Path, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object) -> bytes:
        raise NoAnswerError("it was asked")

    monkeypatch.setattr(evidence, "run_apart", started)
    name = take(make_run().path, into, "vae-1")
    change(into / name)
    record = measured(into, name)
    assert (record.run, record.claims) == (name, [])
    assert record.reason
    assert "it was asked" not in record.reason
    assert str(into) not in record.reason


SETTINGS = {"vae": {}, "dirac": asdict(GAME), "flows": asdict(Flows()), "cifar10": asdict(PRESETS["quick"])}
ODD = (None, [], {}, "", "x", "\ud800", 0, -1, 10**4000, 1e308, math.nan, math.inf, True, [[{}]], {"a": {"b": []}})


def hostile_configs(experiment: str) -> Iterator[Any]:
    """Configurations of which one thing is missing or of another kind."""
    settings = SETTINGS[experiment]
    whole = {"experiment": experiment, "preset": "quick", "implementation": "mine", "settings": settings}
    whole |= {"data": {"name": "shapes", "source": ""}}
    yield {"experiment": experiment}
    for place, keys in ((whole, whole), (settings, settings), (whole["data"], ("name", "source"))):
        for key in keys:
            others = {name: value for name, value in place.items() if name != key}
            for made in (others, *(others | {key: value} for value in ODD)):
                below = next((name for name in ("settings", "data") if whole[name] is place), None)
                yield whole | {below: made} if below else made


@pytest.mark.parametrize("experiment", SETTINGS)
def test_a_configuration_that_no_experiment_writes_refuses_its_own_run_alone(
    into: Path, monkeypatch: pytest.MonkeyPatch, experiment: str
) -> None:
    def started(*_: object) -> bytes:
        raise NoAnswerError("it was asked")

    monkeypatch.setattr(evidence, "run_apart", started)
    monkeypatch.setattr(evidence, "repeat", lambda *_: [])
    monkeypatch.setattr(evidence, "_make_scorer", lambda *_: None)
    run = into / "runs" / "a"
    run.mkdir(parents=True)
    (run / "summary.json").write_text("{}")
    for config in hostile_configs(experiment):
        (run / "config.json").write_text(json.dumps(config))
        record = measured(into, "runs/a")
        assert record.reason
        assert evidence.FAILED not in record.reason  # but what is wrong with the run
        assert msgspec.json.encode(record)
        with suppress(RunError):  # as a report and packing open it
            finished_runs([run])


def test_where_the_grader_fails_at_a_run_that_is_its_reason(
    make_run: MakeRun, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bytes:
        raise ZeroDivisionError("a defect \ud800")

    monkeypatch.setattr(evidence, "run_apart", fails)
    record = measured(into, take(make_run().path, into, "vae-1"))
    assert record.reason.startswith(f"{evidence.FAILED}: ZeroDivisionError")
    assert "which is not the student's fault" in record.reason
    assert msgspec.json.encode(record)


# The process apart


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (NoAnswerError("no answer within 1800 seconds"), "could not be measured: no answer within 1800 seconds"),
        (b"", "ended without a word"),
        (b"\xc1", "ended without a word"),
        (b"\x81\xa3run\xa1\xff", "ended without a word"),
        (msgspec.msgpack.encode({"claims": 3}), "ended without a word"),
    ],
    ids=["too long", "nothing", "noise", "no text", "something else"],
)
def test_a_process_that_says_nothing_of_use_is_told(
    make_run: MakeRun, into: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, words: str
) -> None:
    def answered(*_: object) -> bytes:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(evidence, "run_apart", answered)
    record = measured(into, take(make_run().path, into, "vae-1"))
    assert words in record.reason
    assert record.claims == []


def test_its_memory_and_time_are_bounded() -> None:
    assert evidence.limits(60.0).memory_mb >= rubric.load().grading.memory_mb
    assert evidence.limits(60.0).cpu_seconds == 60


IMAGES = {"experiment": "cifar10", "data": {"name": "shapes", "source": ""}}


@pytest.mark.parametrize(
    ("changed", "made", "seconds"),
    [
        ({}, [("patches", "shapes", "")], evidence.SECONDS),
        ({"samples": 500}, [], evidence.SECONDS),  # has no claim: nobody's machine works for it
        ({"extractor": "inception", "samples": 500}, [], evidence.SECONDS),
        ({"extractor": "inception", "samples": 10_000}, [("inception", "shapes", "")], evidence.SECONDS + 25_000),
        ({"data": "elsewhere"}, [], evidence.SECONDS),
    ],
)
def test_what_scores_images_is_made_where_a_claim_needs_it(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], made: list[Any], seconds: float
) -> None:
    found: list[Any] = []
    monkeypatch.setattr(evidence, "_make_scorer", lambda *order: found.append(order))
    run = Run(Path("run"), IMAGES | {"settings": asdict(replace(PRESETS["quick"], **changed))})
    assert evidence._prepare(run, "") == seconds
    assert found == made
