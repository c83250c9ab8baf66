"""Judging parts again for a class that was graded: these change, all else stays, and being stopped does no harm."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grading import records, rubric
from grading.engine.implementation import ROOT
from grading.gradebook import Gradebook, GradebookError
from grading.intake import Source, fingerprint
from grading.records import Circumstances, PartRecord, Record
from grading.regrading import Change, RegradingError, choose, keep, merged, parts_of, told
from grading.selection import UnknownPart
from tests.kit import environments

Call = Callable[..., tuple[int, str, str]]
PARTS = ["vae.log_mean_exp", "vae.elbo", "gan.jsd"]
OLD = Circumstances(7, 5, PARTS, "old rubric", "old kit", "3.11", "2.4", "Linux")
NEW = msgspec.structs.replace(OLD, rubric="new rubric", kit="new kit")


def part(name: str, points: float) -> PartRecord:
    return PartRecord(name, "1", "vae/bounds.py", "wrong", points, 5.0, [])


def record(name: str = "anna", **changes: Any) -> Record:
    made = Record(
        name,
        "graded",
        OLD,
        parts=[part(PARTS[0], 1.0), part(PARTS[1], 2.0), part(PARTS[2], 3.0)],
        handed_in="h",
        handed_in_at="2026-12-01T12:00:00+00:00",
        student="1234567",
        notes=["odd"],
        look_at=["strange"],
    )
    return msgspec.structs.replace(made, **changes)


def judged(name: str = "anna", points: float = 4.5, **changes: Any) -> Record:
    """What a grader says that was asked for one part alone."""
    circumstances = msgspec.structs.replace(NEW, parts=PARTS[1:2], kit="kit of a topic", torch="2.9")
    made = Record(name, "graded", circumstances, parts=[part(PARTS[1], points)])
    return msgspec.structs.replace(made, **changes)


@pytest.fixture
def book(tmp_path: Path) -> Gradebook:
    """A class of two that was graded, about to be judged again by another rubric and kit."""
    before = Gradebook(tmp_path / "graded", OLD, resume=False)
    for name in ("anna", "ben"):
        before.keep(record(name))
    return Gradebook(tmp_path / "graded", NEW, resume=True, regrade=True)


# What changes and what stays


def test_what_was_judged_again_takes_its_place_and_all_else_stays(book: Gradebook) -> None:
    old, new = record(), judged()
    found = merged(old, new, book)
    assert found.parts == [old.parts[0], new.parts[0], old.parts[2]]
    assert found.circumstances == msgspec.structs.replace(NEW, torch="2.9")
    stays = {"parts": [], "circumstances": OLD}
    assert msgspec.structs.replace(found, **stays) == msgspec.structs.replace(old, **stays)


def test_points_are_settled_anew(book: Gradebook) -> None:
    assert list(keep(book, [judged(), judged("ben", 2.0)])) == [
        Change("anna", 2.0, 4.5, 5.0),
        Change("ben", 2.0, 2.0, 5.0),
    ]
    assert [found.points for found in book.records()] == [8.5, 6.0]


def test_what_cannot_be_judged_again_is_left_as_it_was(book: Gradebook) -> None:
    before = list(book.records())
    failed = judged(outcome="refused", parts=[], reason="out of memory", grader_failed=True)
    assert list(keep(book, [failed])) == [Change("anna", 0.0, 0.0, 0.0, "out of memory")]
    assert list(book.records()) == before


def test_stopped_in_the_middle_and_begun_anew_it_ends_with_the_same(book: Gradebook, tmp_path: Path) -> None:
    shutil.copytree(book.out, tmp_path / "whole")
    whole = Gradebook(tmp_path / "whole", NEW, resume=True, regrade=True)
    every = [judged(), judged("ben", 5.0)]
    list(keep(whole, every))
    assert next(keep(book, every)).submission == "anna"  # and no more
    assert [found.points for found in book.records()] == [8.5, 6.0]
    list(keep(book, every))
    assert list(book.records()) == list(whole.records())


def test_the_circumstances_are_those_of_before_until_all_is_done(book: Gradebook) -> None:
    list(keep(book, [judged()]))
    assert json.loads((book.out / "grading.json").read_text())["kit"] == "old kit"
    book.renew()
    assert json.loads((book.out / "grading.json").read_text())["kit"] == "new kit"
    Gradebook(book.out, NEW, resume=True)


# Who is judged again


def test_those_that_changed_or_are_not_graded_are_told_and_left(book: Gradebook, tmp_path: Path) -> None:
    sources = []
    for name in ("anna", "ben", "carl", "dora", "eve"):
        (tmp_path / name).mkdir()
        sources.append(Source(name, tmp_path / name))
        if name not in ("ben", "carl"):
            book.keep(record(name, handed_in=fingerprint(sources[-1])))
    book.keep(record("dora", outcome="refused", handed_in=fingerprint(sources[3])))
    book.keep(record("eve", outcome="refused", grader_failed=True, handed_in=fingerprint(sources[4])))
    found = choose(book, sources)
    assert [source.name for source in found.sources] == ["anna"]
    assert found.left == [
        "ben changed since it was graded; --resume grades all of it",
        "carl is not graded there yet; --resume does it",
        "eve is not graded there yet; --resume does it",
    ]


def test_parts_and_topics_are_named() -> None:
    whole = rubric.load()
    assert parts_of(["vae.elbo"], list(whole.parts), whole) == ("vae.elbo",)
    assert set(parts_of(["flows", "vae.elbo"], list(whole.parts), whole)) == {
        "vae.elbo",
        *(name for name in whole.parts if name.startswith("flows.")),
    }
    with pytest.raises(UnknownPart, match=r"vae\.elbow"):
        parts_of(["vae.elbow"], list(whole.parts), whole)
    with pytest.raises(RegradingError, match=r"--regrade: gan\.jsd was not graded there.*vae\.elbo"):
        parts_of(["gan.jsd"], ["vae.elbo"], whole)


def test_it_is_told_how_many_changed_and_by_how_much() -> None:
    changes = [
        Change("zoe", 2.0, 0.5, 5.0),
        Change("anna", 2.0, 4.5, 5.0),
        Change("ben", 2.0, 2.0, 5.0),
        Change("carl", 0.0, 0.0, 0.0, "out of memory"),
    ]
    assert list(told(changes, ["vae.elbo"])) == [
        "judged again vae.elbo: the points of 2 of 3 changed, by -1.5 to +2.5 points",
        "anna: 2 of 5, now 4.5",
        "zoe: 2 of 5, now 0.5",
        "carl: not judged again, and left as it was: out of memory",
    ]
    assert list(told(changes[2:3], ["vae.elbo"])) == ["judged again vae.elbo: the points of 0 of 1 changed"]


@pytest.mark.parametrize(
    ("points", "by"),
    [([2.75], "by +0.75 points"), ([2.75, 2.75], "by +0.75 points"), ([1.0, 2.75], "by -1 to +0.75 points")],
)
def test_one_change_is_told_as_one(points: list[float], by: str) -> None:
    changes = [Change(f"s{number}", 2.0, after, 5.0) for number, after in enumerate(points)]
    assert next(told(changes, ["vae.elbo"])).endswith(f" changed, {by}")


def test_other_parts_are_told_alone_as_the_kit_is_told_by_theirs(book: Gradebook) -> None:
    """What a grading says of the kit is of the topics of its parts: of other ones it cannot be compared."""
    fewer = msgspec.structs.replace(OLD, parts=PARTS[:1], kit="kit of a topic")
    for now, other in ((fewer, "parts"), (msgspec.structs.replace(OLD, kit="new"), "kit")):
        with pytest.raises(GradebookError, match=rf"was graded with other {other}; one class"):
            Gradebook(book.out, now, resume=True)
    with pytest.raises(GradebookError, match=r"was graded with other inputs \(5, now 6\), parts; one class"):
        Gradebook(book.out, msgspec.structs.replace(fewer, inputs=6), resume=True)


# By the command

ONLY = ("--only", "vae.log_mean_exp,vae.log_likelihood_bernoulli", "--inputs", "4", "--jobs", "1")
LIKELIHOODS = (ROOT / "solutions" / "vae" / "likelihoods.py").read_text(encoding="utf-8")
SLIP = LIKELIHOODS.replace(" - math.log(y.shape[1])", "")


@pytest.fixture(scope="module")
def graded_once(elbo: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of two, of which one has a slip, graded by the command."""
    base = tmp_path_factory.mktemp("graded")
    for name, text in (("anna", LIKELIHOODS), ("ben", SLIP)):
        (base / "class" / name / "vae").mkdir(parents=True)
        (base / "class" / name / "vae" / "likelihoods.py").write_text(text, encoding="utf-8")
    assert elbo("grade", base / "class", "--out", base / "out", *ONLY, "--seed", 7).returncode == 0
    return base


@pytest.fixture
def graded(graded_once: Path, tmp_path: Path) -> tuple[Path, Path]:
    """That class, and where it was graded, for one test alone."""
    shutil.copytree(graded_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "class", tmp_path / "out"


@pytest.fixture
def richer(graded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """That class, after which a property of vae.log_mean_exp is worth three points more."""
    text = rubric.PATH.read_text(encoding="utf-8")
    key = '[parts."vae.log_mean_exp".points]'
    begin, _, end = text.partition(key)
    changed = re.sub(r"keeps_the_dtype = [\d.]+", "keeps_the_dtype = 3.25", end, count=1)
    assert changed != end
    (tmp_path / "rubric.toml").write_text(begin + key + changed, encoding="utf-8")
    load = rubric.load
    monkeypatch.setattr(rubric, "PATH", tmp_path / "rubric.toml")
    monkeypatch.setattr(rubric, "load", lambda: load(tmp_path / "rubric.toml"))
    return graded


def points(out: Path, name: str) -> dict[str, float]:
    found = records.read(out / "records" / f"{name}.json")
    return {part.part: part.points for part in found.parts} | {"": found.points}


def without_seconds(out: Path) -> dict[str, Any]:
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted((out / "records").glob("*.json"))}
    return {name: re.sub(r'"(seconds|used|cpu)": [\d.e-]+', "", text) for name, text in texts.items()}


def test_a_changed_rubric_is_judged_by_again(call: Call, richer: tuple[Path, Path]) -> None:
    folder, out = richer
    before = {name: points(out, name) for name in ("anna", "ben")}
    status, text, err = call("grade", folder, "--out", out, *ONLY, "--regrade", "vae.log_mean_exp")
    assert (status, err) == (0, "")
    assert "judged again vae.log_mean_exp: the points of 2 of 2 changed" in text
    part = "vae.log_mean_exp"
    for name in ("anna", "ben"):
        after = points(out, name)
        assert after[part] == before[name][part] + 3
        assert after[""] == before[name][""] + 3
        assert {**after, part: 0, "": 0} == {**before[name], part: 0, "": 0}
    assert f"anna: {before['anna'][part]:g} of" in text
    status, text, err = call("grade", folder, "--out", out, *ONLY, "--resume")  # the circumstances are the new ones
    assert (status, err) == (0, "")
    assert "2 of 2 were graded before, and are kept" in text


def test_going_on_by_another_rubric_counts_everybody_by_it(call: Call, richer: tuple[Path, Path]) -> None:
    folder, out = richer
    before = {name: points(out, name) for name in ("anna", "ben")}
    status, text, err = call("grade", folder, "--out", out, *ONLY, "--resume")
    assert (status, err) == (0, "")
    assert "2 of 2 were graded before, and are kept" in text
    for name in ("anna", "ben"):
        assert points(out, name)[""] == before[name][""] + 3


def test_killed_in_the_middle_and_done_again_it_is_the_same(
    call: Call, richer: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = richer
    shutil.copytree(out, tmp_path / "whole")
    again = (*ONLY, "--regrade", "vae.log_mean_exp")
    assert call("grade", folder, "--out", tmp_path / "whole", *again)[0] == 0
    kept, real = [], Gradebook.keep

    def stopped(self: Gradebook, *arguments: Any) -> Record:
        if kept:
            raise KeyboardInterrupt
        kept.append(arguments)
        return real(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Gradebook, "keep", stopped)
        status, _, err = call("grade", folder, "--out", out, *again)
        assert status == 2
        assert "stopped; 1 of 2 were judged again" in err
    assert without_seconds(out) != without_seconds(tmp_path / "whole")
    assert call("grade", folder, "--out", out, *again)[0] == 0
    assert without_seconds(out) == without_seconds(tmp_path / "whole")
    assert (out / "grading.json").read_bytes() == (tmp_path / "whole" / "grading.json").read_bytes()


def test_what_was_not_graded_there_cannot_be_graded_again(
    call: Call, graded: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, out = graded
    before = without_seconds(out)
    for options, words in (
        (("--out", out, *ONLY, "--regrade", "gan"), "was not graded there"),
        (("--out", out, *ONLY, "--regrade", "vae.log_mean_expp"), "Did you mean vae.log_mean_exp?"),
        (("--out", tmp_path / "new", "--regrade", "vae"), "holds no grading; grade into it first"),
    ):
        status, _, err = call("grade", folder, *options)
        assert status == 2
        assert words in err
    assert without_seconds(out) == before
    assert not (tmp_path / "new").exists()


def test_a_hand_in_that_changed_is_told_and_left(call: Call, graded: tuple[Path, Path]) -> None:
    folder, out = graded
    (folder / "ben" / "vae" / "likelihoods.py").write_text(LIKELIHOODS, encoding="utf-8")
    before = points(out, "ben")
    status, text, _ = call("grade", folder, "--out", out, *ONLY, "--regrade", "vae.log_mean_exp")
    assert status == 0
    assert "ben changed since it was graded; --resume grades all of it" in text
    assert points(out, "ben") == before
    assert call("grade", folder, "--out", out, *ONLY, "--resume")[0] == 0
    assert points(out, "ben")[""] > before[""]


def test_a_property_that_was_mended_turns_a_verdict_and_points_of_a_person_stay(tmp_path: Path) -> None:
    kit, folder, out = environments.checkout(tmp_path / "kit"), tmp_path / "class", tmp_path / "out"
    (folder / "anna" / "vae").mkdir(parents=True)
    (folder / "anna" / "vae" / "likelihoods.py").write_text(LIKELIHOODS, encoding="utf-8")
    properties, mean = kit / "tests" / "vae" / "test_likelihoods.py", "y[0].exp().mean(1).log())"
    text = properties.read_text(encoding="utf-8")
    assert text.count(mean) == 1
    properties.write_text(text.replace(mean, mean.replace("mean", "sum")), encoding="utf-8")

    def grade(*options: str) -> str:
        words = ("grade", folder, "--out", out, "--inputs", "4", "--jobs", "1", "--no-runs", *options)
        done = environments.run([sys.executable, "-m", "grading.cli", *words], kit, PYTHONPATH=str(kit))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def verdicts() -> dict[str, str]:
        return {part.part: part.outcome for part in records.read(out / "records" / "anna.json").parts}

    part = "vae.log_mean_exp"
    grade()
    before = verdicts()
    assert before[part] == "wrong"
    given = (out / "manual.csv").read_text(encoding="utf-8-sig").replace(",2,,", ",2,1.5,well argued", 1)
    assert "well argued" in given
    (out / "manual.csv").write_text(given, encoding="utf-8")
    grade("--resume")
    counted = points(out, "anna")
    properties.write_text(text, encoding="utf-8")
    assert f"judged again {part}: the points of 1 of 1 changed, by +" in grade("--regrade", part)
    assert verdicts() == before | {part: "right"}
    after = points(out, "anna")
    assert after[part] == rubric.load().parts[part].total > counted[part]
    assert after[""] - counted[""] == pytest.approx(after[part] - counted[part])
    (words,) = [q for q in records.read(out / "records" / "anna.json").questions if q.points is not None]
    assert (words.points, words.comment) == (1.5, "well argued")
    assert (out / "manual.csv").read_text(encoding="utf-8") == given
