"""What a failure tells of what is not the part's own: files that are not there, answers of other functions."""

from pathlib import Path

import pytest

from grading.catalogue import all_parts
from grading.engine.calls import CallFailed, Fault
from grading.engine.implementation import Implementation, locate
from grading.engine.worker import reply
from grading.engine.workers import AtOnce
from grading.judge import PROFILES, Judge, PartVerdict
from grading.terminal import facts
from grading.wording import Failure, describe
from tests.support.properties import Attempt, Topic

PARTS = {part.name: part for part in all_parts()}
PREFIX = "_implementation_7."


def _told(fault: Fault) -> str:
    part = PARTS["vae.elbo"]
    return describe(Attempt(part.properties[0], {}, Topic("vae", lambda _: fault), CallFailed(fault))).message


@pytest.mark.parametrize(
    "message",
    [
        f"No module named '{PREFIX}vae.divergences'",
        f"cannot import name 'divergences' from '{PREFIX}vae' (unknown location)",
    ],
)
@pytest.mark.parametrize(("kind", "begins"), [("import", "the file cannot be imported: "), ("raised", "raised ")])
def test_a_stub_file_that_is_not_there_is_told_as_missing(message: str, kind: str, begins: str) -> None:
    error = "ModuleNotFoundError" if message.startswith("No") else "ImportError"
    told = _told(Fault(kind, error, message, "vae/bounds.py, line 7"))
    assert told == f"{begins}{error}: vae/divergences.py is missing; take it from the kit again"


@pytest.mark.parametrize("kind", ["import", "raised"])
@pytest.mark.parametrize(("named", "as_told"), [(f"{PREFIX}vae.helper", "vae.helper"), ("helper", "helper")])
def test_a_file_that_is_no_stub_file_is_told_by_the_name_that_a_student_wrote(
    kind: str, named: str, as_told: str
) -> None:
    told = _told(Fault(kind, "ModuleNotFoundError", f"No module named '{named}'"))
    assert f"ModuleNotFoundError: No module named '{as_told}': of your own files only the stub files are there" in told


def test_a_stub_file_that_was_removed_is_asked_back(submission: object, tmp_path: Path) -> None:
    directory = submission({})  # type: ignore[operator]
    (directory / "vae" / "divergences.py").unlink()
    verdict = _judged("vae.elbo", Implementation(directory))
    (told,) = {(v.failure.message, v.failure.where) for v in verdict.verdicts if v.failure}
    assert "vae/divergences.py is missing; take it from the kit again" in told[0]
    assert "_implementation_" not in told[0]
    assert told[1].startswith("vae/bounds.py, line ")


def _judged(name: str, implementation: Implementation) -> PartVerdict:
    exchange = AtOnce(lambda calls, _: [reply(implementation, call) for call in calls])
    return PartVerdict(name, list(Judge(PROFILES["student"]).part(PARTS[name], exchange)))


def _failures(name: str, **replaced: object) -> dict[str, Failure]:
    implementation = Implementation(locate("solutions"))
    for function, own in replaced.items():
        implementation.replace(f"flows.{function}", own)  # type: ignore[arg-type]
    return {v.property: v.failure for v in _judged(name, implementation).verdicts if v.failure}


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_follows_from_another_answer_that_is_not_finite_is_not_told_as_expected(number: str) -> None:
    found = _failures("flows.planar", constrain_u=lambda u, w: u * float(number))
    rows = dict(facts(found["moves_points_along_u_hat"]))
    assert not {"expected", "difference", "ratio"} & rows.keys()
    assert rows["answer"]
    assert "follows from flows.constrain_u" in rows["note"]
    assert "is not finite" in rows["note"]


def test_an_answer_of_its_own_that_is_nan_is_told_with_what_is_expected() -> None:
    found = _failures("flows.planar", planar=lambda z, u, w, b: (z * float("nan"), z.sum(-1)))
    rows = dict(facts(found["moves_points_along_u_hat"]))
    assert rows["wrong"] == "f(z) is nan"
    assert "nan" not in rows["expected"]
    assert "constrain_u" not in rows.get("note", "")


@pytest.mark.parametrize("name", [name for name in PARTS if name.startswith("flows.") and "property" not in name])
def test_nan_is_never_expected(name: str) -> None:
    for other in ("constrain_u", "planar", "compose"):
        if f"flows.{other}" == name:
            continue
        nan = {
            "constrain_u": lambda u, w: u * float("nan"),
            "planar": lambda z, u, w, b: (z * float("nan"), z.sum(-1) * float("nan")),
            "compose": lambda layers, z: (z * float("nan"), z.sum(-1) * float("nan")),
        }[other]
        assert not [failure for failure in _failures(name, **{other: nan}).values() if "nan" in failure.expected]
